"""Several questions typed as one ("revenue by region and orders by channel", "why did it drop and what will it be"): told apart, never half-answered."""

from __future__ import annotations

import re

from nlq.types import Reading

_INTENTS = re.compile(
    r"[,;]?\s+and\s+(?:also\s+)?(?=(?:(?:please\s+)?(?:tell|show)\s+me\s+)?(?:why\b|what\s+(?:will|caused|drove)\b|how\s+(?:much|many)\s+will\b|forecast\b|predict\b))",
    re.IGNORECASE,
)
_GROUPED = re.compile(
    r"(?P<one>^.*\b(?:by|per)\s+.+?)(?:\s*;\s*|\s+and\s+)(?P<two>(?!by\b|per\b).*\b(?:by|per)\s+.+$)", re.IGNORECASE | re.DOTALL
)


def parts_of(question: str) -> tuple[str, ...]:
    """The questions that a text may be made of, () where it plainly is one.

    >>> parts_of("revenue by region and orders by channel"), parts_of("revenue by region and channel")
    (('revenue by region', 'orders by channel'), ())
    """
    intents = [p.strip() for p in _INTENTS.split(question) if p.strip()]
    if len(intents) > 1:
        return tuple(intents)
    grouped = _GROUPED.match(question)
    return (grouped["one"], grouped["two"]) if grouped else ()


def are_apart(readings: tuple[Reading, ...]) -> bool:
    """Whether readings of the parts cannot be one answer: of different intents, or different figures split in different ways."""
    first = readings[0]
    return any(
        r.intent is not first.intent or (r.query.by != first.query.by and r.query.metrics != first.query.metrics and bool(r.query.metrics))
        for r in readings[1:]
    )
