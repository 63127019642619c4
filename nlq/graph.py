"""The catalog's join graph: which datasets a dataset points to (many-to-one, over any number of hops), and common bases.

Rows of the *base* of a query are joined only towards datasets it points to, so nothing is multiplied.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass

from semantic.catalog.infer.vocabulary import PERSON_PART
from semantic.catalog.model import Catalog, Relationship


@dataclass(frozen=True, slots=True)
class Hop:
    """One relationship walked from `source` to `target`; `up` when the target side is unique."""

    relationship: str
    source: str
    target: str
    up: bool
    role: str | None


def _of_a_person(role: str) -> bool:
    """ "advisor", "coached by": a part that somebody plays, unlike a place or a state that a thing has."""
    last = role.lower().split()[-1]
    return last in PERSON_PART or last == "by"


class JoinGraph:
    """Reachability over relationships; built once per catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self._hops: dict[str, list[Hop]] = {d.name: [] for d in catalog.datasets}
        self._rows = {d.name: d.row_count or 0 for d in catalog.datasets}
        for r in catalog.relationships:
            for hop in _hops_of(r):
                if hop.source in self._hops and hop.target in self._hops:
                    self._hops[hop.source].append(hop)
        ends = Counter((r.from_dataset, r.to_dataset) for r in catalog.relationships)
        self._parts = {
            r.name
            for r in catalog.relationships
            if r.role is not None
            and not r.default
            and r.from_dataset != r.to_dataset
            and ends[r.from_dataset, r.to_dataset] == 1
            and _of_a_person(r.role)
        }
        self._lacking = {
            (r.from_dataset, r.to_dataset)
            for r in catalog.relationships
            if ends[r.from_dataset, r.to_dataset] == 1 and any(catalog.dataset(r.from_dataset).field(n).nullable for n in r.from_fields)
        }
        self._around: dict[tuple[str, str], tuple[str, ...]] = {}
        self._up = {name: self._walk(name, up_only=True) for name in self._hops}
        self._any = {name: self._walk(name, up_only=False) for name in self._hops}

    def _walk(self, start: str, *, up_only: bool) -> dict[str, tuple[Hop, ...]]:
        found: dict[str, tuple[Hop, ...]] = {start: ()}
        queue = deque([start])
        while queue:
            here = queue.popleft()
            for hop in self._hops[here]:
                if (hop.up or not up_only) and hop.target not in found:
                    found[hop.target] = (*found[here], hop)
                    queue.append(hop.target)
        return found

    def reads(self, base: str, dataset: str) -> bool:
        """Whether rows of `base` can be read along with the one row of `dataset` that they are or point to."""
        return dataset == base or self.points_to(base, dataset)

    def points_to(self, base: str, other: str) -> bool:
        """Whether every row of `base` has at most one row of `other`."""
        return other in self._up.get(base, {})

    def optional(self, base: str, other: str) -> bool:
        """Whether some rows of `base` may name no row of `other`, which they could name."""
        return (base, other) in self._lacking

    def path_up(self, base: str, other: str) -> tuple[Hop, ...] | None:
        return self._up.get(base, {}).get(other)

    def distance(self, a: str, b: str) -> int:
        """Relationships between two datasets in any direction; 99 when there is no way."""
        path = self._any.get(a, {}).get(b)
        return 99 if path is None else len(path)

    def connected(self, a: str, b: str) -> bool:
        return b in self._any.get(a, {})

    def path(self, a: str, b: str) -> tuple[Hop, ...]:
        return self._any.get(a, {}).get(b, ())

    def bases(self, needed: Iterable[str]) -> list[str]:
        """Datasets that point to all of `needed` (or are one of them), nearest first: fewest hops in sum, then a needed one, then few rows."""
        wanted = list(dict.fromkeys(needed))
        ranked: list[tuple[int, int, int, str]] = []
        for name, reach in self._up.items():
            if all(w in reach for w in wanted):
                hops = sum(len(reach[w]) for w in wanted)
                ranked.append((hops, 0 if name in wanted else 1, self._rows[name], name))
        return [name for *_, name in sorted(ranked)]

    def around_part(self, base: str, other: str) -> tuple[str, ...]:
        """The way from `base` to `other` over events, where the straight one is a part that somebody plays ("advisor"); empty when there is no choice.

        Names of relationships, `~` before those walked from their one side. A way goes down to events first, then up: never across a shared label.
        """
        straight = self.path_up(base, other) if self._parts else None
        if not straight or not any(h.relationship in self._parts for h in straight):
            return ()
        if (base, other) not in self._around:
            self._around[base, other] = self._way_around(base, other)
        return self._around[base, other]

    def part_on_way(self, base: str, other: str) -> Hop | None:
        """The step of the straight way that is only a part which somebody plays."""
        return next((h for h in self.path_up(base, other) or () if h.relationship in self._parts), None)

    def nearness(self, a: str, b: str) -> float:
        """How far two datasets lie apart, in steps; steps that only look things up count a third, and a part that somebody plays is no short cut."""
        ways = [self.path_up(x, y) for x, y in ((a, b), (b, a)) if not self.around_part(x, y)]
        up = next((w for w in ways if w), None)
        around = self.around_part(a, b) or self.around_part(b, a)
        return len(up) / 3.0 if up else float(min(len(around) or self.distance(a, b), 6))

    def _way_around(self, base: str, other: str) -> tuple[str, ...]:
        found: dict[tuple[str, bool], tuple[str, ...]] = {(base, False): ()}
        queue = deque([(base, False)])
        while queue:
            here, climbing = queue.popleft()
            for hop in self._hops[here]:
                after = (hop.target, hop.up)
                if hop.relationship in self._parts or (climbing and not hop.up) or after in found:
                    continue
                found[after] = (*found[here, climbing], hop.relationship if hop.up else f"~{hop.relationship}")
                if hop.target == other:
                    return found[after]
                queue.append(after)
        return ()

    def parallel(self, source: str, target: str) -> list[Hop]:
        """The direct relationships from source to target; more than one means that a role is needed."""
        return [h for h in self._hops.get(source, ()) if h.target == target and h.up]


def _hops_of(r: Relationship) -> list[Hop]:
    if r.cardinality == "many_to_many":
        return [Hop(r.name, r.from_dataset, r.to_dataset, False, r.role), Hop(r.name, r.to_dataset, r.from_dataset, False, r.role)]
    return [
        Hop(r.name, r.from_dataset, r.to_dataset, True, r.role),
        Hop(r.name, r.to_dataset, r.from_dataset, r.cardinality == "one_to_one", r.role),
    ]
