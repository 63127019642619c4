"""Alerts as JSON. A channel's secret is never part of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from core.store.alert_rules import AlertRule
from core.store.channels import Channel
from core.store.deliveries import Delivery
from core.store.incident_events import IncidentEvent
from core.store.incidents import StoredIncident
from core.store.subscriptions import Subscription
from workers.alerts.feedback import Tuning
from workers.alerts.message import incident_data, of_incident
from workers.alerts.rule import AnyRule


def rule_view(row: AlertRule, rule: AnyRule | None, tuned: Tuning) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "metric": row.metric,
        "definition": rule.model_dump(mode="json") if rule is not None else dict(row.definition),
        "enabled": row.enabled,
        "created_by": row.created_by,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "last_run_at": row.last_run_at,
        "next_run_at": row.next_run_at,
        "last_error": row.last_error,
        "muted_until": row.muted_until,
        "feedback": tuned.as_json(rule) if rule is not None else None,
    }


def incident_row(incident: StoredIncident) -> dict[str, Any]:
    """For lists."""
    handled = {"assignee": incident.assignee, "snoozed_until": incident.snoozed_until, "updated_at": incident.updated_at}
    return incident_data(incident) | handled


def incident_view(incident: StoredIncident, events: Sequence[IncidentEvent], sent: Sequence[Delivery]) -> dict[str, Any]:
    """One incident with its chart, history, receipt and what was sent about it."""
    message = of_incident(incident, "opened", base_url="", key="", reader="")
    return incident_row(incident) | {
        "title": message.title,
        "lines": list(message.lines),
        "chart": message.chart,
        "segments": incident.finding.details.get("segments", []),
        "receipt": incident.finding.details.get("receipt"),
        "events": [{"id": e.id, "actor": e.actor, "kind": e.kind, "data": dict(e.data), "at": e.at} for e in events],
        "deliveries": [delivery_view(d) for d in sent],
    }


def delivery_view(delivery: Delivery) -> dict[str, Any]:
    names = "id incident_id channel_id kind mode status attempts last_error next_at created_at sent_at".split()
    return {name: getattr(delivery, name) for name in names}


def channel_view(channel: Channel) -> dict[str, Any]:
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.kind,
        "config": dict(channel.config),
        "has_secret": channel.sealed is not None,
        "enabled": channel.enabled,
        "created_by": channel.created_by,
        "created_at": channel.created_at,
        "updated_at": channel.updated_at,
        "last_sent_at": channel.last_sent_at,
        "last_error": channel.last_error,
    }


def subscription_view(subscription: Subscription, channels: Mapping[str, Channel]) -> dict[str, Any]:
    asked = subscription.asked
    channel = channels.get(asked.channel_id)
    names = "channel_id team rule_id metric min_severity mode escalate_after_minutes muted_until".split()
    shown = {name: getattr(asked, name) for name in names}
    return {"id": subscription.id, "user": asked.user_id, "channel": channel.name if channel else None, **shown}


def shown_address(url: str) -> str:
    """What may be shown of a secret address: its scheme and, of a webhook, its host.

    >>> shown_address("https://hooks.example.com/T0/secret"), shown_address("slack://a/b/c")
    ('https://hooks.example.com', 'slack://')
    """
    scheme = url.partition("://")[0]
    return f"{scheme}://{urlsplit(url).hostname}" if scheme in ("http", "https") else f"{scheme}://"
