"""How metrics stand in a period, news or not: for "summarise EMEA"."""

from __future__ import annotations

import math
from collections.abc import Sequence

from insights.past import SEASONS, MetricPast
from insights.types import Fact, Score

MOST = 3


def summary_facts(pasts: Sequence[MetricPast]) -> tuple[Fact, ...]:
    """Each of the first three metrics against the period before, and the first also against a year before."""
    facts: list[Fact] = []
    for past in [p for p in pasts if len(p.values) > 1 and math.isfinite(p.values[-1]) and math.isfinite(p.values[-2])][:MOST]:
        before, after = float(past.values[-2]), float(past.values[-1])
        values = {"before": before, "after": after, "difference": after - before}
        facts.append(
            Fact(
                "period_change", past.quantity, past.periods[-1], past.periods[-2], values=values, impact=after - before,
                score=Score(1.0, 1.0), receipts=past.receipts[:1],
            )
        )  # fmt: skip
        if len(facts) == 1:
            facts += _year_ago(past)
    return tuple(facts)


def _year_ago(past: MetricPast) -> list[Fact]:
    steps = SEASONS.get(past.grain, 0)
    if steps not in (4, 12, 52) or len(past.values) <= steps or not math.isfinite(past.values[-1 - steps]):
        return []
    then, after = float(past.values[-1 - steps]), float(past.values[-1])
    return [
        Fact(
            "year_ago", past.quantity, past.periods[-1], past.periods[-1 - steps], values={"year_ago": then, "after": after},
            impact=after - then, score=Score(1.0, 1.0), receipts=past.receipts[:1],
        )
    ]  # fmt: skip
