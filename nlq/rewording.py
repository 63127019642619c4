"""Turns of phrase that stand for a figure of the things named, said again as that figure; tried where the question is refused as it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from nlq.text import lemma
from nlq.types import Reading, Understanding

_BUYERS = r"(?P<who>(?:customer|client|buyer|shopper|guest|member|user|subscriber|account|patient|visitor)s?)"
_REPEAT = re.compile(rf"\brepeat(?:ing|ed)?\s+{_BUYERS}\b", re.IGNORECASE)
_SPENT = re.compile(
    rf"\b{_BUYERS}\s+(?:(?:who|that)\s+)?(?:have\s+|has\s+|had\s+)?(?:spent|spend)\s+(?P<bound>more than|less than|over|above|under|below|at least|at most|between)\b",
    re.IGNORECASE,
)
_EVENTS = ("order", "purchase", "booking", "reservation", "rental", "stay", "visit", "transaction")
_MONEY = ("revenue", "sales", "turnover")


def reworded(question: str, known: Callable[[str], bool]) -> Iterator[str]:
    """The question in other words, the likeliest first; nothing where it has none of these turns. known: whether the catalog has a word's key.

    >>> list(reworded("repeat customers", {"order"}.__contains__)), list(reworded("repeat orders", {"order"}.__contains__))
    (['customers with more than one order'], [])
    """
    if _REPEAT.search(question) is not None and not known("repeat"):
        for event in (e for e in _EVENTS if known(lemma(e))):
            yield _REPEAT.sub(rf"\g<who> with more than one {event}", question)
    if _SPENT.search(question) is not None:
        for money in (m for m in _MONEY if known(lemma(m))):
            yield _SPENT.sub(rf"\g<who> with {money} \g<bound>", question)


def said_again(question: str, known: Callable[[str], bool], ask: Callable[[str], Understanding]) -> Understanding | None:
    """What `ask` understands of the question in other words; None where that is nothing either."""
    for text in reworded(question, known):
        found = ask(text)
        if found.outcome in ("answer", "clarify") and found.readings:
            return replace(found, readings=tuple(unmarked(r) for r in found.readings))
    return None


def unmarked(reading: Reading) -> Reading:
    """A reading of other words than those that were typed: its chips mark none of them."""
    return replace(reading, chips=tuple(replace(c, span=None) for c in reading.chips))
