"""What one query may cost, per role, and the ClickHouse settings that enforce it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from core.errors import Invalid
from core.principal import Principal, Role

GIB = 1024**3
HTTP_TIMEOUT_S = 60


MEANING_SETTINGS: Mapping[str, str | int] = MappingProxyType(
    {"prefer_column_name_to_alias": 1, "join_use_nulls": 1, "enable_extended_results_for_datetime_functions": 1}
)
"""What the meaning of any query of ours rests on: a column wins over an alias of its name, unmatched joined rows are NULL, and dates
before 1970 do not wrap. The same for compiled queries and analysts' SQL, so that the SQL behind an answer gives that answer."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps on one query. `max_result_rows` is exact: the query asks for one row more, and the client cuts it off.

    execution_s must stay below the HTTP timeout, so that the server stops the query before the client gives up on it.
    Raises: Invalid for a cap that is not positive or a time at or above the HTTP timeout.
    """

    execution_s: int = 20
    memory_bytes: int = 2 * GIB
    rows_to_read: int = 2_000_000_000
    result_rows: int = 10_000
    result_bytes: int = 64 * 1024**2

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if getattr(self, name) < 1:
                raise Invalid(f"Limit {name} must be at least 1; found {getattr(self, name)}.", code="bad_limit")
        if self.execution_s >= HTTP_TIMEOUT_S:
            raise Invalid(f"execution_s must be below the HTTP timeout of {HTTP_TIMEOUT_S} s; found {self.execution_s}.", code="bad_limit")


BY_ROLE: Mapping[Role, Limits] = MappingProxyType(
    {
        Role.VIEWER: Limits(execution_s=15, memory_bytes=GIB),
        Role.EXECUTIVE: Limits(),
        Role.MANAGER: Limits(),
        Role.ANALYST: Limits(execution_s=40, memory_bytes=4 * GIB, result_rows=100_000, result_bytes=256 * 1024**2),
        Role.DATA_SCIENTIST: Limits(execution_s=50, memory_bytes=6 * GIB, result_rows=1_000_000, result_bytes=512 * 1024**2),
        Role.ADMIN: Limits(execution_s=40, memory_bytes=4 * GIB, result_rows=100_000, result_bytes=256 * 1024**2),
        Role.OPERATOR: Limits(execution_s=15, memory_bytes=GIB),
    }
)


def limits_for(principal: Principal) -> Limits:
    """The most generous limits among the caller's roles; a caller without roles gets the viewer's."""
    return max(
        (BY_ROLE[role] for role in principal.roles),
        key=lambda limits: (limits.execution_s, limits.result_rows),
        default=BY_ROLE[Role.VIEWER],
    )


def limit_settings(limits: Limits) -> dict[str, str | int]:
    """ClickHouse settings that enforce `limits`; going over is an error on the server, never a silent cut."""
    return {
        "max_execution_time": limits.execution_s,
        "timeout_overflow_mode": "throw",
        "max_memory_usage": limits.memory_bytes,
        "max_rows_to_read": limits.rows_to_read,
        "read_overflow_mode": "throw",
        # One above LIMIT n+1: the row of WITH TOTALS is counted too.
        "max_result_rows": limits.result_rows + 2,
        "max_result_bytes": limits.result_bytes,
        "result_overflow_mode": "throw",
    }
