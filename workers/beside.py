"""A custom model's forecast beside that of Querent's own engine, as it is remembered until the actual values are there."""

from __future__ import annotations

from typing import Any

import numpy as np

from forecasting.backtests import scale
from forecasting.engine import Effort, forecast_many
from forecasting.types import Forecast, ForecastInput
from models.conformance.made_up import SEASON_STEPS


def compared(item: ForecastInput, custom: Forecast) -> dict[str, Any]:
    """What is remembered of one series: {"t", "custom", "own", "scale"}."""
    own = forecast_many([item], effort=Effort.QUICK)[0]
    grain = item.series.grain.value if item.series.grain else "day"
    known = item.series.values[np.isfinite(item.series.values)]
    unit = scale(known, SEASON_STEPS.get(grain, 1)) if known.size else 1.0
    times = [str(t) for t in custom.times.astype("datetime64[ms]")]
    return {"t": times, "custom": custom.mean.tolist(), "own": own.mean.tolist(), "scale": unit}
