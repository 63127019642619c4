"""Several questions typed as one ("revenue by region and orders by channel", "why did it drop and what will it be"): told apart, never half-answered."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from nlq.rewording import unmarked
from nlq.types import DialogueState, Intent, Reading, Understanding

_INTENTS = re.compile(
    r"[,;]?\s+and\s+(?:also\s+)?(?=(?:(?:please\s+)?(?:tell|show)\s+me\s+)?(?:why\b|what\s+(?:will|caused|drove)\b|how\s+(?:much|many)\s+will\b|forecast\b|predict\b))",
    re.IGNORECASE,
)
_GROUPED = re.compile(
    r"(?P<one>^.*\b(?:by|per)\s+.+?)(?:\s*;\s*|\s+and\s+)(?P<two>(?!by\b|per\b).*\b(?:by|per)\s+.+$)", re.IGNORECASE | re.DOTALL
)


_HIGH = r"(?:best|highest|top|biggest|largest|strongest|most|busiest|fastest|first|cheapest)"
_LOW = r"(?:worst|lowest|bottom|smallest|weakest|least|quietest|slowest|last|most\s+expensive)"
_BOTH_ENDS = re.compile(
    rf"\b(?P<one>{_HIGH}(?:\s+\d+)?(?:\s+selling|\s+performing)?)\s+and\s+(?:the\s+)?(?P<two>{_LOW}(?:\s+\d+)?(?:\s+selling|\s+performing)?)\s+(?=[a-z])",
    re.IGNORECASE,
)
_OF_EACH = re.compile(r"\b(?:by|per|each|every)\b", re.IGNORECASE)


def both_ends(question: str) -> tuple[str, ...]:
    """A ranking asked for from both of its ends, one question each; () for any other.

    >>> both_ends("best and worst month for revenue in 2025")
    ('best month for revenue in 2025', 'worst month for revenue in 2025')
    """
    found = _BOTH_ENDS.search(question)
    if found is not None and found["one"].lower() == "first" and _OF_EACH.search(question, found.end()):
        return ()  # "first and last order by customer": the two dates of each
    return () if found is None else tuple(question[: found.start()] + found[end] + " " + question[found.end() :] for end in ("one", "two"))


def parts_of(question: str) -> tuple[str, ...]:
    """The questions that a text may be made of, () where it plainly is one.

    >>> parts_of("revenue by region and orders by channel"), parts_of("revenue by region and channel")
    (('revenue by region', 'orders by channel'), ())
    """
    ends = both_ends(question)
    if ends:
        return ends
    intents = [p.strip() for p in _INTENTS.split(question) if p.strip()]
    if len(intents) > 1:
        return tuple(intents)
    grouped = _GROUPED.match(question)
    return (grouped["one"], grouped["two"]) if grouped else ()


def are_apart(readings: tuple[Reading, ...]) -> bool:
    """Whether readings of the parts cannot be one answer: of different intents, or different figures split in different ways."""
    first = readings[0]
    return any(
        r.intent is not first.intent
        or (r.query.metrics == first.query.metrics and r.query.order != first.query.order)
        or (r.query.by != first.query.by and r.query.metrics != first.query.metrics and bool(r.query.metrics))
        for r in readings[1:]
    )


def each_of(question: str, ask: Callable[[str, DialogueState | None], Understanding]) -> Understanding | None:
    """Each of the questions that were typed as one, to choose from; None where it is one. ask: a part, after what the parts before it said.

    Of a ranking's two ends without a figure ("top 3 and bottom 3 products") both are by the likeliest one.
    """
    ends = bool(both_ends(question))
    state: DialogueState | None = None
    readings: list[Reading] = []
    for part in parts_of(question):
        found = ask(part, state)
        if found.outcome != "answer" and not (ends and found.outcome == "clarify" and found.readings):
            return None
        reading = found.readings[0]
        told = "" if reading.intent is Intent.ASK else f"{reading.intent.value}: "
        readings.append(replace(reading, paraphrase=told + reading.paraphrase))
        state = DialogueState(found.readings[:1], (part,))
    if len(readings) < 2 or not are_apart(tuple(readings)):
        return None
    plain = tuple(unmarked(r) for r in readings[:4])
    return Understanding(question, "clarify", plain, message="These are several questions. Which one first?")
