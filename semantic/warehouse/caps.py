"""Which settings a request may carry, and the caps of the read-only user that no request can raise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from semantic.warehouse.engine_errors import EngineError

GIB = 1024**3

# Of the HTTP interface itself, or about HTTP only: never handed to the engine.
HTTP_ONLY = frozenset(
    {
        "query",
        "database",
        "user",
        "password",
        "query_id",
        "session_id",
        "session_timeout",
        "session_check",
        "default_format",
        "buffer_size",
        "wait_end_of_query",
        "compress",
        "decompress",
        "quota_key",
        "role",
        "client_protocol_version",
        "enable_http_compression",
        "http_zlib_compression_level",
        "send_progress_in_http_headers",
        "http_headers_progress_interval_ms",
        "add_http_cors_header",
        "cancel_http_readonly_queries_on_client_close",
        "stacktrace",
        "close_session",
    }
)

# Largest value the reader gets, also when it asks for none; 0 ("no limit") counts as asking for more.
READER_CAPS: Mapping[str, float] = MappingProxyType(
    {
        "max_execution_time": 120,
        "max_memory_usage": 8 * GIB,
        "max_bytes_before_external_group_by": 2 * GIB,
        "max_bytes_before_external_sort": 2 * GIB,
        "max_rows_to_read": 2_000_000_000,
        "max_bytes_to_read": 200 * GIB,
        "max_result_rows": 1_100_000,
        "max_result_bytes": GIB,
        "max_threads": 8,
        "max_query_size": 1024**2,
        "max_ast_depth": 1000,
        "max_ast_elements": 50_000,
        "max_expanded_ast_elements": 500_000,
        "max_subquery_depth": 100,
        "max_rows_in_join": 100_000_000,
        "max_rows_in_set": 50_000_000,
    }
)

# Harmless for the reader: they change the meaning or the form of a result, not what it may touch or cost.
READER_MAY_SET = frozenset(
    {
        "additional_table_filters",
        "aggregate_functions_null_for_empty",
        "any_join_distinct_right_table_keys",
        "cast_string_to_dynamic_use_inference",
        "date_time_input_format",
        "date_time_output_format",
        "enable_analyzer",
        "allow_experimental_analyzer",
        "enable_extended_results_for_datetime_functions",
        "enable_optimize_predicate_expression",
        "extremes",
        "join_algorithm",
        "join_use_nulls",
        "log_comment",
        "log_queries",
        "max_block_size",
        "optimize_move_to_prewhere",
        "query_plan_optimize_prewhere",
        "prefer_column_name_to_alias",
        "priority",
        "session_timezone",
        "totals_mode",
        "transform_null_in",
        "union_default_mode",
    }
)
# What happens at a cap: an error, never a silent cut.
OVERFLOW_MODES = frozenset(
    {
        "timeout_overflow_mode",
        "read_overflow_mode",
        "result_overflow_mode",
        "sort_overflow_mode",
        "distinct_overflow_mode",
        "join_overflow_mode",
        "set_overflow_mode",
        "transfer_overflow_mode",
    }
)
_READER_MAY_SET_PREFIXES = ("output_format_arrow_", "output_format_json_", "output_format_native_", "output_format_decimal_")


_SETTINGS_PROBE = re.compile(r"\s*SELECT name, value, readonly FROM system\.settings\b")


def reader_view_of_settings(sql: str) -> str:
    """clickhouse-connect asks at its start which settings it may change; the answer must be this module's, not that of `readonly=1`."""
    match = _SETTINGS_PROBE.match(sql)
    if match is None:
        return sql
    names = ", ".join(f"'{name}'" for name in sorted({*READER_MAY_SET, *READER_CAPS, *OVERFLOW_MODES, *HTTP_ONLY}))
    prefixes = " OR ".join(f"startsWith(name, '{prefix}')" for prefix in _READER_MAY_SET_PREFIXES)
    return f"SELECT name, value, toUInt8(NOT (name IN ({names}) OR {prefixes})) AS readonly FROM system.settings" + sql[match.end() :]


def http_settings(query: Mapping[str, str]) -> dict[str, str]:
    """The engine settings of a request: everything in its query string that the HTTP interface does not use itself."""
    return {name: value for name, value in query.items() if name not in HTTP_ONLY and not name.startswith("param_")}


def reader_settings(asked: Mapping[str, str], caps: Mapping[str, float] = READER_CAPS) -> dict[str, str]:
    """What the reader's session gets: asked settings that are harmless, each cap at most at its limit.

    Raises: EngineError 452 (as ClickHouse's constraints) for a setting that is not the reader's, 27 for a cap that is no number,
    164 for readonly=0.
    """
    settings: dict[str, str] = {}
    for name, value in asked.items():
        if name == "readonly":
            if value.strip() not in ("1", "2"):
                raise EngineError(164, "DB::Exception: Cannot modify 'readonly' setting in readonly mode. (READONLY)")
        elif name in caps:
            settings[name] = _number(min(_asked_number(name, value) or caps[name], caps[name]))
        elif name in READER_MAY_SET or (name in OVERFLOW_MODES and value == "throw") or name.startswith(_READER_MAY_SET_PREFIXES):
            settings[name] = value
        else:
            raise EngineError(
                452, f"DB::Exception: Setting {name[:80]} should not be changed by the read-only user. (SETTING_CONSTRAINT_VIOLATION)"
            )
    for name, limit in caps.items():
        settings.setdefault(name, _number(limit))
    return settings


def _asked_number(name: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1
    if not 0 <= number < float("inf"):
        raise EngineError(
            27, f"DB::Exception: Setting {name} must be a number, 0 or more; found {value[:60]!r}. (CANNOT_PARSE_INPUT_ASSERTION_FAILED)"
        )
    return number


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
