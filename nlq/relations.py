"""Things that did something in a period: the period belongs to what they did, not to the date of the thing itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nlq.assign import Assignment
from nlq.frame import Condition, Frame, MeasureItem, Mention
from nlq.graph import JoinGraph
from nlq.lexicon import Target
from semantic.catalog.model import Catalog, DatasetKind, SimpleMetric
from semantic.expr import FieldRef
from semantic.query import AggregateKind


class Relations:
    """Rewrites one frame under one assignment. Mentions that it makes are kept in `made`."""

    def __init__(self, catalog: Catalog, graph: JoinGraph, frame: Frame, assignment: Assignment) -> None:
        self._catalog = catalog
        self._graph = graph
        self._frame = frame
        self._a = assignment
        self.made: list[Mention] = []

    def count_things(self, measures: Sequence[MeasureItem]) -> None:
        """ "customers who bought both A and B": a count over events asks each event for both; the things themselves are meant."""
        if len(measures) != 1 or not any(c.both for c in self._frame.conditions) or self._frame.groups or self._frame.grain:
            return
        target = self._a.target(measures[0].mention)
        metric = self._catalog.metric(target.name) if target is not None and target.kind == "metric" else None
        if (
            not isinstance(metric, SimpleMetric)
            or metric.aggregate is not AggregateKind.COUNT_DISTINCT
            or not isinstance(metric.of, FieldRef)
        ):
            return
        thing = next(
            (
                r.to_dataset
                for r in self._catalog.relationships
                if r.from_dataset == metric.of.dataset and r.from_fields == (metric.of.field,)
            ),
            None,
        )
        if thing is not None and metric.where is None:
            self._a.targets[id(measures[0].mention)] = Target("dataset", thing, thing)
            measures[0].kind = "count"

    def split_both(self) -> None:
        """ "bought both A and B": not in one and the same purchase."""
        split: list[Condition] = []
        for condition in self._frame.conditions:
            if condition.kind == "related" and not condition.negate:
                condition, apart = self._but_not(condition)
                split.extend(apart)
            each = [c for c in condition.inner if c.both] if condition.kind == "related" and not condition.negate else []
            if len(each) < 2:
                split.append(condition)
                continue
            rest = [c for c in condition.inner if not c.both]
            for one in each:
                one.both = False
                split.append(Condition("related", condition.mention, inner=[*rest, one], units=condition.units, both=True))
        self._frame.conditions = split

    def _but_not(self, condition: Condition) -> tuple[Condition, list[Condition]]:
        """ "bought A but not B": no other purchase of B either. The relation without B, and those that must not be."""
        taken = {self._place(c) for c in condition.inner if c.kind == "value" and not c.negate}
        lacking = [c for c in condition.inner if c.kind == "value" and c.negate and self._place(c) in taken]
        rest = [c for c in condition.inner if c not in lacking]
        times = [c for c in rest if c.kind == "time"]
        apart = []
        for one in lacking:
            one.negate = False
            apart.append(Condition("related", condition.mention, negate=True, inner=[*times, one], units=condition.units, both=True))
        return (replace(condition, inner=rest), apart) if apart else (condition, [])

    def _place(self, condition: Condition) -> tuple[str, str] | None:
        value = self._a.value(condition)
        return (value.dataset, value.field) if value is not None else None

    def count_by_event(self, measures: Sequence[MeasureItem]) -> None:
        """ "users per day with a login event": things counted along the time of what they did, not of their own date."""
        frame = self._frame
        if not (frame.grain or frame.cycle) or len(measures) != 1 or measures[0].kind != "count" or frame.groups:
            return
        target = self._a.target(measures[0].mention)
        events = [c for c in frame.conditions if c.kind == "related" and not c.negate and c.number is None]
        event = self._a.target(events[0].mention) if len(events) == 1 else None
        if target is None or target.kind != "dataset" or event is None or event.dataset is None:
            return
        if self._catalog.dataset(target.dataset or "").kind is DatasetKind.FACT or not self._timed(event.dataset):
            return
        if event.dataset == target.dataset or not self._graph.points_to(event.dataset, target.dataset or ""):
            return
        measures[0].kind, measures[0].label = "distinct_of", event.dataset
        inner = events[0].inner
        frame.times = [*frame.times, *(c.time for c in inner if c.kind == "time" and c.mention is None and c.time is not None)][:1]
        frame.conditions = [c for c in frame.conditions if c is not events[0]]
        frame.conditions.extend(c for c in inner if c.kind != "time" or c.mention is not None)

    def move_window(self, base: str) -> bool:
        """Moves the window of rows of `base` into the relation it belongs to. Returns whether it did."""
        frame = self._frame
        if not frame.times or frame.grain or self._catalog.dataset(base).kind is DatasetKind.FACT:
            return False
        moved = False
        for condition in frame.conditions:
            target = self._a.target(condition.mention)
            if (
                condition.kind == "related"
                and target is not None
                and target.dataset not in (None, base)
                and self._timed(target.dataset or "")
            ):
                if not any(c.kind == "time" for c in condition.inner):
                    condition.inner.append(Condition("time", None, time=frame.times[0]))
                moved = True
        for condition in [*frame.having, *(c for m in frame.measures for c in m.conditions)]:
            target = self._a.target(condition.mention)
            counts = condition.kind == "number" and condition.measure is not None and condition.measure.kind == "count"
            if counts and target is not None and target.kind == "dataset" and target.dataset != base and self._timed(target.dataset or ""):
                condition.time = frame.times[0]
                moved = True
        moved = self._through_facts(base) or moved
        if moved:
            frame.times = []
        return moved

    def _through_facts(self, base: str) -> bool:
        """ "customers who bought laptops in 2025": the value and the window meet in rows of one fact between the two."""
        frame = self._frame
        groups: list[tuple[str, list[Condition]]] = []
        for condition in list(frame.conditions):
            value = self._a.value(condition)
            if (
                condition.kind != "value"
                or value is None
                or condition.negate
                or condition.or_previous
                or self._graph.points_to(base, value.dataset)
            ):
                continue
            fact = self._fact_between(base, value.dataset)
            if fact is None:
                continue
            frame.conditions = [c for c in frame.conditions if c is not condition]
            same = next((inner for dataset, inner in groups if dataset == fact and not condition.both), None)
            if same is not None and not any(c.both for c in same):
                same.append(condition)
            else:
                groups.append((fact, [condition]))
        for fact, inner in groups:
            mention = Mention(inner[0].units[0], "related", ())
            self._a.targets[id(mention)] = Target("dataset", fact, fact)
            self.made.append(mention)
            both = inner[0].both
            for condition in inner:
                condition.both = False
            frame.conditions.append(Condition("related", mention, inner=[*inner, Condition("time", None, time=frame.times[0])], both=both))
        return bool(groups)

    def _fact_between(self, base: str, other: str) -> str | None:
        """The nearest dataset with a date whose rows belong to one row of each."""
        near = [n for n in self._graph.bases([base, other]) if n != base and self._timed(n)]
        return near[0] if near else None

    def _timed(self, dataset: str) -> bool:
        return self._catalog.dataset(dataset).time is not None
