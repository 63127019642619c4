"""ClickHouse's error codes as our errors. Engine texts can hold values of rows, so no user ever sees them; names of errors and columns, yes."""

from __future__ import annotations

import re

from clickhouse_connect.driver.exceptions import (
    ClickHouseError,
    DatabaseError,
    DataError,
    NotSupportedError,
    ProgrammingError,
    StreamFailureError,
)
from clickhouse_connect.driver.exceptions import InternalError as DriverInternalError

from core.errors import AppError, Cancelled, InternalError, Invalid, QueryRejected, QueryTooExpensive, Unavailable

_CODE = re.compile(r"Code: (\d+)\. DB::Exception")
_IDENTIFIER = re.compile(r"identifier '?`?([A-Za-z0-9_.]{1,120})")
_TABLE = re.compile(
    r"Table `?([A-Za-z0-9_.`]{1,200}?)`? (?:does not|doesn't) exist|Database `?([A-Za-z0-9_]{1,120})`? (?:does not|doesn't) exist"
)
_TIME = frozenset({159, 160})
_MEMORY = frozenset({241, 173})
_NO_ROOM = frozenset({243})
_DISK_FULL = "No space left on device"
_ROWS = frozenset({158, 307, 191, 290, 161})
_RESULT = frozenset({396})
_TOO_COMPLEX = frozenset({167, 168, 162, 306, 223})
_UNKNOWN_TABLE = frozenset({60, 81})
_UNKNOWN_COLUMN = frozenset({47, 16, 10, 8})
_SIGN_IN = frozenset({516, 192, 193, 194})
_DENIED = frozenset({497, 164, 452})
_BUSY = frozenset({202, 203, 209, 210, 279, 373, 425, 439, 999, 242, 252})
_DATA = frozenset({6, 26, 27, 32, 38, 41, 42, 43, 44, 53, 69, 70, 72, 117, 125, 131, 153, 190, 321, 349, 386, 395, 407, 436, 457})
AUTH_RETRY_AFTER_S = 30
BUSY_RETRY_AFTER_S = 2
DOWN_RETRY_AFTER_S = 5


def to_app_error(error: BaseException, query_id: str = "") -> AppError:
    """Ours for an error of clickhouse-connect or of its transport. The caller raises it `from` the error."""
    code = getattr(error, "code", None) if isinstance(error, ClickHouseError) else None
    if code is None and isinstance(error, StreamFailureError) and (found := _CODE.search(str(error))):
        code = int(found[1])
    if isinstance(code, int):
        return _by_code(code, getattr(error, "name", None) or f"code {code}", str(error), query_id)
    if isinstance(error, NotSupportedError):
        return Invalid("The result has a type that cannot be read. Aggregate it or cast it to text.", code="unsupported_result")
    if isinstance(error, ProgrammingError | DataError | DriverInternalError):
        return InternalError(f"The warehouse client failed with {type(error).__name__} (query {query_id}).", code="warehouse_client")
    if _is_timeout(error):
        late = Unavailable("The warehouse did not answer in time. Try again, or ask for less.", code="warehouse_timeout")
        late.status = 504
        return late
    if isinstance(error, DatabaseError | OSError | TimeoutError) or type(error).__module__.startswith(("aiohttp", "urllib3")):
        return Unavailable(
            "The warehouse cannot be reached. Check that it runs and that QUERENT_WAREHOUSE_URL points to it.",
            code="warehouse_down",
            retry_after_s=DOWN_RETRY_AFTER_S,
        )
    return InternalError(f"The warehouse client failed with {type(error).__name__} (query {query_id}).", code="warehouse_client")


def _by_code(code: int, name: str, text: str, query_id: str) -> AppError:
    narrower = ("a shorter time window", "fewer groups", "a filter")
    if code in _TIME:
        return QueryTooExpensive(
            "The query took longer than your role may use. Narrow the time window or add a filter.",
            code="query_timeout",
            suggestions=narrower,
        )
    if code in _MEMORY:
        return QueryTooExpensive(
            "The query needs more memory than your role may use. Group by fewer values or narrow it.",
            code="query_memory",
            suggestions=narrower,
        )
    if code in _NO_ROOM or _DISK_FULL in text:
        return Unavailable(
            "There is no room on the warehouse's disk; its operator has to make some. Try again then.",
            code="warehouse_full",
            retry_after_s=60,
        )
    if code in _ROWS:
        return QueryTooExpensive(
            "The query would read more rows than your role may. Narrow the time window or add a filter.",
            code="too_many_rows",
            suggestions=narrower,
        )
    if code in _RESULT:
        return QueryTooExpensive(
            "The result is larger than your role may fetch. Ask for fewer rows or columns.",
            code="result_too_large",
            suggestions=("a limit", *narrower),
        )
    if code in _TOO_COMPLEX:
        return QueryTooExpensive(f"The query is too complex for the warehouse ({name}). Ask for less at once.", code="query_too_complex")
    if code == 394:
        return Cancelled("The query was cancelled.")
    if code in _UNKNOWN_TABLE:
        return Invalid(
            f"The warehouse has no table {_first(_TABLE, text) or _first(_IDENTIFIER, text) or 'of that name'}. Infer or apply the catalog again.",
            code="unknown_table",
            status=409,
        )
    if code in _UNKNOWN_COLUMN:
        return Invalid(
            f"The warehouse knows no column {_first(_IDENTIFIER, text) or 'of that name'}. Infer or apply the catalog again.",
            code="unknown_column",
            status=409,
        )
    if code in _SIGN_IN:
        return Unavailable(
            "The warehouse refuses our user or password. Check QUERENT_WAREHOUSE_USER and QUERENT_WAREHOUSE_PASSWORD.",
            code="warehouse_sign_in",
            retry_after_s=AUTH_RETRY_AFTER_S,
        )
    if code in _DENIED:
        return QueryRejected(f"The warehouse does not allow this query to our user ({name}).", code="warehouse_denied")
    if code in _BUSY:
        return Unavailable(f"The warehouse is busy ({name}). Try again.", code="warehouse_busy", retry_after_s=BUSY_RETRY_AFTER_S)
    if code in _DATA:
        return Invalid(f"The warehouse cannot evaluate this query on the data it holds ({name}).", code="query_failed_on_data")
    return InternalError(f"The warehouse failed with {name} (code {code}, query {query_id}).", code="warehouse_error")


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return repr(next(group for group in match.groups() if group).replace("`", "")) if match else ""


def _is_timeout(error: BaseException) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, TimeoutError) or "Timeout" in type(seen).__name__:
            return not _is_connect_timeout(seen)
        seen = seen.__cause__ or seen.__context__
    return False


def _is_connect_timeout(error: BaseException) -> bool:
    return "Connect" in type(error).__name__
