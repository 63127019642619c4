"""SemanticQuery + Catalog -> ResolvedQuery."""

from __future__ import annotations

import datetime as dt

from core.errors import Invalid
from semantic.catalog.model import Catalog
from semantic.query import SemanticQuery
from semantic.resolve.aggregation import plan_aggregation
from semantic.resolve.binder import Binder
from semantic.resolve.listing import plan_listing
from semantic.resolve.types import ResolvedQuery, Shape


def resolve(query: SemanticQuery, catalog: Catalog, *, as_of: dt.datetime) -> ResolvedQuery:
    """`query` with names bound, join paths chosen and windows made absolute, seen from `as_of` (aware; naive is UTC).

    Raises: NotFound (unknown names, nearest ones suggested); Invalid with code `no_join_path`, `ambiguous_join`, `fan_out`, `no_time_field`,
    `ambiguous_time`, `bad_grain`, `bad_type`, `bad_literal`, `bad_window`, `open_window`, `bad_query`, `bad_catalog`.
    """
    binder = Binder(catalog, as_of)
    shape = Shape(
        query.order, query.limit, query.offset, query.limit_by, query.with_other, query.with_ties, query.distinct, query.transform, query.round_digits
    )  # fmt: skip
    _check_indices(query)
    if query.rows_of is not None:
        rows = plan_listing(query, binder)
        return ResolvedQuery(query, catalog, as_of, rows.plan, shape, rows.windows)
    planned = plan_aggregation(query, binder)
    return ResolvedQuery(query, catalog, as_of, planned.plan, shape, planned.windows, planned.notes)


def _check_indices(query: SemanticQuery) -> None:
    sizes = {"metric": len(query.metrics), "by": len(query.by), "field": len(query.fields), "change": len(query.metrics)}
    sizes["transform"] = len(query.transform)
    for order in query.order:
        if order.index >= sizes[order.target]:
            raise Invalid(
                f"order names {order.target} {order.index}, but the query has {sizes[order.target]} (counted from 0).", code="bad_query"
            )
        if order.target == "change" and query.compare is None:
            raise Invalid("Ordering by change needs `compare`.", code="bad_query")
    for transform in query.transform:
        if transform.metric >= len(query.metrics) or any(i >= len(query.by) for i in transform.per):
            raise Invalid("A transform names a metric or group that the query does not have (counted from 0).", code="bad_query")
    if query.limit_by is not None and query.limit_by.index >= len(query.by):
        raise Invalid(f"limit_by names group {query.limit_by.index}, but the query has {len(query.by)}.", code="bad_query")
    if query.rows_of is not None:
        unused = [n for n in ("having", "compare", "transform", "limit_by", "with_other", "keep_empty") if getattr(query, n)]
        if unused:
            raise Invalid(f"Rows of an entity take no {', '.join(unused)}; these belong to aggregates.", code="bad_query")
