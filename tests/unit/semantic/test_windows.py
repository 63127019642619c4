"""Time windows against hand-computed bounds. as_of is Wednesday 2024-05-15 14:00 in Berlin."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from core.timeseries import Grain
from semantic.catalog.model import CatalogCalendar
from semantic.expr import Absolute, Calendar_, Rolling, Unit, Window
from semantic.windows import Shift, add_units, cut_at_complete, floor_to, local_now, period_shift, resolve_window, shift_bounds

BERLIN = CatalogCalendar(time_zone="Europe/Berlin", fiscal_year_start_month=4)
SUNDAY = CatalogCalendar(time_zone="UTC", week_start="sunday")
AS_OF = dt.datetime(2024, 5, 15, 12, 0, tzinfo=dt.UTC)


def ends(window: Window, calendar: CatalogCalendar = BERLIN) -> tuple[str | None, str | None]:
    found = resolve_window(window, calendar, AS_OF)
    return tuple(f"{end:%Y-%m-%d %H:%M}".removesuffix(" 00:00") if end else None for end in (found.start, found.end))  # type: ignore[return-value]


class TestResolveWindow:
    @pytest.mark.parametrize(
        ("window", "start", "end"),
        [
            (Rolling(count=30, unit=Unit.DAY), "2024-04-15", "2024-05-16"),
            (Rolling(count=30, unit=Unit.DAY, inclusive_start=False), "2024-04-16", "2024-05-16"),
            (Rolling(count=1, unit=Unit.MONTH), "2024-04-15", "2024-05-16"),
            (Rolling(count=2, unit=Unit.HOUR), "2024-05-15 12:00", "2024-05-15 14:00"),
            (Rolling(count=7, unit=Unit.DAY, direction="future"), "2024-05-15", "2024-05-23"),
            (Rolling(count=3, unit=Unit.MONTH, anchor="period"), "2024-02-01", "2024-05-01"),
            (Rolling(count=3, unit=Unit.MONTH, anchor="period", include_current=True), "2024-02-01", "2024-06-01"),
            (Rolling(count=3, unit=Unit.MONTH, anchor="period", include_current=True, current_counts=True), "2024-03-01", "2024-06-01"),
            (Rolling(count=1, unit=Unit.WEEK, anchor="period"), "2024-05-06", "2024-05-13"),
            (Rolling(count=2, unit=Unit.QUARTER, anchor="period", direction="future"), "2024-07-01", "2025-01-01"),
            (Rolling(count=1, unit=Unit.YEAR, anchor="period", fiscal=True), "2023-04-01", "2024-04-01"),
            (Calendar_(unit=Unit.DAY), "2024-05-15", "2024-05-16"),
            (Calendar_(unit=Unit.DAY, offset=-1), "2024-05-14", "2024-05-15"),
            (Calendar_(unit=Unit.WEEK), "2024-05-13", "2024-05-20"),
            (Calendar_(unit=Unit.MONTH, offset=1), "2024-06-01", "2024-07-01"),
            (Calendar_(unit=Unit.QUARTER, offset=-1), "2024-01-01", "2024-04-01"),
            (Calendar_(unit=Unit.QUARTER, offset=-1, fiscal=True), "2024-01-01", "2024-04-01"),
            (Calendar_(unit=Unit.YEAR, fiscal=True), "2024-04-01", "2025-04-01"),
            (Calendar_(unit=Unit.YEAR, to_date=True), "2024-01-01", "2024-05-16"),
            (Calendar_(unit=Unit.YEAR, offset=-1, to_date=True), "2023-01-01", "2023-05-16"),
            (Absolute(start=dt.date(2024, 1, 1)), "2024-01-01", None),
            (Absolute(start=dt.datetime(2024, 1, 1, 23, 30, tzinfo=dt.UTC), end=dt.date(2024, 2, 1)), "2024-01-02 00:30", "2024-02-01"),
        ],
    )
    def test_bounds(self, window: Window, start: str | None, end: str | None) -> None:
        assert ends(window) == (start, end)

    def test_weeks_may_start_on_sunday(self) -> None:
        assert ends(Calendar_(unit=Unit.WEEK), SUNDAY) == ("2024-05-12", "2024-05-19")

    def test_the_day_is_that_of_the_calendar_zone(self) -> None:
        late = dt.datetime(2024, 5, 15, 22, 30, tzinfo=dt.UTC)
        found = resolve_window(Calendar_(unit=Unit.DAY), BERLIN, late)
        assert found.start is not None
        assert found.start.isoformat() == "2024-05-16T00:00:00+02:00"

    def test_a_day_of_the_change_of_clocks_has_23_hours(self) -> None:
        found = resolve_window(Absolute(start=dt.date(2024, 3, 31), end=dt.date(2024, 4, 1)), BERLIN, AS_OF)
        assert found.start is not None
        assert found.end is not None
        assert found.end.astimezone(dt.UTC) - found.start.astimezone(dt.UTC) == dt.timedelta(hours=23)

    @pytest.mark.parametrize(
        ("window", "label"),
        [
            (Rolling(count=30, unit=Unit.DAY), "last 30 days: 2024-04-15 to 2024-05-15, including today"),
            (Calendar_(unit=Unit.MONTH, offset=-1), "last month: 2024-04-01 to 2024-04-30"),
            (Calendar_(unit=Unit.YEAR, to_date=True), "this year to date: 2024-01-01 to 2024-05-15, including today"),
            (Absolute(end=dt.date(2024, 1, 1)), "from the given dates: up to 2023-12-31"),
            (Rolling(count=2, unit=Unit.WEEK, anchor="period"), "last 2 complete weeks: 2024-04-29 to 2024-05-12"),
        ],
    )
    def test_labels_say_the_last_day_and_whether_today_is_inside(self, window: Window, label: str) -> None:
        assert resolve_window(window, BERLIN, AS_OF).label == label

    def test_says_whether_the_running_period_is_inside(self) -> None:
        assert resolve_window(Calendar_(unit=Unit.MONTH), BERLIN, AS_OF).current_is_partial
        assert not resolve_window(Calendar_(unit=Unit.MONTH, offset=-1), BERLIN, AS_OF).includes_current

    @pytest.mark.parametrize(
        "window",
        [
            Absolute(start=dt.date(2024, 1, 2), end=dt.date(2024, 1, 2)),
            Calendar_(unit=Unit.YEAR, offset=-3000),
            Rolling(count=10**7, unit=Unit.YEAR),
        ],
    )
    def test_refuses_what_is_no_window(self, window: Window) -> None:
        with pytest.raises(Invalid) as raised:
            resolve_window(window, BERLIN, AS_OF)
        assert raised.value.code == "bad_window"

    def test_refuses_an_unknown_zone(self) -> None:
        with pytest.raises(Invalid, match="Europe/Berlin"):
            resolve_window(Calendar_(unit=Unit.DAY), CatalogCalendar(time_zone="Mars/Base"), AS_OF)


class TestShift:
    def test_a_quarter_goes_back_by_months(self) -> None:
        window = Absolute(start=dt.date(2024, 1, 1), end=dt.date(2024, 4, 1))
        assert period_shift(window, resolve_window(window, BERLIN, AS_OF)) == Shift(Unit.MONTH, -3)

    def test_a_rolling_window_goes_back_by_its_length(self) -> None:
        window = Rolling(count=30, unit=Unit.DAY)
        bounds = resolve_window(window, BERLIN, AS_OF)
        moved = shift_bounds(bounds, period_shift(window, bounds), "before", BERLIN, local_now(BERLIN, AS_OF))
        assert moved.end == bounds.start
        assert moved.label == "before: 2024-03-15 to 2024-04-14"

    def test_open_ends_have_no_previous_period(self) -> None:
        window = Absolute(start=dt.date(2024, 1, 1))
        with pytest.raises(Invalid) as raised:
            period_shift(window, resolve_window(window, BERLIN, AS_OF))
        assert raised.value.code == "open_window"


class TestCutAtComplete:
    def test_ends_where_the_running_period_starts(self) -> None:
        bounds = resolve_window(Calendar_(unit=Unit.YEAR), BERLIN, AS_OF)
        cut = cut_at_complete(bounds, Grain.MONTH, BERLIN, local_now(BERLIN, AS_OF))
        assert cut.end is not None
        assert f"{cut.end:%Y-%m-%d}" == "2024-05-01"
        assert not cut.includes_current

    def test_refuses_when_nothing_is_complete(self) -> None:
        bounds = resolve_window(Calendar_(unit=Unit.MONTH), BERLIN, AS_OF)
        with pytest.raises(Invalid):
            cut_at_complete(bounds, Grain.MONTH, BERLIN, local_now(BERLIN, AS_OF))


MOMENTS = st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(2100, 1, 1))


class TestArithmetic:
    @given(MOMENTS, st.sampled_from(list(Unit)), st.booleans())
    def test_a_moment_lies_in_its_unit(self, moment: dt.datetime, unit: Unit, fiscal: bool) -> None:
        start = floor_to(moment, unit, BERLIN, fiscal)
        assert start <= moment < add_units(start, unit, 1)
        assert floor_to(start, unit, BERLIN, fiscal) == start

    @given(MOMENTS, st.integers(-50, 50))
    def test_starts_of_months_go_there_and_back(self, moment: dt.datetime, count: int) -> None:
        start = floor_to(moment, Unit.MONTH, BERLIN)
        assert add_units(add_units(start, Unit.MONTH, count), Unit.MONTH, -count) == start

    def test_months_clamp_to_their_last_day(self) -> None:
        assert add_units(dt.datetime(2024, 1, 31), Unit.MONTH, 1) == dt.datetime(2024, 2, 29)
        assert add_units(dt.datetime(2024, 12, 31), Unit.QUARTER, -1) == dt.datetime(2024, 9, 30)
