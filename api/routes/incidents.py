"""Incidents: what happened, and what people do about it."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from api import schemas
from api.alert_schemas import Assign, Comment, Feedback, Until
from api.alert_views import incident_row, incident_view
from api.credentials import Caller
from api.paging import Cursor, PageSize
from api.routes.alerts import aware, sees
from api.services import Services, services_of
from core.errors import Invalid, NotFound
from core.ids import TenantId, UserId, tenant_id
from core.principal import Principal
from core.store import alert_rules, deliveries, incident_events, incidents, users
from core.store.alert_rules import AlertRule
from core.store.incident_events import NewEvent
from core.store.incidents import Handling, IncidentStatus, StoredIncident
from workers.alerts.message import read_feedback_token
from workers.principals import load_principal

router = APIRouter(prefix="/v1/incidents", tags=["alerts"])


@router.get("", summary="Incidents, newest first")
async def list_incidents(
    request: Request,
    caller: Caller,
    status: IncidentStatus | None = None,
    metric: Annotated[str | None, Query(max_length=200)] = None,
    cursor: Cursor = None,
    limit: PageSize = 50,
) -> schemas.Page:
    services = services_of(request)

    def read() -> schemas.Page:
        with services.store.read() as connection:
            found = incidents.list_all(connection, caller.tenant, status=status, metric=metric, before_id=cursor, limit=limit)
        rules = _rules(services, caller.tenant, found)
        items = [incident_row(i) for i in found if sees(services, caller, i.finding.metric, rules.get(i.finding.rule_id or ""))]
        return schemas.Page(items=items, next=found[-1].id if len(found) == limit else None)

    return await run_in_threadpool(read)


@router.get("/feedback", summary="The page behind the links in e-mails", response_class=HTMLResponse, include_in_schema=False)
async def feedback_form(
    request: Request, token: Annotated[str, Query(max_length=400)], useful: Annotated[str, Query(pattern="^(yes|no)$")] = "yes"
) -> HTMLResponse:
    """Asks once more with a button: programs that open every link in a mail must not vote."""
    read_feedback_token(services_of(request).core.session_key, token)
    word = "useful" if useful == "yes" else "not useful"
    page = (
        '<!doctype html><html lang="en"><title>Was this alert useful?</title><main><h1>Was this alert useful?</h1>'
        f'<form method="post" action="/v1/incidents/feedback"><input type="hidden" name="token" value="{html.escape(token)}">'
        f'<input type="hidden" name="useful" value="{useful}"><button>Yes, record that it was {word}</button></form></main></html>'
    )
    return HTMLResponse(page, headers={"Referrer-Policy": "no-referrer"})


@router.post("/feedback", summary="Record an answer from an e-mail's link", response_class=HTMLResponse, include_in_schema=False)
async def feedback_by_link(
    request: Request, token: Annotated[str, Form(max_length=400)], useful: Annotated[str, Form(pattern="^(yes|no)$")]
) -> HTMLResponse:
    """Counts as a request of the reader's, who must still be there."""
    services = services_of(request)
    tenant, incident_id, reader = read_feedback_token(services.core.session_key, token)

    def record() -> None:
        services.rates.take(load_principal(services.store, tenant_id(tenant), UserId(reader)))
        with services.store.read() as connection:
            incident = incidents.get(connection, tenant_id(tenant), incident_id)
        _note(services, incident, UserId(reader), "feedback", {"useful": useful == "yes", "by": "link"})

    await run_in_threadpool(record)
    return HTMLResponse('<!doctype html><html lang="en"><title>Thank you</title><main><h1>Thank you, noted.</h1></main></html>')


@router.get("/{incident_id}", summary="One incident with its chart, history and messages")
async def get_incident(request: Request, incident_id: str, caller: Caller) -> dict[str, Any]:
    services = services_of(request)
    return await run_in_threadpool(lambda: _view(services, load(services, caller, incident_id)))


@router.post("/{incident_id}/ack", summary="Somebody is on it: nobody else needs to be called")
async def acknowledge(request: Request, incident_id: str, caller: Caller, body: Comment | None = None) -> dict[str, Any]:
    return await _handle(request, incident_id, caller, "acknowledged", Handling(status="acknowledged", assignee=caller.user), body)


@router.post("/{incident_id}/resolve", summary="It is over")
async def resolve(request: Request, incident_id: str, caller: Caller, body: Comment | None = None) -> dict[str, Any]:
    """It stays resolved, also while the metric is still off."""
    return await _handle(request, incident_id, caller, "resolved", Handling(status="resolved"), body)


