"""What a lookup in the value index finds."""

from __future__ import annotations

from dataclasses import dataclass

from semantic.expr import FieldRef


@dataclass(frozen=True, slots=True)
class ValueMatch:
    """A stored value that a text may mean. `score` is 0..1: 1.0 is the same but for case, accents and punctuation; a text that begins the value,
    or is some of its words, is below; near spellings are lower still."""

    field: FieldRef
    value: str
    score: float


@dataclass(frozen=True, slots=True)
class SpanMatch:
    """Tokens [start, end) of a question and the values they may mean, best first."""

    start: int
    end: int
    matches: tuple[ValueMatch, ...]
