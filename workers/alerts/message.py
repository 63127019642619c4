"""What a person is told of an incident, as facts and words; e-mail, chat, webhook and inbox show the same."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.store.incidents import StoredIncident
from insights.retold import retold, retold_lines
from insights.wording import bucket, during, figure, number, percent, says_many
from workers.alerts.chart import incident_chart
from workers.jobs.chart_data import instant
from workers.look import USUAL as USUAL_LOOK
from workers.look import Look, banner
from workers.pages_pdf import Document
from workers.signed_link import link_token, read_link_token

FEEDBACK = "alert feedback"
MANY_TIMES = 10
_DRIVER = re.compile(r"By (.+?): (.+) went from ")  # a dimension and its value, as workers.alerts.drivers writes them
_PREFIX = {"escalated": "Nobody has looked yet: ", "reopened": "Again: "}
_WORD = {"up": "above", "down": "below", "both": "away from"}


@dataclass(frozen=True, slots=True)
class Message:
    """kind: opened, escalated, new_normal, resolved, reopened, digest, digest_issue or test. chart: Vega-Lite, None without points. data: for machines.

    html, images: what an e-mail shows instead of the lines, with charts by their content ids. unsubscribe: ends it with one click.
    attached: goes with an e-mail as PDF, drawn when it is sent.
    """

    kind: str
    title: str
    lines: tuple[str, ...]
    link: str
    feedback: tuple[str, str] | None
    chart: Mapping[str, Any] | None
    data: Mapping[str, Any]
    html: str | None = None
    images: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    unsubscribe: str | None = None
    attached: Document | None = None


def of_incident(incident: StoredIncident, kind: str, *, base_url: str, key: str, reader: str) -> Message:
    """key: signs the "was this useful?" links, which speak for `reader`."""
    finding, facts = incident.finding, incident.finding.details
    over = incident.status == "resolved"
    title = _title(incident, kind)
    link = f"{base_url.rstrip('/')}/incidents/{incident.id}"
    token = feedback_token(key, incident.tenant, incident.id, reader)
    answer = f"{base_url.rstrip('/')}/v1/incidents/feedback?token={token}"
    points = [] if _is_taken_back(incident, kind) else facts.get("points") or []  # figures that are no longer so
    limit = facts.get("expected") if facts.get("rule_kind") == "threshold" else None
    chart = (
        incident_chart(
            points,
            title=_what(incident),
            start=instant(finding.started_at),
            end=_last(incident),
            limits=() if limit is None else (float(limit),),
            format_=facts.get("format"),
        )
        if points
        else None
    )
    return Message(
        kind=kind,
        title=title,
        lines=tuple(_lines(incident, kind, over=over)),
        link=link,
        feedback=(f"{answer}&useful=yes", f"{answer}&useful=no") if kind in ("opened", "escalated") else None,
        chart=chart,
        data=incident_data(incident) | {"url": link},
    )


def incident_data(incident: StoredIncident) -> dict[str, Any]:
    """The incident for a program; what the webhook carries and `GET /v1/incidents` lists."""
    finding, facts = incident.finding, incident.finding.details
    return {
        "id": incident.id,
        "rule_id": finding.rule_id,
        "rule_name": facts.get("rule_name"),
        "metric": finding.metric,
        "label": facts.get("label", finding.metric),
        "unit": facts.get("unit"),
        "format": facts.get("format"),
        "grain": facts.get("grain"),
        "model": facts.get("model") or None,
        "scope": facts.get("scope"),
        "kind": finding.kind,
        "direction": finding.direction,
        "status": incident.status,
        "severity": round(finding.severity, 1),
        "expected": facts.get("expected"),
        "actual": facts.get("actual"),
        "impact": finding.impact,
        "started_at": instant(finding.started_at),
        "ended_at": instant(finding.ended_at) if finding.ended_at else None,
        "detected_at": instant(finding.detected_at),
        "new_normal_at": facts.get("new_normal_at"),
        "repeated": {"bucket": facts.get("repeated_bucket"), "told": facts["repeated"]} if facts.get("repeated") else None,
        "segments": [{name: s[name] for name in ("label", "direction", "impact")} for s in facts.get("segments", [])],
        "drivers": retold_lines(facts.get("drivers", []), _names(incident)),
    }


def _title(incident: StoredIncident, kind: str) -> str:
    finding, facts = incident.finding, incident.finding.details
    label = _capital(str(facts.get("label", finding.metric)))
    what = _what(incident)
    be, have = ("were", "have") if says_many(label) else ("was", "has")
    if _is_taken_back(incident, kind):
        return f"Resolved: {what} {be} not out of line {_when(_peak(incident), facts.get('grain'))} after all"
    if kind == "resolved":
        return f"Resolved: {what}{_over(incident, be, have)}"
    if kind == "new_normal" or finding.kind == "level_shift":
        return f"{what} {have} a new normal level"
    prefix = _PREFIX.get(kind, "")
    when = _when(finding.started_at, facts.get("grain"))
    if finding.kind == "missing_data":
        return f"{prefix}{what}: no data {when}"
    if finding.kind == "flat_line":
        return f"{prefix}{what} {have} not moved since {when.partition(' ')[2] or when}"
    if facts.get("repeated"):
        return f"{prefix}{what}: rows look loaded twice {_when(_peak(incident, 'repeated_bucket'), facts.get('grain'))}"
    far = _how_far(facts, finding.direction, its="their" if be == "were" else "its")
    peak, last = _peak(incident), dt.datetime.fromisoformat(_last(incident))
    came_back = kind == "reopened" and last.replace(tzinfo=None) > peak.replace(tzinfo=None)
    back = f", and again {_when(last, facts.get('grain'))}" if came_back else ""
    return f"{prefix}{what} {be} {far} {_when(peak, facts.get('grain'))}{back}"


def _names(incident: StoredIncident) -> tuple[str, ...]:
    """What the kept sentences call by name."""
    facts = incident.finding.details
    told = (facts.get("label"), facts.get("scope"), facts.get("unit"), *(s["label"] for s in facts.get("segments", [])))
    told += tuple(name for line in facts.get("drivers", []) if (found := _DRIVER.match(str(line))) for name in found.groups())
    return tuple(str(name) for name in told if name)


def _what(incident: StoredIncident) -> str:
    """The metric and the segment that speaks."""
    facts = incident.finding.details
    label, scope = _capital(str(facts.get("label", incident.finding.metric))), facts.get("scope")
    return label if scope in (None, "Total") else f"{label} ({scope})"


def _is_taken_back(incident: StoredIncident, kind: str) -> bool:
    """By the data (or the rule) of now it was nothing; data that were missing and came are data again."""
    return (
        kind == "resolved"
        and bool(incident.finding.details.get("taken_back"))
        and incident.finding.kind not in ("missing_data", "flat_line")
    )


def _peak(incident: StoredIncident, rather: str = "peak_bucket") -> dt.datetime:
    """The bucket whose figures are told: the oddest, unless the details name another one."""
    told = incident.finding.details.get(rather) or incident.finding.details.get("peak_bucket")
    return dt.datetime.fromisoformat(told) if isinstance(told, str) else incident.finding.started_at


def _how_long(incident: StoredIncident, *, over: bool) -> str | None:
    """From when to when, of what is not one bucket."""
    grain = incident.finding.details.get("grain")
    first, last = (bucket(dt.datetime.fromisoformat(at), grain) for at in (instant(incident.finding.started_at), _last(incident)))
    if first == last or incident.finding.kind in ("level_shift", "goal") or incident.finding.details.get("new_normal_at"):
        return None
    return f"It lasted from {_the(first, grain)} to {_the(last, grain)}." if over else f"It has gone on since {_the(first, grain)}."


def _the(told: str, grain: str | None) -> str:
    return f"the {told}" if grain == "week" else f"{told}{_zone(grain)}"


def _when(at: dt.datetime, grain: str | None) -> str:
    return f"{during(at, grain)}{_zone(grain)}"


def _zone(grain: str | None) -> str:
    """Whose clock it is, of what is told to the hour or the minute: readers live in many places."""
    return " UTC" if grain in ("hour", "minute") else ""


def _over(incident: StoredIncident, be: str, have: str) -> str:
    """How it ended: a goal's period ends without being reached, data come again."""
    facts = incident.finding.details
    if incident.finding.kind == "missing_data":
        return f" {have} data again"
    if facts.get("rule_kind") == "goal" and facts.get("period_over") and facts.get("actual") is not None and facts.get("expected"):
        return f" ended {distance(facts['expected'], facts['actual'])} {'their' if be == 'were' else 'its'} goal"
    return f" {'are' if be == 'were' else 'is'} back to normal" if facts.get("actual") is not None else ""


