"""Times of rows: the date that dates them, stretches of time, days of the week, dates held against each other."""

from __future__ import annotations

import datetime as dt

from nlq.assign import Assignment
from nlq.frame import Condition, Mention
from nlq.graph import JoinGraph
from nlq.kinds import Kinds
from nlq.lapse import lapse
from nlq.phrases import WEEKDAYS
from nlq.timing.feasts import public_holidays
from nlq.unbuildable import Unbuildable
from nlq.validity import holding
from nlq.years import in_years
from semantic.catalog.model import Catalog, FieldRole, FieldType
from semantic.expr import Comparison, DatePart, FieldRef, In, InWindow, Literal_, Not, Predicate, Window

# Holidays of so many past years are listed in a query.
_HOLIDAY_YEARS = 10


class RowTimes:
    """Conditions about time under one assignment."""

    def __init__(self, catalog: Catalog, kinds: Kinds, graph: JoinGraph, assignment: Assignment, as_of: dt.datetime) -> None:
        self._catalog = catalog
        self._kinds = kinds
        self._graph = graph
        self._a = assignment
        self._as_of = as_of

    def cycle(self, condition: Condition, base: str) -> Predicate:
        """On weekends, a day of the week, or public holidays, by the rows' own time."""
        field = self.needed(base)
        if condition.literal == "holiday":
            return In(field=DatePart(part="trunc_day", of=field), values=self._holidays(), negate=condition.negate)
        part = Comparison(op="=", left=DatePart(part="is_weekend", of=field), right=Literal_(value=1))
        if condition.literal in WEEKDAYS:
            part = Comparison(
                op="=", left=DatePart(part="day_of_week", of=field), right=Literal_(value=WEEKDAYS.index(condition.literal) + 1)
            )
        return Not(item=part) if condition.negate else part

    def window(self, condition: Condition, base: str) -> tuple[FieldRef, Predicate]:
        """Inside a stretch of time, by the date that is said, else by the rows' own."""
        target = self._a.target(condition.mention)
        field = (
            target.ref
            if target is not None and (self._kinds.is_time(target) or self._kinds.is_year(target))
            else self.needed(target.dataset if target is not None and target.dataset else base)
        )
        if condition.time is None:
            raise Unbuildable("no window")
        holds = holding(condition, field, self._catalog, self._as_of)
        if holds is not None:
            return field, holds
        return field, self.inside(field, condition.time.window, negate=condition.negate)

    def same_period(self, condition: Condition, base: str) -> Predicate:
        """The rows' own date in the same month (year, ...) as another date."""
        target = self._a.target(condition.mention)
        if target is None or target.dataset is None:
            raise Unbuildable("same period as what")
        other = target.ref if target.kind == "field" and self._kinds.is_time(target) else self.needed(target.dataset)
        mine = self.needed(base)
        if mine == other or not self._graph.reads(base, other.dataset):
            raise Unbuildable("no second date")
        part = f"trunc_{condition.literal}"
        return Comparison(op="=", left=DatePart(part=part, of=mine), right=DatePart(part=part, of=other))

    def lapse(self, condition: Condition, base: str) -> tuple[str, Predicate]:
        """Two dates held against each other, on rows that tell both."""
        date, other = (self._moment(m, base) for m in (condition.mention, condition.other))
        homes = [d for d in (date.dataset, other.dataset) if all(self._graph.reads(d, x.dataset) for x in (date, other))]
        home = base if all(self._graph.reads(base, x.dataset) for x in (date, other)) else next(iter(homes), None)
        if home is None or date == other:
            raise Unbuildable("two dates that no row has together")
        held = lapse(condition, date, other)
        return home, Not(item=held) if condition.negate else held

    def inside(self, ref: FieldRef, window: Window, *, negate: bool = False) -> Predicate:
        """Inside a window; a field that holds plain years is compared with the window's years."""
        field = self._catalog.field(ref)
        text = field.type is FieldType.STRING and field.unit == "year"
        if text or (field.type is FieldType.INTEGER and field.epoch is None):
            years = in_years(ref, window, self._as_of, text=text)
            return Not(item=years) if negate else years
        return InWindow(field=ref, window=window, negate=negate)

    def of(self, dataset: str) -> FieldRef | None:
        """The primary time of a dataset, else a field of plain years."""
        found = self._catalog.dataset(dataset)
        if found.time is not None:
            return FieldRef(dataset=dataset, field=found.time)
        times = [f for f in found.fields if f.role is FieldRole.TIME and not f.hidden]
        if times:
            return FieldRef(dataset=dataset, field=times[0].name)
        integers = (f for f in found.fields if f.type is FieldType.INTEGER and f.label.lower().split()[-1] == "year")
        year = next((f for f in found.fields if f.unit == "year" and f.label.lower().split()[-1] == "year"), None) or next(integers, None)
        return FieldRef(dataset=dataset, field=year.name) if year is not None else None

    def needed(self, dataset: str) -> FieldRef:
        """The time of a dataset's rows, else that of what they point to."""
        ref = self.of(dataset)
        if ref is None:
            for other in self._catalog.datasets:
                if other.name != dataset and self._graph.points_to(dataset, other.name) and self.of(other.name) is not None:
                    ref = self.of(other.name)
                    break
        if ref is None:
            raise Unbuildable(f"{dataset} has no time")
        return ref

    def _moment(self, mention: Mention | None, base: str) -> FieldRef:
        """The date that a mention means; the rows' own when there is none."""
        target = self._a.target(mention)
        if target is not None and target.kind == "field" and self._kinds.is_time(target):
            return target.ref
        return self.needed(target.dataset if target is not None and target.dataset else base)

    def _holidays(self) -> tuple[dt.date, ...]:
        """The public holidays of the calendar's country over the years that a question may be about."""
        calendar = self._catalog.calendar
        years = range(self._as_of.year - _HOLIDAY_YEARS, self._as_of.year + 2)
        days = tuple(day for year in years for day in public_holidays(calendar.country, year))
        if not days:
            raise Unbuildable("Public holidays are not known: the catalog's calendar names no country.")
        return days
