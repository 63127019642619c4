"""The star schema of this folder in a real engine (chDB in process), and queries run on it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from chdb import session

from semantic.catalog.model import Catalog
from semantic.compile import REQUIRED_SETTINGS, compile_query
from semantic.query import SemanticQuery
from semantic.resolve import resolve
from semantic.states import CompiledQuery, Param

HERE = Path(__file__).parent
AS_OF = dt.datetime(2024, 5, 15, 12, 0, tzinfo=dt.UTC)


@lru_cache(maxsize=1)
def engine() -> session.Session:
    opened = session.Session()
    for statement in (HERE / "star.sql").read_text().split(";\n"):
        if statement.strip():
            opened.query(statement)
    return opened


@lru_cache(maxsize=1)
def catalog() -> Catalog:
    return Catalog.model_validate(yaml.safe_load((HERE / "star.yaml").read_text()))


def compiled(query: SemanticQuery, as_of: dt.datetime = AS_OF, within: Catalog | None = None) -> CompiledQuery:
    return compile_query(resolve(query, within or catalog(), as_of=as_of))


def _sent(param: Param) -> str:
    """A parameter as the HTTP interface takes it: escaped like a TSV value."""
    if isinstance(param.value, bool):
        return "true" if param.value else "false"
    return str(param.value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("'", "\\'")


def run_sql(sql: str, params: Mapping[str, Param] | None = None) -> list[list[Any]]:
    settings = ", ".join(f"{name} = {value}" for name, value in {**REQUIRED_SETTINGS, "prefer_column_name_to_alias": 1}.items())
    sent = {name: _sent(param) for name, param in (params or {}).items()}
    answer = engine().query(f"{sql} SETTINGS {settings}, output_format_json_quote_decimals = 1", "JSONCompactEachRow", params=sent)
    return [json.loads(line) for line in str(answer).splitlines() if line]


def run(query: SemanticQuery, as_of: dt.datetime = AS_OF) -> list[list[Any]]:
    done = compiled(query, as_of)
    return run_sql(done.tree.sql("clickhouse"), done.params)


def plain(rows: list[list[Any]]) -> list[list[Any]]:
    """Rows with numbers made comparable: 12.50, "12.5" and 12.5 are one value; floats to 9 digits; instants cut to seconds."""
    return [[_plain(value) for value in row] for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        try:
            value = Decimal(value)
        except ArithmeticError:
            return value.removesuffix(".000").removesuffix(".000000")
    if isinstance(value, (int, float, Decimal)):
        return f"{float(value):.9g}"
    return value
