"""Answers that are typed to "which of these do you mean?": "the second", "by units", "revenue please"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nlq.text import keys_of
from nlq.types import Reading
from nlq.wording import Wording
from semantic.query import SemanticQuery

_ORDINAL = re.compile(
    r"^\s*(?:(?:i\s+mean|take|use|number|option|no\.?|the)\s+)*(?P<n>first|second|third|fourth|last|1(?:st)?|2(?:nd)?|3(?:rd)?|4(?:th)?)(?:\s+(?:one|option|choice))?(?:\s+please)?\s*[.!]*\s*$",
    re.IGNORECASE,
)
_PLACES = {"first": 0, "1": 0, "second": 1, "2": 1, "third": 2, "3": 2, "fourth": 3, "4": 3, "last": -1}
_LEAD = re.compile(r"^\s*(?:(?:i\s+mean(?:t)?|by|in|of|for|use|take|the|please|ok(?:ay)?|yes)\b[,\s]*)+", re.IGNORECASE)
_TAIL = re.compile(r"[\s,]*\b(?:please|thanks)?\s*[.!?]*\s*$", re.IGNORECASE)
_MOST_WORDS = 5


def chosen(reply: str, offered: Sequence[Reading], wording: Wording) -> Reading | None:
    """The one of the readings that were offered which the reply names by its place or its figure; None for any other text."""
    place = _ORDINAL.match(reply)
    if place is not None:
        at = _PLACES[re.sub(r"(?<=\d)\w+", "", place["n"].lower())]
        return offered[at] if at < len(offered) else None
    wanted = keys_of(named(reply))
    found = [r for r in offered if wanted and any(wanted == keys_of(wording.measure(m)) for m in r.query.metrics)]
    return found[0] if len(found) == 1 else None


def named(reply: str) -> str:
    """What a short reply names, without the words around it; "" for a long one.

    >>> named("by units sold, please"), named("show me the revenue of all our customers in Spain")
    ('units sold', '')
    """
    text = _TAIL.sub("", _LEAD.sub("", reply))
    return text if len(text.split()) <= _MOST_WORDS else ""


def only_measured_otherwise(a: SemanticQuery, b: SemanticQuery) -> bool:
    """Whether two queries ask the same of different figures."""
    return a.metrics != b.metrics and a.model_copy(update={"metrics": b.metrics}) == b
