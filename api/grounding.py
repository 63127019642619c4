"""The values that a caller's questions may name: of the whole tenant where no row policy narrows the caller, else of the rows they see."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.errors import AppError
from core.principal import Principal
from semantic.catalog.model import Catalog
from semantic.catalog.visible import applies
from semantic.compile import compile_query
from semantic.expr import FieldRef
from semantic.pipeline import guard_compiled
from semantic.query import Aggregate, AggregateKind, ByField, Order, SemanticQuery
from semantic.resolve import resolve
from semantic.states import GuardedQuery, ResultTable
from semantic.values import StoredValue, ValueIndex, ValueMatch, is_indexable, visible_fields

MAX_OWN_VALUES = 5_000
RunSync = Callable[[GuardedQuery], ResultTable]


@dataclass(frozen=True, slots=True)
class Grounding:
    """A value source for the question parser over one or two indexes."""

    indexes: tuple[ValueIndex, ...]

    def lookup(self, text: str, limit: int = 8, *, min_score: float = 0.7, fuzzy: bool = True) -> Sequence[ValueMatch]:
        found = [m for index in self.indexes for m in index.lookup(text, limit, min_score=min_score, fuzzy=fuzzy)]
        return sorted(found, key=lambda m: -m.score)[:limit]


def grounding(shared: ValueIndex, full: Catalog, seen: Catalog, principal: Principal, run: RunSync, now: dt.datetime) -> Grounding:
    """shared: the tenant's index. Values of datasets that a row policy narrows are read with the caller's own rights."""
    narrowed = {p.dataset for p in full.row_policies if applies(principal, p)}
    shown = shared.restricted_to(visible_fields(full, principal))
    if not narrowed:
        return Grounding((shown,))
    own: list[StoredValue] = []
    for dataset in seen.datasets:
        if dataset.name not in narrowed:
            continue
        for field in dataset.fields:
            if is_indexable(field):
                own += _own_values(FieldRef(dataset=dataset.name, field=field.name), full, seen, principal, run, now)
    return Grounding((shown, ValueIndex(own)))


def _own_values(ref: FieldRef, full: Catalog, seen: Catalog, principal: Principal, run: RunSync, now: dt.datetime) -> list[StoredValue]:
    count = Aggregate(aggregate=AggregateKind.COUNT, dataset=ref.dataset)
    query = SemanticQuery(metrics=(count,), by=(ByField(field=ref),), order=(Order(target="metric"),), limit=MAX_OWN_VALUES)
    try:
        result = run(guard_compiled(compile_query(resolve(query, seen, as_of=now)), full, principal))
    except AppError:
        return []  # a value that cannot be read is one that is not grounded; the question itself will say what is wrong
    return [StoredValue(ref, str(row[0]), int(row[1])) for row in result.rows() if row[0] is not None]
