"""What a tenant's administrators do: people, sessions, the audit log, use and quotas, what is known of a person."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from api import own_roles, people, provisioning, schemas
from api.credentials import Caller
from api.own_roles import RoleIn, RoleName, RoleView
from api.people import Change
from api.preconditions import IfMatch, tagged
from api.services import services_of
from api.spreadsheets import plain_cell
from core.ids import UserId
from core.store import audit, directory, tenants, usage, users
from core.store.audit import AuditEntry, Happening, Sought
from core.store.person_formats import choose_for_company
from core.store.users import NewUser, User
from workers.quotas import bounds_of

router = APIRouter(prefix="/v1/admin", tags=["administration"])
Roles = Annotated[list[RoleName], Field(min_length=1, max_length=20)]
GroupName = Annotated[str, Field(min_length=1, max_length=300)]
Attributes = Annotated[
    dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")], list[Annotated[str, Field(max_length=200)]]], Field(max_length=20)
]


class PersonIn(schemas.In):
    """`attributes` are what row policies read, such as {"regions": ["EMEA"]}. Without a password they sign in through the provider only."""

    email: str = Field(min_length=3, max_length=320)
    display_name: str = Field(default="", max_length=200)
    roles: Roles
    attributes: Attributes = Field(default_factory=dict)
    password: str | None = Field(default=None, min_length=8, max_length=1_000)


class PersonChange(schemas.In):
    """What is left out stays."""

    display_name: str | None = Field(default=None, min_length=1, max_length=200)
    roles: Roles | None = None
    attributes: Attributes | None = None
    disabled: bool | None = None


class PasswordIn(schemas.In):
    password: str = Field(min_length=8, max_length=1_000)


class Person(BaseModel):
    id: str
    email: str
    display_name: str
    roles: list[str]
    attributes: dict[str, list[str]]
    disabled: bool
    has_password: bool
    created_at: dt.datetime
    last_login_at: dt.datetime | None


class QuotasIn(schemas.In):
    """Per day (UTC); 0 has no limit, None takes the installation's."""

    queries_per_day: int | None = Field(default=None, ge=0, le=10**15)
    rows_read_per_day: int | None = Field(default=None, ge=0, le=10**15)
    jobs_per_day: int | None = Field(default=None, ge=0, le=10**15)
    llm_calls_per_day: int | None = Field(default=None, ge=0, le=10**15)


class CompanyIn(schemas.In):
    name: str | None = Field(default=None, min_length=1, max_length=200)
    quotas: QuotasIn | None = None
    locale: str | None = Field(
        default=None,
        max_length=40,
        description="How numbers and dates are written for who did not choose, such as de-DE; empty: no choice.",
    )


@router.get("/users", summary="The people of your company, by e-mail")
async def list_people(
    request: Request, caller: Caller, cursor: str = Query(default="", max_length=320), limit: int = Query(default=100, ge=1, le=500)
) -> schemas.Page:
    services = services_of(request)

    def read() -> schemas.Page:
        with services.store.read() as connection:
            found = users.list_all(connection, caller.tenant, after=cursor, limit=limit)
        return schemas.Page(items=[person_view(u) for u in found], next=found[-1].email if len(found) == limit else None)

    return await run_in_threadpool(read)


@router.post("/users", status_code=201, summary="Add a person")
async def add_person(request: Request, body: PersonIn, caller: Caller) -> Person:
    attributes = {name: tuple(values) for name, values in body.attributes.items()}
    new = NewUser(body.email, body.display_name, frozenset(body.roles), body.password, attributes)
    return person_view(await run_in_threadpool(people.add, services_of(request), caller, new))


@router.get("/users/{user_id}", summary="One person")
async def get_person(request: Request, user_id: str, caller: Caller) -> Person:
    services = services_of(request)

    def read() -> User:
        with services.store.read() as connection:
            return users.get(connection, caller.tenant, UserId(user_id))

    found = await run_in_threadpool(read)
    return tagged(request, people.etag(found), person_view(found))


@router.patch("/users/{user_id}", summary="Change name, roles, attributes, or disable")
async def change_person(request: Request, user_id: str, body: PersonChange, caller: Caller, if_match: IfMatch = None) -> Person:
    """New rights count at once: the person's sessions end."""
    attributes = None if body.attributes is None else {name: tuple(values) for name, values in body.attributes.items()}
    wanted = Change(body.display_name, None if body.roles is None else frozenset(body.roles), attributes, body.disabled)
    changing = partial(people.change, services_of(request), caller, UserId(user_id), wanted, expected=if_match)
    changed = await run_in_threadpool(changing)
    return tagged(request, people.etag(changed), person_view(changed))


