"""Requests that change something and carry an Idempotency-Key are done once: whoever repeats one gets the first answer again.

Routes that start jobs keep the key with the job; this is for all others under /v1. A key counts per credential, method, path and body;
nothing is kept for who has none that is good, so that signing in gives a session each time and nobody fills the store from outside.
"""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import from_app_error
from core.errors import AppError, Invalid
from core.store import idempotency
from core.store.idempotency import KeptAnswer

MAX_BODY, MAX_KEY = 1 << 20, 200
_CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
_OWN_WAY = ("/v1/forecasts", "/v1/detections", "/v1/insights", "/v1/evaluations", "/v1/datasets", "/v1/models")  # jobs and uploads
_WORTH_TRYING_AGAIN = {401, 408, 409, 425, 429}


class Idempotent:
    """Pure ASGI; requests without the header pass untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = Headers(scope=scope).get("idempotency-key") if scope["type"] == "http" and scope["method"] in _CHANGING else None
        path = scope.get("path", "")
        if not key or not path.startswith("/v1/") or path.startswith(_OWN_WAY) or not _credential(scope):
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        try:
            if len(key) > MAX_KEY:
                raise Invalid(
                    f"An Idempotency-Key of at most {MAX_KEY} characters was expected; found {len(key)}.", code="bad_idempotency_key"
                )
            body = await _whole(receive)
            known = await self._begin(scope, key, body)
        except AppError as error:
            await from_app_error(request, error)(scope, receive, send)
            return
        if known is not None:
            await _again(known, _box(scope, key))(scope, receive, send)
            return
        await self._do(scope, _replayed(body, receive), send, key)

    async def _begin(self, scope: Scope, key: str, body: bytes) -> KeptAnswer | None:
        services = scope["app"].state.services
        request_hash = hashlib.sha256(f"{scope['method']} {scope['path']}?".encode() + scope["query_string"] + b"\n" + body).hexdigest()

        def begin() -> KeptAnswer | None:
            with services.store.write() as connection:
                return idempotency.begin(connection, _key_hash(scope, key), request_hash, now=services.clock.now())

        return await run_in_threadpool(begin)

    async def _do(self, scope: Scope, receive: Receive, send: Send, key: str) -> None:
        services, key_hash, box = scope["app"].state.services, _key_hash(scope, key), _box(scope, key)
        status, headers, parts = 500, Headers(), bytearray()

        async def watched(message: Message) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], Headers(raw=message["headers"])
            elif message["type"] == "http.response.body":
                parts.extend(message.get("body", b""))
            await send(message)

        def keep() -> None:
            with services.store.write() as connection:
                unknown = scope.get("state", {}).get("caller") is None
                if unknown or status >= 500 or status in _WORTH_TRYING_AGAIN or len(parts) > MAX_BODY:
                    idempotency.forget(connection, key_hash)
                else:
                    answer = KeptAnswer(status, headers.get("content-type", ""), headers.get("location", ""), box.encrypt(bytes(parts)))
                    idempotency.finish(connection, key_hash, answer)

        try:
            await self.app(scope, receive, watched)
        finally:
            await run_in_threadpool(keep)


def _key_hash(scope: Scope, key: str) -> str:
    """The credential is part of it, so that nobody meets another's answer."""
    return hashlib.sha256(b"key\0" + _whose(scope, key)).hexdigest()


def _box(scope: Scope, key: str) -> Fernet:
    """Closes a kept body with what only the sender has: some answers hold a secret that is shown once."""
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"body\0" + _whose(scope, key)).digest()))


def _whose(scope: Scope, key: str) -> bytes:
    return f"{_credential(scope)}\0{key}".encode()


def _credential(scope: Scope) -> str:
    headers = Headers(scope=scope)
    return headers.get("authorization") or headers.get("cookie") or ""


async def _whole(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body.extend(message.get("body", b""))
        if len(body) > MAX_BODY:
            raise Invalid(f"A request with an Idempotency-Key has at most {MAX_BODY:,} bytes here.", code="too_large_for_key")
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _again(known: KeptAnswer, box: Fernet) -> Response:
    headers = {"Idempotent-Replayed": "true"} | ({"Location": known.location} if known.location else {})
    if known.content_type:
        headers["Content-Type"] = known.content_type
    return Response(box.decrypt(known.body), status_code=known.status, headers=headers)
