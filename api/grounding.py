"""The values that a caller's questions may name: of the whole tenant where no row policy narrows the caller, else of the rows they see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.errors import AppError
from core.principal import Principal
from semantic.catalog.model import Catalog
from semantic.catalog.visible import applies
from semantic.expr import FieldRef
from semantic.query import Aggregate, AggregateKind, ByField, Order, SemanticQuery
from semantic.states import ResultTable
from semantic.values import StoredValue, ValueIndex, ValueMatch, is_indexable, visible_fields

MAX_OWN_VALUES = 5_000
Read = Callable[[SemanticQuery], ResultTable]


@dataclass(frozen=True, slots=True)
class Grounding:
    """A value source for the question parser over one or two indexes."""

    indexes: tuple[ValueIndex, ...]

    def lookup(self, text: str, limit: int = 8, *, min_score: float = 0.7, fuzzy: bool = True) -> Sequence[ValueMatch]:
        found = [m for index in self.indexes for m in index.lookup(text, limit, min_score=min_score, fuzzy=fuzzy)]
        return sorted(found, key=lambda m: -m.score)[:limit]


def grounding(shared: ValueIndex, full: Catalog, seen: Catalog, principal: Principal, read: Read) -> Grounding:
    """shared: the tenant's index. Values of datasets that a row policy narrows come from `read`, which has the caller's own rights."""
    narrowed = {p.dataset for p in full.row_policies if applies(principal, p)}
    shown = shared.restricted_to(visible_fields(full, principal))
    if not narrowed:
        return Grounding((shown,))
    refs = [FieldRef(dataset=d.name, field=f.name) for d in seen.datasets if d.name in narrowed for f in d.fields if is_indexable(f)]
    return Grounding((shown, ValueIndex(value for ref in refs for value in _own_values(ref, read))))


def _own_values(ref: FieldRef, read: Read) -> list[StoredValue]:
    count = Aggregate(aggregate=AggregateKind.COUNT, dataset=ref.dataset)
    query = SemanticQuery(metrics=(count,), by=(ByField(field=ref),), order=(Order(target="metric"),), limit=MAX_OWN_VALUES)
    try:
        result = read(query)
    except AppError:
        return []  # a value that cannot be read is one that is not grounded; the question itself will say what is wrong
    return [StoredValue(ref, str(row[0]), int(row[1])) for row in result.rows() if row[0] is not None]
