"""Boards and pins: make, change, undo, share, comment, publish; and an event stream that says when to look again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from api import schemas
from api.boards import changes, service
from api.boards.links import token
from api.boards.pulse import Pulse
from api.boards.showing import shown
from api.credentials import Caller, while_admitted
from api.heartbeats import next_heartbeat_s
from api.leaving import until_gone
from api.paging import Cursor, PageSize, VersionCursor, at, cut
from api.preconditions import IfMatch, tagged
from api.services import Services, services_of
from core.errors import Forbidden, NotFound
from core.ids import TenantId
from core.principal import Principal
from core.store import boards
from core.store.boards import BoardComment, BoardLink, StoredBoard
from semantic.query import SemanticQuery
from workers.boards.access import may_edit, owns
from workers.principals import load_principal

router = APIRouter(prefix="/v1", tags=["boards"])
POLL_S = 0.3


class NewBoard(schemas.In):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"title": "Sales", "description": "What we look at on Mondays"}]}
    )

    title: str = Field(min_length=1, max_length=200)
    description: str = Field(default="", max_length=2_000)


class NewPin(schemas.In):
    """On a board, or on a new one of that name."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"title": "Revenue", "new_board": "Sales", "query": {"metrics": [{"kind": "metric", "metric": "revenue"}]}}]
        },
    )

    title: str = Field(min_length=1, max_length=300)
    query: SemanticQuery
    board_id: str | None = Field(default=None, max_length=64)
    new_board: str | None = Field(default=None, min_length=1, max_length=200)
    width: Literal["third", "half", "full"] | None = None


class ChangeBody(schemas.In):
    """on: the version that you saw. Changes of different parts merge; 409 when somebody else changed the same part."""

    change: dict[str, Any]
    on: int | None = Field(default=None, ge=1, le=2**31 - 1)


class Restore(schemas.In):
    version: int = Field(ge=1, le=2**31 - 1)
    on: int = Field(ge=1, le=2**31 - 1)


class Sharing(schemas.In):
    """role -> see or edit."""

    roles: dict[str, Literal["see", "edit"]] = Field(max_length=50)


class NewComment(schemas.In):
    text: str = Field(min_length=1, max_length=4_000)
    pin_id: str | None = Field(default=None, max_length=64)
    point: str | None = Field(default=None, max_length=200)


class NewLink(schemas.In):
    days: int = Field(default=7, ge=1, le=service.MAX_LINK_DAYS)


@router.get("/boards", summary="Boards that you may see, latest change first")
async def list_boards(request: Request, caller: Caller, cursor: Cursor = None, limit: PageSize = 200) -> schemas.Page:
    services = services_of(request)
    found = await run_in_threadpool(service.visible, services, caller)
    return cut(
        found,
        lambda board: at(board.updated_at, board.id),
        lambda board: _row(board, caller),
        cursor=cursor,
        limit=limit,
        newest_first=True,
    )


@router.post("/boards", status_code=201, summary="Make a board")
async def create(request: Request, body: NewBoard, caller: Caller) -> dict[str, Any]:
    services = services_of(request)
    return _tagged(request, await run_in_threadpool(service.create, services, caller, body.title, body.description), caller)


@router.get("/boards/{board_id}", summary="One board with its pins")
async def get(request: Request, board_id: str, caller: Caller) -> dict[str, Any]:
    return _tagged(request, await run_in_threadpool(service.load, services_of(request), caller, board_id), caller)


@router.post("/boards/{board_id}/changes", summary="Change a board: rename, add_pin, change_pin, move_pin, remove_pin, set_filters")
async def change(request: Request, board_id: str, body: ChangeBody, caller: Caller, if_match: IfMatch = None) -> dict[str, Any]:
    services, made = services_of(request), changes.parsed(body.change)
    new = await run_in_threadpool(lambda: service.change(services, caller, board_id, made, on=body.on, expected=if_match))
    return _tagged(request, new, caller)


@router.get("/boards/{board_id}/versions", summary="Its history, latest first")
async def versions(request: Request, board_id: str, caller: Caller, cursor: VersionCursor = None, limit: PageSize = 50) -> schemas.Page:
    found = await run_in_threadpool(lambda: service.history(services_of(request), caller, board_id, before=cursor, limit=limit))
    items = [
        {"version": v.version, "said": v.said, "author": v.author, "created_at": v.created_at, "content": dict(v.content)} for v in found
    ]
    return schemas.Page(items=items, next=str(found[-1].version) if len(found) == limit else None)


