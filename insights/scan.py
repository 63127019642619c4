"""Anything one should know of metrics: their last period tested in several ways. Pure numbers in, tested facts out.

Every test that is made gives a fact, also where it finds nothing, so that the ranking can hold down false discoveries over all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from insights.lagged import lagged_pairs
from insights.looks.course import look_at_course
from insights.looks.events import look_at_events
from insights.looks.goals import look_at_goals
from insights.looks.loads import look_at_loads
from insights.looks.segments import look_at_last_day, look_at_segments
from insights.looks.value import look_at_streak, look_at_value
from insights.looks.within import look_within
from insights.past import MIN_ERRORS, SEASONS, MetricPast, expectations
from insights.types import Fact

__all__ = ["LOOKS", "SEASONS", "MetricPast", "expectations", "scan", "scan_all"]

LOOKS: tuple[Callable[[MetricPast], list[Fact]], ...] = (
    look_at_value,
    look_at_streak,
    look_at_course,
    look_at_segments,
    look_at_last_day,
    look_at_loads,
    look_within,
    look_at_events,
    look_at_goals,
)


def scan(past: MetricPast) -> tuple[Fact, ...]:
    """Tested facts of one metric's last period."""
    if len(past.values) < MIN_ERRORS + 2 or not math.isfinite(past.values[-1]):
        return tuple(look_at_loads(past)) if past.missing_since is not None else ()
    return tuple(fact for look in LOOKS for fact in look(past))


def scan_all(pasts: Sequence[MetricPast]) -> tuple[Fact, ...]:
    """Tested facts of several metrics and of pairs of them."""
    return (*(fact for past in pasts for fact in scan(past)), *lagged_pairs(pasts))
