"""The business's own days."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from pydantic import ValidationError

from core.timeseries import Grain
from semantic.catalog.model import CalendarEvent
from workers.forecasts.events import event_days, event_flags

BLACK_FRIDAY = CalendarEvent(name="Black Friday", month=11, weekday="thursday", nth=4, offset_days=1)


class TestEventDays:
    def test_a_rule_by_weekday(self) -> None:
        assert event_days(BLACK_FRIDAY, 2023, 2025) == (dt.date(2023, 11, 24), dt.date(2024, 11, 29), dt.date(2025, 11, 28))

    def test_a_fixed_day_over_new_year(self) -> None:
        sale = CalendarEvent(name="Sale", month=12, day=30, length_days=4)
        new_year = (dt.date(2025, 1, 1), dt.date(2025, 1, 2))
        assert event_days(sale, 2025, 2025) == (*new_year, dt.date(2025, 12, 30), dt.date(2025, 12, 31))
        assert event_days(CalendarEvent(name="Eve", month=1, day=1, offset_days=-1), 2025, 2025) == (dt.date(2025, 12, 31),)

    def test_days_that_no_calendar_has_are_none(self) -> None:
        assert event_days(CalendarEvent(name="Last", dates=(dt.date.max,), length_days=3), 2025, 9999) == (dt.date.max,)
        assert event_days(CalendarEvent(name="First", dates=(dt.date.min,), offset_days=-3), 2025, 2026) == ()

    def test_a_day_that_a_year_does_not_have_is_skipped(self) -> None:
        assert event_days(CalendarEvent(name="Leap", month=2, day=29), 2023, 2025) == (dt.date(2024, 2, 29),)
        assert len(event_days(CalendarEvent(name="Fifth", month=2, weekday="monday", nth=5), 2023, 2025)) == 0

    @pytest.mark.parametrize(
        "rule",
        [
            {},
            {"month": 11},
            {"weekday": "monday", "nth": 1},
            {"month": 1, "day": 1, "dates": ["2024-01-01"]},
            {"month": 1, "day": 1, "nth": 2, "weekday": "monday"},
        ],
    )
    def test_half_a_rule_or_two_are_refused(self, rule: dict[str, object]) -> None:
        with pytest.raises(ValidationError):
            CalendarEvent.model_validate({"name": "x", **rule})


class TestFlags:
    def test_one_on_its_days_in_past_and_future(self) -> None:
        past = np.arange(np.datetime64("2023-01-01"), np.datetime64("2025-11-01")).astype("datetime64[ns]")
        future = np.arange(np.datetime64("2025-11-01"), np.datetime64("2025-12-15")).astype("datetime64[ns]")
        flags = event_flags((BLACK_FRIDAY,), past, future, Grain.DAY)["event: Black Friday"]
        assert flags[0].sum() == 2
        assert str(future[flags[1] == 1][0])[:10] == "2025-11-28"

    def test_an_event_seen_once_or_a_coarse_grain_has_none(self) -> None:
        past = np.arange(np.datetime64("2024-01-01"), np.datetime64("2025-11-01")).astype("datetime64[ns]")
        assert event_flags((BLACK_FRIDAY,), past, past + np.timedelta64(700, "D"), Grain.DAY) == {}
        assert event_flags((BLACK_FRIDAY,), past - np.timedelta64(900, "D"), past, Grain.MONTH) == {}
