"""A new level without a strange day."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from anomaly import DetectInput, detect
from anomaly.conditions import crept_shift
from anomaly.creeping import change_in, creeping_shifts, daily_means
from anomaly.incidents import Watched
from anomaly.state import Scored
from core.timeseries import TimeSeries

T = pd.date_range("2024-01-01", periods=240, freq="D").to_numpy("datetime64[ns]")
AT = 160
WEEK = np.array([1, 1.05, 1.1, 1, 0.95, 0.7, 0.6])[np.arange(240) % 7]


def days(seed: int, factor: float) -> np.ndarray:
    y = 1000 * WEEK * np.exp(np.random.default_rng(seed).normal(0, 0.07, 240))
    y[AT:] *= factor
    return y


def notices(y: np.ndarray) -> list[object]:
    return [i for i in detect(DetectInput(TimeSeries("s", T, y))).incidents if i.kind == "level_shift"]


def crept(t: np.ndarray, y: np.ndarray) -> list[object]:
    zero = np.zeros(len(t))
    return crept_shift(Watched("s", t, y, Scored(zero, zero, zero, zero, zero), 3600, zero), [])


class TestCreepingShifts:
    def test_a_lasting_rise_of_two_usual_deviations_is_told_once_within_weeks(self):
        told = [notices(days(seed, 1.15)) for seed in range(6)]
        assert all(len(one) <= 1 for one in told)
        found = [one[0] for one in told if one]
        assert len(found) >= 4
        assert all(abs((i.start - T[AT]) / np.timedelta64(1, "D")) <= 10 and i.direction == "up" for i in found)
        assert all(1.05 < i.actual / i.expected < 1.25 for i in found)

    @pytest.mark.parametrize("ramp_days", [1, 30])
    def test_a_change_that_moves_over_weeks_is_told_when_the_metric_never_moved_so_far(self, ramp_days):
        began = 420
        for seed in range(3):
            y = np.tile(WEEK[:7], 90)[:600] * np.exp(np.random.default_rng(seed).normal(0, 0.07, 600))
            y *= 1 - 0.13 * np.clip((np.arange(600) - began) / ramp_days, 0, 1)
            (told,) = creeping_shifts(y)
            assert began <= told.began <= began + ramp_days + 7
            assert told.known <= began + ramp_days + 42

    def test_what_moves_so_far_every_year_is_left_alone(self):
        k = np.arange(1000)
        y = 100 * (1 + 0.13 * np.sin(k / 365 * 2 * np.pi)) * np.exp(np.random.default_rng(1).normal(0, 0.07, 1000))
        assert creeping_shifts(y) == []

    def test_only_what_is_wanted_is_told(self):
        item = DetectInput(TimeSeries("s", T, next(days(seed, 1.15) for seed in range(6) if notices(days(seed, 1.15)))))
        for wanted in ({"direction": "down"}, {"min_effect": 500.0}):
            assert not [i for i in detect(item, **wanted).incidents if i.kind == "level_shift"]

    @pytest.mark.parametrize("shape", ["noise", "growth", "time of year", "closed on sundays", "constant"])
    def test_what_did_not_change_its_level_is_left_alone(self, shape):
        k = np.arange(240)
        for seed in range(4):
            y = {
                "noise": days(seed, 1.0),
                "growth": days(seed, 1.0) * np.exp(0.3 * k / 365),
                "time of year": days(seed, 1.0) * np.exp(0.2 * np.sin(k / 365 * 2 * np.pi)),
                "closed on sundays": np.where(k % 7 == 6, 0.0, days(seed, 1.0)),
                "constant": np.full(240, 5.0),
            }[shape]
            assert creeping_shifts(y) == []

    def test_a_series_cut_short_has_the_notices_that_it_had_until_then(self):
        y = days(1, 1.2)
        whole = creeping_shifts(y, 3)
        for stop in (150, 185, 210):
            assert creeping_shifts(y[:stop], 3) == [s for s in whole if s.known < stop]

    def test_later_rows_change_no_mean_of_a_day_and_a_day_that_goes_on_has_none(self):
        t = pd.date_range("2024-01-01", periods=24 * 240, freq="h").to_numpy("datetime64[ns]")
        y = np.repeat(np.where(np.arange(240) < AT, 1.0, 1.25), 24) * np.exp(np.random.default_rng(1).normal(0, 0.15, 24 * 240))
        keep = (np.arange(len(t)) >= 24 * 170) | (np.arange(len(t)) % 3 == 0)  # loaded every three hours, then by the hour
        t, y = t[keep], y[keep]
        whole = daily_means(t, y)[1]
        for stop in (900, 1360, 1500, 2000):
            first = t[stop].astype("datetime64[D]")
            np.testing.assert_array_equal(daily_means(t[t < first], y[t < first])[1], whole[: int((first - T[0]) / np.timedelta64(1, "D"))])
        told = crept(t, y)
        assert told
        known = int(np.searchsorted(t, told[0].detected_at))
        for cut in (known - 9, known - 1, known):
            assert crept(t[: cut + 1], y[: cut + 1]) == [i for i in told if i.detected_at <= t[cut]]

    def test_what_began_in_the_warm_up_is_not_told(self):
        item = DetectInput(TimeSeries("s", T, next(days(seed, 1.15) for seed in range(6) if notices(days(seed, 1.15)))))
        told = [i.start for i in detect(item).incidents if i.kind == "level_shift"]
        warm = DetectInput(item.series, warmup_steps=int((told[0] - T[0]) / np.timedelta64(1, "D")) + 1)
        assert not [i for i in detect(warm).incidents if i.kind == "level_shift"]

    def test_days_are_means_of_enough_hours_and_gaps_are_no_level(self):
        t = pd.date_range("2024-01-01", periods=72, freq="h").to_numpy("datetime64[ns]")
        y = np.repeat([1.0, 2.0, 3.0], 24)
        y[30:60] = np.nan
        np.testing.assert_array_equal(daily_means(t, y)[1], [1.0, np.nan, 3.0])
        assert change_in(np.r_[np.full(50, np.nan), days(1, 1.0)[:62]]) is None
