"""What one should know of a metric: planted things are found, and worlds without any seldom give a finding."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import numpy as np
import pytest

from benchmarks.insights import clean
from core.timeseries import FloatArray, Grain
from insights.narrative import narrate
from insights.periods import period_of
from insights.ranking import benjamini_hochberg, worth_telling
from insights.scan import SEASONS, MetricPast, scan
from insights.types import Evidence, Fact, Period, Quantity, Score

NAMES = ("EMEA", "APAC", "AMER", "LATAM")


def periods(grain: Grain, count: int) -> tuple[Period, ...]:
    if grain is Grain.MONTH:
        starts = [dt.datetime(2020 + i // 12, i % 12 + 1, 1) for i in range(count + 1)]
    else:
        starts = [dt.datetime(2024, 1, 1) + dt.timedelta(days=(7 if grain is Grain.WEEK else 1) * i) for i in range(count + 1)]
    return tuple(period_of(a, b, "") for a, b in pairwise(starts))


def segments(seed: int, grain: Grain) -> FloatArray:
    """(n, 4) orders by region: season, growth, each region wandering a little."""
    rng = np.random.default_rng(seed)
    count, season = {Grain.DAY: 180, Grain.MONTH: 40, Grain.WEEK: 120}[grain], SEASONS[grain]
    at = np.arange(count)
    growth = np.exp(rng.normal(0, 0.004) * at * (0.2 if grain is Grain.DAY else 7 / season))
    base = 1000 * growth * (1 + 0.25 * np.sin(2 * np.pi * at / season + rng.uniform(0, 6)))
    wander = np.zeros((count, 4))
    for i in range(1, count):
        wander[i] = 0.5 * wander[i - 1] + rng.normal(0, 0.04, 4)
    return rng.poisson(base[:, None] * rng.dirichlet([5, 4, 3, 2]) * np.exp(wander)).astype(float)


def told(values: FloatArray, grain: Grain = Grain.DAY) -> tuple[Fact, ...]:
    past = MetricPast(Quantity("orders"), grain, periods(grain, len(values)), values.sum(axis=1), {"region": (NAMES, values)})
    return worth_telling(scan(past))


class TestScan:
    @pytest.mark.slow
    @pytest.mark.parametrize("grain", [Grain.DAY, Grain.WEEK, Grain.MONTH])
    def test_of_two_hundred_worlds_without_events_at_most_ten_give_a_finding(self, grain: Grain) -> None:
        found = sum(bool(told(segments(seed, grain), grain)) for seed in range(200))
        assert found <= 10

    @pytest.mark.slow
    @pytest.mark.timeout(1800)
    @pytest.mark.parametrize("grain", [Grain.DAY])  # weeks and months: python -m benchmarks.insights
    def test_of_two_hundred_companies_without_events_at_most_ten_would_be_written_about(self, grain: Grain) -> None:
        _, sent = clean(grain, 200)
        assert sent <= 0.05

    def test_worlds_without_events_seldom_give_a_finding(self) -> None:
        found = sum(bool(told(segments(seed, Grain.MONTH), Grain.MONTH)) for seed in range(40))
        assert found <= 4

    def test_a_fall_of_the_last_day_comes_first(self) -> None:
        right = 0
        for seed in range(500, 515):
            values = segments(seed, Grain.DAY)
            values[-1] *= 0.5
            facts = told(values)
            right += bool(facts) and facts[0].kind == "unusual_value"
        assert right >= 13

    def test_a_half_loaded_region_is_late_data_and_not_a_fall(self) -> None:
        right = 0
        for seed in range(600, 615):
            values = segments(seed, Grain.DAY)
            values[-1, 1] *= 0.2
            facts = told(values)
            right += [(f.kind, f.segment) for f in facts[:1]] == [("late_data", "APAC")]
            narrate(facts)
        assert right >= 13

    def test_a_new_level_is_told_with_its_first_day(self) -> None:
        near = 0
        for seed in range(700, 720):
            values = segments(seed, Grain.DAY)
            values[-20:] *= 1.7
            shifts = [f for f in told(values) if f.kind == "level_shift"]
            near += bool(shifts) and abs((shifts[0].period.start or dt.datetime.min) - dt.datetime(2024, 6, 9)) <= dt.timedelta(days=2)
        assert near >= 12

    def test_a_short_past_gives_nothing(self) -> None:
        assert told(segments(1, Grain.DAY)[:6]) == ()

    def test_zeros_give_nothing_and_do_not_fail(self) -> None:
        assert told(np.zeros((60, 4))) == ()


def fact(p: float, size: float = 0.5, scope: tuple[tuple[str, str], ...] = (), label: str = "orders") -> Fact:
    return Fact("outlier_segment", Quantity(label), Period("May"), scope=scope, test=Evidence("t", 1.0, p, 10), score=Score(size, 1 - p))


class TestWorthTelling:
    def test_many_tests_need_stronger_evidence(self) -> None:
        assert worth_telling([fact(0.01)], rate=0.05)
        assert not worth_telling([fact(0.01), *(fact(0.5, label=f"m{i}") for i in range(20))], rate=0.05)

    def test_what_a_told_fact_implies_is_dropped(self) -> None:
        region, both = (("region", "EMEA"),), (("region", "EMEA"), ("category", "Audio"))
        assert worth_telling([fact(1e-6, 0.9, region), fact(1e-6, 0.4, both)]) == (fact(1e-6, 0.9, region),)

    def test_another_metric_is_another_story(self) -> None:
        assert len(worth_telling([fact(1e-6), fact(1e-6, label="visits")])) == 2

    def test_a_fact_without_a_test_is_not_told(self) -> None:
        assert worth_telling([Fact("driver", Quantity("orders"), Period("May"))]) == ()


class TestBenjaminiHochberg:
    def test_none_of_nothing(self) -> None:
        assert benjamini_hochberg([]) == []

    def test_of_chance_alone_few_runs_tell_anything(self) -> None:
        rng = np.random.default_rng(0)
        assert sum(any(benjamini_hochberg(list(rng.random(50)), 0.05)) for _ in range(400)) <= 32