def _how_far(facts: Mapping[str, Any], direction: str, *, its: str) -> str:
    expected, actual = facts.get("expected"), facts.get("actual")
    word = {"threshold": f"{its} limit", "goal": f"the pace of {its} goal", "forecast_breach": "forecast"}.get(
        str(facts.get("rule_kind")), "expected"
    )
    if not isinstance(expected, int | float) or not isinstance(actual, int | float) or expected == 0:
        return f"{_WORD[direction]} {word}"
    many = word == "expected" and actual >= MANY_TIMES * expected > 0
    return f"{distance(expected, actual)} {'what was expected' if many else word}"


def distance(expected: float, actual: float) -> str:
    """How far off, in words that stay readable: 12% above, more than 99% below, 23 times.

    >>> distance(100.0, 112.0), distance(1000.0, 1.0), distance(10.0, 230.0), distance(10.0, 0.0)
    ('12% above', 'more than 99% below', '23 times', '100% below')
    """
    if expected > 0 and actual >= MANY_TIMES * expected:
        return f"{figure(actual / expected)} times"
    share = abs(actual - expected) / abs(expected)
    if actual < expected and 0.995 <= share < 1:
        return f"more than {percent(0.99)} below"
    return f"{percent(share)} {'above' if actual > expected else 'below'}"


