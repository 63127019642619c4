"""Questions that need work behind them: why, what comes next, anything unusual. They become jobs with progress."""

from __future__ import annotations

import datetime as dt
from typing import Any

from starlette.concurrency import run_in_threadpool

from api import schemas
from api.services import Services
from core.errors import Invalid
from core.ids import JobId
from core.principal import Principal
from core.timeseries import Grain
from nlq.asked_way import asked_way
from nlq.types import Intent, Reading
from nlq.wording import Wording
from semantic.catalog.model import Catalog
from semantic.expr import Absolute, FieldRef
from semantic.query import Aggregate, AggregateKind, ByEntity, ByField, ByTime, ComparePeriod, Measure, MetricRef, SemanticQuery, TimeWindow
from semantic.windows import add_units
from workers.queue import enqueue

_KINDS = {Intent.WHY: "explain", Intent.FORECAST: "forecast", Intent.UNUSUAL: "detect", Intent.SCAN: "scan"}
_HORIZONS = {Grain.HOUR: 48, Grain.DAY: 28, Grain.WEEK: 13, Grain.MONTH: 6, Grain.QUARTER: 4, Grain.YEAR: 2}
_SAID = {
    "explain": "Looking for what drove the change",
    "forecast": "Forecasting",
    "detect": "Looking for anything unusual",
    "scan": "Looking over the key metrics",
}


async def investigation(
    services: Services,
    principal: Principal,
    catalog: Catalog,
    reading: Reading,
    as_of: dt.datetime,
    params: dict[str, Any] | None = None,
    question: str = "",
) -> schemas.Answer:
    """Starts the job that the reading asks for; `params` where the words of the question say more than the reading does.

    Raises: Invalid when it names no measure.
    """
    kind = _KINDS[reading.intent]
    if reading.intent is Intent.SCAN:
        params = scan_params(reading)
    params = params or job_params(kind, reading.query, catalog, reading.horizon_steps)
    if kind == "explain":
        params["asked_way"] = asked_way(question)
    job = await run_in_threadpool(enqueue, services.core, kind, params, principal, None)
    label = measure_label(reading.query, catalog) if reading.intent is not Intent.SCAN else reading.paraphrase
    return schemas.Answer(
        id="",
        question="",
        outcome="job",
        intent=reading.intent.value,
        message=f"{_SAID[kind]}: {label}{_asked(params) if reading.intent is not Intent.SCAN else ''}.",
        job=job_link(job, kind),
        as_of=as_of,
    )


def scan_params(reading: Reading) -> dict[str, Any]:
    """Which metrics, rows and period a scan looks at. A period asked in words takes the place of the last complete one."""
    query = reading.query
    unit = getattr(query.time.window, "unit", None) if query.time is not None else None
    grain = {"day": Grain.DAY, "week": Grain.WEEK, "month": Grain.MONTH, "quarter": Grain.MONTH, "year": Grain.MONTH}.get(
        str(unit), Grain.DAY
    )
    return {
        "metrics": [m.metric for m in query.metrics if isinstance(m, MetricRef)],
        "where": query.where.model_dump(mode="json") if query.where is not None else None,
        "period": query.time.model_dump(mode="json") if query.time is not None else None,
        "grain": (grain if query.time is not None else Grain.WEEK).value,
        "summary": reading.summary,
    }


def _asked(params: dict[str, Any]) -> str:
    """ ", next quarter, if ad_spend changes by +10%": what of a forecast's parameters no chip shows."""
    period, scenario = params.get("period"), params.get("scenario")
    words = f", {period['label']}" if period and period.get("label") else ""
    return words + (f", if {scenario['driver'].replace('_', ' ')} changes by {scenario['change_percent']:+g}%" if scenario else "")


def job_params(kind: str, query: SemanticQuery, catalog: Catalog, horizon_steps: int | None = None) -> dict[str, Any]:
    """A reading's query as the parameters of a job: its measure, segments, filter and grain. Raises: Invalid."""
    measure = _measure(query, catalog)
    if isinstance(measure, MetricRef):
        catalog.metric(measure.metric)
    segments = [_segment(g, catalog) for g in query.by if isinstance(g, ByField | ByEntity)]
    grain = next((g.grain for g in query.by if isinstance(g, ByTime)), None)
    params: dict[str, Any] = {"where": query.where.model_dump(mode="json") if query.where is not None else None}
    if isinstance(measure, MetricRef) and measure.where is None:
        params["metric"] = measure.metric
        grain = grain or (Grain.MONTH if kind == "explain" else catalog.metric(measure.metric).default_grain)
    else:
        params["measure"] = measure.model_dump(mode="json")
    grain = grain or (Grain.MONTH if kind == "explain" else Grain.DAY)
    params["grain"] = grain.value
    if kind == "explain":
        time = _last_step(query)
        params["time"] = time.model_dump(mode="json") if time is not None else None
        params["dimensions"] = segments
        if isinstance(query.compare, ComparePeriod):
            params["compare"] = query.compare.model_dump(mode="json")
    else:
        params["segments"] = segments
    if kind == "detect" and query.time is not None:
        params["period"] = query.time.model_dump(mode="json")
    if kind == "forecast":
        params["horizon_steps"] = horizon_steps or _HORIZONS.get(grain, 28)
    return params


def _last_step(query: SemanticQuery) -> TimeWindow | None:
    """The asked time; of two periods side by side ("in 2025 and in 2024") the later one, which is compared with the one before."""
    grain = next((g.grain for g in query.by if isinstance(g, ByTime)), None)
    if query.time is None or grain is None or not isinstance(query.time.window, Absolute):
        return query.time
    start, end = query.time.window.start, query.time.window.end
    if start is None or end is None:
        return query.time
    first = dt.datetime.combine(start, dt.time()) if not isinstance(start, dt.datetime) else start
    last = dt.datetime.combine(end, dt.time()) if not isinstance(end, dt.datetime) else end
    second = add_units(first, grain, 1)
    return query.time.changed(window=Absolute(start=second, end=last), label=None) if add_units(first, grain, 2) == last else query.time


def measure_label(query: SemanticQuery, catalog: Catalog) -> str:
    """What the study is about, as people say it: a metric's name, or "average discount rate" for one made for this question."""
    measure = _measure(query, catalog)
    return getattr(measure, "alias", None) or Wording(catalog).measure(measure)


def job_link(job: JobId, kind: str) -> schemas.JobLink:
    return schemas.JobLink(id=job, kind=kind, href=f"/v1/jobs/{job}", events=f"/v1/jobs/{job}/events")


def _measure(query: SemanticQuery, catalog: Catalog) -> Measure:
    if query.metrics:
        return query.metrics[0]
    if query.rows_of is not None:
        return Aggregate(aggregate=AggregateKind.COUNT, dataset=query.rows_of)
    certified = [m for m in catalog.metrics if m.certified] or list(catalog.metrics)
    if not certified:
        raise Invalid("Name a metric: the catalog has none to look at.", code="no_metric")
    return MetricRef(metric=certified[0].name)


def _segment(group: ByField | ByEntity, catalog: Catalog) -> dict[str, Any]:
    if isinstance(group, ByField):
        return group.field.model_dump(mode="json")
    entity = catalog.entity(group.entity)
    return FieldRef(dataset=entity.dataset, field=(entity.display or entity.key)[0], via=group.via).model_dump(mode="json")
