"""What a reader may do next about what was told: look closer, watch it, check the load, ask the owner, forecast it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from core.errors import UserError
from core.timeseries import Grain
from insights.kinds import KINDS
from insights.periods import during, grain_of
from insights.types import Fact, Period
from semantic.catalog.model import Catalog

MOST = 4


def next_steps(told: Sequence[Fact], catalog: Catalog) -> list[dict[str, Any]]:
    """[{"kind", "text", "metric", "question", "fact"}], each kind once, for the facts in their order. `question` can be asked as it is."""
    made: list[dict[str, Any]] = []
    for fact in told:
        kind = KINDS[fact.kind].next_step
        if kind == "none" or any(step["kind"] == kind for step in made):
            continue
        made.append(_step(kind, fact))
    owner = _owner(told, catalog)
    if owner is not None:
        made.append(owner)
    return made[:MOST]


def _step(kind: str, fact: Fact) -> dict[str, Any]:
    label, when = fact.quantity.label, during(fact.period)
    texts = {
        "drill": (f"See what drove {label} {when}.", f"why did {label} change {_asked(fact.period)}?"),
        "watch": (f"Watch {label} with an alert.", None),
        "check_load": (f"Check the load of {label} for {fact.period.label} before acting on it.", None),
        "forecast": (f"See where {label} is heading.", f"forecast {label}"),
    }
    text, question = texts[kind]
    return {"kind": kind, "text": text, "metric": fact.quantity.name or None, "question": question, "fact": fact.key}


def _asked(period: Period) -> str:
    """The period as questions say it."""
    if period.start is None or period.end is None or grain_of(period) not in (None, Grain.WEEK):
        return during(period)
    last = period.end - dt.timedelta(days=1)
    first, final = (f"{day.day} {day:%b} {day.year}" for day in (period.start, last))
    return f"from {first} to {final}"


def _owner(told: Sequence[Fact], catalog: Catalog) -> dict[str, Any] | None:
    for fact in told:
        try:
            owner = catalog.metric(fact.quantity.name).owner if fact.quantity.name else None
        except UserError:
            owner = None
        if owner:
            text = f"Ask {owner}, the owner of {fact.quantity.label}."
            return {"kind": "ask_owner", "text": text, "metric": fact.quantity.name, "question": None, "fact": fact.key}
    return None
