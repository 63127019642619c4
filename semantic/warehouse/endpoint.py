"""The embedded endpoint: ClickHouse's HTTP interface over chDB, so that many processes share one engine.

A request takes a slot (a thread), opens a session in the engine, SETs what it may, runs, and closes the session; so nothing of one request
is left for another. Queries stop when their caller hangs up.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine
from typing import Any
from urllib.parse import parse_qsl

import structlog
from aiohttp import web

from semantic.warehouse.body import BodyReader
from semantic.warehouse.call import Call, read_call
from semantic.warehouse.engine import Engine, Outcome
from semantic.warehouse.engine_errors import UNKNOWN_EXCEPTION, EngineError
from semantic.warehouse.execution import Execution
from semantic.warehouse.reply import Reply
from semantic.warehouse.running import RunningQueries, RunningQuery
from semantic.warehouse.sessions import Sessions
from semantic.warehouse.slots import Limits, Slots
from semantic.warehouse.users import Users

_log = structlog.get_logger("querent.warehouse")
_MAX_FORM_BYTES = 16 * 1024**2


class Endpoint:
    """The handlers of one engine."""

    def __init__(self, engine: Engine, users: Users, limits: Limits) -> None:
        self._engine = engine
        self._users = users
        self._limits = limits
        self._slots = Slots(limits)
        self._running = RunningQueries(lambda mark: engine.kill([mark]))
        self._sessions = Sessions()
        self._tasks: set[asyncio.Task[Any]] = set()

    def app(self) -> web.Application:
        app = web.Application(client_max_size=_MAX_FORM_BYTES)
        app.router.add_get("/ping", _ok)
        app.router.add_get("/", self._answer)
        app.router.add_post("/", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        query = dict(parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True))
        reply = Reply(request, query.get("query_id", "")[:200] or secrets.token_hex(16), self._engine.version, self._engine.time_zone)
        try:
            user = self._users.authenticate(request.headers, query)
            if request.method == "GET" and "query" not in query:
                return await _ok(request)
            if request.content_type == "multipart/form-data":
                query.update(await _form(request))
                body = BodyReader(_Nothing(), "")
            else:
                body = BodyReader(request.content.iter_any(), request.headers.get("Content-Encoding", ""))
            call = await read_call(user, request, query, body, self._engine.system_tables)
            if call.kill is not None:
                return reply.whole(await self._kill(call), call.output_format)
            return await self._run(call, reply, body)
        except EngineError as error:
            return reply.failed(error)
        except (ConnectionError, web.HTTPException):
            raise
        except Exception as error:
            _log.error("warehouse_request_failed", error=type(error).__name__, detail=str(error)[:300], query_id=reply.query_id)
            return reply.failed(EngineError(UNKNOWN_EXCEPTION, "DB::Exception: The endpoint failed; see its log. (UNKNOWN_EXCEPTION)"))

    async def _run(self, call: Call, reply: Reply, body: BodyReader) -> web.StreamResponse:
        running = RunningQuery(reply.query_id, f"querent-{secrets.token_hex(12)}", call.user)
        self._running.add(running)
        task = self._spawn(self._run_in_slot(call, running, reply, body))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not running.started:
                task.cancel()
            self._spawn(self._running.stop(running))
            raise

    async def _run_in_slot(self, call: Call, running: RunningQuery, reply: Reply, body: BodyReader) -> web.StreamResponse:
        try:
            async with self._slots.take() as slot:
                running.started = True
                running.raise_if_cancelled()
                return await Execution(self._engine, self._sessions, call, running, slot).answer(reply, body)
        finally:
            self._running.remove(running)

    async def _kill(self, call: Call) -> Outcome:
        """Stops a query by its id, without waiting for a slot. One row per query, as ClickHouse answers."""
        assert call.kill is not None
        target = self._running.find(call.kill.query_id, call.user)
        if target is not None:
            stopping = self._spawn(self._running.stop(target))
            if call.kill.wait:
                await stopping
        return await asyncio.to_thread(self._kill_rows, call, target)

    def _kill_rows(self, call: Call, target: RunningQuery | None) -> Outcome:
        assert call.kill is not None
        if target is None and not call.user.read_only:
            with self._engine.session() as session:  # Maybe an id of the engine's own, as system.processes shows them.
                return session.query(call.sql, call.output_format)
        status = "finished" if target is not None and target.done.is_set() else "waiting"
        with self._engine.session() as session:
            return session.query(
                "SELECT {status:String} AS kill_status, {id:String} AS query_id, {user:String} AS user WHERE {found:UInt8}",
                call.output_format,
                {
                    "status": status,
                    "id": call.kill.query_id.replace("\\", "\\\\"),
                    "user": call.user.name,
                    "found": "0" if target is None else "1",
                },
            )

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, EngineError | ConnectionError):
            _log.warning("warehouse_request_failed", error=type(error).__name__, detail=str(error)[:300])

    async def close(self) -> None:
        """Waits for running queries (`grace_s`), kills the rest, closes sessions."""
        deadline = asyncio.get_running_loop().time() + self._limits.grace_s
        while len(self._running) and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)
        left = self._running.all()
        await asyncio.gather(*(self._running.stop(query) for query in left))
        self._sessions.close()
        self._slots.close()
        if left:
            _log.warning("warehouse_queries_killed_at_shutdown", count=len(left))


async def _ok(request: web.Request) -> web.Response:
    return web.Response(text="Ok.\n")


async def _form(request: web.Request) -> dict[str, str]:
    """Text fields (`query`, `param_*`) of a form. Raises: EngineError 48 for files (external tables)."""
    fields: dict[str, str] = {}
    try:
        posted = await request.post()
    except ValueError as error:
        raise EngineError(36, f"DB::Exception: The form cannot be read: {str(error)[:200]}. (BAD_ARGUMENTS)") from None
    for name, value in posted.items():
        if not isinstance(value, str):
            raise EngineError(48, "DB::Exception: External data tables are not served; insert into a table first. (NOT_IMPLEMENTED)")
        fields[name] = value
    return fields


class _Nothing:
    """A body without bytes."""

    def __aiter__(self) -> _Nothing:
        return self

    async def __anext__(self) -> bytes:
        raise StopAsyncIteration
