"""Sign in and out, who one is, and API keys."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from api import people, schemas, second_factor
from api.audit_trail import current_request_id
from api.credentials import COOKIE, Caller, key_text, refuse_cross_site
from api.paging import Cursor, PageSize, at, cut
from api.person_formats import choose_formats
from api.services import Services, services_of
from core.errors import Forbidden, NotFound, Unauthenticated
from core.ids import TenantId, UserId, tenant_id
from core.rights import Right, by_roles, may
from core.store import api_keys, audit, lockouts, sessions, users
from core.store.audit import Happening
from core.store.person_formats import formats_for

router = APIRouter(prefix="/v1", tags=["identity"])


class NewKey(schemas.In):
    """`user` is whose rights the key has; None is your own."""

    name: str = Field(min_length=1, max_length=200)
    user: str | None = Field(default=None, max_length=64)
    scopes: list[Literal["*"] | Right] = Field(default=["*"], min_length=1, max_length=20)
    days: int | None = Field(default=None, ge=1, le=3650)


@router.post("/login", summary="Sign in with e-mail and password")
async def login(request: Request, response: Response, body: schemas.LoginRequest) -> schemas.Me:
    refuse_cross_site(request)
    services = services_of(request)
    user, token = await run_in_threadpool(sign_in, services, body, request.headers.get("user-agent", ""))
    set_cookie(services, response, token)
    return await run_in_threadpool(_me, services, user.tenant, user.id)


def sign_in(services: Services, body: schemas.LoginRequest, agent: str) -> tuple[users.User, str]:
    """Raises: Unauthenticated; RateLimited after many failures; Conflict when the e-mail exists in several tenants and none was named."""
    now = services.clock.now()
    tenant = tenant_id(body.tenant) if body.tenant else None
    try:
        with services.store.read() as connection:
            lockouts.refuse_locked(connection, body.email, now=now)
            user = users.sign_in(connection, body.email, body.password, tenant=tenant)
        second_factor.refuse_without_code(services, user, body.code)
    except Unauthenticated as error:
        if error.code != second_factor.NEEDED:  # asking for the code is no failure
            with services.store.write() as connection:
                lockouts.failed(connection, body.email, now=now)
        raise
    return user, start_session(services, user, agent, "password")


def start_session(services: Services, user: users.User, agent: str, how: str) -> str:
    """The token of a new session; the visit is noted and audited."""
    now = services.clock.now()
    with services.store.write() as connection:
        lockouts.forget(connection, user.email)
        audit.append(connection, user.tenant, Happening(user.id, "session.start", how, request_id=current_request_id()), now=now)
        users.record_login(connection, user.tenant, user.id, now=now)
        lifetime = dt.timedelta(minutes=services.settings.session_minutes)
        _, token = sessions.create(connection, user.tenant, user.id, now=now, lifetime=lifetime, user_agent=agent)
    return token


def set_cookie(services: Services, response: Response, token: str) -> None:
    secure = services.settings.resolved_base_url.startswith("https://")
    response.set_cookie(
        COOKIE, token, max_age=services.settings.session_minutes * 60, httponly=True, secure=secure, samesite="lax", path="/"
    )


@router.post("/logout", status_code=204, summary="Sign out of this session")
async def logout(request: Request, response: Response, caller: Caller) -> None:
    await run_in_threadpool(sign_out, services_of(request), request.cookies.get(COOKIE))
    response.delete_cookie(COOKIE, path="/")


def sign_out(services: Services, token: str | None) -> None:
    if not token:
        return
    with services.store.write() as connection:
        try:
            session, _ = sessions.authenticate(connection, token, now=services.clock.now())
        except Unauthenticated:
            return
        sessions.revoke(connection, session.tenant, session.id, now=services.clock.now())


@router.get("/me", summary="Who you are")
async def me(request: Request, caller: Caller) -> schemas.Me:
    return await run_in_threadpool(_me, services_of(request), caller.tenant, caller.user)


@router.patch("/me", summary="Choose how numbers and dates are written for you")
async def change_me(request: Request, body: schemas.MeChange, caller: Caller) -> schemas.Me:
    """Texts of answers, pages and messages follow it; figures and times for programs stay as they are."""
    services = services_of(request)
    await run_in_threadpool(choose_formats, services, caller, body.locale)
    return await run_in_threadpool(_me, services, caller.tenant, caller.user)


class CodeIn(schemas.In):
    code: str = Field(min_length=6, max_length=40)


class OwnPassword(schemas.In):
    current: str = Field(min_length=1, max_length=1_000)
    password: str = Field(min_length=8, max_length=1_000)


@router.put("/me/password", status_code=204, summary="Change your password; other sessions end")
async def change_password(request: Request, body: OwnPassword, caller: Caller) -> None:
    await run_in_threadpool(people.change_own_password, services_of(request), caller, body.current, body.password)


@router.post("/me/second-factor", status_code=201, summary="Begin with a second factor; counts once confirmed")
async def begin_second_factor(request: Request, caller: Caller) -> dict[str, str]:
    """The secret is shown once: as text, and as an otpauth:// address for authenticators."""
    made = await run_in_threadpool(second_factor.begin, services_of(request), caller)
    return {"secret": made.secret, "uri": made.uri}


