"""ClickHouse for the guard: a function stays the name that was written.

The stock dialect turns functions into its own nodes and prints some of them differently (`a DIV b` becomes a cast). Here every call
keeps its name and arguments, so that the allow-list sees what ClickHouse will run.
"""

from __future__ import annotations

from sqlglot import exp
from sqlglot.dialects.clickhouse import ClickHouse
from sqlglot.generators.clickhouse import ClickHouseGenerator
from sqlglot.parsers.clickhouse import ClickHouseParser


class PlainClickHouse(ClickHouse):
    class Parser(ClickHouseParser):
        FUNCTIONS = {}
        FUNCTION_PARSERS = {name: ClickHouseParser.FUNCTION_PARSERS[name] for name in ("CAST", "EXTRACT")}
        NO_PAREN_FUNCTIONS = {}
        NO_PAREN_FUNCTION_PARSERS = {"CASE": ClickHouseParser.NO_PAREN_FUNCTION_PARSERS["CASE"]}

    class Generator(ClickHouseGenerator):
        def not_sql(self, expression: exp.Not) -> str:
            """`x NOT IN (...)` and `x IS NOT NULL` as they were written: ClickHouse names unnamed columns after the text."""
            inner = expression.this
            if isinstance(inner, exp.In) and not inner.args.get("is_global"):
                left = self.sql(inner, "this")
                return f"{left} NOT {self.sql(inner)[len(left) + 1 :]}"
            if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
                return f"{self.sql(inner, 'this')} IS NOT NULL"
            return super().not_sql(expression)
