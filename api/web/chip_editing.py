"""What can be done with each chip of an answer, and which parts can be added."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from api.web.dates_said import days_said, window_said
from api.web.edits import condition_at, condition_field
from nlq.chips import chips_of
from nlq.types import Chip, Intent
from nlq.wording import Wording
from semantic.catalog.model import Catalog
from semantic.expr import Absolute, FieldRef, In, Literal_, Scalar
from semantic.query import ByField, ByTime, MetricRef, SemanticQuery
from workers.boards.periods import PERIODS
from workers.jobs.dimensions import base_dataset, telling_dimensions

MAX_VALUES = 60
MAX_DIMENSIONS = 24
GRAINS = ("day", "week", "month", "quarter", "year")


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    selected: bool = False


@dataclass(frozen=True, slots=True)
class EditableChip:
    """`editor`: metric, group, values, period, compare, limit, direction, or empty where a chip can only be taken away."""

    kind: str
    label: str
    path: str
    editor: str = ""
    options: tuple[Option, ...] = ()
    removable: bool = True
    first_day: str = ""
    last_day: str = ""


@dataclass(frozen=True, slots=True)
class Additions:
    """What the query can still take: groups, fields to filter by, whether it can be compared and narrowed in time."""

    groups: tuple[Option, ...]
    fields: tuple[Option, ...]
    compare: bool
    period: bool


def editable_chips(query: SemanticQuery, catalog: Catalog) -> list[EditableChip]:
    found = chips_of(query, Wording(catalog), Intent.ASK, {})
    return [_editable(chip, query, catalog) for chip in found if chip.kind != "intent"]


def all_time() -> EditableChip:
    """For a question that names no time: what its figures reach over is said, and can be narrowed."""
    return EditableChip("time", "all time", "", "period", tuple(Option(name, name) for name in PERIODS), removable=False)


def additions(query: SemanticQuery, catalog: Catalog) -> Additions:
    groups = [o for o in (*_grains(query), *_dimensions(query, catalog)) if not o.selected] if query.metrics else []
    fields = tuple(Option(o.value.removeprefix("field:"), o.label) for o in _dimensions(query, catalog))
    timed = _is_timed(query, catalog)
    return Additions(tuple(groups), fields, timed and query.time is not None and query.compare is None, timed and query.time is None)


def _editable(chip: Chip, query: SemanticQuery, catalog: Catalog) -> EditableChip:
    made = EditableChip(chip.kind, chip.label, chip.path)
    index = int(chip.path.rsplit("/", 1)[-1]) if chip.path.rsplit("/", 1)[-1].isdecimal() else 0
    if chip.kind == "metric":
        first = query.metrics[index]
        options = _metrics(first.metric, catalog) if isinstance(first, MetricRef) and first.where is None else ()
        removable = len(query.metrics) > 1 or bool(query.by)
        return EditableChip(chip.kind, chip.label, chip.path, "metric" if options else "", options, removable)
    if chip.kind == "group":
        group = query.by[index]
        pool = _grains(query) if isinstance(group, ByTime) else _dimensions(query, catalog) if isinstance(group, ByField) else ()
        wanted = (
            group.grain.value
            if isinstance(group, ByTime)
            else f"{group.field.dataset}.{group.field.field}"
            if isinstance(group, ByField)
            else ""
        )
        options = tuple(Option(o.value, o.label, o.value.endswith(f":{wanted}")) for o in pool)
        return EditableChip(chip.kind, chip.label, chip.path, "group" if options else "", options, len(query.by) > 1 or bool(query.metrics))
    if chip.kind == "filter":
        return _filter(chip, query, catalog)
    if chip.kind == "time" and query.time is not None:
        window = query.time.window
        options = tuple(Option(name, name, window == candidate) for name, candidate in PERIODS.items())
        first_day, last_day = _days(window) if isinstance(window, Absolute) else ("", "")
        label = window_said(window) if isinstance(window, Absolute) else chip.label
        return EditableChip(chip.kind, label, chip.path, "period", options, True, first_day, last_day)
    if chip.kind == "compare" and query.compare is not None and query.compare.kind == "period":
        to, held = query.compare.to, query.compare.window
        names = {"previous_period": "the period before", "same_period_last_year": "the same period last year"}
        options = tuple(Option(value, label, value == to) for value, label in names.items())
        other = window_said(held) if to == "window" and isinstance(held, Absolute) else to.replace("_", " ")
        return EditableChip(chip.kind, f"vs {names.get(to, other)}" if to != "offset" else chip.label, chip.path, "compare", options)
    if chip.kind == "limit":
        limit = query.limit_by.limit if query.limit_by is not None else query.limit
        return EditableChip(chip.kind, chip.label, chip.path, "limit", (Option(str(limit), str(limit), True),))
    if chip.kind == "order":
        return EditableChip(chip.kind, _order_label(query, index) or chip.label, chip.path, "direction")
    if chip.path == "/rows_of" or (chip.path.startswith("/fields/") and len(query.fields) < 2):
        return EditableChip(chip.kind, chip.label, chip.path, removable=False)
    return made


def _order_label(query: SemanticQuery, index: int) -> str:
    """Times come early or late, not high or low."""
    order = query.order[index]
    if order.target == "by" and order.index < len(query.by) and isinstance(query.by[order.index], ByTime):
        return "latest first" if order.descending else "earliest first"
    return ""


def _filter(chip: Chip, query: SemanticQuery, catalog: Catalog) -> EditableChip:
    condition = condition_at(query.where, [part for part in chip.path.split("/") if part][1:])
    ref = condition_field(condition)
    known = catalog.field(ref).values if ref is not None and not catalog.field(ref).pii else ()
    if ref is None or not known:
        return EditableChip(chip.kind, days_said(chip.label), chip.path)
    chosen: tuple[Scalar | None, ...] = ()
    if isinstance(condition, In):
        chosen = condition.values
    elif condition is not None and condition.kind == "compare" and isinstance(condition.right, Literal_):
        chosen = (condition.right.value,)
    folded = {str(v).casefold() for v in chosen}
    values = [*known[:MAX_VALUES], *(str(v) for v in chosen if str(v).casefold() not in {k.casefold() for k in known[:MAX_VALUES]})]
    options = tuple(Option(v, v, v.casefold() in folded) for v in values)
    return EditableChip(chip.kind, chip.label, chip.path, "values", options)


def _metrics(current: str, catalog: Catalog) -> tuple[Option, ...]:
    shown = sorted((m for m in catalog.metrics if not m.hidden), key=lambda m: (not m.certified, m.label.casefold()))
    return tuple(Option(m.name, m.label, m.name == current) for m in shown)


def _grains(query: SemanticQuery) -> tuple[Option, ...]:
    now = {g.grain.value for g in query.by if isinstance(g, ByTime)}
    return tuple(Option(f"grain:{g}", g, g in now) for g in GRAINS)


def _dimensions(query: SemanticQuery, catalog: Catalog) -> tuple[Option, ...]:
    refs: tuple[FieldRef, ...] = ()
    if query.metrics:
        refs = telling_dimensions(catalog, query.metrics[0], (), MAX_DIMENSIONS)
    elif query.rows_of is not None:
        dataset = catalog.dataset(query.rows_of)
        refs = tuple(FieldRef(dataset=dataset.name, field=f.name) for f in dataset.fields if not f.hidden and f.values)
    wording = Wording(catalog)
    now = {(g.field.dataset, g.field.field) for g in query.by if isinstance(g, ByField)}
    return tuple(Option(f"field:{r.dataset}.{r.field}", wording.field(r), (r.dataset, r.field) in now) for r in refs)


def _is_timed(query: SemanticQuery, catalog: Catalog) -> bool:
    if not query.metrics:
        return False
    base = base_dataset(catalog, query.metrics[0], ())
    return base is None or catalog.dataset(base).time is not None


def _days(window: Absolute) -> tuple[str, str]:
    first = window.start.isoformat()[:10] if window.start is not None else ""
    last = (window.end - dt.timedelta(days=1)).isoformat()[:10] if window.end is not None else ""
    return first, last
