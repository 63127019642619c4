"""Administration: the built-in roles and the company's own, what each may do, who has it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api import own_roles
from api.own_roles import RoleIn
from api.web.admin_pages import admin
from api.web.forms import Fields, as_it_was_seen, body, fields, made_of, seen
from api.web.page_route import PageRoute
from api.web.rendering import page
from api.web.shell import Visitor, problem_of
from core.errors import Conflict, Invalid, UserError
from core.principal import Role
from core.rights import GRANTABLE, Right
from core.store import roles, users

router = APIRouter(include_in_schema=False, route_class=PageRoute)
NAMED = 6
RIGHTS: Mapping[Right, tuple[str, str]] = {
    Right.SELF: ("Own account", "Their own password, keys and sessions."),
    Right.READ: ("Read", "Answers, boards, alerts, goals and the catalog, as their rules let them see it."),
    Right.ASK: ("Ask", "Questions, forecasts and explanations."),
    Right.SHARE: ("Share", "Boards, goals, digests and subscriptions."),
    Right.ACT: ("Act on alerts", "Acknowledge, assign and resolve."),
    Right.RULES: ("Own alert rules", "Make rules and change their own."),
    Right.KEEP: ("Others' rules", "Change rules, goals and digests of others."),
    Right.JOBS: ("All jobs", "See and stop everybody's jobs; forecast many series at once."),
    Right.SQL: ("SQL", "Run SQL through the guard."),
    Right.CHANNELS: ("Channels", "E-mail, chat and webhooks that alerts go to."),
    Right.CATALOG: ("Catalog", "Metrics, fields, policies, verified questions, personal data."),
    Right.DATA: ("Data", "Upload files; see the sources."),
    Right.MODELS_READ: ("See models", "Custom models and how they do."),
    Right.MODELS: ("Models", "Register, promote and roll back models."),
    Right.PROVISION: ("Provisioning", "People and groups as a directory keeps them."),
    Right.ADMIN: ("Administration", "People, roles, sources, limits, the audit log."),
}


@router.get("/admin/roles")
async def roles_page(request: Request) -> Response:
    return await _page(request, await admin(request))


@router.post("/admin/roles")
async def make(request: Request) -> Response:
    at, form = await admin(request), await fields(request)
    name = form("name")
    try:
        if any(known.name == name for known in await run_in_threadpool(own_roles.known_roles, at.services, at.caller)):
            raise Conflict(f"There is a role {name!r} already; change that one, or choose another name.", code="role_exists")
        await run_in_threadpool(own_roles.put, at.services, at.caller, name, _wanted(form))
    except UserError as error:
        return await _page(request, at, error=error, form=form, editing="")
    return RedirectResponse("/admin/roles", status_code=303)


@router.post("/admin/roles/{name}")
async def change(request: Request, name: str) -> Response:
    at, form = await admin(request), await fields(request)
    try:
        if form("act") == "remove":
            with as_it_was_seen():
                await run_in_threadpool(lambda: own_roles.remove(at.services, at.caller, name, expected=made_of(form)))
        else:
            if name not in await run_in_threadpool(_own, at):
                raise Invalid(f"There is no role {name[:41]!r} of your own (any more).", code="unknown_role")
            await run_in_threadpool(lambda: own_roles.put(at.services, at.caller, name, _wanted(form), expected=made_of(form)))
    except UserError as error:
        return await _page(request, at, error=error, form=form, editing=name if form("act") != "remove" else None)
    return RedirectResponse("/admin/roles", status_code=303)


def _wanted(form: Fields) -> RoleIn:
    return body(RoleIn, {"description": form("description"), "rights": form.all("rights"), "inherits": form.all("inherits")})


def _own(at: Visitor) -> dict[str, roles.OwnRole]:
    with at.services.store.read() as connection:
        return roles.by_name(connection, at.caller.tenant)


async def _page(
    request: Request, at: Visitor, *, error: UserError | None = None, form: Fields | None = None, editing: str | None = None
) -> Response:
    """editing: the role whose form `form` was; empty for a new one."""

    def read() -> dict[str, Any]:
        with at.services.store.read() as connection:
            people = users.list_all(connection, at.caller.tenant, limit=1000)
        holders: dict[str, list[str]] = defaultdict(list)
        for one in people:
            for role in one.roles:
                holders[role].append(one.display_name or one.email)
        known = own_roles.known_roles(at.services, at.caller)
        return {
            "roles": known,
            "holders": holders,
            "ruled": {r.name: own_roles.rules_naming(at.services, at.caller, r.name) for r in known if not r.built_in},
            "seen": {r.name: seen(form if r.name == editing else None, error, r.etag) for r in known},
        }

    shown = await run_in_threadpool(read)
    return page(
        "admin_roles.html",
        error.status if error is not None else 200,
        v=at,
        **shown,
        named=NAMED,
        rights={right.value: words for right, words in RIGHTS.items()},
        grantable=[right.value for right in RIGHTS if right in GRANTABLE and right is not Right.SELF],
        heritable=[role.value for role in Role if role is not Role.ADMIN],
        form=form or Fields({}, {}),
        editing=editing,
        problem=problem_of(request, error) if error is not None else None,
    )
