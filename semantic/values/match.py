"""What a lookup in the value index finds."""

from __future__ import annotations

from dataclasses import dataclass

from semantic.expr import FieldRef


@dataclass(frozen=True, slots=True)
class ValueMatch:
    """A value that a text may mean. `score` is 0..100: 100 is the same after normalisation, less is a prefix or a near spelling."""

    field: FieldRef
    value: str
    score: float


@dataclass(frozen=True, slots=True)
class SpanMatch:
    """Tokens [start, end) of a question and the values they may mean, best first."""

    start: int
    end: int
    matches: tuple[ValueMatch, ...]
