from __future__ import annotations

import math

import pytest

from insights.period_change import SegmentChange, period_change


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


def test_a_dimension_of_one_segment_tells_nothing() -> None:
    assert period_change(1, 2, {"Region": [SegmentChange("all", 1, 2)]}).dimensions == ()
