"""Who is calling: an API key or a session cookie. The tenant comes from the credential only."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from api import rights
from api.services import Services, services_of
from core.errors import Forbidden, NotFound, Unauthenticated, Unavailable
from core.formats import USUAL, use
from core.principal import Principal
from core.store import api_keys, person_formats, sessions

COOKIE = "querent_session"
LOOKED_AGAIN_S = 10.0  # at the credential and rights of whoever follows a stream, whenever it says something; it does at least every 20 s
_SAME_S, _MOST_SEEN = 2.0, 10_000
_SAFE = {"GET", "HEAD", "OPTIONS"}


async def principal(request: Request) -> Principal:
    """The caller, in whose formats the rest of the request writes. Raises: Unauthenticated; Forbidden for a cross-site request that rides on a cookie."""
    services = services_of(request)
    caller = await _recognised(request, services)
    use(request.state.chosen_formats or USUAL)
    return caller


async def is_known(request: Request) -> bool:
    """Whether the request's credential is good; nothing is counted and no right is looked at. Raises: Unavailable."""
    try:
        authenticate, text = _credential(request)
        await run_in_threadpool(authenticate, services_of(request), text)
    except (Unauthenticated, Forbidden):
        return False
    return True


async def _recognised(request: Request, services: Services) -> Principal:
    authenticate, text = _credential(request)
    if authenticate is _by_session:
        refuse_cross_site(request)
    return await run_in_threadpool(_admitted, request, services, authenticate, text)


def _credential(request: Request) -> tuple[Callable[[Services, str], Principal], str]:
    """How it is checked, and its text. Raises: Unauthenticated."""
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    if text:
        if kind.lower() != "bearer":
            raise Unauthenticated(f"Authorization: Bearer <API key> was expected; found the scheme {kind[:20]!r}.")
        return _by_token if text.count(".") == 2 else _by_key, text.strip()  # a signed token has three parts
    token = request.cookies.get(COOKIE)
    if not token:
        raise Unauthenticated("Sign in, or send Authorization: Bearer <API key>.")
    return _by_session, token


def key_text(request: Request) -> str:
    """The API key that the request came with; empty for sessions and signed tokens. Raises: Unauthenticated."""
    authenticate, text = _credential(request)
    return text if authenticate is _by_key else ""


def _admitted(request: Request, services: Services, authenticate: Callable[[Services, str], Principal], text: str) -> Principal:
    """Who it is, once a request, and within their rate."""
    known: Principal | None = getattr(request.state, "caller", None)
    if known is not None:
        return known
    caller = authenticate(services, text)
    request.state.caller = caller
    request.state.authenticate = lambda: _lately(request, services, authenticate, text)
    request.state.standing = services.rates.take(caller)
    with services.store.glance() as connection:
        request.state.chosen_formats = person_formats.chosen_for(connection, caller.tenant, caller.user)
    _refuse(request, caller)
    return caller


def _lately(request: Request, services: Services, authenticate: Callable[[Services, str], Principal], text: str) -> Principal:
    """Who a stream's credential is of, as of at most two seconds ago: one is often that of many streams. Raises: Unauthenticated, Unavailable."""
    if not hasattr(request.app.state, "callers_lately"):
        request.app.state.callers_lately = {}
    seen: dict[tuple[object, str], tuple[float, Principal]] = request.app.state.callers_lately
    key, now_s = (authenticate, text), time.monotonic()
    at_s, caller = seen.get(key, (-_SAME_S, None))
    if caller is None or now_s - at_s >= _SAME_S:
        seen.pop(key, None)
        caller = authenticate(services, text)
        if len(seen) >= _MOST_SEEN:
            seen.clear()
        seen[key] = now_s, caller
    return caller


def _refuse(request: Request, caller: Principal) -> None:
    rights.refuse(caller, request.method, getattr(request.scope.get("route"), "path", request.url.path))


async def while_admitted(
    request: Request, stream: AsyncGenerator[str, None], look: Callable[[Principal], object] = lambda caller: None
) -> AsyncIterator[str]:
    """The stream, as long as the credential it was opened with holds; then it ends, and who opens it again is told why.

    look: raises Forbidden or NotFound for a caller, as they are now, who may not follow this any more. Blocks.
    """
    looked_at = time.monotonic()
    async with aclosing(stream):
        async for part in stream:
            if time.monotonic() - looked_at >= LOOKED_AGAIN_S:
                if not await run_in_threadpool(_is_admitted, request, look):
                    return
                looked_at = time.monotonic()
            yield part


def _is_admitted(request: Request, look: Callable[[Principal], object]) -> bool:
    try:
        caller: Principal = request.state.authenticate()
        _refuse(request, caller)
        look(caller)
    except (Unauthenticated, Forbidden, NotFound):
        return False
    except Unavailable:
        return True  # nobody can tell just now; the next look does
    return True


def refuse_cross_site(request: Request) -> None:
    """A page of another site must not act with the visitor's cookie. Raises: Forbidden."""
    if request.method in _SAFE:
        return
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    foreign = site not in {None, "same-origin", "none"} or (origin is not None and urlsplit(origin).netloc != request.headers.get("host"))
    if foreign:
        raise Forbidden("This request came from another site and was refused.", code="cross_site_request")


def _by_key(services: Services, text: str) -> Principal:
    now = services.clock.now()
    with services.store.glance() as connection:
        found = api_keys.recognise(connection, text, now=now)
    if found.is_use_unnoted:
        with services.store.write() as connection:
            api_keys.touch(connection, text, now=now)
    return found.caller


def _by_token(services: Services, text: str) -> Principal:
    return services.oidc.by_token(text)


def _by_session(services: Services, token: str) -> Principal:
    with services.store.read() as connection:
        _, user = sessions.authenticate(connection, token, now=services.clock.now())
    return user.principal()


Caller = Annotated[Principal, Depends(principal)]
