"""All page routes; here sign in and out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api import schemas, second_factor
from api.credentials import COOKIE, refuse_cross_site
from api.routes.auth import set_cookie, sign_in, sign_out
from api.services import services_of
from api.web import (
    account_pages,
    admin_pages,
    ask_pages,
    board_mail_pages,
    board_pages,
    branding_pages,
    card_pages,
    catalog_form_pages,
    catalog_pages,
    channel_pages,
    data_pages,
    digest_pages,
    draft_pages,
    goal_pages,
    incident_pages,
    job_pages,
    learning_pages,
    model_pages,
    oidc_pages,
    personal_pages,
    public_pages,
    role_pages,
    rule_pages,
    source_pages,
    sql_page,
    theme,
    unread,
)
from api.web.addresses import local
from api.web.page_route import PageRoute
from api.web.rendering import page
from api.web.theme_cookie import theme_of
from core.errors import Conflict, UserError

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/login")
async def login_page(request: Request, next: str = "/") -> HTMLResponse:
    return page("login.html", v=None, theme=theme_of(request), next=local(next), error="", email="", tenants=[], code_needed=False)


@router.post("/login")
async def login(
    request: Request,
    email: Annotated[str, Form(max_length=320)],
    password: Annotated[str, Form(max_length=1_000)],
    next: Annotated[str, Form(max_length=2_000)] = "/",
    tenant: Annotated[str | None, Form(max_length=31)] = None,
    code: Annotated[str | None, Form(max_length=40)] = None,
) -> Response:
    refuse_cross_site(request)
    services = services_of(request)
    body = schemas.LoginRequest.model_construct(email=email, password=password, tenant=tenant, code=code)
    try:
        _, token = await run_in_threadpool(sign_in, services, body, request.headers.get("user-agent", ""))
    except Conflict as error:
        return page(
            "login.html",
            409,
            v=None,
            theme=theme_of(request),
            next=local(next),
            error=error.message,
            email=email,
            tenants=list(error.suggestions),
            code_needed=False,
        )
    except UserError as error:
        needed = error.code in {second_factor.NEEDED, "bad_second_factor"}
        shown = {"next": local(next), "error": error.message, "email": email, "tenants": [tenant] if tenant else [], "code_needed": needed}
        return page("login.html", error.status, v=None, theme=theme_of(request), **shown)
    response = RedirectResponse(local(next), status_code=303)
    set_cookie(services, response, token)
    return response


@router.post("/logout")
async def logout(request: Request) -> Response:
    refuse_cross_site(request)
    await run_in_threadpool(sign_out, services_of(request), request.cookies.get(COOKIE))
    response = RedirectResponse("/login", status_code=303)
    response.delete_cookie(COOKIE, path="/")
    return response


PARTS = (
    account_pages,
    admin_pages,
    ask_pages,
    board_mail_pages,
    branding_pages,
    board_pages,
    card_pages,
    goal_pages,
    incident_pages,
    role_pages,
    rule_pages,
    channel_pages,
    digest_pages,
    draft_pages,
    catalog_form_pages,
    catalog_pages,
    data_pages,
    source_pages,
    job_pages,
    learning_pages,
    model_pages,
    personal_pages,
    sql_page,
    public_pages,
    theme,
    unread,
    oidc_pages,
)
for part in PARTS:
    router.include_router(part.router)
