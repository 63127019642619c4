"""SQL laid out for people to read. For display only: what runs is the guarded text."""

from __future__ import annotations

from functools import lru_cache

import sqlglot
from sqlglot.errors import SqlglotError

MAX_CHARS = 60_000


@lru_cache(maxsize=256)
def pretty_sql(sql: str) -> str:
    """The same statement over several lines, or the text as it is where it cannot be laid out."""
    if len(sql) > MAX_CHARS:
        return sql
    try:
        return sqlglot.parse_one(sql, dialect="clickhouse").sql(dialect="clickhouse", pretty=True, comments=False)
    except (SqlglotError, RecursionError):
        return sql
