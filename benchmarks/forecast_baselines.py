"""Reference models on the same series: statsforecast's AutoETS and AutoTheta, their median with CES, and Prophet with its defaults."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.forecast_scores import score
from core.timeseries import FloatArray
from forecasting.clean import fill_gaps
from forecasting.prepare import prepare
from forecasting.types import Forecast, ForecastInput

Bounds = tuple[FloatArray, dict[int, FloatArray], dict[int, FloatArray]]
LEVELS = (80, 95)
MAX_SEASON, MAX_POINTS = 24, 2_000
"""A state-space model with a longer season does not fit in reasonable time; longer histories only cost it time."""


def run_baselines(folder: Path, items: Sequence[ForecastInput], processes: int) -> dict[str, Any]:
    """Name -> scores on the suite. A model that fails on a series repeats its last season there."""
    with ProcessPoolExecutor(max_workers=processes, mp_context=get_context("spawn")) as executor:
        made = list(executor.map(_all_models, items, chunksize=4))
    from benchmarks.forecast import to_frame

    return {name: score(folder, to_frame([forecasts[name] for forecasts in made])) for name in made[0]}


def _all_models(item: ForecastInput) -> dict[str, Forecast]:
    warnings.simplefilter("ignore")
    logging.getLogger("cmdstanpy").setLevel(logging.CRITICAL)
    series = prepare(item)
    season = min((s for s in series.seasons if s <= MAX_SEASON and 2 * s <= series.y.shape[0]), default=1)
    complete = fill_gaps(series.raw, series.seasons)
    y, at = complete[-MAX_POINTS:], series.future_steps - 1
    ets, theta, ces = (
        _safely(lambda kind=kind: _statsforecast(kind, season, y, series.horizon), y, season, series.horizon)
        for kind in ("AutoETS", "AutoTheta", "AutoCES")
    )
    found = {"AutoETS": ets, "AutoTheta": theta, "median of AutoETS, AutoTheta, AutoCES": _median((ets, theta, ces))}
    made = {name: _as_forecast(series.series_id, series.future_times, at, bounds, name) for name, bounds in found.items()}
    prophet = _safely(lambda: _prophet(item, series.future_times), y, season, series.future_times.shape[0])
    made["Prophet defaults"] = _as_forecast(series.series_id, series.future_times, np.arange(at.shape[0]), prophet, "Prophet")
    return made


def _statsforecast(kind: str, season: int, y: FloatArray, horizon: int) -> Bounds:
    from statsforecast import models

    out = getattr(models, kind)(season_length=season).forecast(y, horizon, level=list(LEVELS))
    return np.asarray(out["mean"]), {v: np.asarray(out[f"lo-{v}"]) for v in LEVELS}, {v: np.asarray(out[f"hi-{v}"]) for v in LEVELS}


def _prophet(item: ForecastInput, times: npt.NDArray[np.datetime64]) -> Bounds:
    from prophet import Prophet

    history = pd.DataFrame({"ds": item.series.times, "y": item.series.values})
    ahead = pd.DataFrame({"ds": times})
    found = {}
    for level in LEVELS:
        np.random.seed(0)
        model = Prophet(interval_width=level / 100)
        if item.country:
            model.add_country_holidays(country_name=item.country)
        for name, values in item.regressors.items():
            history[name], ahead[name] = values, item.future_regressors[name]
            model.add_regressor(name)
        found[level] = model.fit(history).predict(ahead)
    low = {level: out["yhat_lower"].to_numpy(np.float64) for level, out in found.items()}
    high = {level: out["yhat_upper"].to_numpy(np.float64) for level, out in found.items()}
    return found[95]["yhat"].to_numpy(np.float64), low, high


def _safely(make: Callable[[], Bounds], y: FloatArray, season: int, horizon: int) -> Bounds:
    try:
        made = make()
        if np.isfinite(made[0]).all():
            return made
    except Exception:  # a reference model may fail; it then repeats the last season
        pass
    last = np.asarray(y[y.shape[0] - season + np.arange(horizon) % season])
    return last, dict.fromkeys(LEVELS, last), dict.fromkeys(LEVELS, last)


def _median(members: Sequence[Bounds]) -> Bounds:
    def over(pick: Callable[[Bounds], FloatArray]) -> FloatArray:
        return np.asarray(np.median([pick(one) for one in members], axis=0))

    low = {level: over(lambda one, level=level: one[1][level]) for level in LEVELS}  # type: ignore[misc]
    high = {level: over(lambda one, level=level: one[2][level]) for level in LEVELS}  # type: ignore[misc]
    return over(lambda one: one[0]), low, high


def _as_forecast(series_id: str, times: npt.NDArray[np.datetime64], at: npt.NDArray[np.int64], bounds: Bounds, name: str) -> Forecast:
    mean, low, high = bounds
    return Forecast(series_id, times, mean[at], {k: v[at] for k, v in low.items()}, {k: v[at] for k, v in high.items()}, name)
