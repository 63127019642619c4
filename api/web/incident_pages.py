"""Incidents: the list, one with its chart, reasons and history, and what people do about it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api.alert_schemas import Assign, Comment, Feedback, Until
from api.paging import Cursor
from api.routes import alerts as rules
from api.routes import incidents as routes
from api.web.page_route import PageRoute
from api.web.rendering import page
from api.web.shell import Visitor, is_partial, visitor
from api.web.timeline import moments
from core.errors import Invalid
from core.store import channels, users
from core.store.channels import Channel
from core.store.incidents import IncidentStatus
from insights.wording import bucket, number, percent

router = APIRouter(include_in_schema=False, route_class=PageRoute)
SHOWN: Mapping[str, tuple[str, IncidentStatus | None]] = {
    "open": ("Open", "open"),
    "acknowledged": ("In hand", "acknowledged"),
    "snoozed": ("Snoozed", "snoozed"),
    "resolved": ("Over", "resolved"),
    "all": ("All", None),
}
LATELY = 5
SNOOZES = {"1": "1 hour", "4": "4 hours", "24": "1 day", "168": "1 week"}


@router.get("/incidents")
async def incident_list(request: Request, status: str = "open", cursor: Cursor = None) -> Response:
    at = await visitor(request, "alerts")
    chosen = status if status in SHOWN else "open"
    found = await routes.list_incidents(request, at.caller, SHOWN[chosen][1], None, cursor, 50)
    names = await run_in_threadpool(people, at)
    quiet = chosen == "open" and not found.items and cursor is None
    lately = await routes.list_incidents(request, at.caller, "resolved", None, None, 50) if quiet else None
    watched = await rules.list_rules(request, at.caller, "", 1) if quiet else None
    return page(
        "incidents.html",
        v=at,
        items=[incident_line(item, names) for item in found.items],
        more=found.next,
        chosen=chosen,
        statuses={key: label for key, (label, _) in SHOWN.items()},
        lately=[incident_line(item, names) for item in _latest(lately.items)] if lately else [],
        watched=bool(watched and (watched.items or watched.next)),
    )


def _latest(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that began last, whenever they were found."""
    return sorted(items, key=lambda item: str(item["started_at"]), reverse=True)[:LATELY]


@router.get("/incidents/{key}")
async def incident_page(request: Request, key: str) -> Response:
    at = await visitor(request, "alerts")
    return await _shown(request, at, await routes.get_incident(request, key, at.caller))


@router.post("/incidents/{key}/{act}")
async def act_on(
    request: Request,
    key: str,
    act: str,
    comment: Annotated[str, Form(max_length=4_000)] = "",
    hours: Annotated[int, Form(ge=1, le=720)] = 4,
    user: Annotated[str, Form(max_length=64)] = "",
    useful: Annotated[str, Form(pattern="^(yes|no|undo)$")] = "yes",
) -> Response:
    at = await visitor(request, "alerts")
    said = Comment(comment=comment)
    if act == "ack":
        made = await routes.acknowledge(request, key, at.caller, said)
    elif act == "resolve":
        made = await routes.resolve(request, key, at.caller, said)
    elif act == "reopen":
        made = await routes.reopen(request, key, at.caller, said)
    elif act == "snooze":
        made = await routes.snooze(request, key, at.caller, Until(until=at.services.clock.now() + dt.timedelta(hours=hours)))
    elif act == "assign":
        made = await routes.assign(request, key, at.caller, Assign(user=user))
    elif act == "comment":
        made = await routes.comment(request, key, at.caller, said)
    elif act == "feedback":
        made = await routes.feedback(request, key, at.caller, Feedback(useful=None if useful == "undo" else useful == "yes"))
    else:
        raise Invalid(f"There is nothing called {act[:20]!r} to do with an incident.", code="unknown_action")
    if not is_partial(request):
        return RedirectResponse(f"/incidents/{key}", status_code=303)
    return await _shown(request, at, made)


async def _shown(request: Request, at: Visitor, incident: Mapping[str, Any]) -> Response:
    names, places = await run_in_threadpool(people, at), await run_in_threadpool(_channels, at)
    mine = [e["data"].get("useful") for e in incident["events"] if e["kind"] == "feedback" and e["actor"] == at.caller.user]
    return page(
        "incident.html" if is_partial(request) else "incident_page.html",
        v=at,
        i=incident_line(incident, names),
        incident=incident,
        history=moments(incident["events"], incident["deliveries"], names, places),
        people=sorted(names.items(), key=lambda item: item[1].casefold()),
        snoozes=SNOOZES,
        useful=mine[-1] if mine else None,
    )


def people(at: Visitor) -> dict[str, str]:
    """Names by user id, of everybody in the company."""
    with at.services.store.read() as connection:
        return {user.id: user.display_name for user in users.list_all(connection, at.caller.tenant, limit=1_000)}


def _channels(at: Visitor) -> dict[str, str]:
    names = people(at)
    with at.services.store.read() as connection:
        found = channels.list_all(connection, at.caller.tenant, limit=1_000)
    return {channel.id: _place(channel, names) for channel in found}


def _place(channel: Channel, names: Mapping[str, str]) -> str:
    if channel.kind != "inbox":
        return channel.name
    return f"the inbox of {names.get(str(channel.config.get('user')), 'somebody')}"


def incident_line(item: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """An incident's JSON with what the page says of it."""
    known = {"format": item.get("format"), "unit": item.get("unit")}

    def said(value: Any) -> str:
        return number(value, known["format"], known["unit"], compact=True) if isinstance(value, int | float) else "\u2013"

    started = dt.datetime.fromisoformat(str(item["started_at"]))
    return {
        **item,
        "name": title(item),
        "when": bucket(started, item.get("grain") or "day"),
        "said_expected": said(item.get("expected")),
        "said_actual": said(item.get("actual")),
        "said_impact": said(item.get("impact")),
        "owner": names.get(str(item.get("assignee")), "") if item.get("assignee") else "",
        "level": "high" if item["severity"] >= 70 else "middle" if item["severity"] >= 40 else "low",
    }


def title(item: Mapping[str, Any]) -> str:
    """A few words for lists: the metric, where, and which way."""
    label = str(item["label"])
    scope = item.get("scope")
    where = f" in {scope}" if scope not in (None, "Total") else ""
    kind, expected, actual = item["kind"], item.get("expected"), item.get("actual")
    if kind == "missing_data":
        what = "no data"
    elif kind == "level_shift":
        what = "a new level"
    elif isinstance(expected, int | float) and isinstance(actual, int | float) and expected:
        word = {"threshold": "its limit", "goal": "its goal's pace"}.get(kind, "expected")
        what = f"{percent(abs(actual - expected) / abs(expected))} {'above' if actual > expected else 'below'} {word}"
    else:
        what = {"up": "higher than expected", "down": "lower than expected"}.get(str(item["direction"]), "unusual")
    return f"{label[:1].upper()}{label[1:]}{where}: {what}"
