"""Sentences from facts. "Accounts for", never "caused by"; each sentence is checked against its facts before it leaves.

A change of any template changes TEMPLATES_VERSION, so that an old narrative can be told apart; the templates themselves are kept with each
registered version (workers.jobs.words), so that it can also be made again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from insights.kinds import KINDS, TEMPLATES
from insights.types import Fact
from insights.verify import NotProven, verify

TEMPLATES_VERSION = 3
Rephrase = Callable[[Sequence[str], Sequence[Fact]], Sequence[str]]


def narrate(facts: Sequence[Fact], templates: Mapping[str, str] = TEMPLATES, rephrase: Rephrase | None = None) -> list[str]:
    """One sentence per fact, in their order, proven. templates: "kind.variant" -> text with slots; today's unless told otherwise.

    rephrase: says the same in other words; what it says is taken only where it is proven as well.
    Raises: NotProven; KeyError for templates that lack what a fact needs.
    """
    sentences = [_sentence(fact, templates) for fact in facts]
    verify(sentences, facts)
    if rephrase is None:
        return sentences
    other = list(rephrase(sentences, facts))
    try:
        verify(other, facts)
    except NotProven:
        return sentences
    return other or sentences


def _sentence(fact: Fact, templates: Mapping[str, str]) -> str:
    variant, slots = KINDS[fact.kind].slots(fact)
    return templates[f"{fact.kind}.{variant}"].format_map(slots)
