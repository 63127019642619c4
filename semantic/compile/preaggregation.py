"""Aggregating a fact by its foreign keys before joining the dimensions that its groups come from.

    SELECT r.name, sum(s.a0) FROM (SELECT customer_id, sum(amount) AS a0 FROM sales GROUP BY customer_id) AS s LEFT JOIN customers ... GROUP BY r.name

instead of joining every sale. A join to the one side treats all rows of one foreign key alike (also a key that is NULL or leads nowhere), so sums,
counts and extremes of the parts make those of the whole. Measured on 10 million sales over 100,000 customers (2 cores): 2.0 s became 0.9 s.
"""

from __future__ import annotations

from sqlglot import exp

from semantic.catalog.model import Catalog, DatasetKind
from semantic.compile.aggregates import aggregate, truth_as_number
from semantic.compile.functions import call
from semantic.compile.idents import aliased, column, derived
from semantic.compile.keys import block_key
from semantic.compile.layer import Layer
from semantic.compile.params import Params
from semantic.compile.rows import Row
from semantic.compile.scope import Scope, raw
from semantic.expr import Case, DatePart, Expr, FieldRef, Predicate, Related
from semantic.joins import Step, graph_of
from semantic.query import AggregateKind
from semantic.resolve.types import Atom, Block, BlockKey
from semantic.resolve.walk import children, refs, related

_OF_PARTS = {AggregateKind.SUM: "sum", AggregateKind.COUNT: "sum", AggregateKind.MIN: "min", AggregateKind.MAX: "max"}
_BUCKETS = {"year": 10, "quarter": 40, "month": 120, "week": 520, "day": 3_650}
"""Of ten years."""
_WORTH = 4
"""Rows per group from which two aggregations cost less than one join of every row: with 10 million rows, 5 per group, both took 1.1 s."""


def preaggregated(block: Block, own: list[tuple[int, Atom]], catalog: Catalog, params: Params, prefix: str) -> Layer | None:
    """The block's layer (columns `k0..`, `a{slot}`), or None where joining first is right or not slower."""
    if block.distinct or any(atom.aggregate not in _OF_PARTS or atom.latest_by is not None for _, atom in own):
        return None
    local = {index: key for index, key in enumerate(block.keys) if _is_local(key)}
    far = {index: key for index, key in enumerate(block.keys) if index not in local}
    steps = _first_steps(tuple(far.values()), catalog)
    if not steps or not _is_worth_it(block, tuple(local.values()), steps, catalog):
        return None
    before = params.saved()
    inner = _parts(block, own, local, steps, Row(Scope(catalog, block.dataset), params, block.where), prefix)
    if inner is None:
        params.restore(before)
        return None
    row = Row(_Folded(catalog, block.dataset, inner), params)
    base = row.scope.table(())[0]
    keys = [column(base, f"k{index}") if index in local else block_key(row, key) for index, key in enumerate(block.keys)]
    values = {f"{prefix}{slot}": call(_OF_PARTS[atom.aggregate], column(base, f"{prefix}{slot}")) for slot, atom in own}
    select = row.scope.attach(exp.Select())
    select.set("group", exp.Group(expressions=[key.copy() for key in keys]))
    return Layer(select, {f"k{index}": key for index, key in enumerate(keys)} | values, grouped=True)


class _Folded(Scope):
    """The dataset in parts: the columns that joins start from keep their names."""

    def __init__(self, catalog: Catalog, base: str, inner: exp.Select) -> None:
        super().__init__(catalog, base)
        self._inner = inner

    def source(self) -> exp.Expression:
        return derived(self._inner, self.table(())[0])


def _parts(
    block: Block, own: list[tuple[int, Atom]], local: dict[int, BlockKey], steps: list[Step], row: Row, prefix: str
) -> exp.Select | None:
    """The dataset's rows aggregated by foreign keys and local keys; None where that needs a join."""
    alias, dataset = row.scope.table(())
    names = dict.fromkeys(name for step in steps for name in step.source_fields)
    columns = {dataset.field(name).column or name: raw(alias, dataset.field(name)) for name in names}
    columns |= {f"k{index}": block_key(row, key) for index, key in local.items()}
    grouped = list(columns.values())
    for slot, atom in own:
        value = truth_as_number(row.expr(atom.of[0]), row.type_of(atom.of[0])) if atom.of else None
        columns[f"{prefix}{slot}"] = aggregate(atom.aggregate, value, row.filter(atom.where), atom.quantile, grouped=True)
    condition = row.filtered()
    if row.scope.joins or len(columns) < len(names) + len(local) + len(own):
        return None
    select = row.scope.attach(exp.Select(expressions=[aliased(node, name) for name, node in columns.items()]))
    if condition is not None:
        select.set("where", exp.Where(this=condition))
    select.set("group", exp.Group(expressions=[key.copy() for key in grouped]))
    return select


def _is_local(key: BlockKey) -> bool:
    return key.bins is None and not any(True for _ in related(key.expr)) and all(not ref.via for ref in refs(key.expr))


def _first_steps(keys: tuple[BlockKey, ...], catalog: Catalog) -> list[Step]:
    """The relationships that lead from the dataset to these keys; none where a key needs rows of the dataset itself, or of a to-many side."""
    graph = graph_of(catalog)
    found: dict[str, Step] = {}
    for key in keys:
        if key.bins is not None or not _is_plain(key.expr):
            return []
        for ref in refs(key.expr):
            if not ref.via or not graph.is_to_one(ref.via):
                return []
            found[ref.via[0]] = graph.steps(ref.via[:1])[0]
    return list(found.values())


def _is_plain(node: Expr | Predicate) -> bool:
    """Whether only the fields it names are read: no related rows, and no conditions, which may look up other rows."""
    return not isinstance(node, Related | Case) and all(_is_plain(child) for child in children(node))


def _is_worth_it(block: Block, local: tuple[BlockKey, ...], steps: list[Step], catalog: Catalog) -> bool:
    """Whether the parts are far fewer than the rows, by the catalog's counts; unknown counts leave the plain case of one dimension."""
    dataset = catalog.dataset(block.dataset)
    groups = 1
    for step in steps:
        fields = [dataset.field(name).cardinality for name in step.source_fields]
        count = fields[0] if len(fields) == 1 and fields[0] else catalog.dataset(step.target).row_count
        groups *= count or 0
    for key in local:
        groups *= _count(key, catalog)
    if groups and dataset.row_count:
        return groups * _WORTH <= dataset.row_count
    return len(steps) == 1 and not local and catalog.dataset(steps[0].target).kind is DatasetKind.DIMENSION


def _count(key: BlockKey, catalog: Catalog) -> int:
    """How many values a local key has, about; 0 when unknown."""
    if isinstance(key.expr, DatePart):
        return _BUCKETS.get(key.expr.part.removeprefix("trunc_"), 0 if key.expr.part.startswith("trunc_") else 60)
    return catalog.field(key.expr).cardinality or 0 if isinstance(key.expr, FieldRef) else 0
