"""What a question becomes: a reading, a clarification or a refusal."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from semantic.query import SemanticQuery


class Intent(StrEnum):
    ASK = "ask"
    WHY = "why"
    FORECAST = "forecast"
    UNUSUAL = "unusual"
    SCAN = "scan"
    DEFINE = "define"
    DESCRIBE = "describe"


@dataclass(frozen=True, slots=True)
class Span:
    """Characters [start, end) of the question."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Chip:
    """One understood part of the question, for people to see and edit. `path` is its place in the SemanticQuery (JSON pointer)."""

    kind: Literal["metric", "filter", "group", "time", "compare", "order", "limit", "transform", "having", "entity", "intent"]
    label: str
    path: str
    span: Span | None = None
    source: str | None = None
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand the question. `confidence` is calibrated: the share of such readings that are right.

    summary: a scan that also says how each metric stands.
    """

    intent: Intent
    query: SemanticQuery
    chips: tuple[Chip, ...]
    confidence: float
    paraphrase: str
    unexplained: tuple[str, ...] = ()
    horizon_steps: int | None = None
    summary: bool = False


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One completion: `text` is the whole question box after taking it, `label` what is shown."""

    text: str
    kind: Literal["metric", "dimension", "value", "period", "entity", "question"]
    label: str


@dataclass(frozen=True, slots=True)
class DialogueState:
    """What was understood before: the last readings, newest first. Immutable; each Understanding carries the next one.

    offered: the readings to choose from, where the last question was asked back.
    """

    readings: tuple[Reading, ...] = ()
    questions: tuple[str, ...] = ()
    offered: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class UnknownWord:
    text: str
    span: Span
    nearest: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Understanding:
    """outcome answer: `readings[0]` is taken. clarify: 2-4 `readings` to choose from. refuse: `unknown` words and `message` say why."""

    question: str
    outcome: Literal["answer", "clarify", "refuse", "define", "describe"]
    readings: tuple[Reading, ...] = ()
    unknown: tuple[UnknownWord, ...] = ()
    message: str = ""
    suggestions: tuple[str, ...] = ()
    as_of: dt.datetime | None = None
    ms: float = 0.0
    dialogue: DialogueState | None = None
