"""Words for periods where a table has a column called so: "revenue by channel and month" beside an upload with a column "month"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nlq.graph import JoinGraph
from nlq.kinds import Kinds
from nlq.parsing.words import PERIODS
from nlq.segment import Unit


def without_far_columns(units: Sequence[Unit], kinds: Kinds, graph: JoinGraph) -> tuple[Unit, ...]:
    """The units, period words without the columns of tables that nothing else in the question is related to: they mean the time itself."""
    named = [u for u in units if u.text.lower() in PERIODS and u.links and not u.values and not u.quoted]
    if not named:
        return tuple(units)
    around = {d for u in units if u not in named for d in _homes(u, kinds)}
    if not around:
        return tuple(units)
    out: list[Unit] = []
    for unit in units:
        if unit in named:
            near = tuple(k for k in unit.links if k.target.dataset is None or any(graph.connected(a, k.target.dataset) for a in around))
            unit = replace(unit, links=near) if len(near) < len(unit.links) else unit
        out.append(unit)
    return tuple(out)


def _homes(unit: Unit, kinds: Kinds) -> set[str]:
    """The tables that the best links of a unit are of."""
    found: set[str] = set()
    for link in unit.links[:2]:
        if kinds.is_metric(link.target):
            found |= kinds.metric_datasets(link.target.name)
        elif link.target.dataset is not None:
            found.add(link.target.dataset)
    return found | {v.dataset for v in unit.values[:1]}