def _lines(incident: StoredIncident, kind: str, *, over: bool) -> list[str]:
    finding, facts = incident.finding, incident.finding.details
    names = _names(incident)
    made: list[str] = [retold(str(facts["repeated"]), names)] if facts.get("repeated") and kind not in ("resolved", "new_normal") else []
    expected, actual = _said(facts.get("expected"), facts), _said(facts.get("actual"), facts)
    if _is_taken_back(incident, kind):
        told = [f"Told before: actual {actual}, expected {expected}."] if finding.kind == "value" else []
        return [
            "Looked at again, with the data and the rule as they are now, nothing is odd.",
            *told,
            f"Rule: {facts.get('rule_name', '')}.",
        ]
    if finding.kind not in ("missing_data", "flat_line") and facts.get("actual") is not None:
        if facts.get("rule_kind") == "goal":
            made.append(f"{actual} {'in all' if facts.get('period_over') else 'so far'}; at the pace of the goal it is {expected}.")
        else:
            word = {"threshold": "limit", "forecast_breach": "forecast"}.get(str(facts.get("rule_kind")), "expected")
            made.append(f"Actual {actual}, {word} {expected}.")
            # rates of several buckets are no sum, and what went both ways adds up to little
            if finding.impact and facts.get("adds_up", True) and finding.direction != "both":
                made.append(
                    f"In all {_said(abs(finding.impact), facts)} {'more' if finding.impact > 0 else 'less'}{'' if over else ' so far'}."
                )
            lasted = _how_long(incident, over=over)
            made += [lasted] if lasted else []
    others = [s for s in facts.get("segments", []) if s["label"] not in ("Total", facts.get("scope"))]
    if others:
        made.append("Seen in " + ", ".join(f"{s['label']} ({_said(s['impact'], facts, sign=True)})" for s in others[:5]) + ".")
    made += retold_lines(facts.get("drivers", [])[:3], names)
    if kind == "new_normal":
        made.append("The level has stayed; it is what will be expected from now on. There will be no further message about it.")
    elif kind == "reopened":
        made.append("It was told as over and has come back; the incident is open again.")
    elif kind != "resolved" and over:
        made.append("It is over by now.")
    if kind == "resolved" and over:
        made.append("The incident is resolved.")
    judged = f" Judged by {facts['model']}." if facts.get("model") else ""
    made.append(f"Rule: {facts.get('rule_name', '')}. Severity {finding.severity:.0f} of 100.{judged}")
    return made


