"""Runs one call in one slot: session, settings, then a read, a stream, a command or an insert."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Generator
from contextlib import suppress
from functools import partial

from aiohttp import web

from semantic.warehouse.body import BodyReader
from semantic.warehouse.call import Call
from semantic.warehouse.engine import Engine, EngineInsert, EngineSession, Outcome, quote
from semantic.warehouse.engine_errors import EngineError
from semantic.warehouse.reply import Reply
from semantic.warehouse.running import RunningQuery
from semantic.warehouse.sessions import Sessions
from semantic.warehouse.slots import Slot

# Formats whose blocks, one after another, are the same bytes as the whole; others have a header or a footer.
_STREAMABLE = frozenset({"Native", "TabSeparated", "TSV", "CSV", "RowBinary", "JSONEachRow"})

# chDB starts with clickhouse-local's ideas: a bare expression is a SELECT (so `CREATE NONSENSE` is a column named CREATE), and introspection.
_SERVER_DEFAULTS = {"implicit_select": "0", "allow_introspection_functions": "0"}


class Execution:
    def __init__(self, engine: Engine, sessions: Sessions, call: Call, running: RunningQuery, slot: Slot) -> None:
        self._engine = engine
        self._sessions = sessions
        self._call = call
        self._running = running
        self._slot = slot

    async def answer(self, reply: Reply, body: BodyReader) -> web.StreamResponse:
        """Raises: EngineError; nothing of the call is left in the engine afterwards but what it wrote."""
        call = self._call
        kept = self._sessions.borrow(call.session_id, must_exist=call.session_must_exist) if call.session_id else None
        if kept is None and not self._streams and not call.statement.has_data and not self._starts_session:
            return reply.whole(await self._slot.run(self._at_once), call.output_format)
        session = kept if kept is not None else await self._slot.run(self._engine.session)
        try:
            if kept is None and self._starts_session:
                self._sessions.start(call.session_id, session)
                kept = session
            restore = await self._slot.run(lambda: self._prepare(session, keep=kept is not None))
            try:
                return await self._dispatch(session, reply, body)
            finally:
                if restore:
                    await self._slot.run(lambda: session.query(restore))
        finally:
            if kept is not None:
                self._sessions.give_back(call.session_id, call.session_timeout_s)
            else:
                await self._slot.run(session.close)

    @property
    def _streams(self) -> bool:
        call = self._call
        return (
            call.stream and call.output_format in _STREAMABLE and call.statement.verb in ("SELECT", "WITH") and not call.statement.has_data
        )

    @property
    def _starts_session(self) -> bool:
        return bool(self._call.session_id) and self._call.statement.changes_session

    def _at_once(self) -> Outcome:
        """The common case in one go of the slot's thread: a session of its own, settings, the statement, closed."""
        with self._engine.session() as session:
            self._prepare(session, keep=False)
            return self._query(session)

    def _prepare(self, session: EngineSession, *, keep: bool) -> str:
        """SETs what the call may have. Returns the statement that undoes it (only for a kept session, else '')."""
        call = self._call
        if call.user.read_only and not session.is_one_read(call.sql):
            raise EngineError(164, f"DB::Exception: {call.user.name}: Cannot execute query in readonly mode: one SELECT only. (READONLY)")
        settings = {**_SERVER_DEFAULTS, **call.settings, "log_comment": self._running.mark}
        settings["max_memory_usage"] = _lower(settings.get("max_memory_usage", "0"), self._engine.max_query_bytes)
        restore = _restore_statement(session, settings) if keep else ""
        if call.database:
            session.use(call.database)
        if call.user.read_only:
            settings["readonly"] = "1"
        elif keep:
            settings.pop("readonly", None)
        session.apply(settings)
        return restore

    async def _dispatch(self, session: EngineSession, reply: Reply, body: BodyReader) -> web.StreamResponse:
        call = self._call
        if call.statement.has_data:
            return reply.whole(await self._insert(session, body), call.output_format)
        if self._streams:
            return await self._stream(session, reply)
        outcome = await self._slot.run(lambda: self._query(session))
        return reply.whole(outcome, call.output_format)

    def _query(self, session: EngineSession) -> Outcome:
        call = self._call
        if call.statement.verb == "INSERT":
            session.set_parameters(call.params)
            return session.query(call.sql, call.output_format)
        outcome = session.query(call.sql, call.output_format, call.params)
        if not outcome.body and call.output_format == "Native" and call.statement.verb in ("SELECT", "WITH"):
            return Outcome(session.header(call.bare_sql, call.params), outcome.rows_read, outcome.bytes_read, elapsed_s=outcome.elapsed_s)
        return outcome

    async def _stream(self, session: EngineSession, reply: Reply) -> web.StreamResponse:
        call, slot = self._call, self._slot
        blocks = session.stream(call.sql, call.output_format, call.params)
        try:
            first = await slot.run(lambda: next(blocks, None))
            if first is None:
                header = await slot.run(lambda: session.header(call.bare_sql, call.params)) if call.output_format == "Native" else b""
                return reply.whole(Outcome(header), call.output_format)
            return await reply.stream(self._blocks(first, blocks), call.output_format)
        finally:
            await slot.run(blocks.close)

    async def _blocks(self, first: bytes, blocks: Generator[bytes, None, None]) -> AsyncIterator[bytes]:
        block: bytes | None = first
        while block is not None:
            yield block
            self._running.raise_if_cancelled()
            block = await self._slot.run(lambda: next(blocks, None))

    async def _insert(self, session: EngineSession, body: BodyReader) -> Outcome:
        call, slot = self._call, self._slot

        def begin() -> EngineInsert:
            session.set_parameters(call.params)
            return session.begin_insert(call.sql, call.statement.input_format)

        insert = await slot.run(begin)
        complete = False
        try:
            async for chunk in body.chunks():
                self._running.raise_if_cancelled()
                await slot.run(partial(insert.append, chunk))
            self._running.raise_if_cancelled()
            outcome = await slot.run(insert.finish)
            complete = True
            return outcome
        finally:
            if not complete:
                with suppress(EngineError):
                    await slot.run(insert.cancel)


def _lower(asked: str, limit: int) -> str:
    """The asked number if it is below the limit; 0 is no limit. What is no number is left for the engine to refuse."""
    return str(limit) if asked.strip() in ("", "0") or (asked.isdigit() and int(asked) > limit) else asked


def _restore_statement(session: EngineSession, settings: dict[str, str]) -> str:
    """SET that brings back the session's present values of these settings."""
    names = ", ".join(quote(name) for name in settings)
    found = session.query(f"SELECT name, value, changed FROM system.settings WHERE name IN ({names}) FORMAT JSONCompactEachRow").body
    rows = [json.loads(line) for line in found.splitlines()]
    undo = [f"{name} = {quote(value) if changed else 'DEFAULT'}" for name, value, changed in rows]
    return "SET " + ", ".join(undo) if undo else ""
