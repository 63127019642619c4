"""Buckets that are not whole."""

from __future__ import annotations

import datetime as dt

import numpy as np

from core.timeseries import Grain, TimeSeries
from semantic.catalog.model import CatalogCalendar
from workers.forecasts.partial import coverage, following_times, split

CALENDAR = CatalogCalendar()


def days(first: str, last: str, *, weekdays_only: bool = False) -> TimeSeries:
    times = np.arange(np.datetime64(first), np.datetime64(last) + 1).astype("datetime64[ns]")
    if weekdays_only:
        times = times[np.is_busday(times.astype("datetime64[D]"))]
    return TimeSeries("total", times, np.ones(len(times)), Grain.DAY)


def months(first: str, count: int) -> TimeSeries:
    times = np.arange(np.datetime64(first, "M"), np.datetime64(first, "M") + count).astype("datetime64[ns]")
    return TimeSeries("total", times, np.arange(1.0, count + 1), Grain.MONTH)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


class TestCoverage:
    def test_the_running_month_is_left_out_and_known_as_partial(self) -> None:
        series = months("2025-01", 23)
        covered = coverage(series.times, Grain.MONTH, CALENDAR, at("2026-11-21T09:00"), days("2025-01-01", "2026-11-20"))
        whole, partial = split(series, covered)
        assert str(whole.times[-1])[:7] == "2026-10"
        assert partial is not None
        assert (str(partial.start)[:10], partial.value, partial.until) == ("2026-11-01", 23.0, dt.date(2026, 11, 20))

    def test_a_month_that_the_data_stopped_in_is_partial_though_the_clock_went_on(self) -> None:
        series = months("2025-01", 23)
        covered = coverage(series.times, Grain.MONTH, CALENDAR, at("2026-12-10T09:00"), days("2025-01-01", "2026-11-20"))
        whole, partial = split(series, covered)
        assert str(whole.times[-1])[:7] == "2026-10"
        assert partial is not None

    def test_a_weekend_at_the_months_end_is_no_missing_data(self) -> None:
        series = months("2025-01", 10)  # October 2025 ends on a Friday, May 2026 on a Sunday
        covered = coverage(
            series.times, Grain.MONTH, CALENDAR, at("2025-11-03T09:00"), days("2025-01-01", "2025-10-31", weekdays_only=True)
        )
        assert split(series, covered)[1] is None
        series = months("2025-01", 17)
        covered = coverage(
            series.times, Grain.MONTH, CALENDAR, at("2026-06-01T09:00"), days("2025-01-01", "2026-05-29", weekdays_only=True)
        )
        assert str(split(series, covered)[0].times[-1])[:7] == "2026-05"

    def test_a_first_month_that_begins_in_the_middle_is_left_out(self) -> None:
        series = months("2025-01", 12)
        covered = coverage(series.times, Grain.MONTH, CALENDAR, at("2026-01-15T00:00"), days("2025-01-17", "2026-01-14"))
        assert str(split(series, covered)[0].times[0])[:7] == "2025-02"

    def test_today_is_partial_in_the_business_own_time_zone(self) -> None:
        series = days("2026-11-01", "2026-11-21")
        early = coverage(series.times, Grain.DAY, CatalogCalendar(time_zone="America/New_York"), at("2026-11-21T03:00"), None)
        late = coverage(series.times, Grain.DAY, CatalogCalendar(time_zone="Asia/Tokyo"), at("2026-11-21T16:00"), None)
        assert str(split(series, early)[0].times[-1])[:10] == "2026-11-19"  # it is still the 20th in New York
        assert str(split(series, late)[0].times[-1])[:10] == "2026-11-21"  # and the 22nd already in Tokyo

    def test_what_lies_in_the_future_is_in_neither(self) -> None:
        series = days("2026-11-01", "2026-12-24")
        whole, partial = split(series, coverage(series.times, Grain.DAY, CALENDAR, at("2026-11-21T12:00"), None))
        assert str(whole.times[-1])[:10] == "2026-11-20"
        assert partial is not None


def test_following_times_step_by_calendar_months() -> None:
    found = following_times(np.datetime64("2026-11-01", "ns"), Grain.MONTH, 3)
    assert [str(t)[:10] for t in found] == ["2026-12-01", "2027-01-01", "2027-02-01"]
