"""Scores stored forecasts when their actual values have come. Each is fetched with the rights of whoever asked for the forecast."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.errors import AppError, NotFound, Unavailable, UserError
from core.ids import JobId, TenantId, UserId
from core.principal import Principal
from core.store import findings, forecast_records
from core.store.findings import ForecastEntry, Stored
from core.store.forecast_records import Score
from core.timeseries import Grain, TimeSeries
from forecasting.types import Forecast
from semantic.expr import Absolute
from semantic.query import TimeWindow
from semantic.windows import add_units
from workers.bootstrap import Services
from workers.context import JobContext
from workers.forecasts.partial import coverage, needs_days, split
from workers.forecasts.rows import from_arrow
from workers.forecasts.scoring import SEASON, score_series, together
from workers.forecasts.visibility import kept_params
from workers.jobs.chart_data import finite
from workers.jobs.results import FORECASTS, read_job
from workers.jobs.series import TOTAL, fetch_series
from workers.kinds import SeriesParams
from workers.principals import load_principal

LOOKED_AT = 500
LOOK_BACK = dt.timedelta(days=800)
"""Forecasts made longer ago are not scored any more."""


@dataclass(slots=True)
class _Asking:
    """Somebody's view of the data, now."""

    tenant: TenantId
    principal: Principal
    services: Services
    as_of: dt.datetime
    context: JobContext

    def check_cancelled(self) -> None:
        self.context.check_cancelled()


def run(context: JobContext) -> dict[str, Any]:
    """{"looked_at", "scored", "waiting", "skipped": {reason: count}}. A forecast that cannot be scored never stops the others.

    Raises: Cancelled; Unavailable.
    """
    entries = _open_entries(context)
    groups: dict[str, list[Stored]] = {}
    skipped: dict[str, int] = {}
    for row in entries:
        groups.setdefault(_group(row), []).append(row)
    scored = waiting = seen = 0
    for rows in groups.values():
        try:
            actual = _actuals(context, rows)
        except Unavailable:
            raise
        except AppError as error:
            skipped[error.code] = skipped.get(error.code, 0) + len(rows)
            actual = None
        for row in rows:
            seen += 1
            context.progress("score", seen, len(entries))
            if actual is None:
                continue
            if _score(context, row, actual):
                scored += 1
            else:
                waiting += 1
    return {"looked_at": len(entries), "scored": scored, "waiting": waiting, "skipped": skipped}


def _open_entries(context: JobContext) -> list[Stored]:
    """Forecasts that have begun and are not scored to their end yet, newest first."""
    found: list[Stored] = []
    before: str | None = None
    oldest = context.as_of - LOOK_BACK
    while len(found) < LOOKED_AT:
        with context.services.store.read() as connection:
            page = findings.list_all(connection, context.tenant, ForecastEntry, before_id=before, limit=200)
            done = forecast_records.complete_ids(connection, context.tenant, [row.id for row in page])
        found += [row for row in page if row.id not in done and row.created_at >= oldest and _begun(row, context.as_of)]
        if len(page) < 200 or page[-1].created_at < oldest:
            break
        before = page[-1].id
    return found[:LOOKED_AT]


def _begun(row: Stored, as_of: dt.datetime) -> bool:
    summary = _entry(row).summary
    return "params" in summary and _instant(str(summary["from"])) < as_of


def _group(row: Stored) -> str:
    """Forecasts of one group need the same actual values."""
    entry = _entry(row)
    params = {k: v for k, v in dict(entry.summary["params"]).items() if k in SeriesParams.model_fields and k != "time"}
    return json.dumps([params, entry.created_by, entry.summary.get("visibility")], sort_keys=True, default=str)