@router.post("/me/second-factor/confirm", summary="Turn the second factor on; shows ten recovery codes once")
async def confirm_second_factor(request: Request, body: CodeIn, caller: Caller) -> dict[str, list[str]]:
    return {"recovery_codes": list(await run_in_threadpool(second_factor.confirm, services_of(request), caller, body.code))}


@router.post("/me/second-factor/remove", status_code=204, summary="Turn the second factor off")
async def remove_second_factor(request: Request, body: CodeIn, caller: Caller) -> None:
    await run_in_threadpool(second_factor.remove, services_of(request), caller, body.code)


@router.get("/api-keys", summary="Your API keys; admins see all")
async def list_keys(request: Request, caller: Caller, cursor: Cursor = None, limit: PageSize = 200) -> schemas.Page:
    services = services_of(request)

    def load() -> tuple[api_keys.ApiKey, ...]:
        with services.store.read() as connection:
            return api_keys.list_all(connection, caller.tenant, user=None if may(caller, Right.ADMIN) else caller.user)

    return cut(await run_in_threadpool(load), lambda key: at(key.created_at, key.id), _key, cursor=cursor, limit=limit, newest_first=True)


@router.post("/api-keys", status_code=201, summary="Make an API key; its text is shown once")
async def create_key(request: Request, body: NewKey, caller: Caller) -> dict[str, Any]:
    """It never has more than its owner's rights, and loses them when they do; `scopes` narrow it further, to those of the key
    that makes it where a key does, it ends with that one at the latest, and is revoked with it. Only admins make keys for others."""
    services = services_of(request)
    now = services.clock.now()
    expires = now + dt.timedelta(days=body.days) if body.days else None

    def create() -> tuple[api_keys.ApiKey, str]:
        owner = UserId(body.user) if body.user else caller.user
        if owner != caller.user and not may(caller, Right.ADMIN):
            raise Forbidden("Only an administrator makes API keys for other people.", code="not_yours")
        if "*" not in caller.scopes and not caller.scopes >= set(body.scopes):
            own = ", ".join(sorted(caller.scopes))
            raise Forbidden(f"This API key has the scopes {own}; a key that it makes has no others.", code="scope_missing")
        with services.store.write() as connection:
            maker = api_keys.maker_of(connection, key_text(request))
            return api_keys.create(
                connection, caller.tenant, owner, name=body.name, now=now, scopes=body.scopes, expires_at=expires, maker=maker
            )

    key, text = await run_in_threadpool(create)
    return {**_key(key), "key": text}


@router.delete("/api-keys/{key_id}", summary="Revoke an API key")
async def revoke_key(request: Request, key_id: str, caller: Caller) -> dict[str, Any]:
    """The keys that were made with it are revoked as well: whoever had it may have made them."""
    services = services_of(request)

    def revoke() -> api_keys.ApiKey:
        with services.store.write() as connection:
            if not may(caller, Right.ADMIN) and api_keys.get(connection, caller.tenant, key_id).user != caller.user:
                raise NotFound(f"There is no api key {key_id[:60]!r}.", code="unknown_api_key")
            return api_keys.revoke(connection, caller.tenant, key_id, now=services.clock.now())

    return _key(await run_in_threadpool(revoke))


def _key(key: api_keys.ApiKey) -> dict[str, Any]:
    return {
        "id": key.id, "name": key.name, "prefix": key.prefix, "user": key.user, "scopes": sorted(key.scopes), "created_at": key.created_at,
        "expires_at": key.expires_at, "last_used_at": key.last_used_at, "revoked_at": key.revoked_at, "made_by_key": key.made_by_key,
    }  # fmt: skip


def _me(services: Services, tenant: TenantId, key: UserId) -> schemas.Me:
    with services.store.read() as connection:
        user, formats = users.get(connection, tenant, key), formats_for(connection, tenant, key)
    return schemas.Me(
        user=user.id, tenant=user.tenant, email=user.email, display_name=user.display_name, roles=sorted(user.roles),
        attributes={name: list(values) for name, values in user.attributes.items()}, rights=sorted(by_roles(user.principal())), locale=formats.tag,
    )  # fmt: skip
