"""Digests: who reads what and when, and the archive of what was issued."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.engine import Connection
from starlette.concurrency import run_in_threadpool

from api import schemas
from api.credentials import Caller
from api.insight_schemas import DigestBody, PreviewDigest, Subscribed
from api.others_jobs import load as load_job
from api.paging import Cursor, PageSize
from api.preconditions import IfMatch, etag_of, hold, refuse_changed, tagged
from api.routes.alerts import usable
from api.routes.jobs import view as job_view
from api.services import Services, services_of
from core.errors import Forbidden, Invalid, NotFound
from core.ids import UserId, tenant_id
from core.principal import Principal
from core.rights import Right, may
from core.store import audit, boards, channels, digests, users
from core.store.audit import Happening
from core.store.digests import Digest, Issue, NewDigest
from semantic.catalog.visible import visible_to
from workers.boards.access import seen
from workers.digests.definition import DigestDefinition, next_time, parse_definition
from workers.digests.message import issue_retold, read_unsubscribe_token
from workers.queue import enqueue

router = APIRouter(prefix="/v1/digests", tags=["digests"])
MAX_DIGESTS = 2_000


@router.get("", summary="The digests that you own or read; admins see all")
async def list_digests(
    request: Request,
    caller: Caller,
    cursor: Cursor = None,
    limit: PageSize = 100,
) -> schemas.Page:
    services = services_of(request)

    def read() -> schemas.Page:
        with services.store.read() as connection:
            found = digests.list_all(connection, caller.tenant, before_id=cursor, limit=limit)
            items = [_view(connection, digest, caller) for digest in found if _sees(connection, digest, caller)]
        return schemas.Page(items=items, next=found[-1].id if len(found) == limit else None)

    return await run_in_threadpool(read)


@router.post("", status_code=201, summary="Make a digest")
async def create_digest(request: Request, body: DigestBody, caller: Caller) -> dict[str, Any]:
    """Each reader gets an issue of their own, made with their own rights; nothing comes when nothing is worth saying."""
    services = services_of(request)

    def make() -> dict[str, Any]:
        definition = checked(services, caller, body.definition)
        now = services.clock.now()
        with services.store.write() as connection:
            if len(digests.list_all(connection, caller.tenant, limit=MAX_DIGESTS)) >= MAX_DIGESTS:
                raise Invalid(f"There are {MAX_DIGESTS:,} digests already; remove some first.", code="too_many_digests")
            readers = _readers(connection, caller, body.readers)
            _channels(connection, caller, definition)
            new = _new(services, caller, body, definition, caller.user)
            made = digests.create(connection, caller.tenant, new, readers, now=now)
            audit.append(connection, caller.tenant, Happening(caller.user, "digest.create", made.id), now=now)
            return _tagged(request, _view(connection, made, caller))

    return await run_in_threadpool(make)


@router.post("/preview", status_code=202, summary="What a digest would say now")
async def preview(request: Request, body: PreviewDigest, caller: Caller) -> schemas.JobView:
    """A scan with the digest's own parameters; an empty narrative means that nothing would be sent."""
    services = services_of(request)

    def start() -> schemas.JobView:
        definition = checked(services, caller, body.definition)
        job_id = enqueue(services.core, "scan", definition.scan, caller)
        return job_view(load_job(services, caller, job_id))

    return await run_in_threadpool(start)


@router.get("/issues", summary="What was issued to you, newest first")
async def list_issues(
    request: Request,
    caller: Caller,
    digest_id: Annotated[str | None, Query(max_length=64)] = None,
    cursor: Cursor = None,
    limit: PageSize = 30,
) -> schemas.Page:
    services = services_of(request)

    def read() -> schemas.Page:
        with services.store.read() as connection:
            found = digests.issues(
                connection, caller.tenant, caller.user, digest_id=digest_id, status="issued", before_id=cursor, limit=limit
            )
        return schemas.Page(items=[issue_row(issue) for issue in found], next=found[-1].id if len(found) == limit else None)

    return await run_in_threadpool(read)


@router.get("/issues/{issue_id}", summary="One issue with its facts, charts and queries")
async def get_issue(request: Request, issue_id: str, caller: Caller) -> dict[str, Any]:
    services = services_of(request)
    issue = await run_in_threadpool(load_issue, services, caller, issue_id)
    return issue_row(issue) | {"body": dict(issue_retold(issue).made.body)}


