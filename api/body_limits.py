"""How much a request may hold, counted as it arrives: a body is read whole, or kept on disk, before a route or its rights are looked at."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.credentials import is_known
from api.problems import from_app_error
from core.errors import AppError, TooLarge, Unauthenticated

STRANGERS_BYTES = 256 * 1024  # for signing in, and links that carry their own proof
USUAL_BYTES = 32 * 1024**2  # a catalog of five million bytes, escaped
_FORM_BYTES = 1024**2  # beside the file
_LINGER_BYTES = 64 * 1024**2
_LINGER_S = 5.0
_UPLOADS = ("/v1/datasets", "/data", "/v1/models", "/models")


class _TooMuch(HTTPException):
    """Ends the reading of a body; what the application makes of it is not sent. Of a kind that frameworks pass on as it is."""


@dataclass(slots=True)
class _Count:
    most: int
    seen: int = 0
    is_known: bool = False
    refusal: AppError | None = None
    answered: bool = False


class BodyLimits:
    """Pure ASGI. Whoever is not known may send little; uploads as much as the settings say; everything else 32 MB."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self.app(scope, receive, send)
            return
        count = _Count(_most(scope))
        request = Request(scope)

        async def counted() -> Message:
            message = await receive()
            count.seen += len(message.get("body", b""))
            await _check(request, count, count.seen)
            if count.refusal is not None:
                raise _TooMuch(413)
            return message

        async def answer(message: Message) -> None:
            if count.refusal is None:
                count.answered = True
                await send(message)

        declared = Headers(scope=scope).get("content-length", "")
        await _check(request, count, int(declared) if declared.isdecimal() else 0)
        if count.refusal is None:
            with contextlib.suppress(_TooMuch):
                await self.app(scope, counted, answer)
        if count.refusal is not None and not count.answered:
            await _said(request, count.refusal)(scope, receive, _lingering(request, receive, send))


def _lingering(request: Request, receive: Receive, send: Send) -> Send:
    """Ends an answer only when what the client still sends has been read, up to a bound: a connection that is closed before is reset, and most
    clients then never see the answer."""

    async def held(message: Message) -> None:
        if (
            message["type"] != "http.response.body" or message.get("more_body") or "expect" in request.headers
        ):  # who waits to be asked sends nothing
            await send(message)
            return
        await send({**message, "more_body": True})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_S):
                await _drained(receive)
        await send({"type": "http.response.body", "body": b""})

    return held


async def _drained(receive: Receive) -> None:
    left = _LINGER_BYTES
    while left > 0:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body"):
            return
        left -= len(message.get("body", b""))


async def _check(request: Request, count: _Count, size: int) -> None:
    """Notes a refusal for so many bytes."""
    if size > count.most:
        count.refusal = TooLarge(f"At most {count.most:,} bytes can be sent here; this request has more.")
    elif size > STRANGERS_BYTES and not count.is_known:
        try:
            count.is_known = await is_known(request)
        except AppError as error:
            count.refusal = error
            return
        if not count.is_known:
            count.refusal = Unauthenticated(f"Sign in first, or send a valid API key: others may send at most {STRANGERS_BYTES:,} bytes.")


def _said(request: Request, error: AppError) -> Response:
    is_program = request.url.path.startswith(("/v1/", "/scim/", "/mcp"))
    return from_app_error(request, error) if is_program else PlainTextResponse(error.message, error.status)


def _most(scope: Scope) -> int:
    path: str = scope["path"]
    if any(path == place or path.startswith(f"{place}/") for place in _UPLOADS):
        largest: int = scope["app"].state.services.settings.max_upload_bytes
        return largest + _FORM_BYTES
    return USUAL_BYTES
