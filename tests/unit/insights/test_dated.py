"""Where in time a change sits: the planted days and no others."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from insights.dated import DayParts, dated_parts
from insights.explaining import explain_change
from insights.narrative import narrate
from insights.periods import period_of
from insights.study import Study
from insights.types import Quantity

START, END = dt.date(2026, 10, 1), dt.date(2026, 11, 1)
WEEK = np.array([1.0, 1.1, 1.05, 1.0, 1.2, 0.7, 0.6])


def amounts(seed: int, *, noise: float = 0.06, trend: float = 0.0004, count: int = 790) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    rng = np.random.default_rng(seed)
    at = np.arange(count)
    memory = np.zeros(count)
    for k in range(1, count):
        memory[k] = 0.5 * memory[k - 1] + rng.normal(0, noise)
    return 1000 * np.exp(trend * at + memory) * WEEK[at % 7]


def days(tops: np.ndarray[tuple[int], np.dtype[np.float64]]) -> DayParts:
    return DayParts(END - dt.timedelta(days=1), tops)


def outage(seed: int = 1) -> DayParts:
    tops = amounts(seed)
    tops[-19] *= 0.15  # 13 October
    return days(tops)


class TestDatedParts:
    def test_an_outage_is_found_on_its_day_with_its_size(self) -> None:
        clean, found = days(amounts(1)), outage()
        (part,) = dated_parts(found, START, END)
        assert (part.start, part.end) == (dt.date(2026, 10, 13), dt.date(2026, 10, 14))
        assert part.effect == pytest.approx(found.tops[-19] - clean.tops[-19], rel=0.25)

    def test_a_run_of_days_is_one_part(self) -> None:
        tops = amounts(2)
        tops[-20:-15] *= 0.5
        (part,) = dated_parts(days(tops), START, END)
        assert (part.start, part.end) == (dt.date(2026, 10, 12), dt.date(2026, 10, 17))

    def test_ordinary_months_have_none(self) -> None:
        found = [dated_parts(days(amounts(seed)), START, END) for seed in range(40)]
        assert sum(map(bool, found)) <= 2

    def test_a_fall_of_the_whole_month_is_no_part_of_it(self) -> None:
        tops = amounts(4)
        tops[-31:] *= 0.7
        assert all((part.end - part.start).days > 7 for part in dated_parts(days(tops), START, END))

    def test_of_a_rate_the_effect_is_on_the_whole_rate(self) -> None:
        bases = amounts(5)
        tops = bases * 0.03
        tops[-19] *= 0.2
        found = DayParts(END - dt.timedelta(days=1), tops * np.exp(np.random.default_rng(1).normal(0, 0.02, len(tops))), bases)
        (part,) = dated_parts(found, START, END)
        assert part.value == pytest.approx(0.006, rel=0.1)
        assert part.effect == pytest.approx(-0.024 * bases[-19] / bases[-31:].sum(), rel=0.1)

    @pytest.mark.parametrize("bad", ["below zero", "mostly empty", "young", "future"])
    def test_where_days_say_nothing_there_is_no_part(self, bad: str) -> None:
        tops = outage().tops.copy()
        if bad == "below zero":
            tops[::9] = -1
        if bad == "mostly empty":
            tops[::3] = 0
        found = days(tops[-60:] if bad == "young" else tops)
        assert dated_parts(found, START, END + dt.timedelta(days=40 if bad == "future" else 0)) == ()


class TestTold:
    def test_the_day_is_told_with_its_share_and_what_is_left_without_it(self) -> None:
        found = outage()
        period, baseline = (period_of(dt.datetime(2026, m, 1), dt.datetime(2026, m + 1, 1), "") for m in (10, 9))
        before, after = found.whole(dt.date(2026, 9, 1), START), found.whole(START, END)
        told = explain_change(Study(Quantity("orders"), "amount", period, baseline, before, after, days=found)).told
        assert [fact.kind for fact in told] == ["period_change", "dated_part", "remainder"]
        assert told[2].values["after"] - told[1].values["difference"] * -1 == pytest.approx(after)
        sentence = narrate(told)[1]
        assert "13 Oct 2026" in sentence
        assert "below the expected" in sentence

    def test_a_low_day_before_is_a_part_of_the_rise(self) -> None:
        tops = amounts(1)
        tops[-31 - 10] *= 0.1  # 21 September
        found = days(tops)
        period, baseline = (period_of(dt.datetime(2026, m, 1), dt.datetime(2026, m + 1, 1), "") for m in (10, 9))
        before, after = found.whole(dt.date(2026, 9, 1), START), found.whole(START, END)
        told = explain_change(Study(Quantity("orders"), "amount", period, baseline, before, after, days=found)).told
        (part,) = [fact for fact in told if fact.kind == "dated_part"]
        assert part.period.label == "21 Sep 2026"
        assert part.values["difference"] > 0 > part.values["effect"]
