"""From numbers to told facts: the right story for each kind of change, in words that are proven."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from insights.drivers.leaves import Leaves, leaves_of
from insights.drivers.parts import parts_of_change
from insights.explain_view import explain_view
from insights.explaining import explain_change
from insights.narrative import narrate
from insights.next_steps import next_steps
from insights.periods import during, grain_of, period_of
from insights.study import Cube, Explained, Study
from insights.types import Fact, Quantity
from semantic.catalog.model import Catalog

MAY, APRIL = (period_of(dt.datetime(2026, m, 1), dt.datetime(2026, m + 1, 1), "") for m in (5, 4))
REGIONS, PRODUCTS, DEVICES = ("EMEA", "APAC", "AMER"), tuple("abcdef"), ("desktop", "mobile", "tablet")


def leaves() -> Leaves:
    columns = [
        [r for r in REGIONS for _ in PRODUCTS for _ in DEVICES],
        [p for _ in REGIONS for p in PRODUCTS for _ in DEVICES],
        list(DEVICES) * 18,
    ]
    return leaves_of(["region", "product", "device"], columns)[0]


def inside(found: Leaves, **scope: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    mask = np.ones(found.count, dtype=bool)
    for dimension, value in scope.items():
        place = found.dimensions.index(dimension)
        mask &= found.codes[place] == found.labels[place].index(value)
    return mask


def amounts(factor: float, pace: float = 1.0, **scope: str) -> Study:
    rng = np.random.default_rng(1)
    found = leaves()
    before = rng.poisson(600, found.count).astype(float)
    after = rng.poisson(before * pace * np.where(inside(found, **scope), factor, 1.0)).astype(float)
    cube = Cube(found, before, after)
    return Study(Quantity("orders"), "amount", MAY, APRIL, float(before.sum()), float(after.sum()), cube=cube)


def rates(*, shifted: bool, factor: float = 1.0) -> Study:
    """Conversion differs by device; with `shifted` traffic moves to mobile while every device converts a little better."""
    rng = np.random.default_rng(2)
    found = leaves()
    mobile = inside(found, device="mobile")
    visits = np.full(found.count, 20_000.0)
    later = visits * np.where(mobile, 2.2 if shifted else 1.0, 0.8 if shifted else 1.0)
    rate = np.where(mobile, 0.02, 0.06)
    top0 = rng.poisson(visits * rate).astype(float)
    top1 = rng.poisson(later * rate * (1.06 if shifted else 1.0) * np.where(inside(found, region="APAC"), factor, 1.0)).astype(float)
    cube = Cube(found, top0, top1, visits, later, "sessions")
    before, after = top0.sum() / visits.sum(), top1.sum() / later.sum()
    return Study(Quantity("conversion rate", "percent"), "rate", MAY, APRIL, float(before), float(after), cube=cube)


def kinds(explained: Explained) -> list[str]:
    return [fact.kind for fact in explained.told]


class TestExplainChange:
    def test_a_segments_fall_is_the_driver_and_the_rest_is_told(self) -> None:
        explained = explain_change(amounts(0.2, region="EMEA", product="c"))
        sentences = narrate(explained.told)
        assert kinds(explained)[:3] == ["period_change", "driver", "remainder"]
        assert explained.told[1].segment in ("EMEA / c", "EMEA / product c")
        assert " accounts for " in sentences[1]

    def test_a_fall_of_everything_is_said_to_be_spread(self) -> None:
        explained = explain_change(amounts(1.0, pace=0.5))
        assert "no_driver" in kinds(explained)
        assert "driver" not in kinds(explained)

    def test_a_segment_against_the_rise_is_told_so(self) -> None:
        explained = explain_change(amounts(0.3, pace=1.4, region="APAC"))
        assert [f.segment for f in explained.told if f.kind == "counter_driver"] == ["APAC"]

    def test_a_mix_shift_is_told_from_a_rate_change_and_the_reversal_named(self) -> None:
        explained = explain_change(rates(shifted=True))
        sentences = " ".join(narrate(explained.told))
        assert kinds(explained)[:4] == ["period_change", "reversal", "mix_rate", "share_shift"]
        assert "Simpson's reversal: conversion rate rose within every device, yet fell as a whole." in sentences
        assert "The share of mobile in sessions" in sentences
        mix = next(f for f in explained.facts if f.kind == "mix_rate")
        assert mix.values["mix"] + mix.values["rate"] == pytest.approx(explained.facts[0].values["difference"])

    def test_a_rate_change_is_no_mix_shift(self) -> None:
        explained = explain_change(rates(shifted=False, factor=0.6))
        assert "mix_rate" not in kinds(explained)
        assert [f.segment for f in explained.told if f.kind == "driver"] == ["APAC"]

    def test_no_change_has_no_story(self) -> None:
        study = Study(Quantity("orders"), "amount", MAY, APRIL, 10.0, 10.0)
        assert narrate(explain_change(study).told) == ["Orders did not change: 10 in May 2026, as in Apr 2026."]

    def test_parts_are_told_with_what_they_did(self) -> None:
        parts = parts_of_change(
            lambda v: v["orders"] / v["visits"], ["orders", "visits"], {"orders": 50, "visits": 1000}, {"orders": 20, "visits": 1000}
        )
        study = Study(Quantity("conversion", "percent"), "rate", MAY, APRIL, 0.05, 0.02, parts=parts)
        assert "Orders fell 60%, which accounts for -3 points of the change." in narrate(explain_change(study).told)

    def test_from_nothing_there_is_no_percentage(self) -> None:
        study = Study(Quantity("orders"), "amount", MAY, APRIL, 0.0, 10.0)
        assert narrate(explain_change(study).told) == ["Orders rose 10 to 10 in May 2026 (from 0 in Apr 2026)."]

    def test_negative_amounts_have_no_shares(self) -> None:
        found = leaves()
        before = np.linspace(-5, 50, found.count)
        study = Study(
            Quantity("profit"), "amount", MAY, APRIL, float(before.sum()), float(before.sum() * 0.5), cube=Cube(found, before, before * 0.5)
        )
        assert "driver" not in kinds(explain_change(study))
        narrate(explain_change(study).told)

    def test_an_unusual_move_is_tested_against_the_past(self) -> None:
        history = tuple(100.0 + (i % 3) for i in range(20))
        test = explain_change(Study(Quantity("orders"), "amount", MAY, APRIL, 100.0, 150.0, history=history)).facts[0].test
        assert test is not None
        assert test.p < 1e-6


class TestNextSteps:
    def test_the_question_names_the_period_as_questions_do(self) -> None:
        week = period_of(dt.datetime(2026, 10, 12), dt.datetime(2026, 10, 19), "")
        asked = [
            next_steps([Fact("unusual_value", Quantity("orders"), period, values={"value": 1.0, "expected": 2.0})], Catalog())[0][
                "question"
            ]
            for period in (MAY, week)
        ]
        assert asked == ["why did orders change in May 2026?", "why did orders change from 12 Oct 2026 to 18 Oct 2026?"]


class TestPeriods:
    @pytest.mark.parametrize(
        ("start", "end", "label"),
        [
            ("2026-05-01", "2026-06-01", "in May 2026"),
            ("2026-04-01", "2026-07-01", "in Q2 2026"),
            ("2025-01-01", "2026-01-01", "in 2025"),
            ("2026-05-04", "2026-05-05", "on 4 May 2026"),
            ("2026-05-04", "2026-05-11", "over 4 to 10 May 2026"),
            ("2026-05-28", "2026-06-03", "over 28 May to 2 Jun 2026"),
            ("2025-12-28", "2026-01-03", "over 28 Dec 2025 to 2 Jan 2026"),
            ("2026-01-01", "2026-05-01", "over Jan to Apr 2026"),
            ("2026-05-04T10:00", "2026-05-04T11:00", "at 4 May 2026 10:00 to 11:00"),
        ],
    )
    def test_a_period_is_written_as_people_do(self, start: str, end: str, label: str) -> None:
        assert during(period_of(dt.datetime.fromisoformat(start), dt.datetime.fromisoformat(end), "")) == label

    def test_an_open_period_keeps_its_own_label(self) -> None:
        period = period_of(None, dt.datetime(2026, 1, 1), "up to 2025-12-31")
        assert (period.label, grain_of(period)) == ("up to 2025-12-31", None)


class TestExplainView:
    def test_an_empty_result_reads_as_nothing(self) -> None:
        view = explain_view({"headline": "Orders did not change."})
        assert (view.headline, view.sentences, view.chart, view.table) == ("Orders did not change.", (), None, {})

    def test_a_reason_of_what_did_not_happen_is_not_told_as_if_it_had(self) -> None:
        rose = {"headline": "Orders rose 17.1% to 7,649 in May.", "label": "orders", "change": {"difference": 1117.0}}
        assert explain_view({**rose, "asked_way": "down"}).headline == "Orders did not fall: they rose 17.1% to 7,649 in May."
        assert explain_view({**rose, "asked_way": "up"}).headline == rose["headline"]
