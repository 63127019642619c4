"""What an import gives, and the parts that importers share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlglot
from sqlglot.errors import SqlglotError

from semantic.catalog.infer.glossary.draft import Draft
from semantic.catalog.infer.glossary.sqlexpr import to_expr, to_predicate
from semantic.catalog.model import Catalog, Dataset
from semantic.expr import Expr, FieldRef, Predicate
from semantic.query import AggregateKind

_AGGREGATIONS: dict[str, AggregateKind] = {
    "sum": AggregateKind.SUM, "total": AggregateKind.SUM, "average": AggregateKind.AVG, "avg": AggregateKind.AVG, "mean": AggregateKind.AVG,
    "minimum": AggregateKind.MIN, "min": AggregateKind.MIN, "maximum": AggregateKind.MAX, "max": AggregateKind.MAX, "median": AggregateKind.MEDIAN,
    "count": AggregateKind.COUNT, "count non null": AggregateKind.COUNT, "count nonnull": AggregateKind.COUNT, "non null count": AggregateKind.COUNT,
    "count distinct": AggregateKind.COUNT_DISTINCT, "distinct count": AggregateKind.COUNT_DISTINCT, "distinct": AggregateKind.COUNT_DISTINCT,
    "count distinct approx": AggregateKind.COUNT_DISTINCT, "sum boolean": AggregateKind.SUM, "stddev": AggregateKind.STDDEV,
    "standard deviation": AggregateKind.STDDEV, "percentile": AggregateKind.QUANTILE, "quantile": AggregateKind.QUANTILE,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ImportedCatalog:
    """`not_carried`: one sentence for everything that the catalog could not hold."""

    catalog: Catalog
    not_carried: tuple[str, ...]


def aggregation(text: str) -> AggregateKind | None:
    """The aggregate that another tool's word means.

    >>> aggregation("count non-null"), aggregation("COUNT_DISTINCT"), aggregation("last")
    (<AggregateKind.COUNT: 'count'>, <AggregateKind.COUNT_DISTINCT: 'count_distinct'>, None)
    """
    return _AGGREGATIONS.get(" ".join(text.lower().replace("-", " ").replace("_", " ").split()))


def resolver(draft: Draft, dataset: Dataset) -> Callable[[str, str], FieldRef | None]:
    """Columns of one dataset; a qualifier, if any, is ignored (it is the tool's own alias of that table)."""

    def resolve(_table: str, column: str) -> FieldRef | None:
        field = draft.column(draft.datasets[dataset.name], column)
        return FieldRef(dataset=dataset.name, field=field.name) if field else None

    return resolve


def sql_expression(draft: Draft, dataset: Dataset, text: str) -> Expr | None:
    """A column or row-level SQL expression of the dataset, or None."""
    try:
        return to_expr(sqlglot.parse_one(text), resolver(draft, dataset))
    except SqlglotError:
        return None


def sql_condition(draft: Draft, dataset: Dataset, text: str) -> Predicate | None:
    try:
        return to_predicate(sqlglot.parse_one(text), resolver(draft, dataset))
    except SqlglotError:
        return None
