"""Which series of a batch need a new fit: those that are due or drifting. The others go on with the fit they have."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from core.ids import JobId
from core.store.forecast_records import Fit
from core.timeseries import Grain
from forecasting.types import Forecast
from semantic.windows import add_units
from workers.forecasts.data import ForecastData
from workers.forecasts.paths import PRIOR_SHARED, z_scores

CARRIED = "The fit of "
DRIFT_SIGMAS = 3.0
MIN_SEEN = 3


@dataclass(frozen=True, slots=True)
class Decision:
    """reason: new, due, drifting, short (its forecast does not reach far enough) or changed (its past was corrected); None carries it on."""

    reason: str | None
    drift: float | None = None


def series_key(series_id: str) -> str:
    return hashlib.sha256(series_id.encode()).hexdigest()[:40]


def stream_key(metric: str, grain: Grain, segments: Sequence[object], visibility: str) -> str:
    """What makes fits comparable from batch to batch."""
    return hashlib.sha256(repr((metric, grain.value, [str(s) for s in segments], visibility)).encode()).hexdigest()[:40]


def data_hash(data: ForecastData, series_id: str, *, until: np.datetime64 | None = None) -> str:
    """Of the values a series is fitted on, up to and including the bucket `until`."""
    digest = hashlib.sha256()
    for part in data.parts:
        series = part[series_id]
        kept = slice(None) if until is None else series.times <= until
        digest.update(series.times[kept].tobytes() + np.round(series.values[kept], 9).tobytes())
    return digest.hexdigest()[:40]


def decide(data: ForecastData, series_id: str, fit: Fit | None, stored: Forecast | None, refit_steps: int, steps: int) -> Decision:
    """stored: the fit's forecast as it was written. steps: how far a forecast must reach from the last whole bucket on."""
    if fit is None or stored is None:
        return Decision("new")
    fitted_until = np.datetime64(fit.fitted_until.astimezone(UTC).replace(tzinfo=None), "ns")
    if data_hash(data, series_id, until=fitted_until) != fit.data_hash:
        return Decision("changed")
    history = data.history[series_id]
    new = history.times > fitted_until
    if int((data.history[data.order[0]].times > fitted_until).sum()) > refit_steps:
        return Decision("due")
    if int((stored.times > data.last).sum()) < steps:
        return Decision("short")
    drift = _drift(history.times[new], history.values[new], stored)
    return Decision("drifting", drift) if drift is not None and drift > DRIFT_SIGMAS else Decision(None, drift)


def carried(stored: Forecast, data: ForecastData, fit: Fit, steps: int) -> Forecast:
    """What is left of a fit's forecast after the last whole bucket."""
    at = np.flatnonzero(stored.times > data.last)[:steps]
    note = f"{CARRIED}{fit.fitted_at:%Y-%m-%d} goes on: it is neither due nor drifting."
    return replace(
        stored,
        times=stored.times[at],
        mean=stored.mean[at],
        lower={level: values[at] for level, values in stored.lower.items()},
        upper={level: values[at] for level, values in stored.upper.items()},
        notes=(*(n for n in stored.notes if not n.startswith(CARRIED)), note),
    )


def fit_of(forecast: Forecast, data: ForecastData, *, metric: str, job: JobId, before: Fit | None, now: datetime) -> Fit:
    """The record of a new fit."""
    tested = forecast.backtest
    return Fit(
        series_key=series_key(forecast.series_id),
        metric=metric,
        job_id=job,
        row_id=forecast.series_id[:1000],
        data_hash=data_hash(data, forecast.series_id),
        fitted_until=_aware(data.last),
        covers_until=_aware(forecast.times[-1]),
        model=forecast.model[:500],
        mase=tested.mase if tested and np.isfinite(tested.mase) else None,
        naive_mase=tested.naive_mase if tested and np.isfinite(tested.naive_mase) else None,
        fits=(before.fits if before else 0) + 1,
        carried=0,
        fitted_at=now,
    )


def following(data: ForecastData, grain: Grain, steps: int) -> datetime:
    """Wall-clock end of the horizon, `steps` buckets after the last whole one."""
    return add_units(_aware(data.last).replace(tzinfo=None), grain, steps + 1)


def reasons(decisions: Mapping[str, Decision]) -> dict[str, int]:
    found: dict[str, int] = {}
    for decision in decisions.values():
        name = decision.reason or "carried"
        found[name] = found.get(name, 0) + 1
    return found


def _drift(times: np.ndarray, values: np.ndarray, stored: Forecast) -> float | None:
    """How many standard errors the mean of the misses since the fit lies from 0; None with fewer than 3.

    Errors of one forecast share part of their variance (PRIOR_SHARED), so the mean of n misses has variance shared + (1 - shared) / n.
    """
    place = np.searchsorted(stored.times, times)
    inside = place < len(stored.times)
    inside[inside] = stored.times[place[inside]] == times[inside]
    actual = np.full(len(stored.times), np.nan)
    actual[place[inside]] = values[inside]
    z = z_scores(actual, stored)
    z = z[np.isfinite(z)]
    if z.size < MIN_SEEN:
        return None
    return float(abs(z.mean()) / np.sqrt(PRIOR_SHARED + (1 - PRIOR_SHARED) / z.size))


def _aware(at: np.datetime64) -> datetime:
    moment: datetime = at.astype("datetime64[us]").astype(datetime)
    return moment.replace(tzinfo=UTC)
