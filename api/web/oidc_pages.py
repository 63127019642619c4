"""Sign-in through a company's OpenID provider: there and back."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api.oidc import STATE_COOKIE, STATE_LIFE_S
from api.routes.auth import set_cookie, start_session
from api.services import Services, services_of
from api.web.addresses import local
from api.web.page_route import PageRoute
from core.errors import Unauthenticated

router = APIRouter(include_in_schema=False, route_class=PageRoute)
BACK = "/auth/oidc/callback"


@router.get(BACK)
async def come_back(request: Request, code: str = "", state: str = "", error: str = "", iss: str = "") -> Response:
    services = services_of(request)
    if error or not code:
        raise Unauthenticated("The provider did not let you in; try again or ask your administrator.", code="provider_refused")
    cookie = request.cookies.get(STATE_COOKIE, "")

    def finish() -> tuple[str, str]:
        user, target = services.oidc.finish(cookie, code, state, _redirect_uri(services), issuer=iss)
        return start_session(services, user, request.headers.get("user-agent", ""), "provider"), target

    token, target = await run_in_threadpool(finish)
    response = RedirectResponse(local(target), status_code=303)
    set_cookie(services, response, token)
    response.delete_cookie(STATE_COOKIE, path="/auth/oidc")
    return response


@router.get("/auth/oidc/{tenant}")
async def go_there(request: Request, tenant: str, next: str = "/") -> Response:
    services = services_of(request)
    url, state = await run_in_threadpool(services.oidc.begin, tenant, local(next), _redirect_uri(services))
    response = RedirectResponse(url, status_code=303)
    secure = services.settings.resolved_base_url.startswith("https://")
    response.set_cookie(STATE_COOKIE, state, max_age=STATE_LIFE_S, httponly=True, secure=secure, samesite="lax", path="/auth/oidc")
    return response


def _redirect_uri(services: Services) -> str:
    return services.settings.resolved_base_url.rstrip("/") + BACK
