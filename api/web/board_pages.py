"""Boards: the list, one board, and what people do to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api import answering, schemas
from api.boards import changes, service
from api.boards.annotate import points_of
from api.boards.showing import ShownPin, shown
from api.leaving import until_gone
from api.routes.boards import link_view
from api.web.board_mail_pages import schedules
from api.web.board_view import SHARED_ROLES, board_view, notes_of
from api.web.digest_pages import CADENCES, WEEKDAYS
from api.web.forms import Fields, as_it_was_seen, body, fields, made_of
from api.web.incident_pages import people
from api.web.page_route import PageRoute
from api.web.rendering import page
from api.web.rule_form import segment_options
from api.web.shell import Visitor, is_partial, visitor
from api.web.stored import find
from api.web.tables import chart_drill, drillable, table_view
from core.errors import Conflict, Invalid, NotFound, UserError
from core.store import roles as own_roles
from core.store.boards import StoredBoard
from semantic.catalog.model import Catalog
from semantic.query import ByField
from workers.boards.access import may_edit
from workers.boards.content import Content, Filter, Filters
from workers.boards.filtering import MATCHES
from workers.boards.periods import PERIODS

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/boards")
async def board_list(request: Request) -> Response:
    at = await visitor(request, "boards")
    found = await run_in_threadpool(service.visible, at.services, at.caller)
    names = await run_in_threadpool(people, at)
    items = [(board, service.content_of(board), names.get(board.owner, "somebody who left")) for board in found]
    return page("boards.html", v=at, items=items)


@router.post("/boards")
async def create(
    request: Request, title: Annotated[str, Form(max_length=200)] = "", description: Annotated[str, Form(max_length=2_000)] = ""
) -> Response:
    at = await visitor(request)
    if not title.strip():
        raise Invalid("Give the board a name.", code="no_title")
    made = await run_in_threadpool(service.create, at.services, at.caller, title.strip(), description.strip())
    return RedirectResponse(f"/boards/{made.id}", status_code=303)


@router.get("/boards/{key}")
async def board_page(request: Request, key: str, read: str = "") -> Response:
    """read=all: everything at once, for reading without JavaScript and for printing."""
    at = await visitor(request, "boards")
    board = await run_in_threadpool(service.load, at.services, at.caller, key)
    return await _page(request, at, board, everything=read == "all")


@router.get("/boards/{key}/pins/{pin_id}")
async def pin_body(request: Request, key: str, pin_id: str) -> Response:
    at = await visitor(request)
    board = await run_in_threadpool(service.load, at.services, at.caller, key)
    return page("pin_body.html", **await _pin(request, at, board, pin_id))


@router.post("/boards/{key}/change")
async def change(request: Request, key: str) -> Response:
    at = await visitor(request, "boards")
    form = await fields(request)
    return await _changed(request, at, key, changes.parsed(_raw(form)), form)


@router.post("/boards/{key}/filters")
async def filters(request: Request, key: str) -> Response:
    """act: period, add, remove, clear."""
    at = await visitor(request, "boards")
    form = await fields(request)
    board = await run_in_threadpool(service.load, at.services, at.caller, key)
    now = service.content_of(board).filters
    act = form("act")
    if act == "period":
        if form("period") and form("period") not in PERIODS:
            raise Invalid("Choose a period from the list.", code="bad_period")
        new = now.model_copy(update={"period": form("period")})
    elif act == "add":
        one = body(Filter, {"field": form("field"), "match": form("match", "is"), "value": form("value")})
        new = now.model_copy(update={"where": (*(f for f in now.where if f != one), one)})
    elif act == "remove":
        place = form.whole("place", "The filter", -1)
        new = now.model_copy(update={"where": tuple(f for i, f in enumerate(now.where) if i != place)})
    else:
        new = Filters()
    checked = Filters.model_validate(new.model_dump())
    return await _changed(request, at, key, changes.SetFilters(filters=checked), form)


@router.post("/boards/{key}/cross/{pin_id}")
async def cross(request: Request, key: str, pin_id: str) -> Response:
    """A mark that was clicked filters the whole board by its value; clicked again it no longer does."""
    at = await visitor(request, "boards")
    form = await fields(request)
    board = await run_in_threadpool(service.load, at.services, at.caller, key)
    content = service.content_of(board)
    pin = content.pin(pin_id)
    if pin is None:
        raise NotFound("This pin is no longer on the board.", code="unknown_pin")
    where = list(content.filters.where)
    for mark in form.all("mark"):
        index, _, value = mark.partition(":")
        group = pin.query.by[int(index)] if index.isdecimal() and int(index) < len(pin.query.by) else None
        if not isinstance(group, ByField):
            continue
        one = body(Filter, {"field": f"{group.field.dataset}.{group.field.field}", "match": "is", "value": value})
        where = [f for f in where if f != one] if one in where else [*(f for f in where if f.field != one.field), one]
    new = content.filters.model_copy(update={"where": tuple(where)})
    return await _changed(request, at, key, changes.SetFilters(filters=new), form)


@router.post("/boards/{key}/restore")
async def restore(request: Request, key: str, version: Annotated[int, Form(ge=1)], on: Annotated[int, Form(ge=1)]) -> Response:
    at = await visitor(request, "boards")
    board = await run_in_threadpool(lambda: service.restore(at.services, at.caller, key, version, on=on))
    return await _after(request, at, board)


@router.post("/boards/{key}/share")
async def share(request: Request, key: str) -> Response:
    at = await visitor(request, "boards")
    form = await fields(request)
    named = await run_in_threadpool(_roles, at)
    roles = {role: form(f"role_{role}") for role in named if form(f"role_{role}") in ("see", "edit")}
    board = await run_in_threadpool(service.share, at.services, at.caller, key, roles)
    return await _after(request, at, board)


@router.post("/boards/{key}/links")
async def publish(request: Request, key: str, days: Annotated[int, Form()] = 7) -> Response:
    at = await visitor(request, "boards")
    await run_in_threadpool(service.add_link, at.services, at.caller, key, days)
    return await _after(request, at, await run_in_threadpool(service.load, at.services, at.caller, key))


@router.post("/boards/{key}/links/{link}/revoke")
async def unpublish(request: Request, key: str, link: str) -> Response:
    at = await visitor(request, "boards")
    await run_in_threadpool(service.revoke_link, at.services, at.caller, key, link)
    return await _after(request, at, await run_in_threadpool(service.load, at.services, at.caller, key))


@router.post("/boards/{key}/comments")
async def comment(request: Request, key: str) -> Response:
    at = await visitor(request, "boards")
    form = await fields(request)
    await run_in_threadpool(
        lambda: service.comment(at.services, at.caller, key, form("text"), pin_id=form("pin_id") or None, point=form("point") or None)
    )
    return await _after(request, at, await run_in_threadpool(service.load, at.services, at.caller, key))


@router.post("/boards/{key}/comments/{comment_id}/delete")
async def remove_comment(request: Request, key: str, comment_id: str) -> Response:
    at = await visitor(request, "boards")
    await run_in_threadpool(service.remove_comment, at.services, at.caller, key, comment_id)
    return await _after(request, at, await run_in_threadpool(service.load, at.services, at.caller, key))


@router.post("/boards/{key}/delete")
async def remove(request: Request, key: str) -> Response:
    at, form = await visitor(request), await fields(request)
    with as_it_was_seen():
        await run_in_threadpool(service.remove, at.services, at.caller, key, made_of(form))
    return RedirectResponse("/boards", status_code=303)


@router.post("/boards/{key}/pins/{pin_id}/open")
async def open_pin(request: Request, key: str, pin_id: str) -> Response:
    """The pin as an answer of one's own, under the board's filters, to go on from."""
    at = await visitor(request)
    board = await run_in_threadpool(service.load, at.services, at.caller, key)
    content = service.content_of(board)
    pin = content.pin(pin_id)
    if pin is None:
        raise NotFound("This pin is no longer on the board.", code="unknown_pin")
    made = await until_gone(request, shown(at.services, at.caller, pin, content.filters))
    asked = schemas.QueryRequest(query=made.query, question=pin.title)
    answer = await until_gone(request, answering.run(at.services, at.caller, asked))
    return RedirectResponse(f"/answers/{answer.id}", status_code=303)


@router.get("/answers/{key}/pin")
async def choose_board(request: Request, key: str) -> Response:
    """Where to pin an answer."""
    at = await visitor(request, "ask")
    stored = await find(at.services, at.caller, key)
    found = await run_in_threadpool(service.visible, at.services, at.caller)
    boards = [(b.id, b.title) for b in found if may_edit(at.caller, b)]
    return page("pin_choose.html" if is_partial(request) else "pin_page.html", v=at, key=key, boards=boards, title=_title(stored.answer))


@router.post("/answers/{key}/pin")
async def pin_answer(request: Request, key: str) -> Response:
    at = await visitor(request, "ask")
    form = await fields(request)
    stored = await find(at.services, at.caller, key)
    made = service.new_pin(form("title") or _title(stored.answer), stored.query)

    def put() -> StoredBoard:
        if form("board") and not form("new_board").strip():  # who names a new board means it, whatever the list beside it says
            return service.change(at.services, at.caller, form("board"), changes.AddPin(pin=made), on=None)
        return service.create(at.services, at.caller, form("new_board")[:200] or "My board", "", (made,))

    board = await run_in_threadpool(put)
    if is_partial(request):
        return page("pinned.html", board=board)
    return RedirectResponse(f"/boards/{board.id}", status_code=303)


def _title(answer: schemas.Answer) -> str:
    return (answer.question if answer.question and answer.question != "(edited query)" else answer.paraphrase or "Answer")[:300]


def _raw(form: Fields) -> dict[str, Any]:
    """A change as the form's fields say it."""
    op = form("op")
    made: dict[str, Any] = {"op": op}
    if op == "move_pin":
        return made | {"pin_id": form("pin_id"), "to": form.whole("to", "The place", 0)}
    for name in ("pin_id", "title", "description", "width", "show"):
        if form.has(name) or (name == "description" and op == "rename"):
            made[name] = form(name)
    return made


