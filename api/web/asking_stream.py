"""An answer on its way as server-sent events: named steps as they begin, then the page's part. One request, so that leaving stops the query."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from api.answering import Step, Told
from api.web.dates_said import plain_dates
from api.web.shell import problem_page
from core.errors import AppError

MEDIA_TYPE = "text/event-stream"
HEARTBEAT_S = 10.0
WORDS: dict[Step, str] = {
    "understanding": "Reading the question",
    "understood": "Understood",
    "running": "Asking the warehouse",
    "charting": "Drawing the answer",
}


def wants_steps(request: Request) -> bool:
    return MEDIA_TYPE in request.headers.get("accept", "")


def streamed(request: Request, work: Callable[[Told], Awaitable[Response]]) -> StreamingResponse:
    """`step` events with {"step", "text", "detail"}, then one `done` with {"status", "headers", "html"}, also when the work fails."""
    return StreamingResponse(_events(request, work), media_type=MEDIA_TYPE, headers={"X-Accel-Buffering": "no"})


async def _events(request: Request, work: Callable[[Told], Awaitable[Response]]) -> AsyncIterator[str]:
    steps: asyncio.Queue[tuple[Step, str]] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def told(step: Step, detail: str) -> None:
        loop.call_soon_threadsafe(steps.put_nowait, (step, detail[:400]))

    task = asyncio.ensure_future(_safely(request, work, told))
    try:
        while not task.done():
            waiting = asyncio.ensure_future(steps.get())
            await asyncio.wait({task, waiting}, timeout=HEARTBEAT_S, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                yield _event("step", _step(*waiting.result()))
            else:
                waiting.cancel()
                yield ": still here\n\n"
        while not steps.empty():
            yield _event("step", _step(*steps.get_nowait()))
        made = task.result()
        headers = {name: value for name, value in made.headers.items() if name.lower().startswith("hx-")}
        yield _event("done", {"status": made.status_code, "headers": headers, "html": bytes(made.body).decode()})
    finally:
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _safely(request: Request, work: Callable[[Told], Awaitable[Response]], told: Told) -> Response:
    try:
        return await work(told)
    except AppError as error:
        return problem_page(request, error)
    except Exception as error:  # the person gets a sentence with the request id; the log gets the rest
        hidden = AppError("unexpected")
        hidden.__cause__ = error
        return problem_page(request, hidden)


def _step(step: Step, detail: str) -> dict[str, str]:
    return {"step": step, "text": WORDS[step], "detail": plain_dates(detail)}


def _event(kind: str, data: dict[str, Any]) -> str:
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n"
