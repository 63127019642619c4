"""Drilling down: a mark or a cell becomes a filter, and what was grouped goes one level finer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from core.errors import Invalid
from core.timeseries import Grain
from semantic.catalog.model import Catalog
from semantic.expr import Absolute, FieldRef, In, IsNull, Predicate
from semantic.query import ByEntity, ByField, ByTime, GroupBy, MetricRef, SemanticQuery, TimeWindow
from workers.boards.narrowing import narrowed, remade, typed

NULL = "\u2013"  # how a missing value is written in charts and tables
_FINER = {Grain.YEAR: Grain.QUARTER, Grain.QUARTER: Grain.MONTH, Grain.MONTH: Grain.DAY, Grain.WEEK: Grain.DAY, Grain.DAY: Grain.HOUR}


def drilled(query: SemanticQuery, marks: Mapping[int, str], catalog: Catalog) -> SemanticQuery:
    """marks: a value for each group (index into `by`) that was pointed at. The window or the filter narrows to it.

    A time group goes to its finer grain; a field with a hierarchy to its next level; any other group is dropped, and when none is left the
    metric is shown over time. Raises: Invalid for a group that cannot be narrowed.
    """
    where, time = query.where, query.time
    by: list[GroupBy] = []
    for index, group in enumerate(query.by):
        if index not in marks:
            by.append(group)
        elif isinstance(group, ByTime):
            time, finer = _bucket(group, marks[index])
            by += [finer] if finer is not None else []
        else:
            ref = _narrowing_field(group, catalog)
            where = narrowed(where, _is(ref, marks[index], catalog))
            deeper = _next_level(ref, catalog)
            by += [ByField(field=deeper)] if deeper is not None and not any(_same(g, deeper) for g in query.by) else []
    if not by and isinstance(query.by[min(marks)], ByField | ByEntity):
        by = [ByTime(grain=_grain(query, catalog))]
    kept = bool(by)
    return remade(
        query, where=where, time=time, by=tuple(by), order=(), limit=None, limit_by=None, with_other=False, with_ties=False,
        having=(), transform=query.transform if kept and not any(t.per for t in query.transform) else (), complete_periods_only=False,
    )  # fmt: skip


def can_drill(group: GroupBy) -> bool:
    return (
        isinstance(group, ByField | ByEntity | ByTime)
        and not (isinstance(group, ByField) and group.bins)
        and not (isinstance(group, ByTime) and group.fiscal)
    )


def _same(group: GroupBy, ref: FieldRef) -> bool:
    return isinstance(group, ByField) and (group.field.dataset, group.field.field) == (ref.dataset, ref.field)


def _narrowing_field(group: GroupBy, catalog: Catalog) -> FieldRef:
    if isinstance(group, ByField) and group.bins is None:
        return group.field
    if isinstance(group, ByEntity):
        entity = catalog.entity(group.entity)
        return FieldRef(dataset=entity.dataset, field=(entity.display or entity.key)[0], via=group.via)
    raise Invalid("This group cannot be drilled into; filter by it in the question.", code="cannot_drill")


def _is(ref: FieldRef, text: str, catalog: Catalog) -> Predicate:
    return IsNull(field=ref) if text == NULL else In(field=ref, values=(typed(text, catalog.field(ref)),))


def _next_level(ref: FieldRef, catalog: Catalog) -> FieldRef | None:
    for hierarchy in catalog.hierarchies:
        for level, finer in zip(hierarchy.levels, hierarchy.levels[1:], strict=False):
            if (level.dataset, level.field) == (ref.dataset, ref.field):
                return finer
    return None


def _bucket(group: ByTime, text: str) -> tuple[TimeWindow, ByTime | None]:
    try:
        start = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"Expected a date; found {text[:40]!r}.", code="bad_date") from error
    end = _after(start, group.grain)
    window = Absolute(start=start.date(), end=end.date()) if group.grain is not Grain.HOUR else Absolute(start=start, end=end)
    finer = _FINER.get(group.grain)
    return TimeWindow(window=window, field=group.field), group.changed(grain=finer) if finer is not None else None


def _after(start: dt.datetime, grain: Grain) -> dt.datetime:
    months = {Grain.MONTH: 1, Grain.QUARTER: 3, Grain.YEAR: 12}.get(grain)
    if months is not None:
        year, month = divmod(start.month - 1 + months, 12)
        return start.replace(year=start.year + year, month=month + 1, day=1)
    steps = {Grain.WEEK: dt.timedelta(weeks=1), Grain.DAY: dt.timedelta(days=1), Grain.HOUR: dt.timedelta(hours=1)}
    if grain not in steps:
        raise Invalid("This grain cannot be drilled into.", code="cannot_drill")
    return start + steps[grain]


def _grain(query: SemanticQuery, catalog: Catalog) -> Grain:
    first = query.metrics[0] if query.metrics else None
    wanted = catalog.metric(first.metric).default_grain if isinstance(first, MetricRef) else None
    return Grain.MONTH if wanted in {None, Grain.DAY} and query.time is None else wanted or Grain.MONTH