async def _changed(request: Request, at: Visitor, key: str, made: changes.AnyChange, form: Fields) -> Response:
    on = form.whole("on", "The version", 0) or None
    try:
        board = await run_in_threadpool(lambda: service.change(at.services, at.caller, key, made, on=on))
    except Conflict as error:
        if error.code != "board_changed":
            raise
        board = await run_in_threadpool(service.load, at.services, at.caller, key)
        return await _page(request, at, board, conflict={"message": error.message, "change": json.dumps(made.model_dump(mode="json"))})
    return await _after(request, at, board)


@router.post("/boards/{key}/mine")
async def use_mine(request: Request, key: str, change: Annotated[str, Form(max_length=20_000)], on: Annotated[int, Form(ge=1)]) -> Response:
    """After a conflict: one's own change on top of what the other did."""
    at = await visitor(request, "boards")
    try:
        raw = json.loads(change)
    except ValueError as error:
        raise Invalid("The change was damaged on its way; make it again.", code="bad_change") from error
    made = changes.parsed(raw if isinstance(raw, dict) else {})
    board = await run_in_threadpool(lambda: service.change(at.services, at.caller, key, made, on=on))
    return await _after(request, at, board)


def _roles(at: Visitor) -> list[str]:
    """Whom a board can be shared with: built-in roles, then the company's own."""
    with at.services.store.read() as connection:
        return [*(role.value for role in SHARED_ROLES), *own_roles.by_name(connection, at.caller.tenant)]


