"""Administration: the people of a company, the audit log, use and quotas."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api import people
from api.own_roles import known_roles
from api.people import Change
from api.routes.admin import CompanyIn, PersonIn, QuotasIn, change_company
from api.web.forms import Fields, as_it_was_seen, body, fields, made_of
from api.web.page_route import PageRoute
from api.web.rendering import page
from api.web.shell import Visitor, problem_of, visitor
from core.errors import Forbidden, Invalid, UserError
from core.ids import UserId
from core.rights import Right, held
from core.store import audit, tenants, usage, users
from core.store.audit import Sought
from core.store.credentials import make_token
from core.store.users import NewUser

router = APIRouter(include_in_schema=False, route_class=PageRoute)
LISTED = 100
DAYS = 30


@router.get("/admin")
async def people_page(request: Request) -> Response:
    return await _people(request, await admin(request))


@router.post("/admin/users")
async def add(request: Request) -> Response:
    at, form = await admin(request), await fields(request)
    password = make_token()[:16]
    try:
        wanted = body(
            PersonIn, {"email": form("email"), "display_name": form("display_name"), "roles": form.all("roles"), "password": password}
        )
        new = NewUser(wanted.email, wanted.display_name, frozenset(wanted.roles), password, _attributes(form("attributes")))
        made = await run_in_threadpool(people.add, at.services, at.caller, new)
    except UserError as error:
        return await _people(request, at, error=error, form=form)
    return await _people(request, at, secret={"email": made.email, "password": password})  # shown once, so not behind a redirect


@router.post("/admin/users/{key}")
async def change(request: Request, key: str) -> Response:
    at, form = await admin(request), await fields(request)
    user = UserId(key)
    try:
        match form("act"):
            case "save":
                roles = frozenset(body(PersonIn, {"email": "a@b.example", "roles": form.all("roles")}).roles)
                wanted = Change(roles=roles, attributes=_attributes(form("attributes")))
                with as_it_was_seen():
                    await run_in_threadpool(lambda: people.change(at.services, at.caller, user, wanted, expected=made_of(form)))
            case "disable" | "enable" as act:
                await run_in_threadpool(people.change, at.services, at.caller, user, Change(disabled=act == "disable"))
            case "password":
                password = make_token()[:16]
                await run_in_threadpool(people.set_password, at.services, at.caller, user, password)
                return await _people(request, at, secret={"email": await _email(at, user), "password": password})
            case "sign_out":
                await run_in_threadpool(people.sign_out_everywhere, at.services, at.caller, user)
            case "drop_factor":
                await run_in_threadpool(people.drop_second_factor, at.services, at.caller, user)
            case "erase":
                if form("sure") != await _email(at, user):
                    raise Invalid("Type the person's e-mail to erase them; nothing was changed.", code="not_confirmed")
                await run_in_threadpool(people.erase, at.services, at.caller, user)
            case other:
                raise Invalid(f"There is nothing called {other[:20]!r} to do with a person.", code="unknown_act")
    except UserError as error:
        return await _people(request, at, error=error, form=form)
    return RedirectResponse("/admin", status_code=303)


@router.get("/admin/audit")
async def audit_page(
    request: Request,
    action: Annotated[str, Query(max_length=100)] = "",
    actor: Annotated[str, Query(max_length=64)] = "",
    outcome: Annotated[str, Query(max_length=32)] = "",
    before: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    at = await admin(request)
    sought = Sought(actor=actor or None, action=action or None, outcome=outcome or None)

    def read() -> dict[str, Any]:
        with at.services.store.read() as connection:
            found = audit.read(connection, at.caller.tenant, before=before, limit=LISTED, sought=sought)
            names = {u.id: u.display_name for u in users.list_all(connection, at.caller.tenant, limit=1000)}
            broken = audit.first_broken(connection, at.caller.tenant) if before is None else None
        return {"entries": found, "names": names, "broken": broken, "more": found[-1].sequence if len(found) == LISTED else None}

    shown = await run_in_threadpool(read)
    return page("admin_audit.html", v=at, **shown, sought={"action": action, "actor": actor, "outcome": outcome}, first=before is None)


@router.get("/admin/usage")
async def usage_page(request: Request) -> Response:
    return await _usage(request, await admin(request))


@router.post("/admin/usage")
async def save_quotas(request: Request) -> Response:
    at, form = await admin(request), await fields(request)
    try:
        given = {f"{kind}_per_day": form.whole(kind, kind.replace("_", " ").capitalize(), 0) for kind in usage.KINDS if form.has(kind)}
        wanted = body(CompanyIn, {"name": form("name") or None, "quotas": body(QuotasIn, given).model_dump()})
    except UserError as error:
        return await _usage(request, at, error=error)

    await change_company(request, wanted, at.caller)
    return RedirectResponse("/admin/usage", status_code=303)


async def admin(request: Request) -> Visitor:
    at = await visitor(request, "admin")
    if Right.ADMIN not in held(at.caller):
        raise Forbidden("This page is for administrators.")
    return at


async def _people(
    request: Request, at: Visitor, *, error: UserError | None = None, form: Fields | None = None, secret: dict[str, str] | None = None
) -> Response:
    def read() -> tuple[tuple[users.User, ...], dict[str, list[str]]]:
        with at.services.store.read() as connection:
            found = users.list_all(connection, at.caller.tenant, limit=1000)
        return found, {role.name: role.all_rights for role in known_roles(at.services, at.caller)}

    found, grants = await run_in_threadpool(read)
    problem = problem_of(request, error) if error is not None else None
    status = error.status if error is not None else 200
    return page(
        "admin.html",
        status,
        v=at,
        people=found,
        etags={one.id: people.etag(one) for one in found},
        grants=grants,
        problem=problem,
        form=form or Fields({}, {}),
        secret=secret,
    )


async def _usage(request: Request, at: Visitor, *, error: UserError | None = None) -> Response:
    def read() -> dict[str, Any]:
        today = at.services.clock.now().date()
        with at.services.store.read() as connection:
            found = usage.since(connection, at.caller.tenant, today - dt.timedelta(days=DAYS - 1))
            company = tenants.get(connection, at.caller.tenant)
            names = {u.id: u.display_name for u in users.list_all(connection, at.caller.tenant, limit=1000)}
        days: dict[dt.date, dict[str, int]] = defaultdict(lambda: dict.fromkeys(usage.KINDS, 0))
        whom: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(usage.KINDS, 0))
        for one in found:
            days[one.day][one.kind] += one.used
            whom[names.get(one.user, "Querent itself")][one.kind] += one.used
        busiest = sorted(whom.items(), key=lambda item: -item[1]["rows_read"])[:20]
        own = company.settings.get("quotas", {})
        return {
            "company": company,
            "quotas": own,
            "days": sorted(days.items(), reverse=True),
            "whom": busiest,
            "today": days.get(today, {}),
        }

    shown = await run_in_threadpool(read)
    problem = problem_of(request, error) if error is not None else None
    return page("admin_usage.html", error.status if error is not None else 200, v=at, problem=problem, kinds=usage.KINDS, **shown)


async def _email(at: Visitor, user: UserId) -> str:
    def read() -> str:
        with at.services.store.read() as connection:
            return users.get(connection, at.caller.tenant, user).email

    return await run_in_threadpool(read)


def _attributes(text: str) -> dict[str, tuple[str, ...]]:
    """Lines such as `regions: EMEA, APAC`. Raises: Invalid."""
    found: dict[str, tuple[str, ...]] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, colon, values = line.partition(":")
        if not colon or not name.strip().isidentifier():
            raise Invalid(f"Attributes are lines such as “regions: EMEA, APAC”; found {line[:60]!r}.", code="bad_attribute")
        found[name.strip()] = tuple(v.strip() for v in values.split(",") if v.strip())
    return found