@router.post("/boards/{board_id}/restore", summary="Undo: an older version becomes the newest")
async def restore(request: Request, board_id: str, body: Restore, caller: Caller) -> dict[str, Any]:
    services = services_of(request)
    made = await run_in_threadpool(lambda: service.restore(services, caller, board_id, body.version, on=body.on))
    return _tagged(request, made, caller)


@router.put("/boards/{board_id}/sharing", summary="Who else sees or edits it, by role")
async def share(request: Request, board_id: str, body: Sharing, caller: Caller, if_match: IfMatch = None) -> dict[str, Any]:
    return _tagged(request, await run_in_threadpool(service.share, services_of(request), caller, board_id, body.roles, if_match), caller)


@router.delete("/boards/{board_id}", status_code=204, summary="Remove a board")
async def remove(request: Request, board_id: str, caller: Caller, if_match: IfMatch = None) -> None:
    await run_in_threadpool(service.remove, services_of(request), caller, board_id, if_match)


@router.get("/boards/{board_id}/pins/{pin_id}", summary="A pin's figures under the board's filters, with your rights")
async def pin_figures(request: Request, board_id: str, pin_id: str, caller: Caller) -> dict[str, Any]:
    services = services_of(request)
    content = service.content_of(await run_in_threadpool(service.load, services, caller, board_id))
    pin = content.pin(pin_id)
    if pin is None:
        raise NotFound("This pin is no longer on the board.", code="unknown_pin")
    made = await until_gone(request, shown(services, caller, pin, content.filters))
    answer = made.as_answer().model_dump(mode="json", include={"headline", "columns", "rows", "row_count", "chart", "query"})
    return {"id": pin.id, "title": pin.title, **answer, "filters_left_out": list(made.left_out)}


@router.post("/pins", status_code=201, summary="Pin a query to a board")
async def pin(request: Request, body: NewPin, caller: Caller) -> dict[str, Any]:
    services = services_of(request)
    made = service.new_pin(body.title, body.query, width=body.width)

    def add() -> StoredBoard:
        if body.board_id is None:
            return service.create(services, caller, body.new_board or "My board", "", (made,))
        return service.change(services, caller, body.board_id, changes.AddPin(pin=made), on=None)

    return {"pin_id": made.id, "board": view(await run_in_threadpool(add), caller)}


@router.get("/boards/{board_id}/comments", summary="Comments, oldest first")
async def list_comments(request: Request, board_id: str, caller: Caller, cursor: Cursor = None, limit: PageSize = 200) -> schemas.Page:
    found = await run_in_threadpool(service.comments, services_of(request), caller, board_id)
    return cut(found, lambda c: at(c.created_at, c.id), _comment, cursor=cursor, limit=limit)


@router.post("/boards/{board_id}/comments", status_code=201, summary="Comment on a board, a pin, or a point of its chart")
async def comment(request: Request, board_id: str, body: NewComment, caller: Caller) -> dict[str, Any]:
    services = services_of(request)
    return _comment(
        await run_in_threadpool(lambda: service.comment(services, caller, board_id, body.text, pin_id=body.pin_id, point=body.point))
    )


@router.delete("/boards/{board_id}/comments/{comment_id}", status_code=204, summary="Remove a comment")
async def remove_comment(request: Request, board_id: str, comment_id: str, caller: Caller) -> None:
    await run_in_threadpool(service.remove_comment, services_of(request), caller, board_id, comment_id)


@router.get("/boards/{board_id}/links", summary="Public links that work")
async def list_links(request: Request, board_id: str, caller: Caller, cursor: Cursor = None, limit: PageSize = 100) -> schemas.Page:
    services = services_of(request)
    found = await run_in_threadpool(service.links, services, caller, board_id)
    return cut(
        found,
        lambda one: at(one.created_at, one.id),
        lambda one: link_view(services, caller, one),
        cursor=cursor,
        limit=limit,
        newest_first=True,
    )


