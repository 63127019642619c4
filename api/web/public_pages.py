"""A board behind a public link: read only, without names of customers or personal values, until the link runs out."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from api.boards import service
from api.boards.links import Opened, opened
from api.boards.masking import AboutPeople
from api.boards.showing import shown
from api.services import Services, services_of
from api.web.board_pages import drawn
from api.web.page_route import PageRoute
from api.web.rendering import page
from api.web.shell import use_formats
from api.web.theme_cookie import theme_of
from core.errors import AppError, UserError
from core.formats import Formats
from core.store import brandings, person_formats
from core.store.brandings import Branding
from workers.boards.content import Content, Pin

router = APIRouter(include_in_schema=False, route_class=PageRoute)
AT_ONCE = 4  # queries of one reader


@router.get("/public/boards/{token}")
async def public_board(request: Request, token: str) -> Response:
    services = services_of(request)
    found = await run_in_threadpool(opened, services, token[:300])
    services.rates.take(found.principal)  # nobody signs in here: who looks uses what its maker may
    content = service.content_of(found.board)
    brand, formats = await run_in_threadpool(_look, services, found)
    use_formats(request, formats)
    gate = asyncio.Semaphore(AT_ONCE)
    pins = await asyncio.gather(*(_pin(services, found, content, pin, gate) for pin in content.pins))
    made = page(
        "public_board.html",
        v=None,
        theme=theme_of(request),
        brand=brand,
        content=content,
        pins=pins,
        until=found.link.expires_at,
        now=services.clock.now(),
    )
    made.headers["Referrer-Policy"] = "no-referrer"
    made.headers["X-Robots-Tag"] = "noindex, nofollow"
    return made


def _look(services: Services, found: Opened) -> tuple[Branding, Formats | None]:
    with services.store.read() as connection:
        return brandings.get(connection, found.principal.tenant), person_formats.company_formats(connection, found.principal.tenant)


async def _pin(services: Services, found: Opened, content: Content, pin: Pin, gate: asyncio.Semaphore) -> dict[str, Any]:
    try:
        async with gate:
            made = await shown(services, found.principal, pin, content.filters, for_anybody=True)
    except AboutPeople as error:
        return {"pin": pin.model_copy(update={"title": "A figure that is not public"}), "s": None, "why": error.message}
    except UserError as error:
        return {"pin": pin, "s": None, "why": error.message if error.code == "not_public" else "These figures are not available here."}
    except AppError:
        return {"pin": pin, "s": None, "why": "These figures are not available at the moment. Try again in a few minutes."}
    return {"pin": pin, "why": "", **drawn(content, made, can_filter=False)}
