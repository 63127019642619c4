"""Parts of a question or glossary that explain instead of asking."""

from __future__ import annotations

import re

_JOIN_HINT = re.compile(
    r",?\s*(?:(?:based on|by|using|via|through)\s+)(?:joining|doing an?\s+(?:left|right|inner|outer|full)?\s*(?:outer\s+)?join|(?:an?\s+)?(?:left|inner|right|outer)\s+join(?:ing)?)\b[^.?!;]*",
    re.IGNORECASE,
)


def without_join_hints(question: str) -> str:
    """The question with advice on how to join blanked out (same length, so that places stay true)."""
    return _JOIN_HINT.sub(lambda m: " " * len(m.group()), question)


def defining_phrase(definition: str) -> tuple[str, bool]:
    """The part of a definition to read as a phrase, and whether a change in it is relative (its formula divides).

    >>> defining_phrase("sales rank, with rank 1 being the best"), defining_phrase("MoM change = (a - b)")[1]
    (('sales rank', True), False)
    """
    head, _, formula = definition.partition("=")
    percent = "/" in formula or "%" in definition or "percent" in definition.lower() or not formula
    if formula and "-" in formula and "/" not in formula:
        percent = False
    phrase = re.split(r",\s*with\b|\.\s|;", head.strip().rstrip("."))[0]
    return phrase.strip(), percent
