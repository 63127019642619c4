"""Every kind of fact, declared once: its statements, its sentences, what to do next."""

from __future__ import annotations

from collections.abc import Mapping

from insights.claims import Claim
from insights.kinds import change, dated, drivers, pattern, quality, relation, segment
from insights.kinds.declared import Kind, NextStep, Slots
from insights.types import Fact, FactKind

__all__ = ["KINDS", "TEMPLATES", "Kind", "NextStep", "Slots", "claims_of"]

KINDS: Mapping[FactKind, Kind] = {
    "period_change": change.PERIOD_CHANGE,
    "year_ago": change.YEAR_AGO,
    "usual_move": change.USUAL_MOVE,
    "driver": drivers.DRIVER,
    "counter_driver": drivers.COUNTER_DRIVER,
    "remainder": change.REMAINDER,
    "no_driver": change.NO_DRIVER,
    "mix_rate": drivers.MIX_RATE,
    "reversal": drivers.REVERSAL,
    "share_shift": drivers.SHARE_SHIFT,
    "part": change.PART,
    "dated_part": dated.DATED_PART,
    "record": pattern.RECORD,
    "unusual_value": pattern.UNUSUAL_VALUE,
    "season_note": pattern.SEASON_NOTE,
    "streak": pattern.STREAK,
    "new_trend": pattern.NEW_TREND,
    "level_shift": pattern.LEVEL_SHIFT,
    "concentration": segment.CONCENTRATION,
    "outlier_segment": segment.OUTLIER_SEGMENT,
    "exception": segment.EXCEPTION,
    "lagged_correlation": relation.LAGGED_CORRELATION,
    "goal_pace": relation.GOAL_PACE,
    "event_effect": relation.EVENT_EFFECT,
    "late_data": quality.LATE_DATA,
    "missing_data": quality.MISSING_DATA,
    "doubled_data": quality.DOUBLED_DATA,
}

TEMPLATES: Mapping[str, str] = {f"{name}.{variant}": text for name, kind in KINDS.items() for variant, text in kind.templates.items()}


def claims_of(fact: Fact) -> tuple[Claim, ...]:
    """The statements that this fact allows."""
    return KINDS[fact.kind].claims(fact)
