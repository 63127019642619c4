"""Prophet, for a thorough look at series with holidays, regressors or long gaps: what it was made for."""

from __future__ import annotations

import logging

import numpy as np

from core.timeseries import FloatArray
from forecasting.prepare import Prepared

MAX_POINTS = 1500
"""Two seconds a fit at most."""
MIN_POINTS = 60
LONG_GAPS = 0.1
SEED = 0


def is_worth_it(series: Prepared) -> bool:
    """Days or hours with known causes, or with a tenth or more missing."""
    n = series.y.shape[0]
    return not series.step.months and n >= MIN_POINTS and (bool(series.causes) or bool(np.isnan(series.raw).mean() >= LONG_GAPS))


def prophet(series: Prepared) -> FloatArray:
    """(horizon,) Prophet on the observed values alone, gaps left out, causes as regressors; without the effects, which are put back later.

    Deterministic: the point forecast is the optimum, no samples are drawn. Source: Taylor and Letham (2018).
    """
    logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)
    import pandas as pd
    from prophet import Prophet

    logging.getLogger("cmdstanpy").setLevel(logging.WARNING)
    n = series.y.shape[0]
    table = pd.DataFrame({"ds": series.wall_times(), **{f"x{k}": values for k, values in enumerate(series.causes.values())}})
    first = max(0, n - MAX_POINTS)
    past = table.iloc[first:n].assign(y=series.aligned[first:n]).dropna(subset=["y"])
    model = Prophet(uncertainty_samples=0)
    for name in table.columns[1:]:
        if past[name].nunique() > 1:
            model.add_regressor(name)
    point = model.fit(past, seed=SEED).predict(table.iloc[n:])["yhat"].to_numpy(np.float64)
    return series.effects.remove_ahead(point, n)