@router.post("/boards/{board_id}/links", status_code=201, summary="A public link: read only, masked, with an end")
async def add_link(request: Request, board_id: str, body: NewLink, caller: Caller) -> dict[str, Any]:
    services = services_of(request)
    return link_view(services, caller, await run_in_threadpool(service.add_link, services, caller, board_id, body.days))


@router.delete("/boards/{board_id}/links/{link_id}", status_code=204, summary="Take a public link back")
async def revoke_link(request: Request, board_id: str, link_id: str, caller: Caller) -> None:
    await run_in_threadpool(service.revoke_link, services_of(request), caller, board_id, link_id)


@router.get("/boards/{board_id}/events", summary="Says when the board changed, as server-sent events", response_class=StreamingResponse)
async def events(
    request: Request,
    board_id: str,
    caller: Caller,
    last_event_id: Annotated[int, Header(ge=0, le=2**31 - 1)] = 0,
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
) -> StreamingResponse:
    """Resumes after Last-Event-ID. `changed` with {"changes", "version"}; `gone` when it was removed or is no longer shared with you."""
    services = services_of(request)
    await run_in_threadpool(service.load, services, caller, board_id)
    stream = _stream(services, _pulse(request, services), caller, board_id, max(last_event_id, after))
    followed = while_admitted(request, stream, lambda now: service.load(services, now, board_id))
    return StreamingResponse(followed, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _stream(services: Services, pulse: Pulse, caller: Principal, board_id: str, after: int) -> AsyncGenerator[str, None]:
    """Whether the caller may still look is asked again whenever something changed: sharing counts as a change."""
    yield "retry: 1000\n\n"
    idle_s, heartbeat_s = 0.0, next_heartbeat_s()
    while True:
        try:
            if await pulse.changes(caller.tenant, board_id) > after:
                caller = await run_in_threadpool(load_principal, services.store, caller.tenant, caller.user)  # rights as they are now
                board = await run_in_threadpool(service.load, services, caller, board_id)
                after, idle_s = board.changes, 0.0
                yield f"id: {after}\nevent: changed\ndata: {json.dumps({'changes': after, 'version': board.version})}\n\n"
        except (NotFound, Forbidden):
            pulse.forget(caller.tenant, board_id)
            yield "event: gone\ndata: {}\n\n"
            return
        idle_s += POLL_S
        if idle_s >= heartbeat_s:
            idle_s, heartbeat_s = 0.0, next_heartbeat_s()
            yield ": still here\n\n"
        await asyncio.sleep(POLL_S)


def _pulse(request: Request, services: Services) -> Pulse:
    """The one of this process, made when somebody first watches a board."""
    state = request.app.state
    if not hasattr(state, "board_pulse"):

        def read(tenant: str, board: str) -> int:
            with services.store.read() as connection:
                return boards.changes(connection, TenantId(tenant), board)

        state.board_pulse = Pulse(read)
    found: Pulse = state.board_pulse
    return found


def view(board: StoredBoard, caller: Principal) -> dict[str, Any]:
    return {**_row(board, caller), "content": service.content_of(board).model_dump(mode="json", exclude_none=True)}


def _tagged(request: Request, board: StoredBoard, caller: Principal) -> dict[str, Any]:
    return tagged(request, service.etag(board), view(board, caller))


def link_view(services: Services, caller: Principal, link: BoardLink) -> dict[str, Any]:
    address = f"/public/boards/{token(services.core.session_key, caller.tenant, link.id)}"
    return {"id": link.id, "href": address, "created_at": link.created_at, "expires_at": link.expires_at, "created_by": link.created_by}


def _row(board: StoredBoard, caller: Principal) -> dict[str, Any]:
    return {
        "id": board.id, "title": board.title, "owner": board.owner, "version": board.version, "changes": board.changes,
        "sharing": dict(board.sharing), "pins": len(board.content.get("pins", [])), "may_edit": may_edit(caller, board),
        "may_share": owns(caller, board), "created_at": board.created_at, "updated_at": board.updated_at,
    }  # fmt: skip


def _comment(found: BoardComment) -> dict[str, Any]:
    names = ("id", "pin_id", "point", "text", "author", "created_at")
    return {name: getattr(found, name) for name in names}
