"""Events become incidents, and incidents messages: one transaction per rule, the same outcome however often it runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.engine import Connection

from core.store import incident_events, incidents
from core.store.alert_rules import AlertRule
from core.store.incident_events import NewEvent
from core.store.incidents import Finding, Handling, IncidentStatus, StoredIncident
from core.timeseries import Grain
from semantic.catalog.model import Catalog
from workers.alerts.events import Event
from workers.alerts.routing import announce, follow_up
from workers.alerts.rule import AnyRule
from workers.alerts.timing import LATE_AFTER, cooldown, history_start, wall_clock

SYSTEM = "system"
MERGED, OVER, LATE_DATA, NEW_LEVEL = "merged", "over", "late_data", "new_level"
_TOLD = "told_severity"  # of an incident when people were last told of it
Details = Callable[[Event], Mapping[str, Any]]


@dataclass(slots=True)
class Applied:
    """Ids of incidents."""

    opened: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    resolved: list[str] = field(default_factory=list)
    recorded_late: list[str] = field(default_factory=list)
    deliveries: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ground:
    """What a rule's events are applied on. row: held by `alert_rules.lock` in this transaction. now: when the data were read."""

    row: AlertRule
    rule: AnyRule
    catalog: Catalog
    now: dt.datetime
    job_id: str | None = None

    @property
    def zone(self) -> str:
        return self.catalog.calendar.time_zone

    @property
    def wall(self) -> dt.datetime:
        return wall_clock(self.now, Grain(self.rule.grain), self.zone)


def apply(connection: Connection, ground: Ground, found: Sequence[Event], details: Details) -> Applied:
    """details: the JSON of an event; asked only for those that are stored."""
    since = history_start(Grain(ground.rule.grain), ground.now)
    known = list(incidents.of_rule(connection, ground.row.tenant, ground.row.id, ended_after=since))
    done = Applied()
    taken: set[str] = set()
    for event in found:
        same = [incident for incident in known if incident.id not in taken and _is_same(incident, event, ground.rule)]
        same.sort(key=lambda incident: incident.finding.series_id != event.main.series_id)  # of two at a time, the one of its own segment
        if same:
            taken |= {incident.id for incident in same}
            _go_on(connection, ground, same[0], event, details, done)
            for extra in same[1:]:
                _end(connection, ground, extra, MERGED, done, tell=False)
        elif _is_news(event, ground):
            _begin(connection, ground, event, details, done)
    for incident in known:
        if incident.id not in taken and incident.status != "resolved" and incident.finding.started_at >= since:
            _end(connection, ground, incident, LATE_DATA, done, tell=True)
    return done


def _is_same(incident: StoredIncident, event: Event, rule: AnyRule) -> bool:
    """Overlapping or close in time, of one kind and not of opposite directions: the event was told as this incident."""
    finding = incident.finding
    last = finding.ended_at or _instant(finding.details.get("last_bucket")) or finding.started_at
    slack = cooldown(rule, last - finding.started_at)
    close = event.start <= last + slack and event.end >= finding.started_at - slack
    agree = finding.direction == event.direction or "both" in (finding.direction, event.direction)
    return close and agree and _family(finding.kind) == _family(event.main.kind)


def _family(kind: str) -> bool:
    return kind in ("missing_data", "flat_line")


def _is_news(event: Event, ground: Ground) -> bool:
    """Not what was over and known before the rule was made."""
    made_at = wall_clock(ground.row.created_at, Grain(ground.rule.grain), ground.zone)
    return event.is_open or event.known_at >= made_at


def _begin(connection: Connection, ground: Ground, event: Event, details: Details, done: Applied) -> None:
    late = not event.is_open and ground.wall - event.known_at > LATE_AFTER[Grain(ground.rule.grain)]
    incident, _ = incidents.put(connection, ground.row.tenant, _finding(ground, event, details), now=ground.now)
    if late:
        done.recorded_late.append(incident.id)
        incidents.handle(connection, ground.row.tenant, incident.id, Handling(status="resolved"), now=ground.now)
        _note(connection, ground, incident.id, "recorded_late", {"known_at": event.known_at.isoformat()})
        return
    done.opened.append(incident.id)
    _note(connection, ground, incident.id, "opened", {"severity": round(event.severity, 1)})
    done.deliveries += announce(connection, incident, ground.row, ground.rule, ground.catalog, now=ground.now)
    if event.new_normal_at is not None or not event.is_open:
        told_already = event.main.kind == "level_shift"  # its first message says that it is the new normal
        _end(connection, ground, incident, NEW_LEVEL if event.new_normal_at else OVER, done, tell=not told_already)


