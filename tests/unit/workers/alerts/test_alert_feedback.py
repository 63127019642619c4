"""Votes tune within bounds, and can be taken back."""

from __future__ import annotations

import pytest

from workers.alerts.feedback import tuning
from workers.alerts.rule import parse_rule

RULE = parse_rule({"metric": "m", "sensitivity": 10})


@pytest.mark.parametrize(
    ("useful", "noise", "low", "high"), [(0, 0, 10, 10), (0, 1, 8, 8), (1, 0, 11, 11), (0, 99, 2.5, 2.5), (99, 0, 20, 20)]
)
def test_sensitivity_moves_within_bounds(useful: int, noise: int, low: float, high: float) -> None:
    votes: dict[tuple[str, str], bool | None] = {(f"i{n}", "ann"): True for n in range(useful)}
    votes |= {(f"j{n}", "ann"): False for n in range(noise)}
    assert low - 1e-9 <= tuning(votes).sensitivity(RULE) <= high + 1e-9


def test_a_vote_taken_back_counts_nothing() -> None:
    assert tuning({("i", "ann"): None}).factor == 1.0
