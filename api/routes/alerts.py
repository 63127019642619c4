"""Alert rules and their preview, and subscriptions. Rules run with the rights of whoever made them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from sqlalchemy.engine import Connection
from starlette.concurrency import run_in_threadpool

from api import schemas
from api.alert_schemas import PreviewBody, RuleBody, SubscriptionBody, Until
from api.alert_views import rule_view, subscription_view
from api.credentials import Caller
from api.paging import PageSize
from api.preconditions import IfMatch, etag_of, hold, refuse_changed, tagged
from api.services import Services, services_of
from core.errors import Forbidden, Invalid, NotFound, UserError
from core.principal import Principal
from core.rights import Right, may
from core.store import alert_rules, audit, channels, incident_events, subscriptions
from core.store.alert_rules import AlertRule, NewAlertRule
from core.store.audit import Happening
from core.store.channels import Channel
from core.store.subscriptions import NewSubscription
from semantic.catalog.visible import visible_to
from workers.alerts.access import may_see
from workers.alerts.feedback import Tuning, tuning
from workers.alerts.history import refuse_what_cannot_be_asked
from workers.alerts.preview import preview
from workers.alerts.routing import inbox_of
from workers.alerts.rule import AnyRule, as_definition, parse_rule

router = APIRouter(prefix="/v1", tags=["alerts"])
MAX_RULES = 20_000  # per tenant


@router.post("/alert-rules/preview", summary="When a rule would have fired")
async def preview_rule(request: Request, body: PreviewBody, caller: Caller) -> dict[str, Any]:
    """Computed by the code that evaluates rules, over the history that there is."""
    services = services_of(request)

    def make() -> dict[str, Any]:
        rule = checked(services, caller, body.definition)
        tuned = Tuning(0, 0, 1.0)
        if body.rule_id is not None:
            tuned = _tuned(services, load_rule(services, caller, body.rule_id))
        return preview(services.core, caller, rule, now=services.clock.now(), tuned=tuned)

    return await run_in_threadpool(make)


@router.get("/alert-rules", summary="Alert rules, by name")
async def list_rules(
    request: Request,
    caller: Caller,
    cursor: Annotated[str, Query(max_length=200)] = "",
    limit: PageSize = 50,
) -> schemas.Page:
    services = services_of(request)

    def read() -> schemas.Page:
        with services.store.read() as connection:
            rows = alert_rules.list_all(connection, caller.tenant, after=cursor, limit=limit)
            votes = incident_events.votes(connection, caller.tenant, [row.id for row in rows])
        items = [rule_view(row, parsed(row), tuning(votes[row.id])) for row in rows if sees(services, caller, row.metric, row)]
        return schemas.Page(items=items, next=rows[-1].name if len(rows) == limit else None)

    return await run_in_threadpool(read)


@router.post("/alert-rules", status_code=201, summary="Make an alert rule")
async def create_rule(request: Request, body: RuleBody, caller: Caller) -> dict[str, Any]:
    """It looks for the first time within seconds; you are told in your inbox and over the channels in `notify`."""
    services = services_of(request)

    def make() -> dict[str, Any]:
        _may_write(caller)
        rule = checked(services, caller, body.definition)
        now = services.clock.now()
        new = NewAlertRule(body.name, rule.metric, as_definition(rule), caller.user, body.enabled, now if body.enabled else None)
        with services.store.write() as connection:
            if alert_rules.count(connection, caller.tenant) >= MAX_RULES:
                raise Invalid(f"There are {MAX_RULES:,} alert rules already; remove some first.", code="too_many_rules")
            row = alert_rules.create(connection, caller.tenant, new, now=now)
            chosen = [inbox_of(connection, caller.tenant, caller.user, now=now).id, *body.notify]
            for channel_id in dict.fromkeys(chosen):
                wanted = NewSubscription(
                    usable(channels.get(connection, caller.tenant, channel_id), caller).id, caller.user, rule_id=row.id
                )
                subscriptions.create(connection, caller.tenant, wanted, now=now)
            _log(connection, caller, "alert_rule.create", row.id, services)
        return tagged(request, etag(row), rule_view(row, rule, Tuning(0, 0, 1.0)))

    return await run_in_threadpool(make)


@router.get("/alert-rules/{rule_id}", summary="One alert rule")
async def get_rule(request: Request, rule_id: str, caller: Caller) -> dict[str, Any]:
    services = services_of(request)
    row = await run_in_threadpool(load_rule, services, caller, rule_id)
    return tagged(request, etag(row), await run_in_threadpool(_shown, services, row))


@router.put("/alert-rules/{rule_id}", summary="Change an alert rule")
async def replace_rule(request: Request, rule_id: str, body: RuleBody, caller: Caller, if_match: IfMatch = None) -> dict[str, Any]:
    """Its author stays and its rights count. `notify` adds channels; subscriptions are ended one by one."""
    services = services_of(request)

    def change() -> dict[str, Any]:
        row = _own(load_rule(services, caller, rule_id), caller)
        rule = checked(services, caller, body.definition)
        now = services.clock.now()
        new = NewAlertRule(body.name, rule.metric, as_definition(rule), row.created_by, body.enabled, now if body.enabled else None)
        with services.store.write() as connection:
            hold(connection, if_match, "alert_rules", caller.tenant, rule_id)
            _refuse_changed(alert_rules.get(connection, caller.tenant, rule_id), if_match)
            row = alert_rules.replace(connection, caller.tenant, rule_id, new, now=now)
            for channel_id in body.notify:
                wanted = NewSubscription(
                    usable(channels.get(connection, caller.tenant, channel_id), caller).id, caller.user, rule_id=row.id
                )
                subscriptions.create(connection, caller.tenant, wanted, now=now)
            _log(connection, caller, "alert_rule.change", row.id, services)
        return tagged(request, etag(row), _shown(services, row))

    return await run_in_threadpool(change)


@router.delete("/alert-rules/{rule_id}", status_code=204, summary="Remove an alert rule; its incidents stay")
async def delete_rule(request: Request, rule_id: str, caller: Caller, if_match: IfMatch = None) -> None:
    services = services_of(request)

    def remove() -> None:
        _own(load_rule(services, caller, rule_id), caller)
        with services.store.write() as connection:
            hold(connection, if_match, "alert_rules", caller.tenant, rule_id)
            _refuse_changed(alert_rules.get(connection, caller.tenant, rule_id), if_match)
            alert_rules.delete(connection, caller.tenant, rule_id)
            _log(connection, caller, "alert_rule.delete", rule_id, services)

    await run_in_threadpool(remove)


@router.post("/alert-rules/{rule_id}/mute", summary="Send nothing for a while, or undo it")
async def mute_rule(request: Request, rule_id: str, body: Until, caller: Caller) -> dict[str, Any]:
    """Incidents are still kept."""
    services = services_of(request)

    def change() -> dict[str, Any]:
        _own(load_rule(services, caller, rule_id), caller)
        with services.store.write() as connection:
            row = alert_rules.mute(connection, caller.tenant, rule_id, aware(body))
        return tagged(request, etag(row), _shown(services, row))

    return await run_in_threadpool(change)


@router.get("/subscriptions", summary="Your subscriptions; admins see all")
async def list_subscriptions(
    request: Request, caller: Caller, cursor: Annotated[str, Query(max_length=64)] = "", limit: PageSize = 200
) -> schemas.Page:
    services = services_of(request)

    def read() -> schemas.Page:
        user = None if may(caller, Right.ADMIN) else caller.user
        with services.store.read() as connection:
            found = subscriptions.list_all(connection, caller.tenant, user=user, after_id=cursor, limit=limit)
            known = {c.id: c for c in channels.list_all(connection, caller.tenant, limit=1000)}
        return schemas.Page(items=[subscription_view(s, known) for s in found], next=found[-1].id if len(found) == limit else None)

    return await run_in_threadpool(read)


@router.post("/subscriptions", status_code=201, summary="Be told of incidents")
async def subscribe(request: Request, body: SubscriptionBody, caller: Caller) -> dict[str, Any]:
    services = services_of(request)
    made = await run_in_threadpool(_subscribe, services, caller, body, None)
    return tagged(request, etag_of(made), made)


@router.put("/subscriptions/{subscription_id}", summary="Change a subscription; mute it with muted_until")
async def change_subscription(
    request: Request, subscription_id: str, body: SubscriptionBody, caller: Caller, if_match: IfMatch = None
) -> dict[str, Any]:
    services = services_of(request)
    made = await run_in_threadpool(lambda: _subscribe(services, caller, body, subscription_id, expected=if_match))
    return tagged(request, etag_of(made), made)


@router.delete("/subscriptions/{subscription_id}", status_code=204, summary="End a subscription")
async def unsubscribe(request: Request, subscription_id: str, caller: Caller, if_match: IfMatch = None) -> None:
    services = services_of(request)

    def remove() -> None:
        with services.store.write() as connection:
            _unchanged(connection, caller, subscription_id, if_match)
            subscriptions.delete(connection, caller.tenant, subscription_id)

    await run_in_threadpool(remove)


def _subscribe(
    services: Services, caller: Principal, body: SubscriptionBody, known: str | None, *, expected: str | None = None
) -> dict[str, Any]:
    if body.rule_id is not None:
        load_rule(services, caller, body.rule_id)
    if body.metric is not None:
        visible_to(services.catalogs.full(caller.tenant), caller).metric(body.metric)
    now = services.clock.now()
    with services.store.write() as connection:
        if known is not None:
            owner = _unchanged(connection, caller, known, expected).asked.user_id
        else:
            owner = caller.user
        channel_id = body.channel_id or inbox_of(connection, caller.tenant, owner, now=now).id
        channel = usable(channels.get(connection, caller.tenant, channel_id), caller)
        wanted = NewSubscription(**(body.model_dump() | {"channel_id": channel.id, "user_id": owner}))
        made = (
            subscriptions.create(connection, caller.tenant, wanted, now=now)
            if known is None
            else subscriptions.change(connection, caller.tenant, known, wanted)
        )
    return subscription_view(made, {channel.id: channel})


def _unchanged(connection: Connection, caller: Principal, key: str, expected: str | None) -> subscriptions.Subscription:
    """Raises: NotFound; Forbidden for somebody else's; ChangedSince."""
    hold(connection, expected, "subscriptions", caller.tenant, key)
    found = subscriptions.get(connection, caller.tenant, key)
    if found.asked.user_id != caller.user and not may(caller, Right.ADMIN):
        raise Forbidden("This is somebody else's subscription.")
    channel = channels.get(connection, caller.tenant, found.asked.channel_id)
    now_is = subscription_view(found, {channel.id: channel})
    refuse_changed(expected, etag_of(now_is), now_is)
    return found


