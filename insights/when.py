"""Facts about where in time a change sits: odd days of the period, or of the one it is compared with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from insights.dated import DatedPart, dated_parts
from insights.periods import period_of
from insights.study import Study
from insights.types import Fact, Period, Score

TELLING = 0.15  # of the change
MAX_TOLD = 2


def dated_facts(study: Study) -> list[Fact]:
    """The largest first. Empty where the days are not known, the period is a day, or no days stand out.

    A low day of the period compared with is a part of a rise, so it counts the other way round.
    """
    days = study.days
    if days is None or study.kind == "other" or not study.difference:
        return []
    found: list[Fact] = []
    for period, sign in ((study.period, 1.0), (study.baseline, -1.0)):
        if period.start is not None and period.end is not None:
            found += [_fact(study, part, sign * part.effect) for part in dated_parts(days, period.start.date(), period.end.date())]
    telling = [fact for fact in found if abs(fact.values["share"]) >= TELLING]
    return sorted(telling, key=lambda fact: -abs(fact.impact))[:MAX_TOLD]


def without(study: Study, told: Sequence[Fact]) -> list[Fact]:
    """How the metric did had those days been as expected."""
    effects = {id(period): 0.0 for period in (study.period, study.baseline)}
    for fact in told:
        place = study.period if _within(fact.period, study.period) else study.baseline
        effects[id(place)] += fact.values["effect"]
    before, after = study.before - effects[id(study.baseline)], study.after - effects[id(study.period)]
    if not told or before <= 0:
        return []
    receipts = study.days.receipts if study.days is not None else ()
    values = {"before": before, "after": after, "told": float(len(told))}
    return [Fact("remainder", study.quantity, study.period, study.baseline, values=values, impact=after - before, receipts=receipts)]


def _within(inner: Period, outer: Period) -> bool:
    return bool(inner.start and outer.start and outer.end and outer.start <= inner.start < outer.end)


def _fact(study: Study, part: DatedPart, difference: float) -> Fact:
    zone = study.period.start.tzinfo if study.period.start else None
    start, end = (dt.datetime.combine(day, dt.time(), zone) for day in (part.start, part.end))
    share = difference / study.difference
    values = {
        "value": part.value, "expected": part.expected, "effect": part.effect, "difference": difference, "share": share, "whole": study.difference,
    }  # fmt: skip
    return Fact(
        "dated_part", study.quantity, period_of(start, end, ""), study.baseline, values=values, test=part.test, impact=difference,
        score=Score(min(1.0, abs(share)), 1.0 - part.test.p), receipts=study.days.receipts if study.days else (),
    )  # fmt: skip
