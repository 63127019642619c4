"""ResolvedQuery -> CompiledQuery: a sqlglot ClickHouse tree over physical tables."""

from semantic.compile.compile import compile_query
from semantic.compile.functions import EMITTED_FUNCTIONS, REQUIRED_SETTINGS

__all__ = ["EMITTED_FUNCTIONS", "REQUIRED_SETTINGS", "compile_query"]
