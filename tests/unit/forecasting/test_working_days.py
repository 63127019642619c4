"""Months that are sums of days: what more or fewer working days do to them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.timeseries import TimeSeries
from forecasting.decomposition import decompose
from forecasting.engine import forecast
from forecasting.episodes import at_work
from forecasting.grid import Step
from forecasting.prepare import prepare
from forecasting.types import ForecastInput
from forecasting.working_days import SATURDAYS, WORKING_DAYS, working_day_counts

HORIZON = 12


def months_of(by_weekday, months, noise=0.01, first="2014-03-01"):
    """(times, sums) of days that sell by_weekday[Monday ... Sunday]."""
    rng = np.random.default_rng(4)
    days = pd.date_range(first, periods=31 * months)
    sold = np.array(by_weekday)[days.dayofweek] * (1 + noise * rng.standard_normal(days.shape[0]))
    sums = pd.Series(sold, index=days).resample("MS").sum().iloc[:months]
    return sums.index.to_numpy().astype("datetime64[ns]"), sums.to_numpy()


def cut(times, sums):
    return ForecastInput(TimeSeries("m", times[:-HORIZON], sums[:-HORIZON]), HORIZON)


class TestCounts:
    def test_whole_weeks_count_nothing(self):
        starts = np.array(["2021-02-01", "2021-05-01", "2021-03-01"], dtype="datetime64[ns]")
        found = working_day_counts(starts, Step(months=1), 40)
        assert found[WORKING_DAYS].tolist() == [0.0, 21 - 2.5 * 10, 3.0]
        assert found[SATURDAYS].tolist() == [0.0, 0.0, 0.0]

    @pytest.mark.parametrize(("step", "known"), [(Step(months=3), 60), (Step(ns=7 * 86_400 * 10**9), 200), (Step(months=1), 35)])
    def test_only_of_months_of_which_years_are_known(self, step, known):
        assert working_day_counts(np.arange("2001-01", "2001-05", dtype="datetime64[M]"), step, known) == {}

    def test_the_last_day_of_a_month_names_that_month(self):
        first, last = (
            working_day_counts(np.array([day], dtype="datetime64[D]"), Step(months=1), 40) for day in ("2021-05-01", "2021-05-31")
        )
        assert first == last


class TestForecast:
    @pytest.mark.parametrize("week", [[10, 10, 10, 10, 10, 0.5, 0.5], [10, 10, 11, 11, 13, 19, 1]])
    def test_foresees_months_with_more_working_days(self, week):
        times, sums = months_of(week, 84)
        made = forecast(cut(times, sums))
        by_length = sums[:-HORIZON].reshape(-1, HORIZON).mean(axis=0)
        actual = sums[-HORIZON:]
        assert np.abs(made.mean - actual).mean() < 0.5 * np.abs(by_length - actual).mean()
        assert ((made.lower[95] <= actual) & (actual <= made.upper[95])).mean() > 0.8

    def test_says_nothing_of_them_where_days_do_not_matter(self):
        times, _ = months_of([1] * 7, 96)
        kept = 0
        for seed in range(30):
            y = 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.03, 96)))
            kept += bool(prepare(cut(times, y)).effects.parts)
        assert kept <= 4

    def test_is_a_part_of_the_decomposition(self):
        times, sums = months_of([10, 10, 10, 10, 10, 1, 1], 84)
        found = decompose(cut(times, sums))
        assert np.ptp(found.parts[WORKING_DAYS]) > 0.5 * np.ptp(found.parts["rest"])
        np.testing.assert_allclose(np.sum(list(found.parts.values()), axis=0), sums[:-HORIZON])

    def test_a_regressor_of_that_name_is_the_callers(self):
        times, sums = months_of([10] * 5 + [1, 1], 84)
        own = np.arange(84.0) % 5
        item = cut(times, sums)
        asked = ForecastInput(
            item.series, HORIZON, regressors={WORKING_DAYS: own[:-HORIZON]}, future_regressors={WORKING_DAYS: own[-HORIZON:]}
        )
        np.testing.assert_array_equal(prepare(asked).causes[WORKING_DAYS], own)


def test_a_month_with_a_fifth_saturday_excuses_no_wild_value():
    starts = np.arange("2014-01", "2021-01", dtype="datetime64[M]")
    assert not at_work(working_day_counts(starts, Step(months=1), 60), 60).any()
