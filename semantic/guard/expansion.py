"""How large a query becomes once ClickHouse has put every WITH and every alias in the places that name it.

Names that use names twice double at each step: 12 such WITH entries took ClickHouse 26.9 5 s of planning, 16 took 20 s, past any time limit.
"""

from __future__ import annotations

from sqlglot import exp

from core.errors import QueryRejected
from semantic.guard.names import cte_of

MAX_TABLES = 64
MAX_NODES = 10_000


def check_expansion(tree: exp.Expr) -> None:
    """Raises: QueryRejected when the query unfolds to more than MAX_TABLES table reads or MAX_NODES parts."""
    tables = _tables(tree, {})
    nodes = _nodes(tree)
    if tables > MAX_TABLES or nodes > MAX_NODES:
        raise QueryRejected(
            f"Written out, the query has {tables} table reads and {nodes} parts; at most {MAX_TABLES} and {MAX_NODES}.",
            code="sql_too_long",
            suggestions=("use each WITH entry and each alias fewer times",),
        )


def _tables(query: exp.Expr, known: dict[int, int]) -> int:
    """Table reads of a query, those of WITH entries counted once per use."""
    total = 0
    for node in query.walk(prune=lambda n: isinstance(n, exp.With)):
        if not isinstance(node, exp.Table):
            continue
        entry = cte_of(node)
        if entry is None:
            total += 1
        else:
            if id(entry) not in known:
                known[id(entry)] = _tables(entry.this, known)
            total += known[id(entry)]
    return total


def _nodes(tree: exp.Expr) -> int:
    """Parts of the query, those of an alias counted once per use."""
    meanings: dict[str, exp.Expr] = {}
    for alias in tree.find_all(exp.Alias, exp.CTE):
        if isinstance(alias, exp.Alias) or alias.args.get("scalar"):
            meanings[alias.alias] = alias.this
    sizes: dict[str, int] = {}

    def size(part: exp.Expr, within: frozenset[str]) -> int:
        total = 0
        for node in part.walk():
            total += 1
            if isinstance(node, exp.Column) and not node.table and node.name in meanings and node.name not in within:
                if node.name not in sizes:
                    sizes[node.name] = min(size(meanings[node.name], within | {node.name}), MAX_NODES + 1)
                total += sizes[node.name]
        return total

    return size(tree, frozenset())
