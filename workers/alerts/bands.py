"""What was forecast for a bucket before it began: the bands of the author's own earlier forecasts of the same measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import NotFound
from core.ids import JobId
from core.store import findings, jobs
from core.store.findings import ForecastEntry
from core.timeseries import FloatArray, TimeArray
from workers.jobs.querying import Asking
from workers.jobs.results import FORECASTS, read_job

if TYPE_CHECKING:
    from workers.alerts.rule import ForecastRule

MOST_FORECASTS = 60  # the newest of the metric; older ones end before the buckets that are judged


@dataclass(frozen=True, slots=True)
class Band:
    """times (n,) ascending; mean, lower, upper (n,) of the newest forecast made before the bucket began."""

    times: TimeArray
    mean: FloatArray
    lower: FloatArray
    upper: FloatArray


def fetch_bands(asking: Asking, rule: ForecastRule) -> dict[str, Band]:
    """series id -> band. Only forecasts that the asking user made, of the same measure, filter and segments: they show what that user may see.

    Raises: Unavailable.
    """
    found: dict[str, dict[np.datetime64, tuple[np.datetime64, float, float, float]]] = {}
    for job_id in _forecasts(asking, rule):
        asking.check_cancelled()
        rows = read_job(asking.services.admin, asking.tenant, job_id, FORECASTS).to_pydict()
        columns = (rows["mean"], rows[f"lower_{rule.level}"], rows[f"upper_{rule.level}"])
        for series_id, at, written_at, mean, lower, upper in zip(
            rows["series_id"], rows["time"], rows["written_at"], *columns, strict=True
        ):
            if written_at > at:
                continue  # made when the bucket had begun: not a forecast of it
            time, made = np.datetime64(at.replace(tzinfo=None), "ns"), np.datetime64(written_at.replace(tzinfo=None), "ns")
            known = found.setdefault(series_id, {})
            if time not in known or known[time][0] < made:
                known[time] = (made, float(mean), float(lower), float(upper))
    return {series_id: _band(known) for series_id, known in found.items()}


def _forecasts(asking: Asking, rule: ForecastRule) -> list[JobId]:
    """The jobs, newest first."""
    chosen: list[JobId] = []
    with asking.services.store.read() as connection:
        for stored in findings.list_all(connection, asking.tenant, ForecastEntry, metric=rule.metric, limit=MOST_FORECASTS):
            entry = stored.entry
            if entry.created_by != asking.principal.user or getattr(entry, "grain", None) != rule.grain.value or entry.job_id is None:
                continue
            try:
                params = jobs.get(connection, asking.tenant, entry.job_id).params
            except NotFound:
                continue
            where = None if rule.where is None else rule.where.model_dump(mode="json")
            segments = [part.model_dump(mode="json") for part in rule.segments]
            if params.get("where") == where and list(params.get("segments") or ()) in (segments, []):
                chosen.append(entry.job_id)
    return chosen


def _band(known: Mapping[np.datetime64, tuple[np.datetime64, float, float, float]]) -> Band:
    times = np.array(sorted(known), "datetime64[ns]")
    values = np.array([known[at][1:] for at in times], np.float64).reshape(-1, 3)
    return Band(times, values[:, 0], values[:, 1], values[:, 2])
