"""Members made for days of five minutes and weeks of hours, on weather-like series made here."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.forecast_generated import weather
from core.timeseries import FloatArray, TimeSeries
from forecasting.engine import forecast
from forecasting.members.averaged_smoothing import _weights, average
from forecasting.members.direct_regression import direct_regression, examples
from forecasting.members.level_regression import level_regression
from forecasting.members.naive import seasonal_naive_short
from forecasting.members.recent_shape import baseline, recent_shape
from forecasting.prepare import Prepared, prepare
from forecasting.types import ForecastInput

DAY, DAYS = 96, 30


def quarter_hours(seed: int) -> FloatArray:
    return weather(DAY, DAYS + 2)(np.random.default_rng(seed), DAY * (DAYS + 1))


def prepared(y: FloatArray, horizon: int = DAY) -> Prepared:
    times = np.datetime64("2024-03-01", "ns") + np.arange(y.shape[0]) * np.timedelta64(15, "m")
    return prepare(ForecastInput(TimeSeries("s", times, y), horizon))


class TestRecentShape:
    def test_continues_a_pure_cycle_exactly(self):
        y = np.sin(2 * np.pi * np.arange(DAY * DAYS) / DAY) + 5
        np.testing.assert_allclose(recent_shape(7)(prepared(y)), y[:DAY], atol=1e-9)

    def test_a_departure_fades(self):
        y = np.sin(2 * np.pi * np.arange(DAY * DAYS) / DAY) + 5
        y[-2:] += 3
        ahead, departure = baseline(y, DAY, 7, DAY)
        assert departure > 2
        said = recent_shape(7)(prepared(y)) - ahead
        assert said[0] > 1.5 * said[-1] > 0


class TestDirectRegression:
    def test_beats_repeating_the_last_day_on_weather(self):
        errors = {"direct": [], "repeated": []}
        for seed in range(8):
            y = quarter_hours(seed)
            series = prepared(y[:-DAY])
            errors["direct"].append(np.abs(direct_regression(8)(series) - y[-DAY:]).mean())
            errors["repeated"].append(np.abs(seasonal_naive_short(series) - y[-DAY:]).mean())
        assert np.mean(errors["direct"]) < 0.85 * np.mean(errors["repeated"])

    def test_examples_are_whole_and_at_the_same_place_of_the_cycle(self):
        n = DAY * DAYS
        found = examples(n, DAY, 7, DAY)
        assert found.max() + DAY <= n
        assert found.min() >= 8 * DAY
        apart = (found - n + DAY // 2) % DAY - DAY // 2
        assert np.abs(apart).max() <= 0.08 * DAY

    def test_too_little_history_is_said(self):
        with pytest.raises(ValueError, match="examples"):
            direct_regression(8)(prepared(quarter_hours(0)[: DAY * 6]))


class TestLevelRegression:
    def test_knows_that_departures_return(self):
        rng = np.random.default_rng(0)
        y = np.empty(500)
        y[0] = 0.0
        for t in range(1, 500):
            y[t] = 0.7 * y[t - 1] + rng.normal(0, 1)
        y[-1] = 6.0
        times = (np.datetime64("2001-01-06") + 7 * np.arange(500)).astype("datetime64[ns]")
        said = level_regression(prepare(ForecastInput(TimeSeries("s", times, y + 100), 10)))
        assert said[-1] < 103
        assert said[0] < 105.5


class TestAveragedSmoothing:
    def test_carries_a_steady_line_on_and_holds_what_only_varies(self):
        line = np.log(100) + 0.02 * np.arange(60)
        np.testing.assert_allclose(average(line, 12), np.log(100) + 0.02 * np.arange(60, 72), atol=0.01)
        noise = np.random.default_rng(0).normal(5, 0.1, 80)
        np.testing.assert_allclose(average(noise, 12), 5, atol=0.05)

    def test_the_weights_of_each_step_add_up(self):
        errors = np.random.default_rng(1).uniform(0.5, 2, (6, 50))
        weights = _weights(errors, np.full(9, 20.0))
        np.testing.assert_allclose(weights.sum(axis=1), 1)
        assert weights[0, np.argmin(errors[:4].sum(axis=0))] > 5 / 50


class TestWholeForecast:
    def test_of_weather_is_clearly_better_than_its_own_last_day(self):
        ours, repeated = [], []
        for seed in range(20, 25):
            y = quarter_hours(seed)
            series = prepared(y[:-DAY])
            times = np.datetime64("2024-03-01", "ns") + np.arange(y.shape[0]) * np.timedelta64(15, "m")
            made = forecast(ForecastInput(TimeSeries("s", times[:-DAY], y[:-DAY]), DAY))
            ours.append(np.abs(made.mean - y[-DAY:]).mean())
            repeated.append(np.abs(seasonal_naive_short(series) - y[-DAY:]).mean())
        assert np.mean(ours) < 0.85 * np.mean(repeated)
