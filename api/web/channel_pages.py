"""Where alerts go: channels with a test, subscriptions, what could not be sent; and the inbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api.alert_schemas import ChannelBody, ChannelSwitch, SubscriptionBody
from api.paging import Cursor
from api.preconditions import etag_of
from api.routes import alerts as alert_routes
from api.routes import channels as routes
from api.web.channel_names import shown_channels
from api.web.forms import Fields, as_it_was_seen, body, fields, made_of
from api.web.page_route import PageRoute
from api.web.rendering import page
from api.web.shell import Visitor, is_partial, problem_of, visitor
from core.errors import Forbidden, NotFound, UserError
from core.rights import Right, may

router = APIRouter(include_in_schema=False, route_class=PageRoute)
MODES = {"now": "at once", "daily": "as a daily digest", "weekly": "as a weekly digest"}


@router.get("/channels")
async def channel_page(request: Request) -> Response:
    at = await visitor(request, "alerts")
    return await _page(request, at)


@router.post("/channels")
async def create(request: Request) -> Response:
    at = await visitor(request, "alerts")
    _analyst(at)
    form = await fields(request)
    try:
        made = await routes.create_channel(request, body(ChannelBody, {"name": form("name"), "config": _config(form)}), at.caller)
    except UserError as error:
        return await _page(request, at, error=error, form=form)
    if "secret" in made:  # shown once, so not behind a redirect
        return await _page(request, at, secret={"name": made["name"], "secret": made["secret"]})
    return RedirectResponse("/channels", status_code=303)


@router.post("/channels/{key}/test")
async def test(request: Request, key: str) -> Response:
    at = await visitor(request)
    sent = await routes.test_channel(request, key, at.caller)
    if is_partial(request):
        return page("channel_tested.html", sent=sent)
    return await _page(request, at, tested={key: sent})


@router.post("/channels/{key}/switch")
async def switch(request: Request, key: str, enabled: Annotated[str, Form(pattern="^(yes|no)$")]) -> Response:
    at = await visitor(request)
    _analyst(at)
    await routes.switch_channel(request, key, ChannelSwitch(enabled=enabled == "yes"), at.caller)
    return RedirectResponse("/channels", status_code=303)


@router.post("/channels/{key}/delete")
async def delete(request: Request, key: str) -> Response:
    at, form = await visitor(request), await fields(request)
    _analyst(at)
    with as_it_was_seen():
        await routes.delete_channel(request, key, at.caller, made_of(form))
    return RedirectResponse("/channels", status_code=303)


@router.post("/deliveries/{key}/resend")
async def resend(request: Request, key: str) -> Response:
    at = await visitor(request)
    _analyst(at)
    await routes.resend(request, key, at.caller)
    return RedirectResponse("/channels#unsent", status_code=303)


@router.post("/subscriptions")
async def subscribe(request: Request) -> Response:
    """To a rule, a metric, or everything; back to where one came from."""
    at = await visitor(request)
    form = await fields(request)
    try:
        wanted = body(SubscriptionBody, {
            "channel_id": form("channel") or None, "rule_id": form("rule") or None, "metric": form("metric") or None,
            "min_severity": form.number("min_severity", "Severity") or 0, "mode": form("mode", "now"),
            "escalate_after_minutes": form.whole("escalate", "Minutes", 0) or None,
        })  # fmt: skip
        await alert_routes.subscribe(request, wanted, at.caller)
    except UserError as error:
        if is_partial(request):
            raise
        return await _page(request, at, error=error, form=form)
    if is_partial(request):
        return page("subscribed.html", mode=MODES[wanted.mode])
    return RedirectResponse("/channels#subscriptions", status_code=303)


@router.post("/subscriptions/{key}/delete")
async def unsubscribe(request: Request, key: str) -> Response:
    at, form = await visitor(request), await fields(request)
    with as_it_was_seen():
        await alert_routes.unsubscribe(request, key, at.caller, made_of(form))
    return RedirectResponse("/channels#subscriptions", status_code=303)


@router.get("/inbox")
async def inbox(request: Request, unread: str = "", cursor: Cursor = None) -> Response:
    at = await visitor(request, "inbox")
    found = await routes.read_inbox(request, at.caller, unread == "yes", cursor)
    return page("inbox.html", v=at, items=found.items, more=found.next, only_unread=unread == "yes")


@router.post("/inbox/read")
async def read(request: Request, message: Annotated[str, Form(max_length=64)] = "") -> Response:
    at = await visitor(request)
    await routes.mark_read(request, at.caller, message or None)
    return RedirectResponse("/inbox", status_code=303)


@router.get("/inbox/{key}")
async def open_message(request: Request, key: str) -> Response:
    """Marks a message as read and leads to what it is about."""
    at = await visitor(request)
    found = (await routes.read_inbox(request, at.caller, False, None)).items
    message = next((m for m in found if m["id"] == key), None)
    await routes.mark_read(request, at.caller, key)
    there = message["incident_id"] if message is not None else None
    return RedirectResponse(f"/incidents/{there}" if there else "/inbox", status_code=303)


async def _page(
    request: Request,
    at: Visitor,
    *,
    error: UserError | None = None,
    form: Fields | None = None,
    secret: Mapping[str, str] | None = None,
    tested: Mapping[str, Any] | None = None,
) -> Response:
    found = shown_channels((await routes.list_channels(request, at.caller)).items, at.caller.user)
    mine = (await alert_routes.list_subscriptions(request, at.caller, "")).items
    rules = (await alert_routes.list_rules(request, at.caller, "", 200)).items
    dead = (await routes.list_deliveries(request, at.caller, "dead", None, None, 50)).items if may(at.caller, Right.CHANNELS) else []
    names = {c["id"]: c["name"] for c in found}
    labels = await run_in_threadpool(_labels, at)
    by_rule = {r["id"]: r["name"] for r in rules}
    made = page(
        "channels.html",
        200 if error is None else error.status,
        v=at,
        channels=[c for c in found if c["kind"] != "inbox"],
        choices=[("", "my inbox")] + [(c["id"], c["name"]) for c in found if c["kind"] != "inbox" and c["enabled"]],
        subscriptions=[
            {**s, "about": _about(s, by_rule, labels), "how": MODES[s["mode"]], "place": _place(s), "etag": etag_of(s)} for s in mine
        ],
        rules=sorted(by_rule.items(), key=lambda r: r[1].casefold()),
        metrics=sorted(labels.items(), key=lambda m: m[1].casefold()),
        dead=[{**d, "place": names.get(d["channel_id"], "a channel")} for d in dead],
        modes=MODES,
        problem=problem_of(request, error) if error is not None else None,
        form=form or Fields({}, {}),
        secret=secret,
        tested=tested or {},
    )
    made.headers["Cache-Control"] = "no-store"
    return made


def _config(form: Fields) -> dict[str, Any]:
    kind = form("kind", "email")
    if kind == "email":
        return {"kind": "email", "to": [part.strip() for part in form("to").replace(";", ",").split(",") if part.strip()]}
    made: dict[str, Any] = {"kind": kind, "url": form("url")}
    return made | ({"secret": form("secret")} if kind == "webhook" and form.has("secret") else {})


def _about(subscription: Mapping[str, Any], rules: Mapping[str, str], labels: Mapping[str, str]) -> str:
    if subscription["rule_id"]:
        return rules.get(subscription["rule_id"], "a rule that is gone")
    if subscription["metric"]:
        return f"everything about {labels.get(subscription['metric'], subscription['metric'])}"
    return "every incident"


def _place(subscription: Mapping[str, Any]) -> str:
    name = subscription["channel"] or ""
    return "inbox" if name.startswith("inbox of ") or not name else name


def _labels(at: Visitor) -> dict[str, str]:
    try:
        return {m.name: m.label for m in at.services.catalogs.visible(at.caller).catalog.metrics if not m.hidden}
    except NotFound:
        return {}


def _analyst(at: Visitor) -> None:
    if not may(at.caller, Right.CHANNELS):
        raise Forbidden("Channels are kept by analysts and admins.")
