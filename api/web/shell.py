"""What every page needs: who is signed in, what they may open, and errors as pages."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import structlog
from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api.credentials import principal
from api.preconditions import ChangedSince
from api.problems import request_id
from api.services import Services, services_of
from api.web.rendering import page
from api.web.theme_cookie import theme_of
from core.errors import AppError, Unauthenticated, UserError
from core.formats import USUAL as USUAL_FORMATS
from core.formats import Formats, use
from core.locales import wished
from core.principal import Principal
from core.rights import Right, may
from core.store import brandings, conversations, inbox, users
from core.store.brandings import USUAL, Branding

log = structlog.get_logger("api")
RECENT = 12
_NO_DATA = ("no_catalog", "no_metric")
_CHANGED = (
    "Somebody else changed this while you were editing. Your values are still in the form; what stands now is shown when you open it again, "
    "or save once more to put yours over it."
)


@dataclass(frozen=True, slots=True)
class Visitor:
    """A signed-in person at a page."""

    services: Services
    caller: Principal
    me: users.User
    recent: tuple[conversations.Conversation, ...]
    active: str
    unread: int = 0
    theme: str = "auto"
    here: str = "/"
    brand: Branding = USUAL

    @property
    def is_analyst(self) -> bool:
        return may(self.caller, Right.CATALOG)


class SignInFirst(Exception):
    """Nobody is signed in; carries the response that leads to the sign-in page."""

    def __init__(self, response: Response) -> None:
        super().__init__("sign in first")
        self.response = response


def is_partial(request: Request) -> bool:
    """Whether htmx asks for a part of a page."""
    return request.headers.get("hx-request") == "true" and request.headers.get("hx-history-restore-request") != "true"


async def visitor(request: Request, active: str = "") -> Visitor:
    """Raises: SignInFirst; Forbidden for a cross-site request."""
    try:
        caller = await principal(request)
    except Unauthenticated as error:
        raise SignInFirst(_to_sign_in(request)) from error
    services = services_of(request)

    def load() -> tuple[users.User, tuple[conversations.Conversation, ...], int, Branding]:
        with services.store.read() as connection:
            me = users.get(connection, caller.tenant, caller.user)
            brand = brandings.get(connection, caller.tenant)
            if is_partial(request):
                return me, (), 0, brand
            found = conversations.list_all(connection, caller.tenant, caller.user, limit=RECENT * 3)
            return me, _distinct(found), inbox.unread(connection, caller.tenant, caller.user), brand

    me, recent, unread, brand = await run_in_threadpool(load)
    use_formats(request, request.state.chosen_formats)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    made = Visitor(services, caller, me, recent, active, unread, theme_of(request), here if request.method == "GET" else "/", brand)
    request.state.visitor = made
    return made


async def menu(request: Request) -> None:
    """For a page that says what cannot be: who looks keeps the menu, also where they may not be; who is not signed in has none."""
    for _ in range(2):  # the first look may be refused for the place; who looks is known from then on
        with contextlib.suppress(SignInFirst, AppError):
            await visitor(request)
            return


def use_formats(request: Request, chosen: Formats | None) -> None:
    """For the rest of a page: what was chosen, else what the browser asks for."""
    use(chosen or wished(request.headers.get("accept-language", "")) or USUAL_FORMATS)


def _distinct(found: tuple[conversations.Conversation, ...]) -> tuple[conversations.Conversation, ...]:
    """The latest of each title."""
    latest: dict[str, conversations.Conversation] = {}
    for one in found:
        latest.setdefault(one.title.casefold().strip(), one)
    return tuple(latest.values())[:RECENT]


def _to_sign_in(request: Request) -> Response:
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    there = f"/login?next={quote(wanted)}" if wanted != "/" and request.method == "GET" and not is_partial(request) else "/login"
    if is_partial(request):
        return Response(status_code=200, headers={"HX-Redirect": there})
    return RedirectResponse(there, status_code=303)


def problem_page(request: Request, error: AppError) -> Response:
    """The error as a sentence with its next step and the request id: a panel for htmx, else a whole page."""
    problem = problem_of(request, error)
    known: Visitor | None = getattr(request.state, "visitor", None)
    if is_partial(request):
        made = page("problem.html", error.status, problem=problem)
    else:  # a place where there is nothing to see yet is there all the same
        status = 200 if request.method == "GET" and problem["no_data"] else error.status
        made = page("problem_page.html", status, v=known, problem=problem, theme=theme_of(request))
    if error.retryable:
        made.headers["Retry-After"] = str(getattr(error, "retry_after_s", 5))
    return made


def problem_of(request: Request, error: AppError) -> Mapping[str, Any]:
    shown = isinstance(error, UserError) or error.retryable
    if not shown:
        log.error("page_error", code=error.code, request_id=request_id(request), exc_info=error)
    changed = isinstance(error, ChangedSince)
    known: Visitor | None = getattr(request.state, "visitor", None)
    return {
        "no_data": error.code in _NO_DATA,
        "may_load": known is not None and known.is_analyst,
        "detail": _CHANGED
        if changed
        else error.message
        if shown
        else "Something went wrong on our side. Quote the request id when you report it.",
        "suggestions": list(error.suggestions) if isinstance(error, UserError) and not changed else [],
        "retryable": error.retryable,
        "request_id": request_id(request),
    }
