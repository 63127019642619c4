"""Grains and cycles: the time that splits an aggregate into rows."""

from __future__ import annotations

from collections.abc import Sequence

from core.timeseries import Grain
from nlq.changes import runs_past
from nlq.composing.draft import Draft
from nlq.composing.windows import foreign_time, has_time
from nlq.predicates import Unbuildable
from nlq.timing.phrases import TimePhrase
from semantic.catalog.model import FieldRole, FieldType
from semantic.expr import Absolute, FieldRef, Rolling, Window
from semantic.query import ByCycle, ByField, ByTime, Cycle, GroupBy

_MOST_DAYS = 14


def add_time_groups(draft: Draft, by: list[GroupBy], base: str | None) -> list[GroupBy]:
    f = draft.frame
    if f.cycle and base is not None and not has_time(draft, base):
        column = next(
            (
                FieldRef(dataset=base, field=c.name)
                for c in draft.catalog.dataset(base).fields
                if c.label.lower().split()[-1] in ("day", "weekday") and c.type is FieldType.STRING
            ),
            None,
        )
        if column is None:
            raise Unbuildable("no time to group by")
        by = [*by, ByField(field=column)]
    elif f.cycle:
        by = [*by, *(_part(draft, base, cycle) for cycle in (f.cycle, *f.more_cycles))]
    if not f.grain:
        return by
    grain = f.grain
    if grain == "auto":
        grain = auto_grain([p.window for p in f.times])
    if any(isinstance(b, ByTime) for b in by):
        return by
    stored = _hour_column(draft, base) if grain == "hour" and _datetime_field(draft, base) is None else None
    if stored is not None:
        return [*by, ByField(field=stored)]
    if base is not None and not has_time(draft, base):
        ref = _period_field(draft, base, grain)
        foreign = foreign_time(draft, base) if ref is None else None
        if foreign is not None:
            return [*by, ByTime(grain=Grain(grain), field=foreign)]
        if ref is None:
            raise Unbuildable("no time to group by")
        if any(isinstance(b, ByField) and b.field == ref for b in by):
            return by
        return [*by, ByField(field=ref)]
    moment = _datetime_field(draft, base) if grain == "hour" else None
    if moment is not None:  # the rows' own date has no hours, another time of theirs has
        return [*by, ByTime(grain=Grain.HOUR, field=moment) if _few_days(f.times) else ByCycle(cycle=Cycle.HOUR_OF_DAY, field=moment)]
    if grain == "hour" and base is not None:
        dataset = draft.catalog.dataset(base)
        if dataset.time is not None and dataset.field(dataset.time).type is FieldType.DATE:
            raise Unbuildable(f"The dates of {dataset.label} have no time of day: ask by day, week or month.")
    fill = f.keep_empty or (
        any(t.kind in ("growth", "difference") for t in f.transforms) and not runs_past(f, draft.as_of, draft.catalog.calendar)
    )
    return [*by, ByTime(grain=Grain(grain), fill=fill)]


def _few_days(times: Sequence[TimePhrase]) -> bool:
    """Whether hours of a period are few enough to follow one after the other."""
    window = times[0].window if times else None
    if window is None:
        return False
    if isinstance(window, Absolute):
        return window.start is not None and window.end is not None and (window.end - window.start).days <= _MOST_DAYS
    count = window.count if isinstance(window, Rolling) else 1
    return {"minute": 0, "hour": 0, "day": 1, "week": 7}.get(window.unit.value, _MOST_DAYS + 1) * count <= _MOST_DAYS


def _part(draft: Draft, base: str | None, cycle: str) -> GroupBy:
    """A part of the day, week or year to group by; hours from the field that has any."""
    moment = _datetime_field(draft, base) if cycle == "hour_of_day" else None
    stored = _hour_column(draft, base) if cycle == "hour_of_day" and moment is None else None
    return ByField(field=stored) if stored is not None else ByCycle(cycle=Cycle(cycle), field=moment)


def _datetime_field(draft: Draft, base: str | None) -> FieldRef | None:
    """A field with hours, when the primary time is a plain date."""
    if base is None:
        return None
    dataset = draft.catalog.dataset(base)
    if dataset.time is not None and dataset.field(dataset.time).type is FieldType.DATETIME:
        return None
    found = next((c for c in dataset.fields if c.type is FieldType.DATETIME and c.role is FieldRole.TIME and not c.hidden), None)
    return FieldRef(dataset=base, field=found.name) if found is not None else None


def _hour_column(draft: Draft, base: str | None) -> FieldRef | None:
    """A column of plain hours, where the dates have none."""
    dataset = draft.catalog.dataset(base) if base is not None else None
    if dataset is None or dataset.time is None or dataset.field(dataset.time).type is FieldType.DATETIME:
        return None
    found = next(
        (c for c in dataset.fields if c.label.lower().split()[-1:] == ["hour"] and c.type is FieldType.INTEGER and not c.hidden), None
    )
    return FieldRef(dataset=dataset.name, field=found.name) if found is not None else None


def auto_grain(windows: Sequence[Window]) -> str:
    """The step in which a trend over the first of these windows is seen."""
    for window in windows:
        if isinstance(window, Absolute):
            days = (window.end - window.start).days if window.start is not None and window.end is not None else 365
        else:
            count = window.count if isinstance(window, Rolling) else 1
            days = {"day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}.get(window.unit.value, 1) * count
        return "day" if days <= 45 else "week" if days <= 190 else "month"
    return "month"


def _period_field(draft: Draft, base: str, grain: str) -> FieldRef | None:
    """A stored column of plain periods ("year", "month") that stands in for a missing time field."""
    for dataset in sorted(draft.catalog.datasets, key=lambda d: draft.graph.distance(base, d.name)):
        if dataset.name != base and not draft.graph.points_to(base, dataset.name):
            continue
        for candidate in dataset.fields:
            if (
                candidate.label.lower().split()[-1] == grain
                and candidate.type in (FieldType.INTEGER, FieldType.STRING)
                and not candidate.hidden
            ):
                return FieldRef(dataset=dataset.name, field=candidate.name)
        if dataset.time is not None and dataset.name != base:
            return None
    return None