def _actuals(context: JobContext, rows: Sequence[Stored]) -> Mapping[str, TimeSeries]:
    """Whole buckets from a season before the first forecast of the group on. Raises: UserError; Forbidden; Unavailable."""
    entry = _entry(rows[0])
    services = context.services
    principal = load_principal(services.store, context.tenant, UserId(entry.created_by))
    asking = _Asking(context.tenant, principal, services, context.as_of, context)
    params = kept_params(entry.summary["params"], entry.metric)
    first = min(_instant(str(_entry(row).summary["from"])) for row in rows).replace(tzinfo=None)
    start = add_units(first, params.grain, -SEASON[params.grain] - 1)
    params = params.model_copy(
        update={"time": TimeWindow(window=Absolute(start=start.date(), end=context.as_of.date() + dt.timedelta(days=1)))}
    )
    fetched = fetch_series(asking, params)
    days = None
    if needs_days(params.grain):
        days = fetch_series(asking, params.model_copy(update={"grain": Grain.DAY, "segments": ()})).series[0]
    catalog = services.catalog(context.tenant)
    covered = coverage(fetched.series[0].times, params.grain, catalog.calendar, context.as_of, days)
    return {s.series_id: split(s, replace(covered, first=s.times[0]) if len(s) else covered)[0] for s in fetched.series}


def _score(context: JobContext, row: Stored, actual: Mapping[str, TimeSeries]) -> bool:
    """Writes how one forecast turned out so far; whether any of its steps is known."""
    entry, services = _entry(row), context.services
    made: Mapping[str, Forecast] = {
        i: f for i, f in from_arrow(read_job(services.admin, context.tenant, entry.job_id, FORECASTS)).items() if not i.startswith("part ")
    }
    grain = Grain(entry.grain)
    tried = {i: score_series(f, actual[i], grain) for i, f in made.items() if i in actual}
    scores = {i: one for i, one in tried.items() if one is not None}
    if not scores:
        return False
    summary = entry.summary
    found = together(scores, headline=TOTAL if TOTAL in scores else None)
    last = max(actual[i].times[-1] for i in scores)
    until = max(f.times[-1] for f in made.values())
    score = Score(
        forecast_id=row.id,
        job_id=JobId(entry.job_id),
        metric=entry.metric,
        measure_key=str(summary.get("measure_key", "")),
        grain=entry.grain,
        visibility=str(summary.get("visibility", "all")),
        model_version=entry.model_version,
        series_count=len(scores),
        points=int(found["points"]),
        error=finite(found["error"]),
        naive_error=finite(found["naive_error"]),
        bias=finite(found["bias"]),
        coverage_80=finite(found["coverage_80"]),
        coverage_95=finite(found["coverage_95"]),
        details={"worst": found["worst"], "params": kept_params(summary.get("params"), entry.metric).model_dump(mode="json")},
        complete=bool(last >= until),
        made_at=row.created_at,
        scored_until=_aware(last),
        scored_at=services.clock.now(),
    )
    with services.store.write() as connection:
        forecast_records.put_score(connection, context.tenant, score)
    _tell_registry(context, summary, score)
    return True


def _tell_registry(context: JobContext, summary: Mapping[str, Any], score: Score) -> None:
    """The run that made the forecast gets its live figures; a run that is gone is no reason to fail."""
    run_id = summary.get("run_id")
    if not run_id:
        return
    names = ("error", "naive_error", "bias", "coverage_80", "coverage_95")
    found = {f"live_{name}": float(value) for name in names if (value := getattr(score, name)) is not None}
    try:
        context.services.registry.log_live(context.tenant, str(run_id), found | {"live_points": float(score.points)})
    except (NotFound, UserError):
        return


def _entry(row: Stored) -> ForecastEntry:
    if not isinstance(row.entry, ForecastEntry):
        raise NotFound(f"There is no forecast {row.id!r}.", code="unknown_forecast")
    return row.entry


def _instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text.replace("Z", "+00:00"))


def _aware(at: np.datetime64) -> dt.datetime:
    moment: dt.datetime = at.astype("datetime64[us]").astype(dt.datetime)
    return moment.replace(tzinfo=dt.UTC)
