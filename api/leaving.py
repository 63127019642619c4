"""Stops work for a caller who has left."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import Request

from core.errors import Cancelled

T = TypeVar("T")
CHECK_EVERY_S = 0.25


async def until_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled (and with it the ClickHouse query) when the client disconnects.

    Raises: Cancelled, and whatever `work` raises.
    """
    task = asyncio.ensure_future(work)
    try:
        while True:
            done, _ = await asyncio.wait({task}, timeout=CHECK_EVERY_S)
            if done:
                return task.result()
            if await request.is_disconnected():
                raise Cancelled("The caller left before the answer was ready.")
    finally:
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
