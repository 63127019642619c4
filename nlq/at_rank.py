""" "The second best product": the row at that place of a ranking, where the question without the ordinal has one first row."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from nlq.numbers import ORDINALS
from nlq.types import Reading, Understanding

_PLACED = re.compile(
    r"\b(?:(?P<place>"
    + "|".join(sorted((w for w, n in ORDINALS.items() if n > 1), key=len, reverse=True))
    + r")[\s-]+)(?=(?:best|worst|highest|lowest|largest|biggest|smallest|most|least|fewest|longest|shortest|oldest|newest"
    r"|busiest|cheapest|priciest|strongest|weakest|top)\b)",
    re.IGNORECASE,
)


def at_rank(question: str, ask: Callable[[str], Understanding]) -> Understanding | None:
    """The question's ranking from the place that its ordinal says; None where it has no such ordinal or its ranking no single first row."""
    matches = list(_PLACED.finditer(question))
    if len(matches) != 1:
        return None
    placed = matches[0]
    place = ORDINALS[placed["place"].lower()]
    found = ask(question[: placed.start()] + question[placed.end() :])
    readings = tuple(moved for r in found.readings if (moved := _moved(r, place)) is not None)
    return replace(found, readings=readings, dialogue=None) if readings and found.outcome in ("answer", "clarify") else None


def _moved(reading: Reading, place: int) -> Reading | None:
    query = reading.query
    if query.limit != 1 or query.offset or query.limit_by is not None or not query.order:
        return None
    query = query.model_copy(update={"offset": place - 1, "with_ties": False, "with_other": False})
    chips = tuple(replace(c, label=f"number {place}") if c.kind == "limit" else c for c in reading.chips)
    said = ", ".join((*reading.paraphrase.split(", ")[:-1], f"number {place}"))
    return replace(reading, query=query, chips=chips, paraphrase=said)