@router.post("/{incident_id}/reopen", summary="Undo a resolve, an acknowledgement or a snooze")
async def reopen(request: Request, incident_id: str, caller: Caller, body: Comment | None = None) -> dict[str, Any]:
    return await _handle(request, incident_id, caller, "reopened", Handling(status="open"), body)


@router.post("/{incident_id}/snooze", summary="Not now")
async def snooze(request: Request, incident_id: str, caller: Caller, body: Until) -> dict[str, Any]:
    until = aware(body)
    if until is None:
        return await _handle(request, incident_id, caller, "reopened", Handling(status="open"), None)
    if until <= services_of(request).clock.now():
        raise Invalid("until must be in the future.", code="bad_snooze", path="/until")
    handling = Handling(status="snoozed", snoozed_until=until)
    return await _handle(request, incident_id, caller, "snoozed", handling, None, {"until": until.isoformat()})


@router.post("/{incident_id}/assign", summary="Give it to somebody")
async def assign(request: Request, incident_id: str, caller: Caller, body: Assign) -> dict[str, Any]:
    services = services_of(request)

    def known() -> None:
        with services.store.read() as connection:
            users.get(connection, caller.tenant, UserId(body.user))

    await run_in_threadpool(known)
    return await _handle(request, incident_id, caller, "assigned", Handling(assignee=UserId(body.user)), None, {"user": body.user})


@router.post("/{incident_id}/comment", summary="Say something about it")
async def comment(request: Request, incident_id: str, caller: Caller, body: Comment) -> dict[str, Any]:
    if not body.comment.strip():
        raise Invalid("The comment is empty.", code="empty_comment", path="/comment")
    return await _handle(request, incident_id, caller, "commented", Handling(comment=body.comment), body)


@router.post("/{incident_id}/feedback", summary="Was this useful? The rule learns within bounds")
async def feedback(request: Request, incident_id: str, caller: Caller, body: Feedback) -> dict[str, Any]:
    more = {"useful": body.useful} | ({"comment": body.comment} if body.comment else {})
    return await _handle(request, incident_id, caller, "feedback", Handling(), None, more)


async def _handle(
    request: Request, incident_id: str, caller: Principal, kind: str, handling: Handling, said: Comment | None, more: Mapping[str, Any] = {}
) -> dict[str, Any]:  # fmt: skip
    services = services_of(request)

    def change() -> dict[str, Any]:
        incident = load(services, caller, incident_id)
        data = dict(more) | ({"comment": said.comment} if said is not None and said.comment else {})
        now = services.clock.now()
        with services.store.write() as connection:
            changed = incidents.handle(connection, caller.tenant, incident.id, handling, now=now)
            event = NewEvent(incident.id, incident.finding.rule_id, caller.user, kind, data)
            incident_events.append(connection, caller.tenant, event, now=now)
        return _view(services, changed)

    return await run_in_threadpool(change)


def load(services: Services, caller: Principal, incident_id: str) -> StoredIncident:
    """Raises: NotFound, also for figures that are not the caller's to see."""
    with services.store.read() as connection:
        incident = incidents.get(connection, caller.tenant, incident_id)
    rule = _rules(services, caller.tenant, (incident,)).get(incident.finding.rule_id or "")
    if not sees(services, caller, incident.finding.metric, rule):
        raise NotFound(f"There is no incident {incident_id[:60]!r}.", code="unknown_incident")
    return incident


def _view(services: Services, incident: StoredIncident) -> dict[str, Any]:
    with services.store.read() as connection:
        events = incident_events.list_all(connection, incident.tenant, incident.id)
        sent = deliveries.list_all(connection, incident.tenant, incident_id=incident.id)
    return incident_view(incident, events, sent)


def _note(services: Services, incident: StoredIncident, actor: UserId, kind: str, data: Mapping[str, Any]) -> None:
    with services.store.write() as connection:
        event = NewEvent(incident.id, incident.finding.rule_id, actor, kind, data)
        incident_events.append(connection, incident.tenant, event, now=services.clock.now())


def _rules(services: Services, tenant: TenantId, found: tuple[StoredIncident, ...]) -> dict[str, AlertRule]:
    """The rule of each incident, by its id."""
    made: dict[str, AlertRule] = {}
    with services.store.read() as connection:
        for key in {i.finding.rule_id for i in found if i.finding.rule_id is not None}:
            try:
                made[key] = alert_rules.get(connection, tenant, key)
            except NotFound:
                continue
    return made