@router.put("/users/{user_id}/password", status_code=204, summary="Set a password; ends sessions and a lock-out")
async def set_password(request: Request, user_id: str, body: PasswordIn, caller: Caller) -> None:
    await run_in_threadpool(people.set_password, services_of(request), caller, UserId(user_id), body.password)


@router.post("/users/{user_id}/sign-out", summary="End all sessions of a person")
async def sign_out_person(request: Request, user_id: str, caller: Caller) -> dict[str, int]:
    return {"sessions": await run_in_threadpool(people.sign_out_everywhere, services_of(request), caller, UserId(user_id))}


@router.delete("/users/{user_id}/second-factor", status_code=204, summary="Take away a lost second factor")
async def drop_second_factor(request: Request, user_id: str, caller: Caller) -> None:
    await run_in_threadpool(people.drop_second_factor, services_of(request), caller, UserId(user_id))


@router.get("/users/{user_id}/export", summary="Everything that is known of a person")
async def export_person(request: Request, user_id: str, caller: Caller) -> dict[str, Any]:
    return await run_in_threadpool(people.known_of, services_of(request), caller, UserId(user_id))


@router.get("/roles", summary="The built-in roles and your own, with their rights")
async def list_roles(request: Request, caller: Caller) -> list[RoleView]:
    return await run_in_threadpool(own_roles.known_roles, services_of(request), caller)


@router.put("/roles/{name}", summary="Make or change a role of your own")
async def put_role(request: Request, name: RoleName, body: RoleIn, caller: Caller, if_match: IfMatch = None) -> RoleView:
    """Counts at once for all who have it, also through other roles that inherit it."""
    made = await run_in_threadpool(own_roles.put, services_of(request), caller, name, body, expected=if_match)
    return tagged(request, made.etag, made)


@router.delete("/roles/{name}", status_code=204, summary="Remove a role that nobody has")
async def remove_role(request: Request, name: RoleName, caller: Caller, if_match: IfMatch = None) -> None:
    await run_in_threadpool(own_roles.remove, services_of(request), caller, name, expected=if_match)


@router.get("/directory-roles", summary="Which role the members of a directory's group have")
async def read_directory_roles(request: Request, caller: Caller) -> dict[str, str]:
    services = services_of(request)

    def read() -> dict[str, str]:
        with services.store.read() as connection:
            return directory.role_map(connection, caller.tenant)

    return await run_in_threadpool(read)


@router.put("/directory-roles", summary="Say which role the members of a directory's group have")
async def map_directory_roles(
    request: Request, caller: Caller, body: Annotated[dict[GroupName, RoleName], Body(max_length=500, examples=[{"Finance": "analyst"}])]
) -> dict[str, str]:
    """Role by a group's name; the members follow at once. In no group that is named here they have no role."""
    return await run_in_threadpool(provisioning.map_roles, services_of(request), caller, body)


@router.post("/users/{user_id}/erase", summary="Erase a person; cannot be undone")
async def erase_person(request: Request, user_id: str, caller: Caller) -> Person:
    """What tells who they were goes, with their questions, conversations and messages; what the company needs stays without a name."""
    return person_view(await run_in_threadpool(people.erase, services_of(request), caller, UserId(user_id)))


class AuditSought(BaseModel):
    actor: str | None = Field(default=None, max_length=64)
    action: str | None = Field(default=None, max_length=100, description="How the action begins, such as user. or POST.")
    outcome: str | None = Field(default=None, max_length=32)
    since: dt.datetime | None = None
    until: dt.datetime | None = None

    def sought(self) -> Sought:
        return Sought(self.actor, self.action, self.outcome, _aware(self.since), _aware(self.until))


def _aware(moment: dt.datetime | None) -> dt.datetime | None:
    return moment.replace(tzinfo=dt.UTC) if moment is not None and moment.tzinfo is None else moment


