"""One's own account: numbers and dates, password, second factor, API keys."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api import people, second_factor
from api.person_formats import choose_formats
from api.routes import auth
from api.web.forms import body, fields
from api.web.page_route import PageRoute
from api.web.rendering import page
from api.web.shell import Visitor, problem_of, visitor
from core.errors import Invalid, UserError
from core.formats import USUAL, Formats, current
from core.locales import OFFERED, formats_of, name_of, wished
from core.rights import Right, held
from core.store import api_keys, person_formats, second_factors

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/account")
async def account(request: Request) -> Response:
    return await _page(request, await visitor(request, "account"))


@router.post("/account/{act}")
async def change(request: Request, act: str) -> Response:
    at, form = await visitor(request, "account"), await fields(request)
    shown: dict[str, Any] = {}
    try:
        match act:
            case "password":
                if form("password") != form("again"):
                    raise Invalid("The new password and its repetition differ; nothing was changed.", code="not_the_same")
                await run_in_threadpool(people.change_own_password, at.services, at.caller, form("current"), form("password"))
                return RedirectResponse("/login", status_code=303)
            case "formats":
                await run_in_threadpool(choose_formats, at.services, at.caller, form("locale"))
            case "second-factor":
                shown["enrolment"] = await run_in_threadpool(second_factor.begin, at.services, at.caller)
            case "confirm":
                shown["codes"] = await run_in_threadpool(second_factor.confirm, at.services, at.caller, form("code"))
            case "remove":
                await run_in_threadpool(second_factor.remove, at.services, at.caller, form("code"))
            case "key":
                days = form.whole("days", "Days", 90)
                wanted = body(auth.NewKey, {"name": form("name"), "scopes": form.all("scopes") or ["*"], "days": days or None})
                shown["key"] = await auth.create_key(request, wanted, at.caller)
            case "revoke":
                await auth.revoke_key(request, form("key"), at.caller)
            case other:
                raise Invalid(f"There is nothing called {other[:20]!r} to do with an account.", code="unknown_act")
    except UserError as error:
        return await _page(request, at, error=error)
    if shown:  # shown once, so not behind a redirect
        return await _page(request, at, **shown)
    return RedirectResponse("/account", status_code=303)


async def _page(request: Request, at: Visitor, *, error: UserError | None = None, **shown: Any) -> Response:
    def read() -> dict[str, Any]:
        with at.services.store.read() as connection:
            factor = second_factors.find(connection, at.caller.tenant, at.caller.user)
            keys = api_keys.list_all(connection, at.caller.tenant, user=at.caller.user)
            own = person_formats.own_formats(connection, at.caller.tenant, at.caller.user)
            company = person_formats.company_formats(connection, at.caller.tenant)
        on = factor is not None and factor.confirmed_at is not None
        return {
            "factor_on": on,
            "recovery_left": len(factor.recovery) if factor is not None and on else 0,
            "keys": [k for k in keys if not k.revoked_at],
            "own": own.tag if own is not None else "",
            "company": company,
        }

    known = await run_in_threadpool(read)
    problem = problem_of(request, error) if error is not None else None
    values = {"enrolment": None, "codes": None, "key": None} | shown | known
    scopes = sorted(right.value for right in held(at.caller) if right is not Right.SELF)
    company: Formats | None = known["company"]
    unchosen = company or wished(request.headers.get("accept-language", "")) or USUAL
    nothing = f"As your company: {name_of(unchosen.tag)}" if company else f"As your browser: {name_of(unchosen.tag)}"
    values |= {"locales": locale_choices(known["own"], nothing, unchosen), "locale": known["own"], "sample": _sample(current())}
    return page("account.html", error.status if error is not None else 200, v=at, problem=problem, scopes=scopes, **values)


def locale_choices(chosen: str, nothing: str, nothing_like: Formats) -> list[tuple[str, str, str]]:
    """(tag, name, example). nothing: what no choice means, first of the list."""
    tags = sorted({*OFFERED, chosen} - {""}, key=name_of)
    return [("", nothing, _sample(nothing_like)), *((tag, name_of(tag), _sample(formats_of(tag))) for tag in tags)]


def _sample(formats: Formats) -> str:
    """1,234.56 · 31 Dec 2026"""
    return f"{formats.figure('1,234.56')} · {formats.day(dt.date(2026, 12, 31))}"
