"""An MLflow pyfunc model behind the contract: `mlflow/` holds the folder that mlflow.pyfunc.save_model wrote, with a signature.

It takes a frame with series_id, time, value (history, then the future with empty values) and returns mean and spread for the future rows.
"""

from __future__ import annotations

import mlflow.pyfunc
import numpy as np
import pandas as pd
import pyarrow as pa

from models.sdk import Context, Forecaster
from models.sdk.tables import forecast_table, per_series


class Pyfunc(Forecaster):
    def fit(self, history: pa.Table, context: Context) -> None:
        self._model = mlflow.pyfunc.load_model(str(self.artifacts.parent / "mlflow"))
        self._past = {name: (times, values) for name, times, values in per_series(history, fill=True)}

    def predict(self, future: pa.Table) -> pa.Table:
        return forecast_table(future, self._ahead)

    def _ahead(self, name: str, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        past, values = self._past[name]
        frame = pd.DataFrame({"time": np.r_[past, times], "value": np.r_[values, np.full(len(times), np.nan)]})
        made = self._model.predict(frame)
        return np.asarray(made["mean"])[-len(times) :], np.asarray(made["spread"])[-len(times) :]