async def _after(request: Request, at: Visitor, board: StoredBoard) -> Response:
    if not is_partial(request):
        return RedirectResponse(f"/boards/{board.id}", status_code=303)
    return await _page(request, at, board)


async def _page(
    request: Request, at: Visitor, board: StoredBoard, *, conflict: Mapping[str, str] | None = None, everything: bool = False
) -> Response:
    catalog = await _catalog(at)
    names = await run_in_threadpool(people, at)
    view = await run_in_threadpool(board_view, at.services, at.caller, board, names, catalog)
    history = await run_in_threadpool(service.history, at.services, at.caller, board.id)
    links = (
        [link_view(at.services, at.caller, one) for one in await run_in_threadpool(service.links, at.services, at.caller, board.id)]
        if view.owns
        else []
    )
    mails = await run_in_threadpool(schedules, at, board)
    bodies = {p.pin.id: await _pin(request, at, board, p.pin.id, safe=True) for p in view.pins} if everything else {}
    return page(
        "board.html" if is_partial(request) else "board_page.html",
        409 if conflict is not None and not is_partial(request) else 200,
        v=at, b=view, names=names, history=history, links=links, mails=mails, mail=bool(at.services.settings.smtp_host),
        cadences=CADENCES, weekdays=WEEKDAYS, conflict=conflict, bodies=bodies, periods=list(PERIODS),
        field_choices=segment_options(catalog), matches=MATCHES, roles=await run_in_threadpool(_roles, at) if view.owns else [],
        base=str(request.base_url).rstrip("/"), mailed=request.query_params.get("mailed") == "yes",
    )  # fmt: skip


async def _pin(request: Request, at: Visitor, board: StoredBoard, pin_id: str, *, safe: bool = False) -> dict[str, Any]:
    """What a pin's body shows. safe: an error is part of it, so that other pins still show."""
    content = service.content_of(board)
    pin = content.pin(pin_id)
    if pin is None:
        raise NotFound("This pin is no longer on the board.", code="unknown_pin")
    said = await run_in_threadpool(service.comments, at.services, at.caller, board.id)
    try:
        made = await until_gone(request, shown(at.services, at.caller, pin, content.filters, notes_of(said, pin.id)))
    except UserError as error:
        return {"pin": pin, "board": board, "s": None, "why": error.message, "table": None, "drill": {}, "points": []}
    return {"pin": pin, "board": board, "why": "", **drawn(content, made, can_filter=may_edit(at.caller, board))}


def drawn(content: Content, made: ShownPin, *, can_filter: bool) -> dict[str, Any]:
    answer = made.as_answer()
    fields_only = {i for i, group in enumerate(made.query.by) if isinstance(group, ByField)}
    plain = answer.model_copy(update={"chart": _unlayered(made.chart)})
    drill = {name: group for name, group in chart_drill(plain, made.query).items() if group in fields_only} if can_filter else {}
    columns = list(made.columns)
    drills = can_filter and set(drillable(made.query, columns).values()) <= fields_only
    return {
        "s": made,
        "table": table_view(columns, made.rows[:200], made.query, drills=drills),
        "drill": drill,
        "points": points_of(_unlayered(made.chart)),
        "content": content,
    }


def _unlayered(spec: dict[str, Any] | None) -> dict[str, Any] | None:
    """A chart with marks for comments, as it was without them."""
    return {**spec, **spec["layer"][0]} if spec is not None and "layer" in spec else spec


async def _catalog(at: Visitor) -> Catalog:
    try:
        return (await run_in_threadpool(at.services.catalogs.visible, at.caller)).catalog
    except NotFound:
        return Catalog()
