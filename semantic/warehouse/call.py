"""One request of ClickHouse's HTTP interface as a value, before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from semantic.warehouse.body import HEAD_BYTES, BodyReader
from semantic.warehouse.caps import http_settings, reader_settings, reader_view_of_settings
from semantic.warehouse.engine_errors import EngineError
from semantic.warehouse.running import KillRequest, parse_kill
from semantic.warehouse.statement import Statement, inspect
from semantic.warehouse.users import User

MAX_SQL_BYTES = 1024**2
MAX_VALUES_BYTES = 256 * 1024**2
_DENIED_CALLS_ALWAYS = frozenset({"python"})
# Functions that read files or the server itself; table functions of that kind the engine's readonly mode refuses.
_DENIED_CALLS_FOR_READER = _DENIED_CALLS_ALWAYS | frozenset(
    {
        "file",
        "filecluster",
        "filesystem",
        "getserversetting",
        "getmacro",
        "getservercreds",
        "dictionary",
        "loop",
        "merge",
        "mergetreeindex",
        "mergetreeprojection",
        "mergetreeanalyzeindexes",
        "remote",
        "remotesecure",
        "cluster",
        "clusterallreplicas",
        "s3",
        "s3cluster",
        "gcs",
        "oss",
        "cosn",
        "url",
        "urlcluster",
        "hdfs",
        "hdfscluster",
        "azureblobstorage",
        "azureblobstoragecluster",
        "mysql",
        "postgresql",
        "mongodb",
        "redis",
        "sqlite",
        "odbc",
        "jdbc",
        "executable",
        "input",
        "sleep",
        "sleepeachrow",
        "generaterandom",
        "fuzzjson",
        "fuzzquery",
        "hostname",
        "fqdn",
        "logtrace",
        "catboostevaluate",
    }
)
# Of database `system`: what clients ask at their start, the data version, and generators. Not: other callers' queries, logs, users, disks.
_READER_SYSTEM_TABLES = frozenset(
    {
        "settings",
        "tables",
        "columns",
        "parts",
        "databases",
        "one",
        "numbers",
        "zeros",
        "functions",
        "formats",
        "data_type_families",
        "time_zones",
    }
)
_READER_VERBS = frozenset({"SELECT", "WITH"})


@dataclass(frozen=True, slots=True)
class Call:
    """sql: the statement without an insert's data (and without its FORMAT clause then). settings: final, to be SET before it runs."""

    user: User
    sql: str
    statement: Statement
    params: Mapping[str, str]
    settings: Mapping[str, str]
    database: str
    output_format: str
    session_id: str
    session_must_exist: bool
    session_timeout_s: float
    stream: bool
    kill: KillRequest | None = None

    @property
    def bare_sql(self) -> str:
        """The statement without its FORMAT clause."""
        return self.sql if self.statement.format_start < 0 else self.sql[: self.statement.format_start]