@router.get("/unsubscribe", summary="The page behind the link in e-mails", response_class=HTMLResponse, include_in_schema=False)
async def unsubscribe_form(request: Request, token: Annotated[str, Query(max_length=400)]) -> HTMLResponse:
    """Asks once more with a button: programs that open every link in a mail must not unsubscribe anybody."""
    read_unsubscribe_token(services_of(request).core.session_key, token)
    page = (
        '<!doctype html><html lang="en"><title>Unsubscribe</title><main><h1>Unsubscribe from this digest?</h1>'
        f'<form method="post" action="/v1/digests/unsubscribe?token={html.escape(token)}"><button>Unsubscribe</button></form></main></html>'
    )
    return HTMLResponse(page, headers={"Referrer-Policy": "no-referrer"})


@router.post("/unsubscribe", summary="End a digest by its link", response_class=HTMLResponse, include_in_schema=False)
async def unsubscribe_by_link(request: Request, token: Annotated[str, Query(max_length=400)]) -> HTMLResponse:
    """Also what a mail program's own button sends (RFC 8058)."""
    services = services_of(request)
    tenant, digest_id, reader = read_unsubscribe_token(services.core.session_key, token)

    def end() -> None:
        with services.store.write() as connection:
            digests.subscribe(connection, tenant_id(tenant), digest_id, UserId(reader), False, now=services.clock.now())

    await run_in_threadpool(end)
    return HTMLResponse(
        '<!doctype html><html lang="en"><title>Unsubscribed</title><main><h1>You will get no more of it.</h1>'
        "<p>In Querent, under Digests, you can undo this.</p></main></html>"
    )


@router.get("/{digest_id}", summary="One digest")
async def get_digest(request: Request, digest_id: str, caller: Caller) -> dict[str, Any]:
    services = services_of(request)

    def read() -> dict[str, Any]:
        with services.store.read() as connection:
            return _tagged(request, _view(connection, _load(connection, caller, digest_id), caller))

    return await run_in_threadpool(read)


@router.put("/{digest_id}", summary="Change a digest")
async def replace_digest(request: Request, digest_id: str, body: DigestBody, caller: Caller, if_match: IfMatch = None) -> dict[str, Any]:
    """Its owner stays. Who unsubscribed stays so."""
    services = services_of(request)

    def change() -> dict[str, Any]:
        definition = checked(services, caller, body.definition)
        now = services.clock.now()
        with services.store.write() as connection:
            hold(connection, if_match, "digests", caller.tenant, digest_id)
            known = _own(_load(connection, caller, digest_id), caller)
            _refuse_changed(_view(connection, known, caller), if_match)
            _channels(connection, caller, definition)
            new = _new(services, caller, body, definition, known.asked.owner)
            made = digests.change(connection, caller.tenant, digest_id, new, now=now)
            readers = _readers(
                connection, caller, body.readers or [known.asked.owner], already=digests.readers(connection, caller.tenant, digest_id)
            )
            digests.set_readers(connection, caller.tenant, digest_id, readers, now=now)
            audit.append(connection, caller.tenant, Happening(caller.user, "digest.change", digest_id), now=now)
            return _tagged(request, _view(connection, made, caller))

    return await run_in_threadpool(change)


@router.delete("/{digest_id}", status_code=204, summary="Remove a digest with its archive")
async def delete_digest(request: Request, digest_id: str, caller: Caller, if_match: IfMatch = None) -> None:
    services = services_of(request)

    def remove() -> None:
        with services.store.write() as connection:
            hold(connection, if_match, "digests", caller.tenant, digest_id)
            known = _own(_load(connection, caller, digest_id), caller)
            _refuse_changed(_view(connection, known, caller), if_match)
            digests.delete(connection, caller.tenant, digest_id)
            audit.append(connection, caller.tenant, Happening(caller.user, "digest.delete", digest_id), now=services.clock.now())

    await run_in_threadpool(remove)


@router.post("/{digest_id}/subscription", summary="Unsubscribe, or undo it")
async def subscription(request: Request, digest_id: str, body: Subscribed, caller: Caller) -> dict[str, Any]:
    services = services_of(request)

    def change() -> dict[str, Any]:
        with services.store.write() as connection:
            digest = _load(connection, caller, digest_id)
            digests.subscribe(connection, caller.tenant, digest.id, caller.user, body.subscribed, now=services.clock.now())
            return _view(connection, digest, caller)

    return await run_in_threadpool(change)


