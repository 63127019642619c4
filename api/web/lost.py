"""Who opens an address that has no page gets a page that says so, with the way back; programs get the problem as JSON."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from api.web.shell import menu, problem_page
from core.errors import NotFound, UserError

_FOR_PROGRAMS = ("/v1/", "/scim/", "/mcp", "/static/")


def install(app: FastAPI) -> None:
    """After `problems.install`, whose answer it keeps for programs."""
    otherwise = app.exception_handlers[HTTPException]

    async def shown(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        said = _said(error.status_code) if _by_a_person(request) else None
        if said is None:
            made: Response = await otherwise(request, error)  # type: ignore[misc]
            return made
        await menu(request)
        page = problem_page(request, said)
        page.headers.update(error.headers or {})
        return page

    app.add_exception_handler(HTTPException, shown)


def _by_a_person(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(_FOR_PROGRAMS)


def _said(status: int) -> UserError | None:
    if status == HTTPStatus.NOT_FOUND:
        return NotFound("There is no page at this address. Check the link, or start from Ask.")
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return UserError(
            "This address takes a form and has no page of its own. Go back, or start from Ask.", code="method_not_allowed", status=status
        )
    return None
