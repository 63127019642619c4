"""ResolvedQuery -> CompiledQuery."""

from __future__ import annotations

from sqlglot import exp

from core.errors import Invalid
from semantic.compile.aggregation import compile_aggregation
from semantic.compile.listing import compile_listing
from semantic.compile.params import Params
from semantic.resolve.types import Aggregation, ResolvedQuery
from semantic.states import CompiledQuery

MAX_TABLES = 40
"""As many as the verifier reads."""


def compile_query(resolved: ResolvedQuery) -> CompiledQuery:
    """A ClickHouse tree over physical tables, with every value a bound parameter. The same input gives the same text, byte for byte.

    Raises: Invalid for what only shows while building: `not_additive` (a share of a ratio), `too_complex`, `bad_query`.
    """
    params = Params(resolved.catalog.calendar.time_zone)
    if isinstance(resolved.plan, Aggregation):
        tree, columns, notes = compile_aggregation(resolved, resolved.plan, params)
    else:
        tree, columns, notes = compile_listing(resolved, resolved.plan, params)
    tables = list(tree.find_all(exp.Table))
    if len(tables) > MAX_TABLES:
        raise Invalid(
            f"This query would read tables {len(tables)} times; at most {MAX_TABLES} are run. Ask for fewer measures, conditions or groups at once.",
            code="too_complex",
        )
    return CompiledQuery(tree, params.bound, columns, resolved.windows, _datasets(tables, resolved), (*resolved.notes, *notes))


def _datasets(tables: list[exp.Table], resolved: ResolvedQuery) -> tuple[str, ...]:
    named = {table.meta.get("dataset") for table in tables}
    return tuple(d.name for d in resolved.catalog.datasets if d.name in named)
