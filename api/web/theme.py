"""Choosing the theme."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.web.addresses import local
from api.web.page_route import PageRoute
from api.web.shell import visitor
from api.web.theme_cookie import COOKIE

router = APIRouter(include_in_schema=False, route_class=PageRoute)
_YEAR_S = 365 * 24 * 3600


@router.post("/theme")
async def choose(
    request: Request,
    theme: Annotated[str, Form(pattern="^(auto|light|dark)$")],
    back: Annotated[str, Form(max_length=2_000)] = "/",
) -> Response:
    await visitor(request)
    response = RedirectResponse(local(back), status_code=303)
    response.set_cookie(COOKIE, theme, max_age=_YEAR_S, httponly=True, samesite="lax", path="/", secure=request.url.scheme == "https")
    return response
