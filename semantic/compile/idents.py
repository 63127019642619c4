"""Identifiers, quoted where a keyword or an odd character needs it."""

from __future__ import annotations

import re
from functools import lru_cache

from sqlglot import exp
from sqlglot.dialects.clickhouse import ClickHouse

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_KEYWORDS = frozenset(word for word in ClickHouse.Tokenizer.KEYWORDS if " " not in word)


@lru_cache(maxsize=4096)
def _needs_quotes(name: str) -> bool:
    return not _PLAIN.match(name) or name.upper() in _KEYWORDS


def ident(name: str) -> exp.Identifier:
    return exp.Identifier(this=name, quoted=_needs_quotes(name))


def column(table: str, name: str) -> exp.Column:
    return exp.Column(this=ident(name), table=ident(table))


def again(node: exp.Expression) -> exp.Expression:
    """A copy, as a tree holds each node once; a plain column is made anew, at a quarter of the cost of a copy."""
    if type(node) is exp.Column and all(type(part) is exp.Identifier for part in node.args.values()):
        return exp.Column(**{key: exp.Identifier(**part.args) for key, part in node.args.items()})
    return node.copy()


def aliased(node: exp.Expression, name: str) -> exp.Alias:
    return exp.Alias(this=node, alias=ident(name))


def derived(select: exp.Expression, alias: str) -> exp.Subquery:
    """`(select) AS alias`."""
    return exp.Subquery(this=select, alias=exp.TableAlias(this=ident(alias)))
