"""An exact cap on the rows of the answer: LIMIT n+1 on the outermost query."""

from __future__ import annotations

from sqlglot import exp


def cap_rows(tree: exp.Expr, max_rows: int) -> exp.Expr:
    """The tree with at most max_rows + 1 rows, so that one row too many tells that the answer was cut. Changes the tree given.

    A union, or a LIMIT that is not a plain number, is wrapped: in ClickHouse a LIMIT after a union belongs to its last part only.
    """
    bound = exp.Limit(expression=exp.Literal.number(max_rows + 1))
    if isinstance(tree, exp.Select):
        limit = tree.args.get("limit")
        if limit is None:
            tree.set("limit", bound)
            return tree
        if (
            isinstance(limit, exp.Limit)
            and isinstance(limit.expression, exp.Literal)
            and not limit.expressions
            and not limit.args.get("limit_options")
        ):
            if int(limit.expression.this) > max_rows:
                tree.set("limit", bound)
            return tree
    inner = exp.Subquery(this=tree, alias=exp.TableAlias(this=exp.to_identifier("_all")))
    return exp.Select(expressions=[exp.Star()], from_=exp.From(this=inner), limit=bound)
