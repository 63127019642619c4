"""Works off the outbox: lease, look whether the message is still wanted, send, mark. Any number may run at once, killed at any point.

A message that was handed over but not yet marked when its sender was killed is sent again under the same id (webhook-id, Message-ID).
"""

from __future__ import annotations

import datetime as dt
import logging
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from core.errors import NotFound, UserError
from core.formats import writing
from core.ids import UserId
from core.store import channels, deliveries, digests, incidents, users
from core.store.channels import Channel
from core.store.deliveries import Delivery
from core.store.incidents import StoredIncident
from core.store.person_formats import formats_for
from workers.alerts.message import Message, channel_test, digest, of_incident
from workers.alerts.sealing import unseal
from workers.alerts.senders import NotSent, Sending, send
from workers.bootstrap import Services
from workers.digests.message import of_issue, why_unwanted
from workers.holder import holder_name, is_surely_dead
from workers.look import Look, look_of

log = logging.getLogger(__name__)

_ENDS = ("resolved", "resolved_again")
LEASE = dt.timedelta(minutes=5)  # longer than a batch takes, also with a mail server that hangs at every step
BATCH = 24
PARALLEL = 8
WAITS = tuple(dt.timedelta(seconds=s) for s in (15, 60, 300, 900, 1800, 3600, 7200, 14_400, 28_800))  # then dead: 15 hours in all
MAX_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Delivered:
    sent: int
    failed: int
    cancelled: int


def deliver_due(services: Services, *, rounds: int = MAX_ROUNDS) -> Delivered:
    """Sends what is due, up to `rounds` batches. Raises: Unavailable when the state store does not answer."""
    _take_back(services)
    totals = [0, 0, 0]
    for _ in range(rounds):
        owner = holder_name()
        with services.store.write() as connection:
            batch = deliveries.lease_due(connection, owner, now=services.clock.now(), lease_for=LEASE, limit=BATCH)
        if not batch:
            break
        with ThreadPoolExecutor(PARALLEL) as pool:
            for outcome in pool.map(lambda group: _deliver(services, group), _groups(batch)):
                totals = [a + b for a, b in zip(totals, outcome, strict=True)]
    return Delivered(*totals)


def _take_back(services: Services) -> None:
    """What vanished senders of this machine held is due at once; elsewhere their lease runs out."""
    with services.store.read() as connection:
        lost = [item for item in deliveries.leased(connection) if is_surely_dead(item.lease_owner or "")]
    if lost:
        with services.store.write() as connection:
            for item in lost:
                deliveries.release(connection, item)


def _groups(batch: Sequence[Delivery]) -> list[list[Delivery]]:
    """Messages at once alone; gathered ones of a channel together."""
    groups: dict[str, list[Delivery]] = {}
    for item in batch:
        groups.setdefault(item.id if item.mode == "now" else f"{item.tenant}/{item.channel_id}", []).append(item)
    return list(groups.values())


def _deliver(services: Services, group: Sequence[Delivery]) -> tuple[int, int, int]:
    """(sent, failed, cancelled). Nothing is raised for a receiver's fault."""
    now = services.clock.now()
    try:
        channel, wanted, dropped = _wanted(services, group, now)
        if not wanted:
            return 0, 0, dropped
        first = wanted[0][0]
        with services.store.read() as connection:
            look = look_of(connection, channel.tenant)
            formats = formats_for(connection, channel.tenant, reader_of(connection, channel))
        with writing(formats):
            message = _message(services, channel, wanted, now, look)
        key = services.secret("channel_key")
        sending = Sending(
            delivery_id=first.id,
            channel=channel,
            secrets=unseal(channel.sealed, key),
            message=message,
            user=first.user_id,
            incident_id=first.incident_id if len(wanted) == 1 else None,
            settings=services.settings,
            store=services.store,
            now=now,
            look=look,
        )
        send(sending)
    except NotSent as error:
        return 0, _failed(services, group, error, now), 0
    except UserError as error:
        return 0, _failed(services, group, NotSent(error.message, permanent=True), now), 0
    except Exception as error:  # a defect of ours must not stop the others' messages
        log.error("delivery %s failed", group[0].id, exc_info=error)
        return 0, _failed(services, group, NotSent("The message could not be made because of a defect in Querent."), now), 0
    with services.store.write() as connection:
        for item, _ in wanted:
            deliveries.sent(connection, item, now=now)
        channels.record(connection, channel.tenant, channel.id, error=None, now=now)
    return len(wanted), 0, dropped


