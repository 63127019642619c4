from __future__ import annotations

from sqlglot import parse_one

from semantic.guard.dialect import PlainClickHouse


def read_analyst_sql(sql, access, params, default_database):  # type: ignore
    return parse_one(sql, dialect=PlainClickHouse)
