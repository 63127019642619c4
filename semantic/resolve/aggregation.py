"""The plan of a query with measures and/or groups: atoms gathered into blocks, each aggregated at its own dataset's grain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from core.errors import Invalid
from semantic.expr import Expr, FieldRef, Not, Or, Predicate, Unit
from semantic.query import AggregateKind, ByEntity, ByField, ByTime, CompareGroup, ComparePeriod, SemanticQuery
from semantic.resolve.accumulate import accumulated_in, check_accumulated, earlier
from semantic.resolve.binder import Binder
from semantic.resolve.compare import compare_bounds, group_sides
from semantic.resolve.groups import Groups, no_time
from semantic.resolve.measures import Measures, TimedAtom, slots_of
from semantic.resolve.times import inside, time_of
from semantic.resolve.types import (
    Accumulated,
    Aggregation,
    Atom,
    Block,
    BlockKey,
    Comparison_,
    DimensionBlock,
    Fill,
    ResolvedHaving,
)
from semantic.resolve.walk import all_of, conjuncts, refs
from semantic.states import WindowUsed
from semantic.windows import Bounds, Shift, add_units, cut_at_complete, floor_to, resolve_window

_ALONG_TIME = frozenset({"moving_average", "moving_sum", "growth", "difference", "lag"})
_DUPLICATES_HARMLESS = frozenset({AggregateKind.COUNT_DISTINCT, AggregateKind.MIN, AggregateKind.MAX})


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan with what belongs beside it."""

    plan: Aggregation
    windows: tuple[WindowUsed, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Side:
    """The main rows or the compared ones."""

    where: Predicate | None
    bounds: Bounds | None
    shift: Shift | None = None
    compared: bool = False


def plan_aggregation(query: SemanticQuery, binder: Binder) -> Planned:
    """Raises: UserErrors of names, paths, types, time fields and fan-out."""
    measures, groups = Measures(binder), Groups(binder)
    groups.names = measures.names
    for index, by in enumerate(query.by):
        groups.add(by, index)
    shown = tuple(measures.measure(m) for m in query.metrics)
    having = tuple(
        ResolvedHaving(h, measures.formula(h.measure), measures.formula(h.other) if h.other is not None else None) for h in query.having
    )
    atoms = list(measures.atoms)
    if not atoms:
        atoms = [TimedAtom(Atom(AggregateKind.COUNT, _home_of_groups(groups, binder)), None, "rows")]
    bounds = window_of(query, binder)
    formulas = [*(m.formula for m in shown), *(h.left for h in having), *(h.right for h in having if h.right is not None)]
    accumulated = [part for formula in formulas for part in accumulated_in(formula)]
    if accumulated:
        check_accumulated(query, accumulated)
    main = _Side(query.where, bounds)
    sides = [main]
    compare: Comparison_ | None = None
    if isinstance(query.compare, ComparePeriod):
        other, shift, label = compare_bounds(query, binder, bounds)
        sides.append(_Side(query.where, other, shift, compared=True))
        compare = Comparison_(query.compare.show, label, bounds.label if bounds else "all time", only_main_groups=other is None)
    elif isinstance(query.compare, CompareGroup):
        base, against = group_sides(query.where, query.compare.where)
        sides = [replace(main, where=base), _Side(against, bounds, compared=True)]
        compare = Comparison_(query.compare.show, query.compare.label, query.compare.base_label)
    early = {slot: earlier(part, query, binder, bounds) for part in accumulated for slot in slots_of(part)}
    planner = _Planner(query, binder, groups, early)
    blocks = tuple(block for side in sides for block in planner.blocks(atoms, side))
    windows = tuple(dict.fromkeys(planner.windows))
    plan = Aggregation(
        tuple(groups.columns),
        tuple(timed.atom for timed in planner.final_atoms(atoms)),
        shown,
        blocks,
        having,
        compare,
        _fill(query, binder, bounds, accumulated),
        _empties(query, binder, groups, {b.dataset for b in blocks}),
        query.zero_sums,
    )
    return Planned(plan, windows, tuple(dict.fromkeys((*groups.notes, *measures.notes, *planner.notes))))


class _Planner:
    """Gathers atoms into blocks for one side at a time."""

    def __init__(self, query: SemanticQuery, binder: Binder, groups: Groups, early: dict[int, Bounds | None]) -> None:
        self.query, self.binder, self.groups = query, binder, groups
        self._early = early
        self.windows: list[WindowUsed] = []
        self.notes: list[str] = []
        self._timed = query.time is not None or query.complete_periods_only
        self._by_own_time = any(by.kind in ("time", "cycle") and by.field is None for by in query.by)
        self._folded: dict[int, Atom] = {}

    def blocks(self, atoms: list[TimedAtom], side: _Side) -> list[Block]:
        gathered: dict[tuple[str, FieldRef | None, bool, Bounds | None], list[int]] = {}
        for slot, timed in enumerate(atoms):
            bounds = side.bounds
            if slot in self._early and not side.compared:
                bounds = self._early[slot]
            time = self._time(timed, bounds)
            apart = timed.atom.latest_by is not None
            gathered.setdefault((timed.atom.dataset, time, apart, bounds), []).append(slot)
        return [
            self._block(dataset, time, slots, atoms, replace(side, bounds=bounds)) for (dataset, time, _, bounds), slots in gathered.items()
        ]

    def final_atoms(self, atoms: list[TimedAtom]) -> list[TimedAtom]:
        return [replace(timed, atom=self._folded.get(slot, timed.atom)) for slot, timed in enumerate(atoms)]

    def _time(self, timed: TimedAtom, bounds: Bounds | None) -> FieldRef | None:
        """The bound time field, where the query needs one."""
        if not (self._timed or self._by_own_time or bounds is not None):
            return None
        chosen = timed.time_field
        if self.query.time is not None and self.query.time.field is not None and not self._by_own_time:
            return None
        found = time_of(self.binder, timed.atom.dataset, chosen)
        if found is None and (self._by_own_time or self._window_field() is None):
            raise no_time(timed.atom.dataset, "grouped by time" if self._by_own_time else f"limited to a time window ({timed.label})")
        return found

    def _window_field(self) -> FieldRef | None:
        if self.query.time is not None and self.query.time.field is not None:
            return self.query.time.field
        return next((by.field for by in self.query.by if isinstance(by, ByTime) and by.field is not None), None)

    def _block(self, dataset: str, time: FieldRef | None, slots: list[int], atoms: list[TimedAtom], side: _Side) -> Block:
        keys = self.groups.keys(dataset, time, side.shift)
        joined = frozenset(_to_many_prefixes(self.binder, keys))
        binder = self.binder.joining(joined) if joined else self.binder
        where = binder.predicate(side.where, dataset) if side.where is not None else None
        window = None
        if side.bounds is not None:
            window = self._window(binder, dataset, time, side.bounds)
        own = [atoms[slot].atom for slot in slots]
        where = all_of(where, window, self._fold(slots, own, side))
        distinct = bool(joined) and not all(a.aggregate in _DUPLICATES_HARMLESS for a in own)
        if joined:
            self._note_many(dataset, keys)
        if distinct and not self.binder.catalog.dataset(dataset).primary_key:
            raise Invalid(
                f"{dataset!r} has no primary key in the catalog, so its rows cannot be counted once per group of a to-many dataset. "
                "Declare the primary key.",
                code="fan_out",
            )
        return Block(dataset, tuple(slots), keys, where, distinct, side.compared)

    def _window(self, binder: Binder, dataset: str, time: FieldRef | None, bounds: Bounds) -> Predicate:
        chosen = self._window_field()
        ref = chosen if chosen is not None else time
        if ref is None:
            raise no_time(dataset, "limited to a time window")
        condition = inside(ref, bounds)
        bound = binder.predicate(condition, dataset)
        self.windows.append(
            WindowUsed(
                bounds.label, bounds.start, bounds.end, f"{ref.dataset}.{ref.field}", bounds.includes_current, bounds.current_is_partial
            )
        )
        return bound

    def _fold(self, slots: list[int], own: list[Atom], side: _Side) -> Predicate | None:
        """Atom conditions moved to the block's filter: one that all share, else "any of them", so that groups without any such row are not shown."""
        if not all(atom.where is not None for atom in own):
            return None
        wheres = tuple(dict.fromkeys(cast(Predicate, atom.where) for atom in own))
        if len(wheres) > 1:
            return Or.model_construct(items=wheres)
        for slot, atom in zip(slots, own, strict=True):
            self._folded[slot] = replace(atom, where=None)
        return wheres[0]

    def _note_many(self, dataset: str, keys: tuple[BlockKey, ...]) -> None:
        far = {ref.dataset for key in keys for ref in refs(key.expr) if not self.binder.graph.is_to_one(ref.via)}
        label = self.binder.catalog.dataset(dataset).label
        for name in sorted(far):
            self.notes.append(
                f"A row of {label} with several {self.binder.catalog.dataset(name).label} counts once in each group, so groups may overlap."
            )


def _to_many_prefixes(binder: Binder, keys: tuple[BlockKey, ...]) -> set[tuple[str, ...]]:
    """The to-many paths that the keys join: each prefix that ends in a to-many step."""
    found: set[tuple[str, ...]] = set()
    for key in keys:
        for ref in refs(key.expr):
            steps = binder.graph.steps(ref.via)
            found.update(ref.via[: i + 1] for i, step in enumerate(steps) if not step.to_one)
    return found


def window_of(query: SemanticQuery, binder: Binder) -> Bounds | None:
    """The absolute window of the query, cut where the running period starts if only complete ones are asked for."""
    bounds = None
    if query.time is not None:
        bounds = resolve_window(query.time.window, binder.catalog.calendar, binder.as_of, query.time.label)
    if query.complete_periods_only:
        times = [by for by in query.by if isinstance(by, ByTime)]
        grain = times[0].grain.value if times else _unit_of(query)
        if grain is not None:
            from_query = times[0].fiscal if times else False
            bounds = cut_at_complete(bounds, Unit(grain), binder.catalog.calendar, binder.now, from_query)
    return bounds


def _unit_of(query: SemanticQuery) -> str | None:
    unit = getattr(query.time.window, "unit", None) if query.time is not None else None
    return "day" if unit is None else "day" if query.time is not None and query.time.window.kind == "calendar" else str(unit.value)


def _home_of_groups(groups: Groups, binder: Binder) -> str:
    """The dataset whose rows carry all groups, for a query without measures."""
    homes = list(dict.fromkeys(home for home in groups.homes if home is not None))
    for home in homes:
        if all(binder.graph.reaches_to_one(home, other) for other in homes):
            return home
    for dataset in binder.catalog.datasets:
        if homes and all(binder.graph.reaches_to_one(dataset.name, other) for other in homes):
            return dataset.name
    raise Invalid("Groups without a measure need a dataset that holds all of them; add a metric such as a count.", code="no_measure")


def _fill(query: SemanticQuery, binder: Binder, bounds: Bounds | None, accumulated: list[Accumulated]) -> Fill | None:
    column = 0
    calendar = binder.catalog.calendar
    gapless = bool(accumulated) or any(t.kind in _ALONG_TIME for t in query.transform)
    for by in query.by:
        if isinstance(by, ByTime) and (by.fill or query.keep_empty or gapless):
            start = end = None
            if bounds is not None and bounds.start is not None:
                start = floor_to(bounds.start.replace(tzinfo=None), by.grain, calendar, by.fiscal)
            if bounds is not None and bounds.end is not None:
                last = add_units(bounds.end.replace(tzinfo=None), Unit("second"), -1)
                end = add_units(floor_to(last, by.grain, calendar, by.fiscal), by.grain, 1)
            shown = by.fill or query.keep_empty or bool(accumulated)
            if accumulated:
                return Fill(column, None, end, shown, keep_from=start)
            return Fill(column, start, end, shown) if shown else Fill(column, None, None, shown)
        column += _width(by, binder)
    return None


def _width(by: object, binder: Binder) -> int:
    if not isinstance(by, ByEntity):
        return 1
    entity = binder.catalog.entity(by.entity)
    return len(dict.fromkeys((*entity.key, *(entity.display or entity.key), *by.show)))


def _empties(query: SemanticQuery, binder: Binder, groups: Groups, facts: set[str]) -> tuple[DimensionBlock, ...]:
    """Blocks of the dimensions' own groups, one per dataset, when groups without facts are kept."""
    if not query.keep_empty or any(isinstance(by, ByTime) for by in query.by):
        return ()
    by_home: dict[str, list[int]] = {}
    for index, home in enumerate(groups.homes):
        by = query.by[groups.columns[index].by]
        if home is None or not isinstance(by, (ByField, ByEntity)) or (isinstance(by, ByField) and by.bins):
            raise Invalid("Empty groups can be kept for fields and entities, not for expressions, bins or cycles.", code="bad_query")
        by_home.setdefault(home, []).append(index)
    found = []
    for home, indices in by_home.items():
        own = binder
        keys = tuple(BlockKey(own.expr(_own_ref(query, groups, i, home), home)) for i in indices)
        key_refs = {key.expr for key in keys}
        parts = [p for p in conjuncts(query.where) if _is_about(p, home, key_refs if home in facts else None, binder)]
        where = binder.predicate(cast(Predicate, all_of(*parts)), home) if parts else None
        found.append(DimensionBlock(home, tuple(indices), keys, where))
    return tuple(found)


def _own_ref(query: SemanticQuery, groups: Groups, index: int, home: str) -> Expr:
    column = groups.columns[index]
    by = query.by[column.by]
    if isinstance(by, ByField):
        return by.field.model_copy(update={"via": ()})
    return FieldRef(dataset=home, field=groups.field_names[index])


def _is_about(part: Predicate, home: str, keys: set[Expr] | None, binder: Binder) -> bool:
    """Whether a condition narrows the dimension's own rows (and, where the dimension is a fact, only its key)."""
    if isinstance(part, Not):
        return _is_about(part.item, home, keys, binder)
    found = list(refs(part))
    if not found or any(ref.dataset != home for ref in found):
        return False
    return keys is None or all(binder.expr(ref.model_copy(update={"via": ()}), home) in keys for ref in found)
