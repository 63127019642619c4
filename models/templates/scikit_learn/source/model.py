"""Gradient boosting on lags and the calendar; one model for all series of a batch, each on its own scale."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from sklearn.ensemble import HistGradientBoostingRegressor

from models.sdk import Context, Forecaster
from models.sdk.tables import forecast_table, per_series

LAGS = 14


class Boosting(Forecaster):
    def fit(self, history: pa.Table, context: Context) -> None:
        self._season = context.season_steps
        self._past, rows, targets = {}, [], []
        for name, times, values in per_series(history, fill=True):
            scale = max(float(np.abs(values[-8 * LAGS :]).mean()), 1e-9)
            y = values / scale
            self._past[name] = (y, scale)
            days = times.astype("datetime64[D]").astype(int)
            for at in range(LAGS, len(y)):
                rows.append(self._features(y[at - LAGS : at], days[at]))
                targets.append(y[at] - y[at - LAGS : at].mean())
        self._model = HistGradientBoostingRegressor(max_iter=80, max_depth=4, random_state=context.seed)
        self._model.fit(np.array(rows), np.array(targets))
        self._spread = float(np.std(np.array(targets) - self._model.predict(np.array(rows))))

    def predict(self, future: pa.Table) -> pa.Table:
        return forecast_table(future, self._ahead)

    def _ahead(self, name: str, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        y, scale = self._past[name]
        window, mean = list(y[-LAGS:]), []
        for day in times.astype("datetime64[D]").astype(int):
            step = np.mean(window) + float(self._model.predict(self._features(np.array(window), day)[None])[0])
            mean.append(step)
            window = [*window[1:], step]
        return np.array(mean) * scale, scale * self._spread * np.sqrt(1 + 0.1 * np.arange(len(mean)))

    def _features(self, window: np.ndarray, day: int) -> np.ndarray:
        base = window.mean()
        return np.r_[window - base, (day + 3) % 7, np.sin(2 * np.pi * day / 365.25), np.cos(2 * np.pi * day / 365.25)]
