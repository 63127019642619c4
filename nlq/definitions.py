"""Parts of a question or glossary that explain instead of asking."""

from __future__ import annotations

import re
from dataclasses import dataclass

_JOIN_HINT = re.compile(
    r",?\s*(?:(?:based on|by|using|via|through)\s+)(?:joining|doing an?\s+(?:left|right|inner|outer"
    r"|full)?\s*(?:outer\s+)?join|(?:an?\s+)?(?:left|inner|right|outer)\s+join(?:ing)?)\b[^.?!;]*",
    re.IGNORECASE,
)
_HEAD = r"(?:sum|total|difference|ratio|product|average|mean|number|count|amount|share|percentage|quotient)\b"
_STOPS = r"(?=(?<!divided)(?<!multiplied)\s+(?:by|per)\s|\s+for each\b|\s+in each\b|\s+grouped\b|\s*[?.;]|$)"
_WHICH_IS = re.compile(
    rf"(?P<s>(?:[\w%'-]+\s+){{0,3}}[\w%'-]+)\s*(?P<c>,?\s+which\s+(?:is|are|equals|means)\s+(?:the\s+)*(?P<e>{_HEAD}.*?){_STOPS})",
    re.IGNORECASE,
)
_WHERE_IS = re.compile(
    rf"(?P<c>,?\s*\bwhere\s+(?P<s>(?:[\w%'-]+\s+){{0,3}}[\w%'-]+)\s+(?:is|are|equals|means|refers\s+to"
    rf"|=)\s+(?:the\s+)*(?P<e>(?:{_HEAD}[^?;.]*?"
    rf"|[^?;.]*?\bdivided\s+by\b[^?;.]*?))(?=\s+and\s+(?:[\w%'-]+\s+){{0,3}}[\w%'-]+\s+(?:is|equals)\s|\s*[?.;]|$))",
    re.IGNORECASE,
)
_AND_IS = re.compile(
    rf"(?P<c>\s+and\s+(?P<s>(?:[\w%'-]+\s+){{0,3}}[\w%'-]+?)\s+(?:is|equals)\s+(?:the\s+)*(?P<e>(?:{_HEAD}[^?;.]*"
    rf"|[^?;.]*\bdivided\s+by\b[^?;.]*))(?=\s*[?.;]|$))",
    re.IGNORECASE,
)
_NOTE = re.compile(
    r"(?P<c>\b(?:please\s+)?note\s+that\s+(?P<s>(?:[\w%'-]+\s+){0,3}[\w%'-]+)\s+(?:refers\s+to|means"
    r"|is\s+defined\s+as|is\s+calculated\s+as|is)\s+(?:the\s+)*(?P<e>[^?;.]+)(?:[.;?]|$))",
    re.IGNORECASE,
)
_DEFINED = re.compile(
    rf"(?P<c>(?:^|(?<=[.?!;]))\s*(?:here,?\s+|the\s+)?(?P<s>(?:[\w%'-]+\s+){{0,3}}[\w%'-]+)\s+(?:refers\s+to"
    rf"|is\s+defined\s+as|is\s+calculated\s+as|is\s+the\s+(?={_HEAD})|=)\s+(?:the\s+)*(?P<e>[^?;.]+)(?:[.;]|$))",
    re.IGNORECASE,
)
_NOT_SUBJECT = frozenset(
    "what which who how are is was were the of and by for show return give list me a an total-of in their each all per".split()
)


@dataclass(frozen=True, slots=True)
class QuestionDefinition:
    """ "X is the sum of A and B" said in the question itself."""

    subject: str
    expression: str


def without_join_hints(question: str) -> str:
    """The question with advice on how to join blanked out (same length, so that places stay true)."""
    return _JOIN_HINT.sub(lambda m: " " * len(m.group()), question)


def take_definitions(question: str) -> tuple[str, tuple[QuestionDefinition, ...]]:
    """The question with its definitions blanked out (same length), and the definitions.

    >>> take_definitions("What is the total loss by claim where total loss is the sum of a and b?")[1]
    (QuestionDefinition(subject='total loss', expression='sum of a and b'),)
    """
    found: list[QuestionDefinition] = []
    text = question
    for pattern in (_NOTE, _WHERE_IS, _AND_IS, _WHICH_IS, _DEFINED):
        if pattern is _AND_IS and not found:
            continue
        for match in list(pattern.finditer(text)):
            subject = _subject(match["s"])
            expression = match["e"].strip()
            if not subject or len(expression.split()) < 2:
                continue
            found.append(QuestionDefinition(subject, expression))
            a, b = match.span("c")
            text = text[:a] + " " * (b - a) + text[b:]
    return text, tuple(found)


def _subject(words: str) -> str:
    """The last noun phrase of `words`."""
    kept: list[str] = []
    for word in reversed(words.split()):
        if word.lower() in _NOT_SUBJECT:
            break
        kept.append(word)
    return " ".join(reversed(kept))


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