@router.get("/audit", summary="The audit log, newest first")
async def read_audit(
    request: Request,
    caller: Caller,
    sought: Annotated[AuditSought, Query()],
    cursor: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> schemas.Page:
    services = services_of(request)

    def read() -> schemas.Page:
        with services.store.read() as connection:
            found = audit.read(connection, caller.tenant, before=cursor, limit=limit, sought=sought.sought())
        return schemas.Page(items=[entry_view(e) for e in found], next=str(found[-1].sequence) if len(found) == limit else None)

    return await run_in_threadpool(read)


@router.get("/audit/check", summary="Whether the audit log was tampered with")
async def check_audit(request: Request, caller: Caller) -> dict[str, Any]:
    """`first_broken` is the sequence of the first entry that was changed or follows a removed one."""
    services = services_of(request)

    def check() -> dict[str, Any]:
        with services.store.read() as connection:
            broken = audit.first_broken(connection, caller.tenant)
        return {"intact": broken is None, "first_broken": broken}

    return await run_in_threadpool(check)


@router.get(
    "/audit/export",
    summary="The audit log as JSON lines or CSV, newest first",
    response_class=StreamingResponse,
    responses={200: {"content": {kind: {"schema": {"type": "string"}} for kind in ("application/x-ndjson", "text/csv")}}},
)
async def export_audit(
    request: Request, caller: Caller, sought: Annotated[AuditSought, Query()], format: Literal["jsonl", "csv"] = "jsonl"
) -> StreamingResponse:
    services = services_of(request)

    def chunks() -> Iterator[str]:
        before: int | None = None
        first = True
        while True:
            with services.store.read() as connection:
                found = audit.read(connection, caller.tenant, before=before, limit=500, sought=sought.sought())
            if found or first:
                yield _lines(found, format, header=first)
            if len(found) < 500:
                return
            before, first = found[-1].sequence, False

    kind = "application/x-ndjson" if format == "jsonl" else "text/csv; charset=utf-8"
    headers = {"Content-Disposition": f'attachment; filename="audit.{format}"'}
    return StreamingResponse(chunks(), media_type=kind, headers=headers)


def _lines(entries: tuple[AuditEntry, ...], format: str, *, header: bool) -> str:
    views = [entry_view(e) for e in entries]
    if format == "jsonl":
        return "".join(json.dumps(v, default=str, ensure_ascii=False) + "\n" for v in views)
    text = io.StringIO()
    names = ("sequence", "at", "actor", "action", "target", "outcome", "request_id", "hash", "details")
    writer = csv.DictWriter(text, names, extrasaction="ignore")
    if header:
        writer.writeheader()
    for view in views:
        plain = {name: plain_cell(value) if isinstance(value, str) else value for name, value in view.items()}
        writer.writerow(plain | {"details": json.dumps(view["details"])})
    return text.getvalue()


@router.get("/usage", summary="What your people used, per day, and the quotas")
async def read_usage(request: Request, caller: Caller, days: Annotated[int, Query(ge=1, le=366)] = 30) -> dict[str, Any]:
    services = services_of(request)

    def read() -> dict[str, Any]:
        today = services.clock.now().date()
        with services.store.read() as connection:
            found = usage.since(connection, caller.tenant, today - dt.timedelta(days=days - 1))
            own = tenants.get(connection, caller.tenant).settings.get("quotas", {})
        quotas = {f"{kind}_per_day": bound for kind, bound in bounds_of(own, services.settings).items()}
        return {"quotas": quotas, "days": [{"day": u.day, "user": u.user, "kind": u.kind, "used": u.used} for u in found]}

    return await run_in_threadpool(read)


@router.get("/company", summary="Your company's settings")
async def read_company(request: Request, caller: Caller) -> dict[str, Any]:
    services = services_of(request)

    def read() -> dict[str, Any]:
        with services.store.read() as connection:
            known = tenants.get(connection, caller.tenant)
        return {"id": known.id, "name": known.name, "settings": dict(known.settings), "created_at": known.created_at}

    return await run_in_threadpool(read)


@router.patch("/company", summary="Change name, quotas or how numbers and dates are written")
async def change_company(request: Request, body: CompanyIn, caller: Caller) -> dict[str, Any]:
    services = services_of(request)

    def change() -> None:
        with services.store.write() as connection:
            if body.name is not None:
                tenants.rename(connection, caller.tenant, body.name)
            if body.quotas is not None:
                tenants.set_settings(connection, caller.tenant, {"quotas": body.quotas.model_dump(exclude_none=True)})
            if body.locale is not None:
                choose_for_company(connection, caller.tenant, body.locale)
            details = body.model_dump(exclude_none=True)
            audit.append(connection, caller.tenant, Happening(caller.user, "company.change", details=details), now=services.clock.now())

    await run_in_threadpool(change)
    return await read_company(request, caller)


def person_view(user: User) -> Person:
    return Person(
        id=user.id, email=user.email, display_name=user.display_name, roles=sorted(user.roles), attributes={k: list(v) for k, v in user.attributes.items()},
        disabled=user.disabled, has_password=user.has_password, created_at=user.created_at, last_login_at=user.last_login_at,
    )  # fmt: skip


def entry_view(entry: AuditEntry) -> dict[str, Any]:
    return {
        "sequence": entry.sequence, "at": entry.at, "actor": entry.actor, "action": entry.action, "target": entry.target, "outcome": entry.outcome,
        "details": dict(entry.details), "request_id": entry.request_id, "hash": entry.hash,
    }  # fmt: skip
