"""ClickHouse for the guard: a function stays the name that was written.

The stock dialect turns functions into its own nodes and prints some of them differently (`a DIV b` becomes a cast). Here every call
keeps its name and arguments, so that the allow-list sees what ClickHouse will run.
"""

from __future__ import annotations

from sqlglot.dialects.clickhouse import ClickHouse
from sqlglot.parsers.clickhouse import ClickHouseParser


class PlainClickHouse(ClickHouse):
    class Parser(ClickHouseParser):
        FUNCTIONS = {}
        FUNCTION_PARSERS = {"CAST": ClickHouseParser.FUNCTION_PARSERS["CAST"]}
        NO_PAREN_FUNCTIONS = {}
        NO_PAREN_FUNCTION_PARSERS = {"CASE": ClickHouseParser.NO_PAREN_FUNCTION_PARSERS["CASE"]}
