"""Around every request: an id, security headers, one access-log line, metrics."""

from __future__ import annotations

import re
import time

import structlog
from opentelemetry.trace import Span, SpanKind
from prometheus_client import Counter, Histogram
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.audit_trail import is_told, tell
from api.deprecations import deprecation_of
from core.ids import new_id
from core.store import audit
from core.tracing import continued, span

log = structlog.get_logger("api")
_GIVEN_ID = re.compile(r"[A-Za-z0-9_.-]{8,64}\Z")
REQUESTS = Counter("querent_http_requests_total", "HTTP requests", ["method", "route", "status"])
DURATION = Histogram("querent_http_request_seconds", "HTTP request duration", ["method", "route"])

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def _describe(traced: Span, scope: Scope, status: int) -> None:
    """The route is known only when the request is over; paths themselves hold ids and are left out."""
    route = getattr(scope.get("route"), "path", "unmatched")
    traced.update_name(f"{scope['method']} {route}")
    traced.set_attributes({"http.request.method": scope["method"], "http.route": route, "http.response.status_code": status})


class RequestEnvelope:
    """Pure ASGI, so that server-sent events stream through untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _GIVEN_ID.match(given) else new_id("req")
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        outer = scope.get("app")  # a mounted application puts itself in its place
        status = 500

        async def send_wrapped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                standing = scope["state"].get("standing")
                for name, value in {**SECURITY_HEADERS, **(standing.headers() if standing else {})}.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/v1/") and (etag := scope["state"].get("etag")):
                    headers.setdefault("ETag", etag)
                if (deprecated := deprecation_of(scope)) is not None:
                    for name, value in deprecated.headers().items():
                        headers.setdefault(name, value)
                if not scope["path"].startswith("/static/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            with continued(Headers(scope=scope)), span(scope["method"], SpanKind.SERVER, **{"querent.request_id": request_id}) as traced:
                try:
                    with audit.watched(request_id) as watch:
                        await self.app(scope, receive, send_wrapped)
                finally:
                    _describe(traced, scope, status)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", "unmatched")
            REQUESTS.labels(scope["method"], route, str(status)).inc()
            DURATION.labels(scope["method"], route).observe(seconds)
            if outer is not None and is_told(scope, status, watch.told):
                await run_in_threadpool(tell, outer.state.services, scope, status)
            if route not in {"/healthz", "/readyz", "/metrics"} and not scope["path"].startswith("/static/"):
                log.info("request", method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 1))