def _wanted(
    services: Services, group: Sequence[Delivery], now: dt.datetime
) -> tuple[Channel, list[tuple[Delivery, StoredIncident | None]], int]:
    """Those that still say something; others are cancelled or wait. Read at the last moment, so that an acknowledgement counts."""
    tenant = group[0].tenant
    kept: list[tuple[Delivery, StoredIncident | None]] = []
    dropped = 0
    with services.store.write() as connection:
        channel = channels.get(connection, tenant, group[0].channel_id)
        for item in group:
            incident = incidents.get(connection, tenant, item.incident_id) if item.incident_id is not None else None
            why = _unwanted(item, incident, channel) or (why_unwanted(connection, item) if item.kind == "digest" else None)
            if why is not None:
                dropped += deliveries.end(connection, item, "cancelled", why)
            elif incident is not None and item.kind not in _ENDS and _snoozed(incident, now):
                deliveries.postpone(connection, item, until=incident.snoozed_until or now)
            else:
                kept.append((item, incident))
    return channel, kept, dropped


def _unwanted(item: Delivery, incident: StoredIncident | None, channel: Channel) -> str | None:
    if not channel.enabled and item.kind != "test":
        return "The channel is switched off."
    if item.kind == "escalated" and incident is not None and incident.status != "open":
        return f"Nobody needs to be called: the incident is {incident.status}."
    if item.kind in _ENDS and incident is not None and incident.status != "resolved":
        return "It has come back."
    if item.kind == "reopened" and incident is not None and incident.status == "resolved":
        return "It is over again."
    return None


def _snoozed(incident: StoredIncident, now: dt.datetime) -> bool:
    return incident.status == "snoozed" and incident.snoozed_until is not None and incident.snoozed_until > now


def _message(
    services: Services, channel: Channel, wanted: Sequence[tuple[Delivery, StoredIncident | None]], now: dt.datetime, look: Look
) -> Message:
    base, key = services.settings.resolved_base_url, services.session_key
    issue = None
    if wanted[0][0].kind == "digest":  # always alone: its mode is "now"
        with services.store.read() as connection:
            issue = digests.issue_of(connection, channel.tenant, wanted[0][0].id)
    if issue is not None:
        return of_issue(issue, base_url=base, key=key, look=look)
    made = [
        channel_test(channel.name, base_url=base, at=now)
        if incident is None
        else of_incident(incident, item.kind.removesuffix("_again"), base_url=base, key=key, reader=item.user_id)
        for item, incident in wanted
    ]
    return made[0] if wanted[0][0].mode == "now" else digest(made, base_url=base)


def reader_of(connection: Connection, channel: Channel) -> UserId | None:
    """The one person who reads what goes over the channel; None where others may."""
    if channel.kind == "inbox":
        return UserId(str(channel.config["user"]))
    to = list(channel.config["to"]) if channel.kind == "email" else []
    try:
        own = users.by_email(connection, channel.tenant, to[0]) if len(to) == 1 else None
    except UserError:  # an address that no person here can have
        return None
    return own.id if own is not None else None


def _failed(services: Services, group: Sequence[Delivery], error: NotSent, now: dt.datetime) -> int:
    with services.store.write() as connection:
        for item in group:
            if error.permanent or item.attempts > len(WAITS):
                deliveries.end(connection, item, "dead", error.reason)
            else:
                wait = WAITS[item.attempts - 1] * random.uniform(1.0, 1.3)
                deliveries.postpone(connection, item, until=now + wait, error=error.reason)
        try:
            channels.record(connection, group[0].tenant, group[0].channel_id, error=error.reason, now=now, disable=error.gone)
        except NotFound:  # deleted a moment ago, its deliveries with it
            log.info("channel %s is gone", group[0].channel_id)
    return len(group)


def send_test(services: Services, channel: Channel, user: str) -> Delivery:
    """Sends a test message now; the delivery says how it went. Raises: Unavailable."""
    now = services.clock.now()
    new = deliveries.NewDelivery(channel.id, UserId(user), "test", now)
    with services.store.write() as connection:
        made = deliveries.put(connection, channel.tenant, new, now=now)
        assert made is not None
        taken = deliveries.lease_one(connection, made, holder_name(), now=now, lease_for=LEASE)
    _deliver(services, [taken])
    with services.store.write() as connection:
        found = deliveries.get(connection, channel.tenant, taken.id)
        if found.status == "pending":  # a test is tried once
            deliveries.end_unsent(connection, found)
        return deliveries.get(connection, channel.tenant, taken.id)
