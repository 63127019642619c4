from __future__ import annotations

import numpy as np
import pytest

from core.timeseries import Grain, TimeSeries
from forecasting.clean import fill_gaps
from forecasting.grid import Step, index_of, infer_step, time_at
from forecasting.prepare import prepare
from forecasting.seasons import calendar_seasons, weekly_or_shorter
from forecasting.types import ForecastInput


def at(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[ns]")


class TestInferStep:
    def test_most_frequent_distance_wins_over_gaps(self):
        assert infer_step(at("2024-01-01", "2024-01-02", "2024-01-03", "2024-01-09", "2024-01-10")) == Step(ns=86_400_000_000_000)

    def test_months_are_calendar_months(self):
        assert infer_step(at("2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01")) == Step(months=1)

    def test_quarters_and_years(self):
        assert infer_step(at("2023-01-01", "2023-04-01", "2023-07-01", "2023-10-01")) == Step(months=3)
        assert infer_step(at("2020-01-01", "2021-01-01", "2022-01-01")) == Step(months=12)

    def test_the_grain_decides_when_given(self):
        assert infer_step(at("2024-01-01"), Grain.WEEK) == Step(ns=7 * 86_400_000_000_000)

    def test_one_point_is_daily(self):
        assert infer_step(at("2024-01-01")).steps_per_day == 1


class TestIndexAndTime:
    @pytest.mark.parametrize("step", [Step(months=1), Step(months=3), Step(ns=3_600_000_000_000)])
    def test_are_inverse(self, step):
        start = np.datetime64("2023-01-31", "ns")
        index = np.arange(30)
        np.testing.assert_array_equal(index_of(time_at(index, start, step), start, step), index)

    def test_times_inside_a_bucket_belong_to_it(self):
        start = np.datetime64("2024-01-01", "ns")
        assert index_of(at("2024-03-17T12:00"), start, Step(months=1))[0] == 2


class TestCalendarSeasons:
    @pytest.mark.parametrize(
        ("step", "expected"),
        [
            (Step(ns=300 * 10**9), (288, 2016, 105192)),
            (Step(ns=3600 * 10**9), (24, 168, 8766)),
            (Step(ns=86_400 * 10**9), (7, 365)),
            (Step(ns=7 * 86_400 * 10**9), (52,)),
            (Step(months=1), (12,)),
            (Step(months=3), (4,)),
            (Step(months=12), ()),
        ],
    )
    def test_day_week_and_year(self, step, expected):
        assert calendar_seasons(step) == expected

    def test_only_those_within_a_week(self):
        assert weekly_or_shorter(Step(ns=3600 * 10**9), (24, 168, 8766)) == (24, 168)


class TestPrepare:
    def test_cut_knows_nothing_of_later_rows(self, weekly_pattern, item):
        y = weekly_pattern(900)
        changed = y.copy()
        changed[600:] = -5
        first, second = prepare(item(y)).cut(600), prepare(item(changed)).cut(600)
        np.testing.assert_array_equal(first.y, second.y)
        np.testing.assert_array_equal(first.filled, second.filled)
        assert first.floor == second.floor == 0.0
        assert {k: v.tolist() for k, v in first.effects.parts.items()} == {k: v.tolist() for k, v in second.effects.parts.items()}

    def test_an_isolated_wild_value_is_set_aside_and_said(self, weekly_pattern, item):
        y = weekly_pattern(300)
        y[150] = 5_000
        series = prepare(item(y))
        assert series.y[150] < 200
        assert series.raw[150] == 5_000
        assert any("set aside" in note for note in series.notes)

    def test_a_lasting_change_is_no_outlier(self, weekly_pattern, item):
        y = weekly_pattern(300)
        y[200:] += 500
        series = prepare(item(y))
        assert series.shift is not None
        np.testing.assert_allclose(series.shift.to_past(series.y), y)

    def test_the_time_of_the_year_is_found_over_three_years(self, item):
        day = np.arange(3 * 365)
        y = 200 + 40 * np.sin(2 * np.pi * day / 365) + np.random.default_rng(0).normal(0, 3, day.shape[0])
        effect = prepare(item(y)).effects
        assert "time of year" in effect.parts
        assert np.ptp(effect.remove(y)) < 0.5 * np.ptp(y)

    def test_future_times_may_skip_ahead(self, item, weekly_pattern, times):
        series = prepare(item(weekly_pattern(50), 3, future_times=times(60)[[52, 55, 59]]))
        np.testing.assert_array_equal(series.future_steps, [3, 6, 10])

    def test_far_apart_rows_without_a_grain_are_refused(self):
        from core.errors import Invalid

        rows = at("2000-01-01T00:00:00", "2000-01-01T00:00:01", "2024-01-01", "2024-01-01T00:00:01")
        with pytest.raises(Invalid, match="Pass the grain"):
            prepare(ForecastInput(TimeSeries("s", rows, np.ones(4)), 3))


def test_a_gap_of_days_is_filled_with_their_weekdays_although_a_year_was_seen():
    at = np.arange(3 * 365)
    y = 100.0 + 40.0 * (at % 7 == 5) + np.random.default_rng(3).normal(0, 1, at.shape[0])
    raw = y.copy()
    raw[900:921] = np.nan
    assert np.abs(fill_gaps(raw, (7, 365)) - y).max() < 6


def test_a_gap_is_bridged_from_the_values_at_its_edges():
    at = np.arange(24 * 30)
    y = 50.0 + 10.0 * np.sin(2 * np.pi * at / 24) + 8.0 * np.exp(-(((at - 500) / 20.0) ** 2))
    raw = y.copy()
    raw[498:502] = np.nan
    assert np.abs(fill_gaps(raw, (24, 168)) - y).max() < 0.5
