"""How metrics stand in a period, news or not: for "summarise EMEA"."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from insights.past import SEASONS, MetricPast
from insights.types import Fact, Quantity, Score
from insights.wording import figure, number, percent

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


def standing(pasts: Sequence[MetricPast]) -> dict[str, list[Any]]:
    """{"columns", "rows"} of formatted text: every metric in the period, in the one before, and how it moved on both it and a year before."""
    known = [p for p in pasts if len(p.values) > 1 and math.isfinite(p.values[-1])]
    if not known:
        return {}
    now, before = known[0].periods[-1].label, known[0].periods[-2].label
    rows = []
    for past in (p for p in known if p.periods[-1].label == now):
        steps = SEASONS.get(past.grain, 0)
        year = float(past.values[-1 - steps]) if steps in (4, 12, 52) and len(past.values) > steps else math.nan
        last, previous = float(past.values[-1]), float(past.values[-2])
        quantity = past.quantity
        rows.append(
            [
                quantity.label,
                _said(last, quantity),
                _said(previous, quantity),
                _moved(previous, last, quantity),
                _moved(year, last, quantity),
            ]
        )
    return {"columns": ["metric", now, before, "change", "on a year before"], "rows": rows}


def _said(value: float, quantity: Quantity) -> str:
    return number(value, quantity.format, quantity.unit, compact=True)


def _moved(before: float, after: float, quantity: Quantity) -> str:
    """
    >>> _moved(100.0, 97.0, Quantity("revenue")), _moved(0.02, 0.025, Quantity("rate", "percent")), _moved(math.nan, 1.0, Quantity("orders"))
    ('-3.0%', '+0.5 points', '–')
    """
    if not math.isfinite(before) or not math.isfinite(after):
        return "–"
    if quantity.format == "percent":
        return f"{figure((after - before) * 100, 1, signed=True)} points"
    return percent(after / before - 1, 1, signed=True) if before > 0 else "–"
