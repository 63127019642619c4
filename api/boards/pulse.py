"""How often a board has changed, read once for all who watch it: many open browsers must not become many questions to the state store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool

FRESH_S = 0.25
MOST_KEPT = 5_000


class Pulse:
    """One per API process."""

    def __init__(self, read: Callable[[str, str], int], now: Callable[[], float] = time.monotonic) -> None:
        self._read, self._now = read, now
        self._known: dict[tuple[str, str], tuple[float, int]] = {}
        self._locks: dict[tuple[str, str], asyncio.Lock] = {}

    async def changes(self, tenant: str, board: str) -> int:
        """At most 0.25 s old. Raises: NotFound."""
        key = (tenant, board)
        async with self._locks.setdefault(key, asyncio.Lock()):
            at, count = self._known.get(key, (-1.0, 0))
            if at >= 0 and self._now() - at < FRESH_S:
                return count
            count = await run_in_threadpool(self._read, tenant, board)
            if len(self._known) > MOST_KEPT:
                self._known.clear()
            self._known[key] = (self._now(), count)
            return count

    def forget(self, tenant: str, board: str) -> None:
        """When nobody watches any more."""
        self._known.pop((tenant, board), None)
