"""Bounded concurrency: so many queries run at once, so many wait, and the rest are told to come back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from semantic.warehouse.engine_errors import EngineError

_T = TypeVar("_T")
TOO_MANY_SIMULTANEOUS_QUERIES = 202


@dataclass(frozen=True, slots=True)
class Limits:
    """running, waiting: queries at once, and in the queue. wait_s: longest time in the queue. grace_s: at shutdown, before queries are killed."""

    running: int = 12
    waiting: int = 256
    wait_s: float = 30.0
    grace_s: float = 5.0


class Slot:
    """A thread of its own, so that everything one request does to its connection happens in one thread and in order."""

    def __init__(self, number: int) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"query-{number}")

    async def run(self, work: Callable[[], _T]) -> _T:
        """The result of `work` in the slot's thread. Once begun it runs to its end, also when the waiter is cancelled."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def drain(self) -> None:
        """Returns when the thread has finished what it was given."""
        await asyncio.get_running_loop().run_in_executor(self._thread, _nothing)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


def _nothing() -> None:
    return None


class Slots:
    """`limits.running` slots; at most `waiting` callers queue for at most `wait_s` seconds.

    Raises (from `take`): EngineError 202 (ClickHouse's too many simultaneous queries; HTTP 503).
    """

    def __init__(self, limits: Limits) -> None:
        self._free: asyncio.LifoQueue[Slot] = asyncio.LifoQueue()
        self._all = [Slot(number) for number in range(limits.running)]
        for slot in self._all:
            self._free.put_nowait(slot)
        self._waiting = 0
        self._max_waiting = limits.waiting
        self._wait_s = limits.wait_s

    @asynccontextmanager
    async def take(self) -> AsyncIterator[Slot]:
        slot = await self._next()
        try:
            yield slot
        finally:
            self._return(slot)

    async def _next(self) -> Slot:
        try:
            return self._free.get_nowait()
        except asyncio.QueueEmpty:
            pass
        if self._waiting >= self._max_waiting:
            raise self._full(f"{self._max_waiting} more are waiting")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._wait_s):
                return await self._free.get()
        except TimeoutError:
            raise self._full(f"none ended within {self._wait_s:g} s") from None
        finally:
            self._waiting -= 1

    def _full(self, why: str) -> EngineError:
        return EngineError(
            TOO_MANY_SIMULTANEOUS_QUERIES,
            f"DB::Exception: Too many simultaneous queries. Maximum: {len(self._all)}; {why}. Try again later. "
            f"(TOO_MANY_SIMULTANEOUS_QUERIES)",
        )

    def _return(self, slot: Slot) -> None:
        self._free.put_nowait(slot)

    def close(self) -> None:
        for slot in self._all:
            slot.close()
