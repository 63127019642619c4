"""A board by e-mail and as a file: who reads it makes a schedule for themselves, and each issue is made with the rights of its reader."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api.boards import service
from api.insight_schemas import DigestBody
from api.routes import digests as routes
from api.web.exports import one_drawing
from api.web.forms import body, fields
from api.web.page_route import PageRoute
from api.web.shell import Visitor, visitor
from core.errors import NotFound
from core.formats import current
from core.store import digests
from core.store.boards import StoredBoard
from workers.alerts.preview import PreviewAsking
from workers.boards.pages import blocks
from workers.boards.snapshot import snapshot
from workers.look import look_of
from workers.pages_pdf import Document, pdf
from workers.queue import enqueue

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.post("/boards/{key}/mail")
async def schedule(request: Request, key: str) -> Response:
    at = await visitor(request, "boards")
    form = await fields(request)
    board = await run_in_threadpool(service.load, at.services, at.caller, key)
    definition: dict[str, Any] = {
        "board": board.id, "cadence": form("cadence", "weekly"), "at": form("at", "08:00"), "weekday": form.whole("weekday", "The weekday", 0),
        "day": form.whole("day", "The day of the month", 1), "pdf": form("as") != "pictures", "time_zone": form("time_zone") or None,
    }  # fmt: skip
    await routes.create_digest(request, body(DigestBody, {"name": board.title, "definition": definition}), at.caller)
    return RedirectResponse(f"/boards/{board.id}?mailed=yes", status_code=303)


@router.post("/boards/{key}/mail/{digest_id}/now")
async def send_now(request: Request, key: str, digest_id: str) -> Response:
    """One issue at once, beside the schedule; the job's page says how it goes."""
    at = await visitor(request, "boards")

    def start() -> str:
        board = service.load(at.services, at.caller, key)
        if digest_id not in {one.id for one in _mine(at, board)}:
            raise NotFound("This board is not sent to you like that any more.", code="unknown_digest")
        slot = f"asked {at.services.clock.now():%Y-%m-%dT%H:%M:%S}"
        return enqueue(at.services.core, "digest", {"digest": digest_id, "slot": slot}, at.caller, f"digest {digest_id} {slot}")

    return RedirectResponse(f"/jobs/{await run_in_threadpool(start)}", status_code=303)


@router.get("/boards/{key}/pdf")
async def as_pdf(request: Request, key: str) -> Response:
    at = await visitor(request, "boards")
    board = await run_in_threadpool(service.load, at.services, at.caller, key)
    made = await run_in_threadpool(_pdf, at, board)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", board.title).strip("-.")[:80] or "board"
    return Response(made, media_type="application/pdf", headers={"Content-Disposition": f'attachment; filename="{name}.pdf"'})


def schedules(at: Visitor, board: StoredBoard) -> list[dict[str, Any]]:
    """How the board is sent to this reader. Blocks."""
    return [{"id": one.id, "definition": one.asked.definition, "next_at": one.asked.next_at} for one in _mine(at, board)]


def _mine(at: Visitor, board: StoredBoard) -> list[digests.Digest]:
    with at.services.store.read() as connection:
        found = [d for d in digests.list_all(connection, at.caller.tenant, limit=2_000) if d.asked.definition.get("board") == board.id]
        return [d for d in found if d.asked.enabled and digests.readers(connection, at.caller.tenant, d.id).get(at.caller.user)]


def _pdf(at: Visitor, board: StoredBoard) -> bytes:
    now = at.services.clock.now()
    with at.services.store.read() as connection:
        look = look_of(connection, at.caller.tenant)
    found = snapshot(PreviewAsking(at.caller.tenant, at.caller, at.services.core, now), board)  # its queries keep nobody from drawing
    sections = [one.as_json() for one in found.sections]
    link = f"{at.services.settings.resolved_base_url.rstrip('/')}/boards/{board.id}"
    with one_drawing():
        return pdf(
            Document(found.title, _subtitle(found.description, at, now), blocks(sections), now, link, look.product, look.accent, look.logo)
        )


def _subtitle(description: str, at: Visitor, now: dt.datetime) -> str:
    as_of = f"As of {current().day(now)}, {current().clock(now)} UTC, with the rights of {at.me.display_name}."
    return f"{description}\n{as_of}" if description else as_of
