"""An incident's history as sentences, oldest first: what people and the system did, and what was sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.formats import current

_DID: Mapping[str, str] = {
    "opened": "found this",
    "recorded_late": "recorded this after it was over; nobody was told",
    "rescored": "took in new figures",
    "snooze_over": "opened it again: the snooze is over",
    "acknowledged": "took it on",
    "resolved": "marked it as over",
    "reopened": "opened it again",
    "commented": "wrote",
}
_SENT: Mapping[str, str] = {
    "sent": "sent a message to {}",
    "pending": "is sending a message to {}",
    "dead": "could not send a message to {}",
    "cancelled": "kept a message to {} back: no longer needed",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """text: what somebody wrote, empty otherwise. tone: "", good or bad."""

    at: dt.datetime
    who: str
    what: str
    text: str = ""
    tone: str = ""


def moments(
    events: Sequence[Mapping[str, Any]], sent: Sequence[Mapping[str, Any]], people: Mapping[str, str], channels: Mapping[str, str]
) -> list[Moment]:
    """events, sent: as in the incident's JSON. people: names by user id; channels: names by channel id."""
    found = [_of_event(event, people) for event in events]
    for one in sent:
        lost = one["status"] == "dead"
        what = _SENT[one["status"]].format(channels.get(one["channel_id"], "a channel"))
        found.append(
            Moment(one["sent_at"] or one["created_at"], "Querent", what, (one["last_error"] or "") if lost else "", "bad" if lost else "")
        )
    return sorted(found, key=lambda moment: moment.at)


def _of_event(event: Mapping[str, Any], people: Mapping[str, str]) -> Moment:
    data, kind = event["data"], str(event["kind"])
    who = "Querent" if event["actor"] == "system" else people.get(event["actor"], "Somebody")
    if kind == "feedback":
        vote = data.get("useful")
        what = "took the verdict back" if vote is None else "found it useful" if vote else "found it not useful"
    elif kind == "snoozed":
        what = f"put it off until {_when(str(data.get('until', '')))}"
    elif kind == "assigned":
        what = f"gave it to {people.get(str(data.get('user')), 'somebody')}"
    elif kind == "resolved" and who == "Querent":
        what = "saw that it is over"
    else:
        what = _DID.get(kind, kind.replace("_", " "))
    return Moment(event["at"], who, what, str(data.get("comment") or ""), "good" if kind == "resolved" else "")


def _when(text: str) -> str:
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        return "later"
    return f"{current().day(at)}, {current().clock(at)} UTC"
