"""Numbers in the state store that many wait for: one look for all of them, so that a thousand open pages are not a thousand questions."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from typing import Generic, TypeVar

from starlette.concurrency import run_in_threadpool

from core.errors import Unavailable

K = TypeVar("K")
log = logging.getLogger(__name__)


class Watch(Generic[K]):
    """One per process and kind of number. read: the numbers of the given keys, in a thread; a key that it leaves out has none (0).

    every_s: between two looks, while somebody waits.
    """

    def __init__(self, read: Callable[[Collection[K]], Mapping[K, int]], every_s: float) -> None:
        self._read, self._every_s = read, every_s
        self._waiting: defaultdict[K, dict[asyncio.Future[int], int]] = defaultdict(dict)
        self._looking: asyncio.Task[None] | None = None

    async def other_than(self, known: int, key: K, within_s: float) -> int | None:
        """The number of `key` as soon as it is not `known`; None when it stays the same so long. A store that is away is waited for."""
        mine: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting[key][mine] = known
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            async with asyncio.timeout(within_s):
                return await mine
        except TimeoutError:
            return None
        finally:
            self._waiting[key].pop(mine, None)
            if not self._waiting[key]:
                del self._waiting[key]

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            if not self._waiting:
                return
            asked = tuple(self._waiting)
            try:
                found = await run_in_threadpool(self._read, asked)
            except Unavailable:
                continue
            except Exception:  # whatever it is, those who wait must not wait for good because one look failed
                log.exception("a look at %d numbers failed; the next one follows", len(asked))
                continue
            for key in asked:
                number = found.get(key, 0)
                for mine, known in self._waiting.get(key, {}).items():
                    if number != known and not mine.done():
                        mine.set_result(number)
