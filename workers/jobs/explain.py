"""Explain job: how a metric changed between two periods, and which segments account for it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import NotEnoughData, UserError
from core.store import findings
from core.store.findings import InsightEntry
from insights.change_words import Wording, change_headline, change_narrative
from insights.chart import chart
from insights.period_change import PeriodChange, SegmentChange, period_change
from insights.wording import number
from semantic.catalog.model import Catalog
from semantic.catalog.visible import visible_to
from semantic.expr import Absolute, Calendar_, FieldRef
from semantic.query import ByField, ByTime, ComparePeriod, Order, SemanticQuery, TimeWindow
from semantic.states import OutputColumn, WindowUsed
from workers.context import JobContext
from workers.jobs.chart_data import finite
from workers.jobs.dimensions import is_additive, telling_dimensions
from workers.jobs.querying import Ran, Receipt, receipt_of, run_query
from workers.kinds import ExplainParams

MAX_DIMENSIONS = 8
SHOWN_ROWS = 20


def run(context: JobContext) -> dict[str, Any]:
    """{"headline", "narrative", "change", "dimensions", "chart", "view_table", "receipt", ...}.

    Raises: NotEnoughData when one of the periods has no value; UserError for what cannot be asked; Unavailable.
    """
    params = ExplainParams.model_validate(context.job.params)
    catalog = context.services.catalog(context.tenant)
    asked = _Asked(context, params, catalog, visible_to(catalog, context.principal))
    context.progress("fetch", 0, 1)
    window = params.time or asked.last_period()
    whole = asked.compared(window, None)
    before, after = _pair(whole)
    if before is None or after is None:
        raise NotEnoughData(
            f"There is no value to compare in {whole.guarded.windows[1 if before is None else 0].label}; choose other periods.",
            code="no_rows",
        )
    fields = params.dimensions or telling_dimensions(asked.visible, params.asked, whole.guarded.datasets, MAX_DIMENSIONS)
    parts = asked.parts(window, fields)
    context.progress("explain", 0, 1)
    additive = is_additive(catalog, params.asked)
    change = period_change(before, after, {label: segments for label, segments, _ in parts})
    receipt = receipt_of(context, catalog, [whole, *(ran for _, _, ran in parts)])
    result = _result(params, whole, change, receipt, additive=additive)
    _index(context, params, result)
    return result


@dataclass(frozen=True, slots=True)
class _Asked:
    """The queries of one explanation."""

    context: JobContext
    params: ExplainParams
    catalog: Catalog
    visible: Catalog

    def last_period(self) -> TimeWindow:
        """The latest complete period of the asked grain that has a value: data may end long before today."""
        grain = self.params.grain
        query = SemanticQuery(
            metrics=(self.params.asked,), by=(ByTime(grain=grain),), where=self.params.where,
            order=(Order(target="by", index=0, descending=True),), limit=3, complete_periods_only=True,
        )  # fmt: skip
        result = run_query(self.context, self.catalog, self.visible, query).result
        time = next(i for i, column in enumerate(result.columns) if column.role == "time")
        value = next(i for i, column in enumerate(result.columns) if column.role == "measure")
        starts = [row[time] for row in result.rows() if row[value] is not None and row[time] is not None]
        if not starts:
            raise NotEnoughData(f"There is no complete {grain.value} with a value of this measure.", code="no_rows")
        start = max(starts)
        day = start.date() if isinstance(start, dt.datetime) and grain.value not in ("minute", "hour") else start
        return TimeWindow(window=self._calendar_window(day))

    def _calendar_window(self, start: dt.datetime | dt.date) -> Absolute | Calendar_:
        end = _next(start, self.params.grain.value)
        return Absolute(start=start, end=end)

    def compared(self, window: TimeWindow, field: FieldRef | None) -> Ran:
        by = (ByField(field=field),) if field is not None else ()
        query = SemanticQuery(
            metrics=(self.params.asked,), by=by, where=self.params.where, time=window,
            compare=ComparePeriod(to="previous_period", show=("value",)),
        )  # fmt: skip
        return run_query(self.context, self.catalog, self.visible, query)

    def parts(self, window: TimeWindow, fields: Sequence[FieldRef]) -> list[tuple[str, list[SegmentChange], Ran]]:
        """Label, segments and query per dimension; one that cannot be joined without multiplying rows is left out."""
        found: list[tuple[str, list[SegmentChange], Ran]] = []
        for index, field in enumerate(fields):
            self.context.progress("fetch", index + 1, len(fields) + 1)
            try:
                ran = self.compared(window, field)
            except UserError as error:
                if self.params.dimensions or error.code not in ("no_join_path", "ambiguous_join", "fan_out", "unknown_field"):
                    raise
                continue
            found.append((self.visible.field(field).label, _segments(ran), ran))
        return found


def _next(start: dt.datetime | dt.date, grain: str) -> dt.datetime | dt.date:
    """The start of the following period."""
    if grain in ("minute", "hour", "day", "week"):
        return (
            start
            + {
                "minute": dt.timedelta(minutes=1),
                "hour": dt.timedelta(hours=1),
                "day": dt.timedelta(days=1),
                "week": dt.timedelta(weeks=1),
            }[grain]
        )
    months = {"month": 1, "quarter": 3, "year": 12}[grain]
    year, month = divmod(start.month - 1 + months, 12)
    return start.replace(year=start.year + year, month=month + 1, day=1)


def _values(ran: Ran) -> tuple[int, int]:
    """Places of the value after and before among the columns."""
    after, before = (index for index, column in enumerate(ran.result.columns) if column.role == "measure")
    return after, before


def _pair(ran: Ran) -> tuple[float | None, float | None]:
    """(before, after) of the whole."""
    rows = ran.result.rows()
    after, before = _values(ran)
    return (_number(rows[0][before]), _number(rows[0][after])) if rows else (None, None)


def _segments(ran: Ran) -> list[SegmentChange]:
    after, before = _values(ran)
    return [
        SegmentChange("(none)" if row[0] is None else str(row[0]), _number(row[before]) or 0.0, _number(row[after]) or 0.0)
        for row in ran.result.rows()
    ]


def _number(value: Any) -> float | None:
    if value is None:
        return None
    number_ = float(value)
    return number_ if math.isfinite(number_) else None


def _result(params: ExplainParams, whole: Ran, change: PeriodChange, receipt: Receipt, *, additive: bool) -> dict[str, Any]:
    measure = next(column for column in whole.result.columns if column.role == "measure")
    after, before = whole.guarded.windows[:2]
    words = Wording(measure.label, measure.format, measure.unit, before=_period(before), after=_period(after))
    return {
        "metric": params.metric,
        "label": measure.label,
        "unit": measure.unit,
        "format": measure.format,
        "good_direction": measure.good_direction,
        "headline": change_headline(change, words),
        "narrative": change_narrative(change, words, additive=additive),
        "periods": {"after": _window(after), "before": _window(before)},
        "change": {
            "before": change.before, "after": change.after, "difference": change.difference, "relative": finite(change.relative), "additive": additive
        },
        "dimensions": [_dimension(item, additive=additive) for item in change.dimensions],
        "chart": _chart(change, measure),
        "view_table": _table(change, measure, words, additive=additive),
        "receipt": receipt.as_json(),
    }  # fmt: skip


def _period(window: WindowUsed) -> str:
    """The dates of a window in words: "Mar 2026" for a whole month, else its label."""
    start, end = window.start, window.end
    if start is not None and end is not None and start.day == 1 and end.day == 1 and (start.hour, end.hour) == (0, 0):
        months = (end.year - start.year) * 12 + end.month - start.month
        if months == 1:
            return f"{start:%b} {start.year}"
        if months == 3 and start.month % 3 == 1:
            return f"Q{(start.month - 1) // 3 + 1} {start.year}"
        if months == 12 and start.month == 1:
            return str(start.year)
    if start is not None and end is not None and end - start == dt.timedelta(days=1):
        return f"{start.day} {start:%b} {start.year}"
    return window.label.partition(": ")[2] or window.label


def _window(window: WindowUsed) -> dict[str, Any]:
    return {
        "label": window.label,
        "start": window.start.isoformat() if window.start else None,
        "end": window.end.isoformat() if window.end else None,
        "end_inclusive": False,
    }


def _dimension(item: Any, *, additive: bool) -> dict[str, Any]:
    def shown(driver: Any) -> dict[str, Any]:
        values = {"segment": driver.segment, "before": driver.before, "after": driver.after, "difference": driver.difference}
        return values | ({"share": finite(driver.share), "unexpected": driver.unexpected} if additive else {})

    return {
        "dimension": item.dimension,
        "segments": item.segments,
        "unevenness": round(item.unevenness, 4),
        "drivers": [shown(driver) for driver in item.drivers],
        "detractors": [shown(driver) for driver in item.detractors],
    }


def _chart(change: PeriodChange, measure: OutputColumn) -> dict[str, Any] | None:
    """Bars of the first dimension's segments by what they added or took away."""
    if not change.dimensions:
        return None
    first = change.dimensions[0]
    rows = [[driver.segment, driver.difference] for driver in (*first.drivers, *first.detractors)]
    columns = (
        OutputColumn(first.dimension, first.dimension, "dimension"),
        OutputColumn("difference", f"{measure.label}, difference", "measure", format=measure.format, unit=measure.unit),
    )
    return chart(columns, rows, title=f"{measure.label}: difference by {first.dimension}")


def _table(change: PeriodChange, measure: OutputColumn, words: Wording, *, additive: bool) -> dict[str, Any] | None:
    """The drivers of all dimensions as text, the strongest dimension first."""
    if not change.dimensions:
        return None

    def said(value: float) -> str:
        return number(value, measure.format, measure.unit, compact=True)

    rows = [
        [item.dimension, driver.segment, said(driver.before), said(driver.after), said(driver.difference)]
        + ([f"{driver.share:.0%}"] if additive and math.isfinite(driver.share) else [""] if additive else [])
        for item in change.dimensions
        for driver in (*item.drivers, *item.detractors)
    ][:SHOWN_ROWS]
    columns = ["dimension", "segment", words.before, words.after, "difference"] + (["share of the change"] if additive else [])
    return {"columns": columns, "rows": rows} if rows else None


def _index(context: JobContext, params: ExplainParams, result: dict[str, Any]) -> None:
    facts = {name: result[name] for name in ("change", "periods", "dimensions", "narrative")}
    entry = InsightEntry(context.job_id, params.metric or result["label"], "period_change", result["headline"], facts, context.job.user)
    with context.services.store.write() as connection:
        findings.put(connection, context.tenant, entry, now=context.services.clock.now())
