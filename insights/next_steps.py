"""What a reader may do next about what was told: look closer, watch it, check the load, ask the owner, forecast it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.errors import UserError
from insights.kinds import KINDS
from insights.types import Fact
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
    label, when = fact.quantity.label, fact.period.label
    texts = {
        "drill": (f"See what drove {label} in {when}.", f"why did {label} change in {when}?"),
        "watch": (f"Watch {label} with an alert.", None),
        "check_load": (f"Check the load of {label} for {when} before acting on it.", None),
        "forecast": (f"See where {label} is heading.", f"forecast {label}"),
    }
    text, question = texts[kind]
    return {"kind": kind, "text": text, "metric": fact.quantity.name or None, "question": question, "fact": fact.key}


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