def _go_on(connection: Connection, ground: Ground, known: StoredIncident, event: Event, details: Details, done: Applied) -> None:
    """A known incident takes the new figures; what people did stays. It ends, or comes back without a second message."""
    tenant = ground.row.tenant
    stood = bool(known.finding.details.get("new_normal_at"))
    finding = _finding(ground, event, details, key=known.finding.dedupe_key, at=known.finding.detected_at)
    told = float(known.finding.details.get(_TOLD, known.finding.severity))
    for name in ("drivers", "repeated", "repeated_bucket"):  # found out once
        if known.finding.details.get(name) is not None:
            finding.details[name] = known.finding.details[name]  # type: ignore[index]
    finding.details[_TOLD] = told  # type: ignore[index]
    incident, _ = incidents.put(connection, tenant, finding, now=ground.now)
    done.updated.append(incident.id)
    if abs(finding.severity - known.finding.severity) >= 5:
        change = {"severity": [round(known.finding.severity, 1), round(finding.severity, 1)]}
        _note(connection, ground, incident.id, "rescored", change)
    if event.new_normal_at is not None and not stood:
        _end(connection, ground, incident, NEW_LEVEL, done, tell=True)
    elif not event.is_open and incident.status != "resolved":
        _end(connection, ground, incident, OVER, done, tell=True)
    elif event.is_open and incident.status == "resolved" and not stood and _system_resolved(connection, incident):
        incident = incidents.handle(connection, tenant, incident.id, Handling(status="open"), now=ground.now)
        _note(connection, ground, incident.id, "reopened", {})
        done.deliveries += follow_up(connection, incident, "reopened", ground.rule, ground.zone, now=ground.now)
    elif incident.status == "snoozed" and incident.snoozed_until is not None and incident.snoozed_until <= ground.now:
        incidents.handle(connection, tenant, incident.id, Handling(status="open"), now=ground.now)
        _note(connection, ground, incident.id, "snooze_over", {})
    is_on = event.is_open and incident.status != "resolved"
    worse = finding.severity > told and (is_on or _ended_lately(connection, ground, incident, event))
    if worse:
        done.deliveries += announce(connection, incident, ground.row, ground.rule, ground.catalog, now=ground.now, was=told)
    if is_on or worse:
        incidents.add_details(connection, tenant, incident.id, {_TOLD: finding.severity}, now=ground.now)


def _ended_lately(connection: Connection, ground: Ground, incident: StoredIncident, event: Event) -> bool:
    """Over, by itself, not so long ago that it is no news: how bad it was is told though it was seen only now."""
    fresh = ground.wall - event.end <= LATE_AFTER[Grain(ground.rule.grain)]
    return not event.is_open and fresh and (incident.status != "resolved" or _system_resolved(connection, incident))


def _end(connection: Connection, ground: Ground, incident: StoredIncident, why: str, done: Applied, *, tell: bool) -> None:
    status: IncidentStatus = "resolved"
    if incident.status != status:
        incident = incidents.handle(connection, ground.row.tenant, incident.id, Handling(status=status), now=ground.now)
        _note(connection, ground, incident.id, "resolved", {"why": why})
        if why == LATE_DATA:
            incidents.add_details(connection, ground.row.tenant, incident.id, {"taken_back": True}, now=ground.now)
        done.resolved.append(incident.id)
    if tell:
        kind = "new_normal" if why == NEW_LEVEL else "resolved"
        done.deliveries += follow_up(connection, incident, kind, ground.rule, ground.zone, now=ground.now)  # type: ignore[arg-type]


def _system_resolved(connection: Connection, incident: StoredIncident) -> bool:
    """What a person called resolved stays so."""
    ends = [e for e in incident_events.list_all(connection, incident.tenant, incident.id) if e.kind == "resolved"]
    return bool(ends) and ends[-1].actor == SYSTEM and ends[-1].data.get("why") != MERGED


def _note(connection: Connection, ground: Ground, incident_id: str, kind: str, data: Mapping[str, Any]) -> None:
    incident_events.append(connection, ground.row.tenant, NewEvent(incident_id, ground.row.id, SYSTEM, kind, data), now=ground.now)


def _finding(ground: Ground, event: Event, details: Details, *, key: str | None = None, at: dt.datetime | None = None) -> Finding:
    made = key or f"{ground.row.id}/{event.main.kind}/{event.direction}/{event.start.isoformat()}"
    return Finding(
        dedupe_key=made,
        metric=ground.row.metric,
        series_id=event.main.series_id[:300],
        kind=event.main.kind,
        direction=event.direction,
        severity=round(event.severity, 3),
        impact=event.main.impact,
        started_at=event.start,
        ended_at=None if event.is_open else event.end,
        detected_at=at or ground.now,
        details=dict(details(event)) | {"rule_name": ground.row.name},
        rule_id=ground.row.id,
        job_id=ground.job_id,  # type: ignore[arg-type]
    )


def _instant(text: object) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if isinstance(text, str) else None