def usable(channel: Channel, caller: Principal) -> Channel:
    """Raises: Forbidden for somebody else's inbox."""
    if channel.kind == "inbox" and channel.config.get("user") != caller.user:
        raise Forbidden("This is somebody else's inbox.")
    return channel


def checked(services: Services, caller: Principal, definition: dict[str, Any]) -> AnyRule:
    """The rule, of what the caller may ask. Raises: Invalid; NotFound with the nearest names; another UserError for what cannot be asked."""
    rule = parse_rule(definition)
    visible = visible_to(services.catalogs.full(caller.tenant), caller)
    visible.metric(rule.metric)
    for segment in rule.segments:
        visible.field(segment)
    refuse_what_cannot_be_asked(rule, visible, services.clock.now())
    return rule


def load_rule(services: Services, caller: Principal, rule_id: str) -> AlertRule:
    """Raises: NotFound, also when its figures are not for the caller."""
    with services.store.read() as connection:
        row = alert_rules.get(connection, caller.tenant, rule_id)
    if not sees(services, caller, row.metric, row):
        raise NotFound(f"There is no alert rule {rule_id[:60]!r}.", code="unknown_alert_rule")
    return row


def sees(services: Services, caller: Principal, metric: str, row: AlertRule | None) -> bool:
    return may_see(caller, metric, row, services.catalogs.full(caller.tenant))


