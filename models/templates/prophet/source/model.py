"""Prophet on each series."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pyarrow as pa
from prophet import Prophet

from models.sdk import Context, Forecaster
from models.sdk.tables import forecast_table, per_series

logging.getLogger("cmdstanpy").setLevel(logging.ERROR)


class ProphetModel(Forecaster):
    def fit(self, history: pa.Table, context: Context) -> None:
        self._seed = context.seed
        self._fitted = {name: self._one(times, values) for name, times, values in per_series(history, fill=True)}

    def predict(self, future: pa.Table) -> pa.Table:
        return forecast_table(future, self._ahead)

    def _one(self, times: np.ndarray, y: np.ndarray) -> Prophet:
        model = Prophet(uncertainty_samples=0)
        model.fit(pd.DataFrame({"ds": times, "y": y}), seed=self._seed)
        inside = model.predict(pd.DataFrame({"ds": times}))["yhat"].to_numpy()
        model.spread = float(np.std(y - inside))
        return model

    def _ahead(self, name: str, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        model = self._fitted[name]
        mean = model.predict(pd.DataFrame({"ds": times}))["yhat"].to_numpy()
        return mean, np.full(len(mean), model.spread)
