"""What is known about a metric, as values with their proof. Words are made from these and checked against them."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

FactKind = Literal[
    "period_change",
    "year_ago",
    "usual_move",
    "driver",
    "counter_driver",
    "remainder",
    "no_driver",
    "mix_rate",
    "reversal",
    "share_shift",
    "part",
    "dated_part",
    "record",
    "unusual_value",
    "season_note",
    "streak",
    "new_trend",
    "level_shift",
    "concentration",
    "outlier_segment",
    "exception",
    "lagged_correlation",
    "goal_pace",
    "event_effect",
    "late_data",
    "missing_data",
    "doubled_data",
]
_NONE: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Period:
    """[start, end) on the wall clock of the catalog's calendar; None is open. label: as people write it."""

    label: str
    start: dt.datetime | None = None
    end: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A significance test. n: observations (or segments tried) behind it. p is corrected for what was tried to find this one fact."""

    name: str
    statistic: float
    p: float
    n: int


@dataclass(frozen=True, slots=True)
class Score:
    """Each part 0 to 1; the value is their product, so that a fact must have some of each.

    reader: what the reader's own votes, mutes and earlier issues make of it, up to 1.5; reasons: which of those, in words.
    """

    impact: float
    significance: float
    novelty: float = 1.0
    actionability: float = 1.0
    reader: float = 1.0
    reasons: tuple[str, ...] = ()

    @property
    def value(self) -> float:
        return self.impact * self.significance * self.novelty * self.actionability * self.reader

    def as_json(self) -> dict[str, Any]:
        parts = ("value", "impact", "significance", "novelty", "actionability", "reader")
        return {name: getattr(self, name) for name in parts} | {"reasons": list(self.reasons)}


@dataclass(frozen=True, slots=True)
class Quantity:
    """How a metric's numbers are written. name: of the declared metric; empty for any other measure."""

    label: str
    format: str | None = None
    unit: str | None = None
    good_direction: Literal["up", "down"] | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """scope: dimension label -> value, empty for the whole. values: named numbers in the metric's unit, shares as fractions.

    names: other names that the fact is about (a dimension, a part). impact: in the metric's unit, signed. receipts: places in the list of
    queries that made the numbers. model: the promoted custom model (name/version) that said it; empty: Querent's own.
    """

    kind: FactKind
    quantity: Quantity
    period: Period
    baseline: Period | None = None
    scope: tuple[tuple[str, str], ...] = ()
    values: Mapping[str, float] = field(default_factory=lambda: _NONE)
    names: tuple[str, ...] = ()
    test: Evidence | None = None
    impact: float = 0.0
    score: Score | None = None
    receipts: tuple[int, ...] = ()
    model: str = ""

    @property
    def segment(self) -> str:
        """The scope as it is written in sentences and tables."""
        return " / ".join(value if _speaks_for_itself(value) else f"{dimension} {value}" for dimension, value in self.scope)

    @property
    def topic(self) -> str:
        """What it is about, whatever the period: kind, metric, segment and names. Readers mute and vote on this."""
        parts = [self.kind, self.quantity.name or self.quantity.label, [list(pair) for pair in self.scope], list(self.names)]
        return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:16]

    @property
    def key(self) -> str:
        """Its name within a run and across runs: the topic in one period and direction."""
        start = self.period.start.isoformat() if self.period.start else self.period.label
        text = f"{self.topic} {start} {math.copysign(1, self.impact):.0f}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def favourable(self) -> bool | None:
        """Whether it is good news; None where the catalog names no good direction or nothing moved."""
        good = self.quantity.good_direction
        return None if good is None or not self.impact else (self.impact > 0) == (good == "up")

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.key,
            "topic": self.topic,
            "kind": self.kind,
            "metric": self.quantity.label,
            "quantity": {name: getattr(self.quantity, name) for name in ("label", "format", "unit", "good_direction", "name")},
            "scope": dict(self.scope),
            "period": _period(self.period),
            "baseline": _period(self.baseline) if self.baseline else None,
            "values": {name: value if math.isfinite(value) else None for name, value in self.values.items()},
            "names": list(self.names),
            "test": None
            if self.test is None
            else {"name": self.test.name, "statistic": self.test.statistic, "p": self.test.p, "n": self.test.n},
            "impact": self.impact,
            "favourable": self.favourable,
            "score": None if self.score is None else self.score.as_json(),
            "receipts": list(self.receipts),
            "model": self.model or None,
        }


def _period(period: Period) -> dict[str, Any]:
    return {
        "label": period.label,
        "start": period.start.isoformat() if period.start else None,
        "end": period.end.isoformat() if period.end else None,
        "end_inclusive": False,
    }


def _speaks_for_itself(value: str) -> bool:
    """Whether a value can stand without its dimension: "EMEA" can, "true", "3" and "(none)" cannot."""
    return any(c.isalpha() for c in value) and value.lower() not in {
        "true",
        "false",
        "yes",
        "no",
        "y",
        "n",
        "(none)",
        "none",
        "other",
        "unknown",
    }
