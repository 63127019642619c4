"""Turns of phrase that stand for a figure of the things named, said again as that figure."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from nlq.adjectives import ADJECTIVES
from nlq.idioms import IDIOMS, Known, without_preamble
from nlq.types import Reading, Understanding

_MOST_TRIED = 6
_LONGEST = (
    500  # characters: turns of phrase are of short questions, and several open ends in one pattern take time by the square of a long text
)
_SUPERLATIVE = re.compile(
    r"\b(?:best|worst)(?:[\s-](?:selling|rated|performing))?\s|\b(?:cheapest|priciest|newest|oldest|latest|highest|lowest|biggest|largest|smallest)\s"
    r"|\b(?:most|least)\s+(?:expensive|popular|profitable|valuable|common|sold|bought|frequent)\s|\btop\s+(?:\d+\s+)?",
    re.IGNORECASE,
)


def plainly(question: str, known: Known) -> str | None:
    """The question in the words that its turns of phrase stand for, where its own would be misread; None where it has none of them.

    >>> plainly("our biggest spenders", {"revenu"}.__contains__)
    'top 10 customers by revenue'
    """
    typed = text = _in_one_line(question)
    for idiom in IDIOMS if len(text) <= _LONGEST else ():
        if idiom.sure:
            text = next(iter(idiom.said(text, known)), text)
    return text if text != typed else None


def _in_one_line(text: str) -> str:
    """With one space between words: patterns that may begin anywhere in a run of a thousand spaces took minutes."""
    return " ".join(text.split())


def reworded(question: str, known: Known) -> Iterator[str]:
    """The question in other words, the likeliest first; nothing where it has none of these turns. known: whether the catalog has a word's key.

    >>> list(reworded("repeat customers", {"order"}.__contains__)), list(reworded("repeat orders", {"order"}.__contains__))
    (['customers with more than one order'], [])
    """
    typed = _in_one_line(question)
    asked = without_preamble(typed, known)
    said = [typed if asked is None else asked]
    for idiom in IDIOMS if len(said[0]) <= _LONGEST else ():
        said = list(itertools.islice((other for text in said for other in idiom.said(text, known) or (text,)), _MOST_TRIED))
    yield from (text for text in dict.fromkeys(said) if text != typed)


def with_things(question: str, thing_of: Callable[[str], str | None]) -> Iterator[str]:
    """ "cheapest headphones": the things that a superlative is about, where only a value of one of their labels is named.

    thing_of: what the things with such a value are called, None for what is no value of things.

    >>> list(with_things("best selling laptops last month", {"laptops": "product"}.get))
    ['best selling products in laptops last month']
    """
    found = _SUPERLATIVE.search(question)
    words = re.findall(r"[\w-]+", question[found.end() :])[:3] if found is not None else []
    for size in range(len(words), 0, -1):
        value = " ".join(words[:size])
        at = question.find(value, found.end()) if found is not None else -1
        thing = thing_of(value) if at >= 0 else None
        if thing is not None:
            one = found is not None and found.group().strip().lower() in ADJECTIVES  # one is the cheapest: the plural is the value's
            several = "s" if value.lower().endswith("s") and not thing.endswith("s") and not one else ""
            yield f"{question[:at]}{thing}{several} in {value}{question[at + len(value) :]}"
            return


def said_again(
    question: str, known: Known, ask: Callable[[str], Understanding], thing_of: Callable[[str], str | None]
) -> Understanding | None:
    """What `ask` understands of the question in other words; None where that is nothing either."""
    for text in (*reworded(question, known), *with_things(question, thing_of)):
        found = ask(text)
        if found.outcome in ("answer", "clarify") and found.readings:
            return replace(found, readings=tuple(unmarked(r) for r in found.readings))
    return None


def unmarked(reading: Reading) -> Reading:
    """A reading of other words than those that were typed: its chips mark none of them."""
    return replace(reading, chips=tuple(replace(c, span=None) for c in reading.chips))
