"""How many unread messages somebody has, as it changes: the count in the navigation of an open page."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from api.credentials import while_admitted
from api.heartbeats import next_heartbeat_s
from api.services import Services
from api.web.page_route import PageRoute
from api.web.shell import visitor
from core.principal import Principal

router = APIRouter(include_in_schema=False, route_class=PageRoute)
LONGEST_S = 600.0  # then the browser asks again, and its rights are looked at again


@router.get("/inbox/unread/events")
async def events(request: Request, after: int = -1) -> StreamingResponse:
    """`unread` with the count whenever it is another one than before, `after` at first."""
    at = await visitor(request)
    stream = _stream(at.services, at.caller, after)
    return StreamingResponse(
        while_admitted(request, stream), media_type="text/event-stream", headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
    )


async def _stream(services: Services, caller: Principal, known: int) -> AsyncGenerator[str, None]:
    yield "retry: 3000\n\n"
    until = time.monotonic() + LONGEST_S
    while time.monotonic() < until:
        count = await services.unread_watch.other_than(known, (caller.tenant, caller.user), next_heartbeat_s())
        if count is None:
            yield ": still here\n\n"
        else:
            known = count
            yield f"event: unread\ndata: {count}\n\n"
