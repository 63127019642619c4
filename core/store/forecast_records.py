"""What each series' forecast rests on (fits), and how stored forecasts turned out (scores)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import delete as delete_from
from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from core.ids import JobId, TenantId, new_id
from core.store import scope
from core.store.tables import forecast_fits, forecast_scores


@dataclass(frozen=True, slots=True)
class Fit:
    """The fit that serves a series of `stream` (a metric, grain, split and visibility). series_key: hash of its segment values.

    job_id, row_id: where its rows are. data_hash: of the values it was fitted on, up to fitted_until; it forecasts up to covers_until.
    fits: how often it was fitted; carried: how many batches used it again since.
    """

    series_key: str
    metric: str
    job_id: JobId
    row_id: str
    data_hash: str
    fitted_until: datetime
    covers_until: datetime
    model: str
    mase: float | None
    naive_mase: float | None
    fits: int
    carried: int
    fitted_at: datetime


@dataclass(frozen=True, slots=True)
class Score:
    """How one stored forecast turned out so far, over all its series.

    error: sum of absolute errors over sum of absolute values; naive_error: the same of repeating the last season; bias: signed.
    coverage: share of values inside the band. measure_key: hash of what was measured with which filter.
    """

    forecast_id: str
    job_id: JobId
    metric: str
    measure_key: str
    grain: str
    visibility: str
    model_version: str | None
    series_count: int
    points: int
    error: float | None
    naive_error: float | None
    bias: float | None
    coverage_80: float | None
    coverage_95: float | None
    details: Mapping[str, Any]
    complete: bool
    made_at: datetime
    scored_until: datetime
    scored_at: datetime


@dataclass(frozen=True, slots=True)
class StoredScore:
    id: str
    score: Score


def fits(connection: Connection, tenant: TenantId, stream: str) -> dict[str, Fit]:
    """By series_key."""
    found = connection.execute(
        select(forecast_fits).where(forecast_fits.c.tenant_id == tenant, forecast_fits.c.stream == stream)
    ).mappings()
    return {row["series_key"]: Fit(**{f.name: row[f.name] for f in fields(Fit)}) for row in found}


def put_fits(connection: Connection, tenant: TenantId, stream: str, made: Sequence[Fit]) -> None:
    """Replaces the fits of these series."""
    if not made:
        return
    keys = [fit.series_key for fit in made]
    connection.execute(
        delete_from(forecast_fits).where(
            forecast_fits.c.tenant_id == tenant, forecast_fits.c.stream == stream, forecast_fits.c.series_key.in_(keys)
        )
    )
    rows = [asdict(fit) | {"id": new_id("fit"), "tenant_id": tenant, "stream": stream} for fit in made]
    connection.execute(insert(forecast_fits), rows)


def put_score(connection: Connection, tenant: TenantId, score: Score) -> None:
    """Writes the score of a forecast, or replaces an earlier one with fewer points."""
    known = scope.find(connection, forecast_scores, tenant, forecast_scores.c.forecast_id == score.forecast_id)
    if known is None:
        scope.add(connection, forecast_scores, tenant, asdict(score) | {"id": new_id("scr")})
    else:
        scope.change(connection, forecast_scores, tenant, asdict(score), forecast_scores.c.id == known["id"])


def scores(
    connection: Connection,
    tenant: TenantId,
    *,
    visibility: str | None = None,
    metric: str | None = None,
    measure_key: str | None = None,
    grain: str | None = None,
    before_id: str | None = None,
    limit: int = 50,
) -> tuple[StoredScore, ...]:
    """Newest forecasts first; before_id: the forecast that the page before ended with."""
    wanted = {"visibility": visibility, "metric": metric, "measure_key": measure_key, "grain": grain}
    conditions = [forecast_scores.c[name] == value for name, value in wanted.items() if value is not None]
    if before_id is not None:
        conditions.append(forecast_scores.c.forecast_id < before_id)
    order = [forecast_scores.c.forecast_id.desc()]
    return tuple(
        StoredScore(row["id"], Score(**{f.name: row[f.name] for f in fields(Score)}))
        for row in scope.page(connection, forecast_scores, tenant, *conditions, order=order, limit=limit)
    )


def complete_ids(connection: Connection, tenant: TenantId, among: Sequence[str]) -> frozenset[str]:
    """Those of these forecasts that need no more scoring."""
    found = connection.execute(
        select(forecast_scores.c.forecast_id).where(
            forecast_scores.c.tenant_id == tenant, forecast_scores.c.complete.is_(True), forecast_scores.c.forecast_id.in_(list(among))
        )
    )
    return frozenset(row[0] for row in found)