def parsed(row: AlertRule) -> AnyRule | None:
    try:
        return parse_rule({**row.definition, "metric": row.metric})
    except UserError:
        return None


def aware(body: Until) -> Any:
    if body.until is not None and body.until.tzinfo is None:
        raise Invalid("until needs a time zone, such as 2026-05-01T08:00:00Z.", code="naive_time", path="/until")
    return body.until


def _may_write(caller: Principal) -> None:
    if not may(caller, Right.RULES):
        raise Forbidden("Viewers cannot make alert rules; ask an analyst.")


def _own(row: AlertRule, caller: Principal) -> AlertRule:
    _may_write(caller)
    if row.created_by != caller.user and not may(caller, Right.KEEP):
        raise Forbidden("This rule was made by somebody else; only they, analysts and admins change it.")
    return row


def _tuned(services: Services, row: AlertRule) -> Tuning:
    with services.store.read() as connection:
        return tuning(incident_events.votes(connection, row.tenant, [row.id])[row.id])


def etag(row: AlertRule) -> str:
    """Of what people change."""
    return etag_of(row.name, row.metric, dict(row.definition), row.enabled, row.muted_until)


def _refuse_changed(row: AlertRule, expected: str | None) -> None:
    refuse_changed(expected, etag(row), rule_view(row, parsed(row), Tuning(0, 0, 1.0)))


def _shown(services: Services, row: AlertRule) -> dict[str, Any]:
    return rule_view(row, parsed(row), _tuned(services, row))


def _log(connection: Any, caller: Principal, action: str, target: str, services: Services) -> None:
    audit.append(connection, caller.tenant, Happening(caller.user, action, target), now=services.clock.now())