def _said(value: object, facts: Mapping[str, Any], *, sign: bool = False) -> str:
    if not isinstance(value, int | float):
        return "–"
    text = number(value, facts.get("format"), facts.get("unit"), compact=True)
    return f"+{text}" if sign and value > 0 else text


def _last(incident: StoredIncident) -> str:
    return str(incident.finding.details.get("last_bucket") or instant(incident.finding.ended_at or incident.finding.started_at))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def digest(messages: Sequence[Message], *, base_url: str) -> Message:
    """Several messages as one."""
    lines = tuple(f"{message.title}. {' '.join(message.lines[:2])} {message.link}" for message in messages)
    title = f"{len(messages)} alerts" if len(messages) > 1 else f"1 alert: {messages[0].title}"
    data = {"items": [dict(message.data) | {"event": message.kind} for message in messages]}
    return Message("digest", title, lines, f"{base_url.rstrip('/')}/incidents", None, None, data)


def channel_test(channel_name: str, *, base_url: str, at: dt.datetime) -> Message:
    """What the test button sends."""
    title = f"Test of the channel {channel_name}"
    return Message("test", title, ("Alerts will arrive here.",), base_url, None, None, {"channel": channel_name, "at": instant(at)})


def plain(message: Message) -> str:
    parts = [message.title, "", *message.lines, "", message.link]
    if message.feedback is not None:
        parts += ["", f"Was this useful?  Yes: {message.feedback[0]}", f"No: {message.feedback[1]}"]
    if message.unsubscribe is not None:
        parts += ["", f"Unsubscribe: {message.unsubscribe}"]
    return "\n".join(parts) + "\n"


def as_html(message: Message, *, image: str | None, look: Look = USUAL_LOOK) -> str:
    """image: the cid of the chart. Every text is escaped: labels and segments are data."""
    safe = html.escape
    body = "".join(f'<p style="margin:6px 0">{safe(line)}</p>' for line in message.lines)
    alt = safe(f"Chart: {message.title}")
    picture = f'<p><img src="cid:{safe(image)}" alt="{alt}" style="max-width:100%"></p>' if image else ""
    ask = ""
    if message.feedback is not None:
        yes, no = (safe(link) for link in message.feedback)
        ask = f'<p style="color:#595959">Was this useful? <a href="{yes}">Yes</a> &middot; <a href="{no}">No</a></p>'
    return (
        f'<!doctype html><html lang="en"><head><title>{safe(message.title)}</title></head>'
        f'<body style="font-family:sans-serif;color:#222;max-width:640px">{banner(look)}'
        f'<h1 style="font-size:18px">{safe(message.title)}</h1>{body}{picture}'
        f'<p><a style="color:{look.accent}" href="{safe(message.link)}">Open in {safe(look.product)}</a></p>{ask}</body></html>'
    )


def feedback_token(key: str, tenant: str, incident_id: str, reader: str) -> str:
    """Lets its holder say whether this one incident was useful, in the reader's name, and nothing else."""
    return link_token(FEEDBACK, key, tenant, incident_id, reader)


def read_feedback_token(key: str, token: str) -> tuple[str, str, str]:
    """(tenant, incident, reader). Raises: Unauthenticated."""
    return read_link_token(FEEDBACK, key, token, instead="the incident")
