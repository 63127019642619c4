"""How many unread messages somebody has, as it changes: the count in the navigation of an open page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from api.boards.pulse import Pulse
from api.services import Services
from api.web.page_route import PageRoute
from api.web.shell import visitor
from core.ids import TenantId, UserId
from core.principal import Principal
from core.store import inbox

router = APIRouter(include_in_schema=False, route_class=PageRoute)
POLL_S = 1.0
HEARTBEAT_S = 20
LONGEST_S = 600  # then the browser asks again, and its rights are looked at again


@router.get("/inbox/unread/events")
async def events(request: Request, after: int = -1) -> StreamingResponse:
    """`unread` with the count whenever it is another one than before, `after` at first."""
    at = await visitor(request)
    stream = _stream(_pulse(request, at.services), at.caller, after)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"})


async def _stream(pulse: Pulse, caller: Principal, known: int) -> AsyncIterator[str]:
    yield "retry: 3000\n\n"
    for second in range(LONGEST_S):
        count = await pulse.changes(caller.tenant, caller.user)
        if count != known:
            known = count
            yield f"event: unread\ndata: {count}\n\n"
        elif second % HEARTBEAT_S == HEARTBEAT_S - 1:
            yield ": still here\n\n"
        await asyncio.sleep(POLL_S)


def _pulse(request: Request, services: Services) -> Pulse:
    """The one of this process, made when somebody first listens."""
    state = request.app.state
    if not hasattr(state, "inbox_pulse"):

        def read(tenant: str, user: str) -> int:
            with services.store.read() as connection:
                return inbox.unread(connection, TenantId(tenant), UserId(user))

        state.inbox_pulse = Pulse(read)
    found: Pulse = state.inbox_pulse
    return found