async def read_call(
    user: User, request: web.BaseRequest, query: Mapping[str, str], body: BodyReader, system_tables: frozenset[str]
) -> Call:
    """The call; an insert's data stays unread in `body`. system_tables: the names of database `system`.

    Raises: EngineError with ClickHouse's code for anything malformed or not allowed.
    """
    for name in ("compress", "decompress"):
        if query.get(name, "0") not in ("0", "false", ""):
            raise EngineError(
                48, f"DB::Exception: {name}=1 (ClickHouse's own block compression) is not served; use Content-Encoding. (NOT_IMPLEMENTED)"
            )
    in_url = query.get("query", "")
    if in_url and not in_url.endswith("\n"):
        in_url += "\n"
    head = await body.head(HEAD_BYTES)
    text = _decode(in_url, head)
    statement = inspect(text)
    if statement.has_data:
        body.skip(len(text[: statement.data_start].encode("utf-8", "surrogateescape")) - len(in_url.encode("utf-8", "surrogateescape")))
        sql = text[: statement.format_start]
    else:
        whole = await body.rest(MAX_VALUES_BYTES if statement.verb == "INSERT" and not user.read_only else MAX_SQL_BYTES)
        if len(whole) > len(head):
            text = _decode(in_url, whole)
            statement = inspect(text)
        sql = text.rstrip().rstrip(";")
        body.skip(len(whole))
    database = query.get("database", "") or request.headers.get("X-ClickHouse-Database", "")
    kill = parse_kill(sql) if statement.verb == "KILL" else None
    if kill is None:
        _check_allowed(user, request.method, statement)
        if user.read_only:
            _check_names(user, statement, database, system_tables)
    asked = http_settings(query)
    return Call(
        user=user,
        sql=reader_view_of_settings(_valid_text(sql)) if user.read_only else _valid_text(sql),
        statement=statement,
        params={name[6:]: value for name, value in query.items() if name.startswith("param_")},
        settings=reader_settings(asked) if user.read_only else asked,
        database=database,
        output_format=statement.output_format
        or query.get("default_format")
        or request.headers.get("X-ClickHouse-Format")
        or "TabSeparated",
        session_id="" if user.read_only else query.get("session_id", ""),
        session_must_exist=query.get("session_check", "0") == "1",
        session_timeout_s=_timeout(query.get("session_timeout", "60")),
        stream=query.get("wait_end_of_query", "0") in ("0", "false"),
        kill=kill,
    )


def _decode(in_url: str, body: bytes) -> str:
    return in_url + body.decode("utf-8", "surrogateescape")


def _valid_text(sql: str) -> str:
    try:
        sql.encode()
    except UnicodeEncodeError:
        raise EngineError(62, "DB::Exception: Syntax error: the statement is not valid UTF-8. (SYNTAX_ERROR)") from None
    if "\0" in sql:
        raise EngineError(62, "DB::Exception: Syntax error: the statement holds a NUL character. (SYNTAX_ERROR)")
    return sql


def _timeout(text: str) -> float:
    try:
        return min(max(float(text), 1.0), 3600.0)
    except ValueError:
        raise EngineError(36, f"DB::Exception: Invalid session_timeout {text[:40]!r}: expected seconds. (BAD_ARGUMENTS)") from None


def _check_allowed(user: User, method: str, statement: Statement) -> None:
    if statement.ends_process:
        raise EngineError(
            497, f"DB::Exception: {user.name}: Not enough privileges. Stop the endpoint with SIGTERM instead. (ACCESS_DENIED)"
        )
    if method != "POST" and not statement.reads:
        raise EngineError(164, f"DB::Exception: Cannot execute {statement.verb[:20]} in readonly mode: {method} only reads. (READONLY)")
    denied = statement.calls & (_DENIED_CALLS_FOR_READER if user.read_only else _DENIED_CALLS_ALWAYS)
    if denied:
        raise EngineError(
            497, f"DB::Exception: {user.name}: Not enough privileges. The function {min(denied)} is not allowed. (ACCESS_DENIED)"
        )
    if user.read_only and statement.verb not in _READER_VERBS:
        raise EngineError(
            164, f"DB::Exception: {user.name}: Cannot execute {statement.verb[:20]} in readonly mode: only SELECT is allowed. (READONLY)"
        )


def _check_names(user: User, statement: Statement, database: str, system_tables: frozenset[str]) -> None:
    """The reader may not look at the server itself. (What it may see of the data is the guard's business.)"""
    if statement.hides_names:
        raise EngineError(497, f"DB::Exception: {user.name}: Names must be written out, without placeholders and escapes. (ACCESS_DENIED)")
    if database.lower() == "system":
        raise EngineError(497, f"DB::Exception: {user.name}: Not enough privileges. Database system cannot be the default. (ACCESS_DENIED)")
    for left, right in statement.qualified:
        if left == "system" and right in system_tables and right not in _READER_SYSTEM_TABLES:
            raise EngineError(
                497,
                f"DB::Exception: {user.name}: Not enough privileges. To execute this query, it's necessary to have the grant SELECT "
                f"ON system.{right}. (ACCESS_DENIED)",
            )
