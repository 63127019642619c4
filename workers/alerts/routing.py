"""Who is told of an incident, where and when: rows of the outbox, made in the transaction that makes the incident."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from core.errors import NotFound
from core.ids import TenantId, UserId
from core.principal import Principal
from core.store import channels, deliveries, subscriptions, users
from core.store.alert_rules import AlertRule
from core.store.channels import Channel, NewChannel
from core.store.deliveries import DeliveryKind, NewDelivery
from core.store.incidents import StoredIncident
from core.store.subscriptions import Mode, NewSubscription
from semantic.catalog.model import Catalog
from workers.alerts.access import may_see
from workers.alerts.rule import AnyRule
from workers.alerts.timing import sends_from
from workers.principals import SYSTEM_USER, system_principal

DIGEST_HOUR = 8
_SOONEST_FIRST: tuple[Mode, ...] = ("now", "daily", "weekly")  # a channel that is asked for twice hears once, at the sooner time


def announce(
    connection: Connection,
    incident: StoredIncident,
    row: AlertRule,
    rule: AnyRule,
    catalog: Catalog,
    *,
    now: dt.datetime,
    was: float | None = None,
) -> tuple[str, ...]:
    """Makes the `opened` messages, one per channel, and those that wait for nobody to acknowledge; their delivery ids.

    was: the severity that was told already, of an incident that got worse: those are told to whom it was too low.
    """
    if row.muted_until is not None and row.muted_until > now:
        return ()
    zone = catalog.calendar.time_zone
    made: list[str] = []
    readers: dict[UserId, Principal | None] = {}
    finding = incident.finding
    matching = subscriptions.matching(connection, row.tenant, rule_id=row.id, metric=row.metric, severity=finding.severity)
    for subscription in sorted(matching, key=lambda subscription: _SOONEST_FIRST.index(subscription.asked.mode)):
        asked = subscription.asked
        if was is not None and asked.min_severity <= was:
            continue
        if asked.muted_until is not None and asked.muted_until > now:
            continue
        if asked.user_id not in readers:
            readers[asked.user_id] = _reader(connection, row.tenant, asked.user_id)
        reader = readers[asked.user_id]
        if reader is None or not may_see(reader, row.metric, row, catalog):
            continue
        if not channels.get(connection, row.tenant, asked.channel_id).enabled:
            continue
        new = _opened(asked, incident.id, sends_from(rule.quiet_hours, now, zone), zone)
        put = deliveries.put(connection, row.tenant, new, now=now)
        if put is not None:
            made.append(put.id)
    return tuple(made)


def follow_up(
    connection: Connection, incident: StoredIncident, kind: DeliveryKind, rule: AnyRule, zone: str, *, now: dt.datetime
) -> tuple[str, ...]:
    """Tells those who were told before. Who was not told yet is not: the first message will say how it stands by then. What goes on is
    told to who was told that it is over, and its end once more."""
    made: list[str] = []
    all_told = deliveries.list_all(connection, incident.tenant, incident_id=incident.id, limit=1000)
    was_told = {(delivery.channel_id, delivery.kind) for delivery in all_told if delivery.status == "sent"}
    told: Mapping[str, deliveries.Delivery] = {
        delivery.channel_id: delivery for delivery in all_told if delivery.kind in ("opened", "escalated") and delivery.status == "sent"
    }
    for channel_id, first in told.items():
        if kind == "reopened" and (channel_id, "resolved") not in was_told:
            continue
        what: DeliveryKind = "resolved_again" if kind == "resolved" and (channel_id, "reopened") in was_told else kind
        at = sends_from(rule.quiet_hours, now, zone) if first.mode == "now" else _digest_time(now, first.mode, zone)
        new = NewDelivery(channel_id, first.user_id, what, at, incident.id, "now" if first.mode == "now" else _mode(first.mode))
        put = deliveries.put(connection, incident.tenant, new, now=now)
        if put is not None:
            made.append(put.id)
    return tuple(made)


def inbox_of(connection: Connection, tenant: TenantId, user: UserId, *, now: dt.datetime) -> Channel:
    """The user's own in-app inbox, made when it is missing."""
    name = f"inbox of {user}"
    found = channels.by_name(connection, tenant, name)
    return found or channels.create(connection, tenant, NewChannel(name, "inbox", {"user": user}, None, user), now=now)


def _opened(asked: NewSubscription, incident_id: str, at: dt.datetime, zone: str) -> NewDelivery:
    if asked.escalate_after_minutes is not None:
        later = at + dt.timedelta(minutes=asked.escalate_after_minutes)
        return NewDelivery(asked.channel_id, asked.user_id, "escalated", later, incident_id)
    when = at if asked.mode == "now" else _digest_time(at, asked.mode, zone)
    return NewDelivery(asked.channel_id, asked.user_id, "opened", when, incident_id, asked.mode)


def _digest_time(now: dt.datetime, mode: str, zone: str) -> dt.datetime:
    """The next morning at eight, or that of the next Monday."""
    local = now.astimezone(ZoneInfo(zone))
    at = local.replace(hour=DIGEST_HOUR, minute=0, second=0, microsecond=0)
    while at <= local or (mode == "weekly" and at.weekday() != 0):
        at += dt.timedelta(days=1)
    return at.astimezone(dt.UTC)


def _mode(text: str) -> Mode:
    return "weekly" if text == "weekly" else "daily"


def _reader(connection: Connection, tenant: TenantId, user: UserId) -> Principal | None:
    if user == SYSTEM_USER:
        return system_principal(tenant)
    try:
        found = users.get(connection, tenant, user)
    except NotFound:
        return None
    return None if found.disabled else found.principal()
