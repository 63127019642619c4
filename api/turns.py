"""Turns at the processor: tenants that ask at once are served one after the other, whoever asks most waits most.

What a question takes of this process is shared by all who ask, so that one tenant's flood would be in everybody's way. Here few questions
are worked on at once, and the next turn goes to the tenant after the one that had the last, not to who came first. Waiting for the
warehouse or a language model takes no turn.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

from core.ids import TenantId

AT_ONCE = 2  # threads share one interpreter: more only take turns with each other


_held_by: ContextVar[TenantId | None] = ContextVar("turn", default=None)


class Turns:
    """For one event loop. at_once: how many have a turn at the same time."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._free = at_once
        self._waiting: OrderedDict[TenantId, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, tenant: TenantId) -> AsyncIterator[None]:
        """Waits for a turn, which ends with the block."""
        await self._take(tenant)
        token = _held_by.set(tenant)
        try:
            yield
        finally:
            _held_by.reset(token)
            self._pass_on()

    @asynccontextmanager
    async def paused(self) -> AsyncIterator[None]:
        """Gives the caller's turn, if it has one, to others for the block, which waits for something else; then waits for a turn again."""
        tenant = _held_by.get()
        if tenant is None:
            yield
            return
        self._pass_on()
        try:
            yield
        finally:
            await asyncio.shield(self._take(tenant))

    async def _take(self, tenant: TenantId) -> None:
        if self._free and not self._waiting:
            self._free -= 1
        else:
            await self._wait(tenant)

    async def _wait(self, tenant: TenantId) -> None:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tenant, deque()).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():  # the turn came as the caller left
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """To the first tenant in line, who goes to the end of it."""
        while self._waiting:
            tenant, line = self._waiting.popitem(last=False)
            mine = line.popleft()
            if line:
                self._waiting[tenant] = line
            if not mine.done():
                mine.set_result(None)
                return
        self._free += 1
