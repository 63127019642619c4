"""What "was this useful?" does to a rule: its sensitivity moves within bounds, computed anew from all votes, so that a vote can be undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workers.alerts.rule import AnomalyRule, AnyRule

# One vote changes the bearable number of false alarms by a fifth (down) or a tenth (up): a person who says "noise" wants to notice it.
NOISE_FACTOR, USEFUL_FACTOR = 0.8, 1.1
LOWEST, HIGHEST = 0.25, 2.0  # of what the rule's author asked for


@dataclass(frozen=True, slots=True)
class Tuning:
    """factor: of the rule's own sensitivity; 1.0 without votes."""

    useful: int
    noise: int
    factor: float

    def sensitivity(self, rule: AnyRule) -> float:
        return max(0.05, rule.sensitivity * self.factor) if isinstance(rule, AnomalyRule) else 0.0

    def as_json(self, rule: AnyRule) -> dict[str, object]:
        shown: dict[str, object] = {"useful": self.useful, "not_useful": self.noise, "factor": round(self.factor, 4)}
        if isinstance(rule, AnomalyRule):
            shown |= {"asked_sensitivity": rule.sensitivity, "sensitivity": round(self.sensitivity(rule), 3)}
        return shown


def tuning(votes: Mapping[tuple[str, str], bool | None]) -> Tuning:
    """votes: the last word of each (incident, person)."""
    useful = sum(vote is True for vote in votes.values())
    noise = sum(vote is False for vote in votes.values())
    factor = NOISE_FACTOR**noise * USEFUL_FACTOR**useful
    return Tuning(useful, noise, min(HIGHEST, max(LOWEST, factor)))
