"""Exponential smoothing (ETS) of each series; change what you like."""

from __future__ import annotations

import warnings

import numpy as np
import pyarrow as pa
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from models.sdk import Context, Forecaster
from models.sdk.tables import forecast_table, per_series


class Smoothing(Forecaster):
    def fit(self, history: pa.Table, context: Context) -> None:
        self._season = context.season_steps
        self._values = {name: values for name, _, values in per_series(history, fill=True)}

    def predict(self, future: pa.Table) -> pa.Table:
        return forecast_table(future, lambda name, times: self._one(self._values[name], len(times)))

    def _one(self, y: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """The mean and its standard error, (steps,) each."""
        if np.ptp(y) == 0:
            return np.full(steps, y[0]), np.zeros(steps)
        seasonal = "add" if self._season > 1 and len(y) >= 2 * self._season + 2 else None
        model = ETSModel(
            y, error="add", trend="add", damped_trend=True, seasonal=seasonal, seasonal_periods=self._season if seasonal else None
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = model.fit(disp=False, maxiter=100)
        spread = float(np.std(fitted.resid[-200:]))
        return np.asarray(fitted.forecast(steps)), spread * np.sqrt(1 + 0.1 * np.arange(steps))
