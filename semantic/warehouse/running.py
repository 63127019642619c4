"""The queries that run now, by the id their caller gave, so that `KILL QUERY WHERE query_id = '...'` and disconnects find them.

The engine in this process makes its own query ids; ours travel as `log_comment`, which its process list shows.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from semantic.warehouse.engine_errors import EngineError
from semantic.warehouse.users import User

_KILL = re.compile(
    r"\s*KILL\s+QUERY\s+WHERE\s+query_id\s*=\s*'([^'\\]{1,200})'\s*(SYNC|ASYNC)?\s*(?:FORMAT\s+(\w+)\s*)?;?\s*\Z", re.IGNORECASE
)
_KILL_EVERY_S = 0.02
_KILL_AT_MOST_EVERY_S = 0.5


@dataclass(slots=True)
class RunningQuery:
    """mark: unique in the engine's process list. started: it has a slot. cancelled: someone asked to stop it, maybe before it reached the engine."""

    query_id: str
    mark: str
    user: User
    started: bool = False
    cancelled: bool = False
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def raise_if_cancelled(self) -> None:
        if self.cancelled:
            raise EngineError(394, "DB::Exception: Query was cancelled. (QUERY_WAS_CANCELLED)")


@dataclass(frozen=True, slots=True)
class KillRequest:
    query_id: str
    wait: bool
    output_format: str


def parse_kill(sql: str) -> KillRequest | None:
    """The target of `KILL QUERY WHERE query_id = '...' [SYNC]`, or None for any other text."""
    match = _KILL.match(sql)
    return KillRequest(match[1], (match[2] or "").upper() == "SYNC", match[3] or "") if match else None


class RunningQueries:
    def __init__(self, kill: Callable[[str], None]) -> None:
        """kill: stops the engine's queries with that mark; may block, called in a thread."""
        self._by_id: dict[str, RunningQuery] = {}
        self._kill = kill

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, query: RunningQuery) -> None:
        """Raises: EngineError 216 when a query with that id runs already (as ClickHouse)."""
        if query.query_id in self._by_id:
            raise EngineError(
                216, f"DB::Exception: Query with id = {query.query_id} is already running. (QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING)"
            )
        self._by_id[query.query_id] = query

    def remove(self, query: RunningQuery) -> None:
        self._by_id.pop(query.query_id, None)
        query.done.set()

    def find(self, query_id: str, user: User) -> RunningQuery | None:
        """The query, if `user` may stop it: the reader its own, the admin any."""
        query = self._by_id.get(query_id)
        return query if query is not None and (query.user == user or not user.read_only) else None

    def all(self) -> tuple[RunningQuery, ...]:
        return tuple(self._by_id.values())

    async def stop(self, query: RunningQuery) -> None:
        """Returns when the query has ended. Asks again and again: it may not have reached the engine when asked first."""
        query.cancelled = True
        pause_s = _KILL_EVERY_S
        while not query.done.is_set():
            await asyncio.to_thread(self._kill, query.mark)
            try:
                async with asyncio.timeout(pause_s):
                    await query.done.wait()
            except TimeoutError:
                pause_s = min(pause_s * 2, _KILL_AT_MOST_EVERY_S)
