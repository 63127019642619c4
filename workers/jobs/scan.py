"""Scan job: anything one should know of the last complete period, over several metrics, with few false findings."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from core.errors import NotEnoughData, UserError
from core.store import findings
from core.store.findings import InsightEntry
from core.timeseries import FloatArray, Grain
from insights.narrative import TEMPLATES_VERSION, narrate
from insights.periods import period_of
from insights.ranking import worth_telling
from insights.scan import MetricPast, scan
from insights.types import Fact, Quantity
from semantic.catalog.model import Catalog
from semantic.catalog.visible import visible_to
from semantic.expr import FieldRef, Rolling, Unit
from semantic.query import ByField, ByTime, MetricRef, SemanticQuery, TimeWindow
from semantic.windows import add_units
from workers.context import JobContext
from workers.jobs.change_cube import NONE
from workers.jobs.composition import composition
from workers.jobs.dimensions import telling_dimensions
from workers.jobs.querying import Ran, receipt_of, run_query
from workers.kinds import ScanParams

MAX_METRICS = 8
MAX_DIMENSIONS = 3  # per metric: with the whole, 32 queries at most
MAX_SEGMENTS = 12
STEPS = {Grain.HOUR: 24 * 21, Grain.DAY: 150, Grain.WEEK: 130, Grain.MONTH: 48, Grain.QUARTER: 24, Grain.YEAR: 15, Grain.MINUTE: 600}


def run(context: JobContext) -> dict[str, Any]:
    """{"headline", "narrative", "facts", "tested", "receipts", "receipt"}; the narrative is empty when nothing is worth saying.

    Raises: NotEnoughData when no metric has a value; UserError for what cannot be asked; Unavailable.
    """
    params = ScanParams.model_validate(context.job.params)
    catalog = context.services.catalog(context.tenant)
    visible = visible_to(catalog, context.principal)
    runs: list[Ran] = []
    facts: list[Fact] = []
    names = _metrics(params, visible)
    for index, name in enumerate(names):
        context.progress("fetch", index, len(names))
        past = _past(context, params, (catalog, visible), name, runs)
        facts += scan(past) if past is not None else ()
    if not runs:
        raise NotEnoughData("No metric has a value to look at.", code="no_rows")
    context.progress("scan", 0, 1)
    told = worth_telling(facts)
    sentences = narrate(told)
    headline = sentences[0] if sentences else f"Nothing unusual in {len(names)} {'metric' if len(names) == 1 else 'metrics'}."
    result = {
        "headline": headline,
        "narrative": sentences[1:],
        "told": [fact.as_json() for fact in told],
        "tested": len(facts),
        "metrics": list(names),
        "templates_version": TEMPLATES_VERSION,
        "receipts": [{"sql": ran.guarded.sql, "rows_read": ran.result.stats.rows_read} for ran in runs],
        "receipt": receipt_of(context, catalog, runs).as_json(),
    }
    entry = InsightEntry(
        context.job_id, ", ".join(names)[:200], "scan", headline, {"told": result["told"], "tested": len(facts)}, context.job.user
    )
    with context.services.store.write() as connection:
        findings.put(connection, context.tenant, entry, now=context.services.clock.now())
    return result


def _metrics(params: ScanParams, visible: Catalog) -> tuple[str, ...]:
    if params.metrics:
        return tuple(visible.metric(name).name for name in dict.fromkeys(params.metrics))
    shown = [metric for metric in visible.metrics if not metric.hidden]
    return tuple(metric.name for metric in ([m for m in shown if m.certified] or shown)[:MAX_METRICS])


def _past(context: JobContext, params: ScanParams, catalogs: tuple[Catalog, Catalog], name: str, runs: list[Ran]) -> MetricPast | None:
    """The metric's periods, and those of its segments where it adds up; None without enough of them."""
    catalog, visible = catalogs
    measure = MetricRef(metric=name)
    window = TimeWindow(window=Rolling(count=STEPS[params.grain], unit=Unit(params.grain.value), anchor="period"))

    def asked(fields: Sequence[FieldRef] = ()) -> Ran:
        by = (ByTime(grain=params.grain), *(ByField(field=ref) for ref in fields))
        ran = run_query(context, catalog, visible, SemanticQuery(metrics=(measure,), by=by, where=params.where, time=window))
        runs.append(ran)
        return ran

    whole = asked()
    rows = sorted((_moment(row[0]), row[1]) for row in _rows(whole))
    if len(rows) < 2:
        return None
    starts = [start for start, _ in rows]
    column = next(c for c in whole.result.columns if c.role == "measure")
    segments: dict[str, tuple[tuple[str, ...], FloatArray]] = {}
    first = len(runs) - 1
    if composition(visible, measure).kind == "amount":
        for ref in _dimensions(visible, measure, whole):
            try:
                segments[visible.field(ref).label] = _by_segment(asked([ref]), starts)
            except UserError:
                continue  # cannot be split by this without multiplying rows
    return MetricPast(
        quantity=Quantity(column.label, column.format, column.unit, column.good_direction),
        grain=params.grain,
        periods=tuple(period_of(start, add_units(start, params.grain, 1), "") for start in starts),
        values=np.array([value for _, value in rows]),
        segments=segments,
        receipts=tuple(range(first, len(runs))),
    )


def _dimensions(visible: Catalog, measure: MetricRef, whole: Ran) -> tuple[FieldRef, ...]:
    """Those with 3 to 30 values first: of two, one mirrors the other; of many, each is small."""
    fields = telling_dimensions(visible, measure, whole.guarded.datasets, 12)
    sizes = [visible.field(ref).cardinality or len(visible.field(ref).values) for ref in fields]
    order = sorted(range(len(fields)), key=lambda i: (not 3 <= sizes[i] <= 30, i))
    return tuple(fields[i] for i in order[:MAX_DIMENSIONS])


def _by_segment(ran: Ran, starts: Sequence[dt.datetime]) -> tuple[tuple[str, ...], FloatArray]:
    """The largest segments, and their values at each of `starts`; 0 where a segment had no rows."""
    columns = ran.result.columns
    key = next(i for i, column in enumerate(columns) if column.role in ("dimension", "key", "attribute"))
    time = next(i for i, column in enumerate(columns) if column.role == "time")
    value = next(i for i, column in enumerate(columns) if column.role == "measure")
    place = {start: i for i, start in enumerate(starts)}
    found: dict[str, FloatArray] = {}
    for row in ran.result.rows():
        at = place.get(_moment(row[time])) if row[time] is not None else None
        if at is not None:
            name = NONE if row[key] is None else str(row[key])
            found.setdefault(name, np.zeros(len(starts)))[at] += _number(row[value], 0.0)
    names = tuple(sorted(found, key=lambda name: (-float(found[name].sum()), name))[:MAX_SEGMENTS])
    return names, np.column_stack([found[name] for name in names]) if names else np.zeros((len(starts), 0))


def _rows(ran: Ran) -> list[tuple[Any, float]]:
    time = next(i for i, column in enumerate(ran.result.columns) if column.role == "time")
    value = next(i for i, column in enumerate(ran.result.columns) if column.role == "measure")
    return [(row[time], _number(row[value], math.nan)) for row in ran.result.rows() if row[time] is not None]


def _number(value: Any, missing: float) -> float:
    if value is None:
        return missing
    found = float(value)
    return found if math.isfinite(found) else missing


def _moment(value: dt.datetime | dt.date) -> dt.datetime:
    return value.replace(tzinfo=None) if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())
