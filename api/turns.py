"""Turns at the processor: tenants that ask at once are served one after the other, whoever asks most waits most.

What a question takes of this process is shared by all who ask, so that one tenant's flood would be in everybody's way. Here some questions
are worked on at once, and the next turn goes to the tenant after the one that had the last, not to who came first. Waiting for the
warehouse or a language model takes no turn.

A tenant that asks more than this process can answer is said to flood: many of its questions are on their way, for some seconds. While others
ask as well, its questions are then worked on one at a time, warehouse and log included, with rests between them, so that most of the time the
others find processor and warehouse free.
Who waits too long, or would make a line still longer, is told to come back later before any work is done.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar

from api.limiting import TooManyRequests
from core.errors import Unavailable
from core.ids import TenantId

AT_ONCE = 8  # a question also waits for threads and the state store, and for other processes when the machine is busy
MOST_BEGUN = 24  # of one tenant, those that wait for the warehouse included; the process has 32 connections to it
MANY = 32  # begun and waiting, of one tenant: 200 people who ask six times a minute each have less than ten on their way
FLOOD_AFTER_S = 3.0  # a line that long for so long; a moment's standstill of the machine makes one too, and nobody floods then
FEW = 8
SHARE_OF_A_FLOOD = 0.2  # of the time, while others ask
LONGEST_REST_S = 5.0  # below the shortest wait, so that a slow question does not send away all who come after it
OTHERS_S = 60.0  # for how long somebody counts as asking
MOST_WAITING = 500
LONGEST_WAIT_S = 20.0  # below the 30 s after which clients and proxies give up; or down to half, so that not all are sent away together
COME_BACK_S = 10

_held_by: ContextVar[TenantId | None] = ContextVar("turn", default=None)


class Turns:
    """For one event loop. at_once: how many have a turn at the same time. now: monotonic seconds."""

    def __init__(
        self,
        at_once: int = AT_ONCE,
        *,
        longest_wait_s: float = LONGEST_WAIT_S,
        flood_after_s: float = FLOOD_AFTER_S,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._free, self._longest_wait_s, self._flood_after_s, self._now = at_once, longest_wait_s, flood_after_s, now
        self._waiting: OrderedDict[TenantId, deque[asyncio.Future[None]]] = OrderedDict()
        self._resuming: deque[asyncio.Future[None]] = deque()
        self._begun: Counter[TenantId] = Counter()  # questions that had a turn and are not answered yet
        self._many_since: dict[TenantId, float] = {}
        self._flooding: set[TenantId] = set()
        self._rests_until: dict[TenantId, float] = {}
        self._asked_at: dict[TenantId, float] = {}

    @asynccontextmanager
    async def turn(self, tenant: TenantId) -> AsyncIterator[None]:
        """Waits for a turn, which ends with the block.

        Raises: TooManyRequests when the tenant's line is too long or did not move in time; Unavailable when that is not its own doing.
        """
        self._asked_at[tenant] = self._now()
        await self._begin(tenant)
        began, token = self._now(), _held_by.set(tenant)
        try:
            yield
        finally:
            _held_by.reset(token)
            self._end(tenant, self._now() - began)

    @asynccontextmanager
    async def paused(self) -> AsyncIterator[None]:
        """Gives the caller's turn, if it has one, to others for the block, which waits for something else; then waits for a turn again."""
        if _held_by.get() is None:
            yield
            return
        self._free += 1
        self._serve()
        try:
            yield
        finally:
            await asyncio.shield(self._resume())

    async def _begin(self, tenant: TenantId) -> None:
        line = self._waiting.setdefault(tenant, deque())
        if len(line) >= MOST_WAITING:
            raise self._too_many(tenant)
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.append(mine)
        self._watch(tenant)
        self._serve()
        try:
            async with asyncio.timeout(self._longest_wait_s * random.uniform(0.5, 1.0)):
                await mine
        except (TimeoutError, asyncio.CancelledError) as error:
            if mine.done() and not mine.cancelled():  # the turn came as the caller left
                self._end(tenant, 0.0)
            refusal = self._too_many(tenant)
            self._leave(tenant, mine)
            if isinstance(error, TimeoutError):
                raise refusal from error
            raise

    def _watch(self, tenant: TenantId) -> None:
        """Takes note of how many questions of the tenant are on their way, and since when these are many."""
        on_their_way = len(self._waiting.get(tenant, ())) + self._begun[tenant]
        if on_their_way > MANY:
            if self._now() - self._many_since.setdefault(tenant, self._now()) >= self._flood_after_s:
                self._flooding.add(tenant)
            return
        self._many_since.pop(tenant, None)
        if on_their_way <= FEW:
            self._flooding.discard(tenant)

    def _leave(self, tenant: TenantId, mine: asyncio.Future[None]) -> None:
        mine.cancel()
        line = self._waiting.get(tenant, deque())
        if mine in line:
            line.remove(mine)
        self._watch(tenant)

    def _end(self, tenant: TenantId, took_s: float) -> None:
        self._free += 1
        self._begun[tenant] -= 1
        if self.is_held_back(tenant) and took_s:
            rest_s = min(took_s * (1 / SHARE_OF_A_FLOOD - 1), LONGEST_REST_S)
            self._rests_until[tenant] = self._now() + rest_s
            asyncio.get_running_loop().call_later(rest_s, self._serve)
        self._watch(tenant)
        if not self._begun[tenant]:
            del self._begun[tenant]
        self._serve()

    async def _resume(self) -> None:
        if self._free and not self._resuming:
            self._free -= 1
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._resuming.append(mine)
        await mine

    def _serve(self) -> None:
        """Gives free turns: first to who had one before a pause, then to the first tenant in line that may go on, which goes to its end."""
        while self._free and self._resuming:
            self._free -= 1
            self._resuming.popleft().set_result(None)
        while self._free and (tenant := self._next()) is not None:
            mine = self._waiting[tenant].popleft()
            self._waiting.move_to_end(tenant)
            if not mine.done():
                self._free -= 1
                self._begun[tenant] += 1
                mine.set_result(None)

    def _next(self) -> TenantId | None:
        for tenant in [tenant for tenant, line in self._waiting.items() if not line]:
            del self._waiting[tenant]
        return next((tenant for tenant in self._waiting if self._may_go_on(tenant)), None)

    def _may_go_on(self, tenant: TenantId) -> bool:
        if self.is_held_back(tenant):
            return not self._begun[tenant] and self._now() >= self._rests_until.get(tenant, 0.0)
        return self._begun[tenant] < MOST_BEGUN

    def is_held_back(self, tenant: TenantId) -> bool:
        """Whether it floods while others ask: all that its question takes is then to be in its turn. Alone it may have the whole process."""
        if tenant not in self._flooding:
            return False
        since = self._now() - OTHERS_S
        self._asked_at = {other: at for other, at in self._asked_at.items() if at >= since}
        return any(other != tenant for other in self._asked_at)

    def _too_many(self, tenant: TenantId) -> TooManyRequests | Unavailable:
        if tenant in self._flooding:
            return TooManyRequests("Your company asks more at once than can be answered; try again in a moment.", COME_BACK_S)
        return Unavailable("More is asked at once than can be answered; try again in a moment.", code="busy", retry_after_s=COME_BACK_S)
