"""Sentences from facts. "Accounts for", never "caused by"; each sentence is checked against its facts before it leaves.

A change of any template changes TEMPLATES_VERSION, so that an old narrative can be told apart; the templates themselves are kept with each
registered version (workers.jobs.words), so that it can also be made again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from insights.kinds import KINDS, TEMPLATES
from insights.types import Fact
from insights.verify import NotProven, verify, verify_anew

TEMPLATES_VERSION = 4
MAX_CHARS = 400  # of a sentence in other words


def narrate(facts: Sequence[Fact], templates: Mapping[str, str] = TEMPLATES) -> list[str]:
    """One sentence per fact, in their order, proven. templates: "kind.variant" -> text with slots; today's unless told otherwise.

    Raises: NotProven; KeyError for templates that lack what a fact needs.
    """
    sentences = [_sentence(fact, templates) for fact in facts]
    verify(sentences, facts)
    return sentences


def told_anew(own: Sequence[str], facts: Sequence[Fact], others: Sequence[object]) -> tuple[list[str], tuple[int, ...]]:
    """(sentences, places of those in other words): each of `others` that is proven by its fact and says what `own` says, else the own one.

    others: untrusted, one for each of `own`; of another count none is taken.
    """
    said, places = list(own), []
    if len(others) != len(own):
        return said, ()
    for place, (sentence, fact, other) in enumerate(zip(own, facts, others, strict=True)):
        if not isinstance(other, str) or len(other) > MAX_CHARS or other == sentence:
            continue
        try:
            verify_anew(other, sentence, fact)
        except NotProven:
            continue
        said[place] = other
        places.append(place)
    return said, tuple(places)


def _sentence(fact: Fact, templates: Mapping[str, str]) -> str:
    variant, slots = KINDS[fact.kind].slots(fact)
    return templates[f"{fact.kind}.{variant}"].format_map(slots)
