"""Shadow runs: a challenger forecasts what the champion forecasts, and nobody sees it until the actual values are there."""

from __future__ import annotations

import numpy as np

from core.errors import UserError
from core.store import model_log, model_runs
from core.store.model_log import Deed
from core.store.model_runs import NewRun
from core.store.model_versions import StoredVersion
from core.timeseries import TimeSeries
from forecasting.types import ForecastInput
from models.sandbox.limits import Limits
from models.sdk.card import ModelCard
from models.sdk.failures import ModelFailed
from models.serving import forecast_with
from workers.beside import compared
from workers.champions import walled
from workers.context import JobContext
from workers.custom.ground import HORIZONS, Ground, fetch_ground, metrics_of

SHADOW_LIMITS = Limits(cpu_s=120, wall_s=120)


def run_shadow(context: JobContext, version: StoredVersion, card: ModelCard) -> int:
    """One forecast of each metric's total, beside that of Querent's own engine; how many. Detectors and explainers have none.

    Raises: ModelFailed when the challenger fails; Unavailable.
    """
    if card.kind != "forecaster":
        return 0
    made = 0
    for metric in metrics_of(context.services.catalog(context.tenant), card):
        try:
            ground = fetch_ground(context, card, metric, segments=False)
        except UserError:
            continue  # a metric without data now
        item = _input(ground, card)
        with walled(context.services, version, SHADOW_LIMITS) as subject:
            forecast = forecast_with(subject, card, str(version), [item])[0]
        if forecast.fallback:
            raise ModelFailed(f"In its shadow run: {forecast.fallback}")
        new = NewRun(version.id, "shadow", metric, ground.grain.value, context.job_id, compared(item, forecast))
        now = context.services.clock.now()
        with context.services.store.write() as connection:
            model_runs.put(connection, context.tenant, new, now=now)
        made += 1
    with context.services.store.write() as connection:
        deed = Deed(version.name, version.version, "system", "shadow", {"runs": made})
        model_log.append(connection, context.tenant, deed, now=context.services.clock.now())
    return made


def _input(ground: Ground, card: ModelCard) -> ForecastInput:
    total = ground.series[0]
    calendar = ground.fetched.catalog.calendar
    series = TimeSeries(total.name, total.times, np.asarray(total.values), ground.grain)
    return ForecastInput(series, min(card.horizon, HORIZONS[ground.grain]), country=calendar.country, time_zone=ground.zone)
