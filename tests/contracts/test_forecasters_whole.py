"""What holds of any forecast, whatever the series."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Invalid, NotEnoughData
from core.timeseries import Grain, TimeSeries
from forecasting.engine import Effort, backtest, forecast, forecast_many
from forecasting.types import Forecast, ForecastInput


def times(n: int, unit: str = "D") -> np.ndarray:
    return (np.datetime64("2023-01-02", unit) + np.arange(n)).astype("datetime64[ns]")


def item(y, horizon: int = 7, **options) -> ForecastInput:
    y = np.asarray(y, dtype=np.float64)
    return ForecastInput(TimeSeries("s", times(len(y)), y), horizon, **options)


def noisy(n: int = 120, seed: int = 0) -> np.ndarray:
    return 50 + 10 * np.sin(2 * np.pi * np.arange(n) / 7) + np.random.default_rng(seed).normal(0, 2, n)


def is_sound(made: Forecast, levels: tuple[int, ...] = (80, 95)) -> None:
    h = made.times.shape[0]
    assert made.mean.shape == (h,)
    assert set(made.lower) == set(levels) == set(made.upper)
    inner_low, inner_high = made.mean, made.mean
    assert np.isfinite(made.mean).all()
    for level in sorted(levels):
        assert np.isfinite(made.lower[level]).all()
        assert np.isfinite(made.upper[level]).all()
        assert (made.lower[level] <= inner_low).all()
        assert (made.upper[level] >= inner_high).all()
        inner_low, inner_high = made.lower[level], made.upper[level]


class TestAnySeries:
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
    @given(
        st.lists(st.one_of(st.floats(-1e12, 1e12), st.just(0.0), st.just(float("nan"))), min_size=1, max_size=60),
        st.integers(1, 20),
    )
    def test_is_finite_ordered_and_never_below_a_floor(self, values, horizon):
        y = np.array(values)
        if not np.isfinite(y).any():
            with pytest.raises(NotEnoughData):
                forecast(item(y, horizon))
            return
        made = forecast(item(y, horizon), effort=Effort.QUICK)
        is_sound(made)
        if (y[np.isfinite(y)] >= 0).all():
            assert (made.lower[95] >= 0).all()

    def test_infinite_values_count_as_missing(self):
        y = noisy()
        broken = y.copy()
        broken[[10, 50]] = [np.inf, -np.inf]
        made = forecast(item(broken))
        is_sound(made)
        assert np.abs(made.mean - forecast(item(y)).mean).max() < 3

    @pytest.mark.parametrize("levels", [(50,), (80, 95), (10, 50, 90, 99)])
    def test_any_level_may_be_asked_for(self, levels):
        is_sound(forecast(item(noisy()), levels=levels), levels)

    @pytest.mark.parametrize("grain", [Grain.MINUTE, Grain.HOUR, Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR])
    def test_every_grain_continues_its_grid(self, grain):
        unit = {"minute": "m", "hour": "h", "day": "D", "week": "W", "month": "M", "quarter": "M", "year": "Y"}[grain.value]
        stride = 3 if grain is Grain.QUARTER else 1
        at = (np.datetime64("2015-01", unit) + stride * np.arange(45)).astype("datetime64[ns]")
        made = forecast(ForecastInput(TimeSeries("s", at[:40], noisy(40), grain), 5))
        np.testing.assert_array_equal(made.times, at[40:])

    def test_month_ends_stay_month_ends(self):
        ends = np.array(["2023-01-31", "2023-02-28", "2023-03-31", "2023-04-30", "2023-05-31", "2023-06-30"], dtype="datetime64[ns]")
        made = forecast(ForecastInput(TimeSeries("s", ends, np.arange(6.0), Grain.MONTH), 2))
        np.testing.assert_array_equal(made.times, np.array(["2023-07-31", "2023-08-31"], dtype="datetime64[ns]"))


class TestDeterminism:
    @pytest.mark.slow
    def test_same_seed_same_forecast(self):
        items = [replace(item(noisy(150, seed=k)), series=TimeSeries(str(k), times(150), noisy(150, seed=k))) for k in range(30)]
        first, second = (forecast_many(items, seed=3, effort=Effort.QUICK) for _ in range(2))
        for a, b in zip(first, second, strict=True):
            np.testing.assert_array_equal(a.mean, b.mean)
            np.testing.assert_array_equal(a.upper[95], b.upper[95])
        assert any("pooled_network" in made.model for made in first)

    @pytest.mark.integration
    def test_processes_do_not_change_the_answer(self):
        items = [item(noisy(100, seed=k)) for k in range(8)]
        for a, b in zip(forecast_many(items), forecast_many(items, processes=2), strict=True):
            np.testing.assert_array_equal(a.mean, b.mean)

    def test_round_trip(self):
        made = forecast(item(noisy()))
        again = pickle.loads(pickle.dumps(made))
        np.testing.assert_array_equal(again.mean, made.mean)
        assert again.model == made.model
        assert pickle.loads(pickle.dumps(item(noisy()))).horizon_steps == 7


class TestBadInput:
    @pytest.mark.parametrize(
        ("broken", "code"),
        [
            (item(noisy(), 0), "bad_horizon"),
            (item(noisy(), time_zone="Mars/Olympus"), "bad_time_zone"),
            (item(noisy(), regressors={"x": np.zeros(3)}, future_regressors={"x": np.zeros(7)}), "bad_regressor"),
            (item(noisy(), regressors={"x": np.zeros(120)}, future_regressors={"x": np.zeros(3)}), "bad_regressor"),
            (item(noisy(), future_times=times(5)), "bad_horizon"),
        ],
    )
    def test_says_what_was_expected(self, broken, code):
        with pytest.raises(Invalid) as caught:
            forecast(broken)
        assert caught.value.code == code
        assert "xpected" in caught.value.message

    def test_all_missing_has_nothing_to_forecast(self):
        with pytest.raises(NotEnoughData) as caught:
            forecast(item(np.full(20, np.nan)))
        assert caught.value.code == "nothing_to_forecast"

    @pytest.mark.parametrize("levels", [(), (0,), (100,), (-5, 80)])
    def test_levels_are_percentages(self, levels):
        with pytest.raises(Invalid):
            forecast(item(noisy()), levels=levels)

    def test_too_short_to_backtest(self):
        with pytest.raises(NotEnoughData) as caught:
            backtest(item(noisy(6)))
        assert caught.value.code == "too_short"


class TestIntervals:
    @pytest.mark.slow
    def test_cover_what_they_say_on_many_series(self):
        items, truths = [], []
        for k in range(60):
            y = noisy(200, seed=k)
            items.append(ForecastInput(TimeSeries(str(k), times(186), y[:186]), 14))
            truths.append(y[186:])
        made = forecast_many(items)
        inside = {
            level: np.mean([(f.lower[level] <= a) & (a <= f.upper[level]) for f, a in zip(made, truths, strict=True)]) for level in (80, 95)
        }
        assert 0.75 < inside[80] < 0.87
        assert 0.92 < inside[95] < 0.985

    def test_a_lone_series_is_covered_too(self):
        inside = []
        for k in range(12):
            y = noisy(200, seed=k)
            made = forecast(ForecastInput(TimeSeries("s", times(186), y[:186]), 14))
            inside.append((made.lower[95] <= y[186:]) & (y[186:] <= made.upper[95]))
        assert np.mean(inside) > 0.9
