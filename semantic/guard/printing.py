"""Our own tree as text. The text that came in is never sent."""

from __future__ import annotations

from sqlglot import exp

from semantic.guard.dialect import PlainClickHouse

_GENERATOR = PlainClickHouse()


def print_sql(tree: exp.Expr) -> str:
    """The tree on one line, every identifier of ours quoted, without comments."""
    return _GENERATOR.generate(tree, copy=False, comments=False)
