"""Alert rules: the list, and one form with a live preview of what it would have told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api.alert_schemas import PreviewBody, RuleBody, Until
from api.leaving import until_gone
from api.routes import alerts as routes
from api.routes import channels as channel_routes
from api.web.channel_names import shown_channels
from api.web.forms import Fields, as_it_was_seen, body, fields, made_of, seen
from api.web.page_route import PageRoute
from api.web.rendering import page
from api.web.rule_form import EVERY, GRAINS, KINDS, default_rule, definition_of, segment_options, shown
from api.web.shell import Visitor, problem_of, visitor
from api.web.stored import find
from core.errors import NotFound, UserError
from core.rights import Right, may
from insights.wording import bucket, number
from semantic.catalog.model import Catalog
from workers.alerts.rule import AnyRule, parse_rule

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/rules")
async def rule_list(request: Request, cursor: Annotated[str, Query(max_length=200)] = "") -> Response:
    at = await visitor(request, "alerts")
    found = await routes.list_rules(request, at.caller, cursor, 50)
    catalog = await _catalog(at)
    labels = {m.name: m.label for m in catalog.metrics}
    mine = (await routes.list_subscriptions(request, at.caller, "")).items
    return page(
        "rules.html", v=at, items=[_row(item, labels) for item in found.items], more=found.next, can_make=_can_make(at),
        told={s["rule_id"] for s in mine if s["user"] == at.caller.user},
    )  # fmt: skip


@router.get("/rules/new")
async def new_rule(
    request: Request, metric: Annotated[str, Query(max_length=200)] = "", answer: Annotated[str, Query(max_length=64)] = ""
) -> Response:
    """From nothing, from a metric, or from an answer with its filter and groups."""
    at = await visitor(request, "alerts")
    catalog = await _catalog(at)
    query = (await find(at.services, at.caller, answer)).query if answer else None
    rule = default_rule(catalog, metric, query)
    return await _form(request, at, catalog, rule, name=_suggested(rule, catalog))


@router.post("/rules/preview")
async def preview(request: Request) -> Response:
    """The preview alone: sent while a slider moves."""
    at = await visitor(request)
    form = await fields(request)
    return await _previewed(request, at, form)


@router.post("/rules")
async def create(request: Request) -> Response:
    return await _save(request, None)


@router.get("/rules/{key}")
async def edit_rule(request: Request, key: str) -> Response:
    at = await visitor(request, "alerts")
    found = await routes.get_rule(request, key, at.caller)
    return await _form(request, at, await _catalog(at), parse_rule(found["definition"]), name=found["name"], known=found)


@router.post("/rules/{key}")
async def change(request: Request, key: str) -> Response:
    return await _save(request, key)


@router.post("/rules/{key}/delete")
async def delete(request: Request, key: str) -> Response:
    at, form = await visitor(request), await fields(request)
    with as_it_was_seen():
        await routes.delete_rule(request, key, at.caller, made_of(form))
    return RedirectResponse("/rules", status_code=303)


@router.post("/rules/{key}/mute")
async def mute(request: Request, key: str, hours: Annotated[int, Form(ge=0, le=720)] = 24) -> Response:
    """0 hours: heard again."""
    at = await visitor(request)
    until = at.services.clock.now() + dt.timedelta(hours=hours) if hours else None
    await routes.mute_rule(request, key, Until(until=until), at.caller)
    return RedirectResponse("/rules", status_code=303)


async def _save(request: Request, key: str | None) -> Response:
    at = await visitor(request, "alerts")
    form = await fields(request)
    if form("act") == "preview":  # without JavaScript: the form again, with the preview below it
        return await _again(request, at, form, key, None)
    try:
        wanted = body(RuleBody, {
            "name": await _named(at, form), "definition": definition_of(form), "enabled": form.has("enabled"), "notify": form.all("notify"),
        })  # fmt: skip
        if key is None:
            await routes.create_rule(request, wanted, at.caller)
        else:
            await routes.replace_rule(request, key, wanted, at.caller, made_of(form))
    except UserError as error:
        return await _again(request, at, form, key, error)
    return RedirectResponse("/rules", status_code=303)


async def _again(request: Request, at: Visitor, form: Fields, key: str | None, error: UserError | None) -> Response:
    """The form as it was filled in, with what is wrong on top."""
    catalog = await _catalog(at)
    known = await routes.get_rule(request, key, at.caller) if key is not None else None
    try:
        rule = parse_rule(definition_of(form))
    except UserError as wrong:
        error = error or wrong
        rule = parse_rule(known["definition"]) if known is not None else default_rule(catalog, form("metric"))
    return await _form(
        request,
        at,
        catalog,
        rule,
        name=form("name"),
        suggested=form("suggested"),
        known=known,
        error=error,
        notify=form.all("notify"),
        enabled=form.has("enabled"),
        form=form,
    )


async def _form(
    request: Request,
    at: Visitor,
    catalog: Catalog,
    rule: AnyRule,
    *,
    name: str,
    suggested: str = "",
    known: Mapping[str, Any] | None = None,
    error: UserError | None = None,
    notify: list[str] | None = None,
    enabled: bool | None = None,
    form: Fields | None = None,
) -> Response:
    current = routes.etag(await run_in_threadpool(routes.load_rule, at.services, at.caller, known["id"])) if known is not None else ""
    places = [
        c
        for c in shown_channels((await channel_routes.list_channels(request, at.caller)).items, at.caller.user)
        if c["kind"] != "inbox" and c["enabled"]
    ]
    return page(
        "rule_form.html",
        200 if error is None else error.status,
        v=at,
        rule=shown(rule),
        narrowed=rule.where is not None,
        name=name,
        suggested=suggested,
        known=known,
        current=current,
        seen=seen(form, error, current),
        problem=problem_of(request, error) if error is not None else None,
        notify=notify or [],
        enabled=(known["enabled"] if known is not None else True) if enabled is None else enabled,
        channels=places,
        metrics=sorted(((m.name, m.label) for m in catalog.metrics if not m.hidden), key=lambda m: m[1].casefold()),
        segment_choices=segment_options(catalog),
        kinds=KINDS,
        grains=GRAINS,
        every=EVERY | ({} if str(rule.schedule.every_minutes) in EVERY else {str(rule.schedule.every_minutes): f"every {rule.schedule.every_minutes} minutes"}),
        can_make=_can_make(at),
        preview=None if request.method == "GET" or error is not None else await _preview(request, at, rule, known["id"] if known else None),
    )  # fmt: skip


async def _previewed(request: Request, at: Visitor, form: Fields) -> Response:
    """What is not finished yet is said as a hint: one is still typing."""
    if form("kind") == "threshold" and not (form.has("upper") or form.has("lower")):
        return page("rule_preview.html", preview=None, hint="Write the figure above or below which you want to be told.")
    if form("kind") == "goal" and not form.has("goal"):
        return page("rule_preview.html", preview=None, hint="Write the figure that should be reached.")
    try:
        rule = parse_rule(definition_of(form))
    except UserError as error:
        return page("rule_preview.html", preview=None, hint=error.message)
    return page("rule_preview.html", preview=await _preview(request, at, rule, form("rule_id") or None))


async def _preview(request: Request, at: Visitor, rule: AnyRule, rule_id: str | None) -> dict[str, Any]:
    asked = PreviewBody(definition=rule.model_dump(mode="json"), rule_id=rule_id)
    made = await until_gone(request, routes.preview_rule(request, asked, at.caller))

    def said(value: Any) -> str:
        return number(value, made["format"], made["unit"], compact=True) if isinstance(value, int | float) else "\u2013"

    events = [
        {**e, "when": bucket(dt.datetime.fromisoformat(e["start"]), made["grain"]), "said_actual": said(e["actual"]),
         "said_expected": said(e["expected"])}
        for e in made["events"]
    ]  # fmt: skip
    held = {"threshold": "Limit", "goal": "Pace"}.get(rule.kind, "Expected")
    return {**made, "events": events, "held": held, "suggested": _suggested(rule, await _catalog(at))}


def _row(item: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    what = item["definition"]
    kind = str(what.get("kind", "anomaly"))
    return {**item, "kind_label": KINDS.get(kind, (kind, ""))[0], "metric_label": labels.get(item["metric"], item["metric"]), "what": what}


_NAMES = {"threshold": "limit of {}", "forecast_breach": "forecast of {}", "goal": "goal for {}", "no_data": "no data of {}"}


def _suggested(rule: AnyRule, catalog: Catalog) -> str:
    said = _NAMES.get(rule.kind, "{} looks unusual").format(catalog.metric(rule.metric).label)
    return f"{said[:1].upper()}{said[1:]}"


async def _named(at: Visitor, form: Fields) -> str:
    """What was typed; a suggestion that was left as it stood follows the kind and the metric that were chosen after it was made."""
    if not form("name") or form("name") != form("suggested"):
        return form("name")
    return _suggested(parse_rule(definition_of(form)), await _catalog(at))


def _can_make(at: Visitor) -> bool:
    return may(at.caller, Right.RULES)


async def _catalog(at: Visitor) -> Catalog:
    try:
        return (await run_in_threadpool(at.services.catalogs.visible, at.caller)).catalog
    except NotFound:
        return Catalog()
