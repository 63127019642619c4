from __future__ import annotations

import math

import pytest

from insights.change_words import Wording, change_headline, change_narrative
from insights.period_change import SegmentChange, period_change

WORDS = Wording("Revenue", "currency:EUR", None, before="Jan 2026", after="Feb 2026")


def test_the_segment_that_moved_comes_first_and_shares_add_up() -> None:
    change = period_change(
        300,
        240,
        {
            "Region": [SegmentChange("EMEA", 100, 30), SegmentChange("APAC", 100, 105), SegmentChange("AMER", 100, 105)],
            "Channel": [SegmentChange("web", 150, 120), SegmentChange("shop", 150, 120)],
        },
    )
    assert [d.dimension for d in change.dimensions] == ["Region", "Channel"]
    region, channel = change.dimensions
    assert [d.segment for d in region.drivers] == ["EMEA"]
    assert sum(d.share for d in (*region.drivers, *region.detractors)) == pytest.approx(1.0)
    assert (region.stands_out, channel.stands_out) == (True, False)
    assert channel.unevenness == pytest.approx(0.0)


def test_new_and_vanished_segments_count() -> None:
    change = period_change(100, 150, {"Region": [SegmentChange("old", 100, 0), SegmentChange("new", 0, 150)]})
    (region,) = change.dimensions
    assert [d.segment for d in region.drivers] == ["new"]
    assert [d.segment for d in region.detractors] == ["old"]


def test_from_zero_there_is_no_percentage() -> None:
    change = period_change(0, 50, {"Region": [SegmentChange("a", 0, 20), SegmentChange("b", 0, 30)]})
    assert math.isnan(change.relative)
    assert change_headline(change, WORDS) == "Revenue rose to €50.00 in Feb 2026 (€0.00 in Jan 2026)."


def test_a_dimension_of_one_segment_tells_nothing() -> None:
    assert period_change(1, 2, {"Region": [SegmentChange("all", 1, 2)]}).dimensions == ()


class TestWords:
    def test_what_stands_out_is_said_with_its_share(self) -> None:
        change = period_change(
            300_000, 240_000, {"Region": [SegmentChange("EMEA", 150_000, 80_000), SegmentChange("APAC", 150_000, 160_000)]}
        )
        assert change_headline(change, WORDS) == "Revenue fell 20% to €240K in Feb 2026 (€300K in Jan 2026)."
        assert change_narrative(change, WORDS, additive=True) == [
            "By Region, EMEA (-€70K) accounts for 117% of the change.",
            "Against the fall: APAC (+€10K).",
        ]

    def test_an_even_change_is_said_to_be_even(self) -> None:
        change = period_change(200, 100, {"Region": [SegmentChange("a", 100, 50), SegmentChange("b", 100, 50)]})
        assert change_narrative(change, WORDS, additive=True) == ["No segment stands out: the change is spread evenly over Region."]

    def test_moves_against_each_other_are_not_given_as_shares(self) -> None:
        change = period_change(1000, 1010, {"Region": [SegmentChange("EMEA", 500, 800), SegmentChange("APAC", 500, 210)]})
        assert change_narrative(change, WORDS, additive=True) == [
            "The change is what is left of larger moves against each other; by Region: EMEA (+€300.00), APAC (-€290.00)."
        ]

    def test_a_small_percentage_keeps_a_digit_and_the_label_begins_large(self) -> None:
        change = period_change(1000, 1023.7, {})
        words = Wording("units sold", None, None, before="Jan 2026", after="Feb 2026")
        assert change_headline(change, words) == "Units sold rose 2.4% to 1,024 in Feb 2026 (1,000 in Jan 2026)."

    def test_no_change_needs_no_reasons(self) -> None:
        change = period_change(100, 100, {"Region": [SegmentChange("a", 50, 60), SegmentChange("b", 50, 40)]})
        assert change_headline(change, WORDS) == "Revenue did not change: €100.00 in Feb 2026 and in Jan 2026."
        assert change_narrative(change, WORDS, additive=True) == []
