"""Page routes: sign in, ask, job results."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api import answering, schemas
from api.credentials import COOKIE, principal, refuse_cross_site
from api.leaving import until_gone
from api.problems import request_id
from api.routes.auth import set_cookie, sign_in, sign_out
from api.routes.jobs import load, view
from api.services import Services, services_of
from api.web.rendering import page
from core.errors import AppError, Conflict, NotFound, Unauthenticated, UserError
from core.ids import JobId
from core.principal import Principal
from core.store import users
from workers.queue import cancel

router = APIRouter(include_in_schema=False)


@router.get("/login")
async def login_page(next: str = "/") -> HTMLResponse:
    return page("login.html", next=_local(next), error="", email="", tenants=[])


@router.post("/login")
async def login(
    request: Request,
    email: Annotated[str, Form(max_length=320)],
    password: Annotated[str, Form(max_length=1_000)],
    next: Annotated[str, Form(max_length=2_000)] = "/",
    tenant: Annotated[str | None, Form(max_length=31)] = None,
) -> Response:
    refuse_cross_site(request)
    services = services_of(request)
    body = schemas.LoginRequest.model_construct(email=email, password=password, tenant=tenant)
    try:
        _, token = await run_in_threadpool(sign_in, services, body, request.headers.get("user-agent", ""))
    except Conflict as error:
        return page("login.html", 409, next=_local(next), error=error.message, email=email, tenants=list(error.suggestions))
    except UserError as error:
        return page("login.html", 401, next=_local(next), error=error.message, email=email, tenants=[])
    response = RedirectResponse(_local(next), status_code=303)
    set_cookie(services, response, token)
    return response


@router.post("/logout")
async def logout(request: Request) -> Response:
    refuse_cross_site(request)
    await run_in_threadpool(sign_out, services_of(request), request.cookies.get(COOKIE))
    response = RedirectResponse("/login", status_code=303)
    response.delete_cookie(COOKIE, path="/")
    return response


@router.get("/")
async def home(request: Request, q: str = "", choice: int | None = None, conversation: str | None = None) -> Response:
    caller = await _signed_in(request)
    if isinstance(caller, Response):
        return caller
    services = services_of(request)
    me = await run_in_threadpool(_me, services, caller)
    if not q.strip():
        return page("ask.html", me=me, answer=None, problem=None, examples=await run_in_threadpool(_examples, services, caller))
    try:
        answer = await _ask(request, services, caller, q, choice, conversation)
    except AppError as error:
        return page("ask.html", _status(error), me=me, answer=None, problem=_problem(request, error), examples=[])
    return page("ask.html", me=me, answer=answer, problem=None, examples=[])


@router.post("/ask")
async def ask(
    request: Request,
    q: Annotated[str, Form(max_length=4_000)] = "",
    choice: Annotated[int | None, Form()] = None,
    conversation: Annotated[str | None, Form(max_length=64)] = None,
) -> Response:
    """The answer alone, for htmx to put into the page."""
    caller = await _signed_in(request)
    if isinstance(caller, Response):
        return Response(status_code=200, headers={"HX-Redirect": "/login"})
    if not q.strip():
        return HTMLResponse("")
    try:
        answer = await _ask(request, services_of(request), caller, q, choice, conversation)
    except AppError as error:
        return page("problem.html", _status(error), problem=_problem(request, error))
    return page("answer.html", answer=answer)


@router.get("/jobs/{job_id}")
async def job_page(request: Request, job_id: str) -> Response:
    caller = await _signed_in(request)
    if isinstance(caller, Response):
        return caller
    services = services_of(request)
    me = await run_in_threadpool(_me, services, caller)
    try:
        job = await run_in_threadpool(load, services, caller, job_id)
    except AppError as error:
        return page("ask.html", _status(error), me=me, answer=None, problem=_problem(request, error), examples=[])
    return page("job.html", me=me, job=view(job))


@router.post("/jobs/{job_id}/cancel")
async def cancel_job(request: Request, job_id: str) -> Response:
    caller = await _signed_in(request)
    if isinstance(caller, Response):
        return caller
    services = services_of(request)
    await run_in_threadpool(load, services, caller, job_id)
    await run_in_threadpool(cancel, services.core, caller.tenant, JobId(job_id))
    return RedirectResponse(f"/jobs/{job_id}", status_code=303)


async def _ask(
    request: Request, services: Services, caller: Principal, question: str, choice: int | None, conversation: str | None
) -> schemas.Answer:
    body = schemas.AskRequest(question=question[:4_000], choice=choice, conversation_id=conversation or None)
    return await until_gone(request, answering.ask(services, caller, body))


async def _signed_in(request: Request) -> Principal | Response:
    try:
        return await principal(request)
    except Unauthenticated:
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={quote(wanted)}" if wanted != "/" else "/login", status_code=303)


def _me(services: Services, caller: Principal) -> users.User:
    with services.store.read() as connection:
        return users.get(connection, caller.tenant, caller.user)


def _examples(services: Services, caller: Principal) -> list[str]:
    try:
        return list(services.catalogs.visible(caller).understander.examples())[:6]
    except NotFound:
        return []


def _local(target: str) -> str:
    """Only a path of this site; anything else leads home."""
    return target if target.startswith("/") and not target.startswith(("//", "/\\")) else "/"


def _status(error: AppError) -> int:
    return error.status


def _problem(request: Request, error: AppError) -> dict[str, object]:
    shown = isinstance(error, UserError) or error.retryable
    return {
        "detail": error.message if shown else "Something went wrong on our side.",
        "suggestions": list(error.suggestions) if isinstance(error, UserError) else [],
        "request_id": request_id(request),
    }
