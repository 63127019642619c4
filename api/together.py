"""What many hand in at about the same time is written in one transaction per tenant, so that they need not wait for one another.

Nobody waits on purpose: the first is written at once, and who comes meanwhile is written together with all others who came meanwhile.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextvars import Context
from typing import Generic, TypeVar

from starlette.concurrency import run_in_threadpool

from core.errors import Unavailable
from core.ids import TenantId

T = TypeVar("T")
MOST = 100


class Together(Generic[T]):
    """One per process. write: writes all that it is given or, when it raises, nothing; called in a thread, once at a time for each tenant."""

    def __init__(self, write: Callable[[TenantId, Sequence[T]], None], *, most: int = MOST) -> None:
        self._write, self._most = write, most
        self._waiting: defaultdict[TenantId, list[tuple[T, asyncio.Future[None]]]] = defaultdict(list)
        self._writing: dict[TenantId, asyncio.Task[None]] = {}

    async def add(self, tenant: TenantId, one: T) -> None:
        """Returns when it is written. Who leaves before is written nevertheless. Raises: what `write` raises because of this one."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[tenant].append((one, mine))
        if tenant not in self._writing:
            # In a context of its own: what it does is not of the request that happens to come first.
            self._writing[tenant] = asyncio.create_task(self._write_waiting(tenant), context=Context())
        await mine

    async def _write_waiting(self, tenant: TenantId) -> None:
        try:
            while waiting := self._waiting[tenant][: self._most]:
                del self._waiting[tenant][: self._most]
                await self._write_all(tenant, waiting)
        finally:
            for _, theirs in self._waiting.pop(tenant, ()):  # none, unless the process ends
                theirs.cancel()
            del self._writing[tenant]

    async def _write_all(self, tenant: TenantId, waiting: Sequence[tuple[T, asyncio.Future[None]]]) -> None:
        error: BaseException | None = None
        try:
            await run_in_threadpool(self._write, tenant, [one for one, _ in waiting])
        except Exception as raised:
            if len(waiting) > 1 and not isinstance(raised, Unavailable):  # one of them is to blame: the others do without it
                for alone in waiting:
                    await self._write_all(tenant, [alone])
                return
            error = raised
        for _, theirs in waiting:
            if not theirs.done():
                theirs.set_result(None) if error is None else theirs.set_exception(error)
