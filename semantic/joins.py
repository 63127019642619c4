"""Paths over the catalog's relationships: the shortest unambiguous way from one dataset to another.

A step forward follows a relationship from its many side to its one side; a step in reverse is written `~name`. A path of to-one steps never
multiplies rows. A to-many step after a to-one step (fact to dimension to another fact) says little about the row it starts from, so it is only taken
when the far side is a bridge, or when `via` asks for it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count

from core.errors import Invalid
from semantic.catalog.model import Catalog, DatasetKind, Relationship

MAX_STEPS = 7
MAX_EXPANSIONS = 20_000


@dataclass(frozen=True, slots=True)
class Step:
    """One relationship walked forward (from -> to) or in reverse."""

    relationship: Relationship
    reverse: bool = False

    @property
    def name(self) -> str:
        return f"~{self.relationship.name}" if self.reverse else self.relationship.name

    @property
    def source(self) -> str:
        return self.relationship.to_dataset if self.reverse else self.relationship.from_dataset

    @property
    def target(self) -> str:
        return self.relationship.from_dataset if self.reverse else self.relationship.to_dataset

    @property
    def source_fields(self) -> tuple[str, ...]:
        return self.relationship.to_fields if self.reverse else self.relationship.from_fields

    @property
    def target_fields(self) -> tuple[str, ...]:
        return self.relationship.from_fields if self.reverse else self.relationship.to_fields

    @property
    def to_one(self) -> bool:
        if self.relationship.cardinality == "one_to_one":
            return True
        return self.relationship.cardinality == "many_to_one" and not self.reverse


Path = tuple[Step, ...]


class JoinGraph:
    """The relationships of one catalog, with found paths kept. Equal relationships (same fields) count once."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._steps: dict[str, list[Step]] = {d.name: [] for d in catalog.datasets}
        self._by_name: dict[str, Relationship] = {}
        self._paths: dict[tuple[str, str, tuple[str, ...], bool, bool], Path] = {}
        seen: set[tuple[str, tuple[str, ...], str, tuple[str, ...]]] = set()
        for rel in catalog.relationships:
            self._by_name[rel.name] = rel
            identity = (rel.from_dataset, rel.from_fields, rel.to_dataset, rel.to_fields)
            if identity in seen or rel.from_dataset not in self._steps or rel.to_dataset not in self._steps:
                continue
            seen.add(identity)
            self._steps[rel.from_dataset].append(Step(rel))
            if rel.from_dataset != rel.to_dataset:
                self._steps[rel.to_dataset].append(Step(rel, reverse=True))

    def steps(self, names: Iterable[str]) -> Path:
        """The steps of a canonical `via` (every step named, `~` for reverse)."""
        return tuple(Step(self._by_name[name[1:]], reverse=True) if name.startswith("~") else Step(self._by_name[name]) for name in names)

    def is_to_one(self, names: Iterable[str]) -> bool:
        return all(step.to_one for step in self.steps(names))

    def reaches_to_one(self, base: str, target: str) -> bool:
        """Whether every row of `base` has at most one row of `target` (over any unambiguous path)."""
        try:
            return all(step.to_one for step in self.path(base, target))
        except Invalid:
            return False

    def path(self, base: str, target: str, via: tuple[str, ...] = (), *, to_children: bool = False, crossing: bool = False) -> Path:
        """The steps from `base` to `target`, through `via` when given.

        to_children: a relationship of a dataset with itself is walked towards the many side (for *has* and *related*).
        crossing: also from a fact over a shared dimension to another fact, where nothing shorter leads (for conditions, which never multiply rows).
        Raises: Invalid `no_join_path`, `ambiguous_join` (its suggestions list the paths), `unknown_relationship`.
        """
        key = (base, target, via, to_children, crossing)
        found = self._paths.get(key)
        if found is None:
            found = self._walk(base, target, via, to_children) if via else self._shortest(base, target, crossing)
            self._paths[key] = found
        return found

    def _walk(self, base: str, target: str, via: tuple[str, ...], to_children: bool) -> Path:
        path: Path = ()
        here = base
        for index, name in enumerate(via):
            step = self._named(name, here, to_children, last=index == len(via) - 1)
            if step.source != here:
                path += self._shortest(here, step.source)
            path += (step,)
            here = step.target
        return path + (self._shortest(here, target) if here != target else ())

    def _named(self, name: str, here: str, to_children: bool, last: bool) -> Step:
        rel = self._by_name.get(name.removeprefix("~"))
        if rel is None:
            raise Invalid(
                f"There is no relationship {name!r}; `via` names relationships of the catalog.",
                code="unknown_relationship",
                suggestions=[s.relationship.name for s in self._steps.get(here, [])][:8],
            )
        if name.startswith("~"):
            return Step(rel, reverse=True)
        if rel.from_dataset == rel.to_dataset:
            return Step(rel, reverse=to_children and last)
        if here == rel.from_dataset:
            return Step(rel)
        if here == rel.to_dataset:
            return Step(rel, reverse=True)
        forward, backward = self._cost_to(here, rel.from_dataset), self._cost_to(here, rel.to_dataset)
        if forward is None and backward is None:
            raise Invalid(
                f"Relationship {name!r} joins {rel.from_dataset!r} and {rel.to_dataset!r}; neither can be reached from {here!r}.",
                code="no_join_path",
            )
        return Step(rel, reverse=forward is None or (backward is not None and backward < forward))

    def _cost_to(self, base: str, target: str) -> tuple[int, int] | None:
        try:
            path = self._shortest(base, target)
        except Invalid:
            return None
        return sum(not s.to_one for s in path), len(path)

    def _shortest(self, base: str, target: str, crossing: bool = False) -> Path:
        if base == target:
            return ()
        paths = self._cheapest(base, target, crossing)
        if not paths:
            raise Invalid(
                f"Figures of {base!r} cannot be split or narrowed by {target!r}: the catalog declares no relationship between them that counts "
                "each row once. An analyst can declare one under Tables and joins; a query may name the way with `via`.",
                code="no_join_path",
                suggestions=sorted({s.target for s in self._steps.get(base, [])})[:8],
            )
        if len(paths) > 1:
            paths = _by_default(paths)
        if len(paths) > 1:
            listed = [" > ".join(step.name for step in path) for path in paths]
            raise Invalid(
                f"There are {len(paths)} equally short ways from {base!r} to {target!r}: {'; '.join(listed)}. "
                "Choose one with `via`, or mark a relationship as default.",
                code="ambiguous_join",
                suggestions=listed,
            )
        return paths[0]

    def _cheapest(self, base: str, target: str, crossing: bool) -> list[Path]:
        """All simple paths of the least (crossings between facts, to-many steps, length)."""
        order = count()
        heap: list[tuple[tuple[int, int, int], int, str, Path]] = [((0, 0, 0), next(order), base, ())]
        found: list[Path] = []
        best: tuple[int, int, int] | None = None
        expansions = 0
        while heap and expansions < MAX_EXPANSIONS:
            cost, _, here, path = heapq.heappop(heap)
            if best is not None and cost > best:
                break
            if here == target:
                best = cost
                found.append(path)
                continue
            if len(path) == MAX_STEPS:
                continue
            visited = {base, *(step.target for step in path)}
            for step in self._steps.get(here, []):
                crossed = self._crossing(path, step)
                if step.target in visited or (crossed == 2 and not crossing):
                    continue
                expansions += 1
                reached = (cost[0] + crossed, cost[1] + (not step.to_one), cost[2] + 1)
                heapq.heappush(heap, (reached, next(order), step.target, (*path, step)))
        return found

    def _crossing(self, path: Path, step: Step) -> int:
        """1 when a to-many step follows a to-one step, 0 when not; 2 when such a path says little about the row it starts from."""
        if step.to_one or step.relationship.cardinality == "many_to_many":
            return 0
        if not any(s.to_one and s.relationship.cardinality == "many_to_one" for s in path):
            return 0
        if self._catalog.dataset(step.target).kind is DatasetKind.BRIDGE:
            return 0
        return 2 if path[0].to_one else 1


def _by_default(paths: list[Path]) -> list[Path]:
    """The paths whose steps that not all share are marked default; all of them when that leaves none."""
    shared = set.intersection(*({step.name for step in path} for path in paths))
    chosen = [path for path in paths if all(step.relationship.default for step in path if step.name not in shared)]
    return chosen or paths


def graph_of(catalog: Catalog) -> JoinGraph:
    """The catalog's graph, made once per catalog value (kept beside its other cached properties)."""
    kept = catalog.__dict__.get("_join_graph")
    if not isinstance(kept, JoinGraph):
        kept = catalog.__dict__["_join_graph"] = JoinGraph(catalog)
    return kept