def checked(services: Services, caller: Principal, definition: dict[str, Any]) -> DigestDefinition:
    """The definition, its metrics known to the caller. Raises: Invalid; NotFound with the nearest names."""
    made = parse_definition(definition)
    visible = visible_to(services.catalogs.full(caller.tenant), caller)
    for name in made.metrics:
        visible.metric(name)
    if made.board is not None:
        with services.store.read() as connection:
            seen(caller, boards.get(connection, caller.tenant, made.board))
    return made


def load_issue(services: Services, caller: Principal, issue_id: str) -> Issue:
    """Raises: NotFound, also for somebody else's: it was made with their rights."""
    with services.store.read() as connection:
        issue = digests.issue(connection, caller.tenant, issue_id)
    if issue.made.reader != caller.user:
        raise NotFound(f"There is no digest issue {issue_id[:60]!r}.", code="unknown_digest_issue")
    return issue


def issue_row(issue: Issue) -> dict[str, Any]:
    issue = issue_retold(issue)
    sentences = list(issue.made.body.get("sentences", ()))
    return {
        "id": issue.id, "digest_id": issue.made.digest_id, "slot": issue.made.slot, "title": issue.made.title,
        "headline": sentences[0] if sentences else None, "created_at": issue.created_at,
    }  # fmt: skip


def _new(services: Services, caller: Principal, body: DigestBody, definition: DigestDefinition, owner: UserId) -> NewDigest:
    zone = services.catalogs.full(caller.tenant).calendar.time_zone
    at = next_time(definition, zone, services.clock.now()) if body.enabled else None
    return NewDigest(body.name, owner, body.team, definition.model_dump(mode="json"), body.enabled, at)


def _readers(
    connection: Connection, caller: Principal, asked: Sequence[str], already: Sequence[UserId] | dict[UserId, bool] = ()
) -> list[UserId]:
    """Raises: Forbidden for adding others without being an analyst; NotFound for an unknown user."""
    chosen = [UserId(user) for user in asked] or [caller.user]
    for user in chosen:
        users.get(connection, caller.tenant, user)
        if user != caller.user and user not in already and not may(caller, Right.KEEP):
            raise Forbidden("Only analysts and admins put others on a digest.")
    return list(dict.fromkeys(chosen))


def _channels(connection: Connection, caller: Principal, definition: DigestDefinition) -> None:
    """Raises: NotFound; Forbidden for somebody else's inbox, or for sending out of the house without being an analyst."""
    for key in definition.channels:
        usable(channels.get(connection, caller.tenant, key), caller)
    if definition.channels and not may(caller, Right.KEEP):
        raise Forbidden("Only analysts and admins send digests to channels; your own inbox and e-mail are always yours.")


def _load(connection: Connection, caller: Principal, key: str) -> Digest:
    """Raises: NotFound, also for one that is not the caller's to see."""
    found = digests.get(connection, caller.tenant, key)
    if not _sees(connection, found, caller):
        raise NotFound(f"There is no digest {key[:60]!r}.", code="unknown_digest")
    return found


def _sees(connection: Connection, digest: Digest, caller: Principal) -> bool:
    mine = digest.asked.owner == caller.user or may(caller, Right.ADMIN)
    return mine or caller.user in digests.readers(connection, caller.tenant, digest.id)


def _own(digest: Digest, caller: Principal) -> Digest:
    if digest.asked.owner != caller.user and not may(caller, Right.ADMIN):
        raise Forbidden("This digest was made by somebody else; only they and admins change it. You can unsubscribe.")
    return digest


def etag(view: dict[str, Any]) -> str:
    """Of what people change."""
    return etag_of(*(view[name] for name in ("name", "owner", "team", "definition", "enabled")), sorted(r["user"] for r in view["readers"]))


def _tagged(request: Request, view: dict[str, Any]) -> dict[str, Any]:
    return tagged(request, etag(view), view)


def _refuse_changed(view: dict[str, Any], expected: str | None) -> None:
    refuse_changed(expected, etag(view), view)


def _view(connection: Connection, digest: Digest, caller: Principal) -> dict[str, Any]:
    readers = digests.readers(connection, caller.tenant, digest.id)
    asked = digest.asked
    return {
        "id": digest.id, "name": asked.name, "owner": asked.owner, "team": asked.team, "definition": dict(asked.definition),
        "enabled": asked.enabled, "next_at": asked.next_at, "last_error": digest.last_error,
        "readers": [{"user": user, "subscribed": wanted} for user, wanted in readers.items()], "subscribed": readers.get(caller.user, False),
        "created_at": digest.created_at, "updated_at": digest.updated_at,
    }  # fmt: skip
