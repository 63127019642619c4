"""Forecasts: one metric, many at once, what was made, and how good it turned out to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, ValidationError
from starlette.concurrency import run_in_threadpool

from api import schemas
from api.credentials import Caller
from api.fields import field_named
from api.outlooks import driver_named
from api.paging import Cursor, PageSize
from api.routes.jobs import IdempotencyKey, view
from api.services import Services, services_of
from core.errors import Forbidden
from core.principal import Principal
from core.rights import Right, may
from core.store import findings, forecast_records, jobs
from core.store.findings import ForecastEntry
from core.store.jobs import Job
from core.timeseries import Grain
from semantic.catalog.model import Catalog
from semantic.expr import Predicate
from semantic.query import TimeWindow
from workers.forecasts.visibility import figures_key, kept_params
from workers.kinds import GoalParams
from workers.queue import enqueue

router = APIRouter(prefix="/v1", tags=["forecasts"])
PAGE, MAX_PAGES = 200, 10  # of scores that are looked through for those that the caller sees
GrainName = Literal["hour", "day", "week", "month", "quarter", "year"]


class ScenarioBody(schemas.In):
    """What if the metric `driver` were `change_percent` higher than expected?"""

    driver: str = Field(max_length=128)
    change_percent: float = Field(ge=-100, le=1000, allow_inf_nan=False)


class ForecastBody(schemas.In):
    """A metric's future: `horizon` steps of `grain`, or one figure for a `period` that ends in the future.

    by: fields to split by, as `dataset.field` or a field's name alone where that is clear; parts and whole add up.
    """

    model_config = {
        "extra": "forbid",
        "json_schema_extra": {
            "examples": [
                {"metric": "revenue", "horizon": 28, "grain": "day"},
                {"metric": "revenue", "by": "region", "period": {"window": {"kind": "calendar", "unit": "quarter", "offset": 1}}},
            ]
        },
    }

    metric: str = Field(max_length=128)
    grain: GrainName | None = None
    horizon: int | None = Field(default=None, ge=1, le=1_000)
    by: str | list[Annotated[str, Field(max_length=260)]] | None = Field(default=None, max_length=260)
    where: Predicate | None = None
    time: TimeWindow | None = Field(default=None, description="History to look at; none is all of it.")
    period: TimeWindow | None = None
    goal: GoalParams | None = None
    scenario: ScenarioBody | None = None


class BatchBody(schemas.In):
    """Many forecasts at once. No metrics: the certified ones. Each in whole and by each combination of `by`."""

    metrics: list[Annotated[str, Field(max_length=128)]] = Field(default_factory=list, max_length=200)
    by: list[Annotated[str, Field(max_length=260)]] = Field(default_factory=list, max_length=3)
    grain: GrainName = "day"
    horizon: int = Field(default=28, ge=1, le=400)
    max_series: int = Field(default=2000, ge=1, le=10_000)
    batch_series: int = Field(default=100, ge=10, le=200)
    refit_steps: int = Field(default=7, ge=0, le=100)


def forecast_job_params(body: ForecastBody, catalog: Catalog) -> dict[str, Any]:
    """Raises: NotFound; Invalid; UserError `unknown_driver`."""
    metric = catalog.metric(body.metric)
    by = [body.by] if isinstance(body.by, str) else body.by or []
    grain = Grain(body.grain) if body.grain else metric.default_grain or Grain.DAY
    params: dict[str, Any] = {
        "metric": body.metric,
        "segments": [field_named(name, catalog).model_dump(mode="json") for name in by],
        "grain": grain.value,
        "horizon_steps": body.horizon or 28,
    }
    for name in ("where", "time", "period", "goal"):
        value = getattr(body, name)
        if value is not None:
            params[name] = value.model_dump(mode="json")
    if body.scenario is not None:
        params["scenario"] = {"driver": driver_named(body.scenario.driver, catalog), "change_percent": body.scenario.change_percent}
    return params


@router.post("/forecasts", status_code=202, summary="Forecast a metric")
async def forecast(
    request: Request, response: Response, body: ForecastBody, caller: Caller, idempotency_key: IdempotencyKey = None
) -> schemas.JobView:
    services = services_of(request)

    def start() -> Job:
        params = forecast_job_params(body, services.catalogs.visible(caller).catalog)
        return _started(services, caller, "forecast", params, idempotency_key)

    return await _accepted(response, await run_in_threadpool(start))


@router.post("/forecasts/batch", status_code=202, summary="Forecast many metrics and segments")
async def forecast_batch(
    request: Request, response: Response, body: BatchBody, caller: Caller, idempotency_key: IdempotencyKey = None
) -> schemas.JobView:
    """One task per 10 to 200 series on all workers. Series whose fit still serves are carried on; the rest is fitted again."""
    services = services_of(request)

    def start() -> Job:
        if not may(caller, Right.JOBS):
            raise Forbidden("Batches are started by analysts, data scientists and administrators.")
        catalog = services.catalogs.visible(caller).catalog
        for name in body.metrics:
            catalog.metric(name)
        params = {
            "metrics": body.metrics,
            "segments": [field_named(name, catalog).model_dump(mode="json") for name in body.by],
            "grain": body.grain,
            "horizon_steps": body.horizon,
            "max_series": body.max_series,
            "batch_series": body.batch_series,
            "refit_steps": body.refit_steps,
        }
        return _started(services, caller, "forecast_batch", params, idempotency_key)

    return await _accepted(response, await run_in_threadpool(start))


@router.get("/forecasts", summary="Forecasts that were made, newest first")
async def list_forecasts(
    request: Request,
    caller: Caller,
    metric: Annotated[str | None, Query(max_length=200)] = None,
    cursor: Cursor = None,
    limit: PageSize = 50,
) -> schemas.Page:
    services = services_of(request)

    def read() -> schemas.Page:
        sees = _sight(services, caller)
        with services.store.read() as connection:
            rows = findings.list_all(connection, caller.tenant, ForecastEntry, metric=metric, before_id=cursor, limit=limit)
        made = [(row, row.entry) for row in rows if isinstance(row.entry, ForecastEntry)]
        items = [_entry(row) for row, one in made if sees(one.metric, one.summary.get("params"), one.summary.get("visibility"))]
        return schemas.Page(items=items, next=rows[-1].id if len(rows) == limit else None)

    return await run_in_threadpool(read)


@router.get("/forecasts/accuracy", summary="How forecasts turned out")
async def accuracy(
    request: Request,
    caller: Caller,
    metric: Annotated[str | None, Query(max_length=200)] = None,
    grain: GrainName | None = None,
    limit: PageSize = 50,
) -> dict[str, Any]:
    """Forecasts scored so far, newest first, and over them by metric and grain: error (sum of misses over sum of values), bands, bias."""
    return await run_in_threadpool(accuracy_of, services_of(request), caller, metric=metric, grain=grain, limit=limit)


def accuracy_of(services: Services, caller: Principal, *, metric: str | None, grain: str | None, limit: int) -> dict[str, Any]:
    """{"items": scored forecasts, "metrics": means by metric and grain}, of what this caller sees."""
    sees, scores, before = _sight(services, caller), list[forecast_records.Score](), None
    for _ in range(MAX_PAGES):
        with services.store.read() as connection:
            found = forecast_records.scores(connection, caller.tenant, metric=metric, grain=grain, before_id=before, limit=PAGE)
        scores += [s.score for s in found if sees(s.score.metric, s.score.details.get("params"), s.score.visibility)]
        if len(scores) >= limit or len(found) < PAGE:
            break
        before = found[-1].score.forecast_id
    scores = scores[:limit]
    return {"items": [_score(s) for s in scores], "metrics": _by_metric(scores)}


@router.post("/forecasts/score", status_code=202, summary="Compare stored forecasts with what came")
async def score(request: Request, response: Response, caller: Caller) -> schemas.JobView:
    """This happens daily by itself."""
    services = services_of(request)

    def start() -> Job:
        if not may(caller, Right.JOBS):
            raise Forbidden("Scoring is started by analysts, data scientists and administrators.")
        return _started(services, caller, "score_forecasts", {}, None)

    return await _accepted(response, await run_in_threadpool(start))


def _started(services: Services, caller: Principal, kind: str, params: dict[str, Any], key: str | None) -> Job:
    job_id = enqueue(services.core, kind, params, caller, key)
    with services.store.read() as connection:
        return jobs.get(connection, caller.tenant, job_id)


async def _accepted(response: Response, job: Job) -> schemas.JobView:
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return view(job)


def _sight(services: Services, caller: Principal) -> Callable[[str, Mapping[str, Any] | None, str | None], bool]:
    """(metric, parameters, visibility) of something stored -> whether it was made with as much as the caller sees of what it is made of."""
    catalog, seen = services.catalogs.full(caller.tenant), services.catalogs.visible(caller).catalog
    hidden = {m.name for m in catalog.metrics} - {m.name for m in seen.metrics}
    keys: dict[str, str] = {}

    def sees(metric: str, params: Mapping[str, Any] | None, visibility: str | None) -> bool:
        if metric in hidden or visibility is None:
            return False
        try:
            asked = kept_params(params, metric)
        except ValidationError:
            return False  # of a form that is no longer read: nobody knows what it is made of
        key = asked.model_dump_json()
        if key not in keys:
            keys[key] = figures_key(caller, catalog, asked)
        return keys[key] == visibility

    return sees


def _entry(row: findings.Stored) -> dict[str, Any]:
    entry = row.entry
    if not isinstance(entry, ForecastEntry):
        return {}
    summary = {k: v for k, v in entry.summary.items() if k not in ("visibility", "measure_key", "params")}
    return {
        "id": row.id, "job_id": entry.job_id, "metric": entry.metric, "grain": entry.grain, "horizon": entry.horizon_steps,
        "series_count": entry.series_count, "model": entry.model, "model_version": entry.model_version, "summary": summary,
        "created_at": row.created_at.isoformat(),
    }  # fmt: skip


def _score(found: forecast_records.Score) -> dict[str, Any]:
    return {
        "forecast_id": found.forecast_id, "job_id": found.job_id, "metric": found.metric, "grain": found.grain,
        "model_version": found.model_version, "series_count": found.series_count, "points": found.points, "error": found.error,
        "naive_error": found.naive_error, "bias": found.bias, "coverage_80": found.coverage_80, "coverage_95": found.coverage_95,
        "complete": found.complete, "made_at": found.made_at.isoformat(), "scored_until": found.scored_until.isoformat(),
        "worst": found.details.get("worst", []),
    }  # fmt: skip


def _by_metric(scores: list[forecast_records.Score]) -> list[dict[str, Any]]:
    """Means weighted by points, one entry per metric and grain."""
    groups: dict[tuple[str, str], list[forecast_records.Score]] = {}
    for found in scores:
        groups.setdefault((found.metric, found.grain), []).append(found)

    def mean(group: list[forecast_records.Score], name: str) -> float | None:
        pairs = [(float(getattr(s, name)), s.points) for s in group if getattr(s, name) is not None and s.points]
        weight = sum(points for _, points in pairs)
        return sum(value * points for value, points in pairs) / weight if weight else None

    names = ("error", "naive_error", "bias", "coverage_80", "coverage_95")
    return [
        {"metric": metric, "grain": grain, "forecasts": len(group), "points": sum(s.points for s in group)}
        | {name: mean(group, name) for name in names}
        for (metric, grain), group in sorted(groups.items())
    ]
