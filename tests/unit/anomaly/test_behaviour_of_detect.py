"""What a good service does, on series of our own: one test per sentence."""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from anomaly import DetectInput, detect
from core.errors import Invalid
from core.timeseries import TimeSeries

_spec = importlib.util.spec_from_file_location("made_up_series", Path(__file__).with_name("made_up_series.py"))
assert _spec is not None
assert _spec.loader is not None
made = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(made)
alerts, found, gauge, hours, minutes, traffic = made.alerts, made.found, made.gauge, made.hours, made.minutes, made.traffic

AT = 40 * 24 + 15  # three in the afternoon of a Saturday after six weeks
SEEDS = (1, 2, 3)


class TestNothingHappened:
    @pytest.mark.parametrize("seed", SEEDS)
    def test_calm_hourly_traffic_raises_no_alert_in_two_months(self, seed):
        assert alerts(found(hours(60), traffic(hours(60), seed))) == []

    def test_twelve_points_are_not_judged(self):
        out = found(hours(1)[:12], np.array([1, 50, 2, 90, 1, 1, 700, 1, 1, 3, 1, 1.0]))
        assert out.incidents == ()
        assert np.isnan(out.score).all()

    @pytest.mark.parametrize("constant", [0.0, 7.25, -3.0, 1e12])
    def test_a_constant_raises_nothing_and_is_expected_exactly(self, constant):
        out = found(hours(40), np.full(40 * 24, constant))
        assert out.incidents == ()
        assert (out.expected[48:] == constant).all()

    def test_no_rows_give_no_incidents(self):
        out = found(np.zeros(0, "datetime64[ns]"), np.zeros(0))
        assert out.incidents == ()
        assert out.score.shape == (0,)

    @pytest.mark.parametrize("seed", SEEDS)
    def test_closed_nights_and_weekends_are_normal_once_a_week_was_seen(self, seed):
        t = hours(60)
        local = t.astype("datetime64[h]").astype(int)
        is_open = (local % 24 > 8) & (local % 24 < 20) & ((local // 24 + 3) % 7 < 5)
        rng = np.random.default_rng(seed)
        assert alerts(found(t, np.where(is_open, 500 * np.exp(rng.normal(0, 0.08, len(t))), 0.0)), after=t[8 * 24]) == []

    @pytest.mark.parametrize("seed", SEEDS)
    def test_closed_weekends_of_what_goes_on_at_night_are_normal_once_two_were_seen(self, seed):
        t = hours(42)
        weekend = (t.astype("datetime64[D]").astype(int) + 3) % 7 >= 5
        y = np.where(weekend, 0.0, 10 * gauge(t, seed, noise=1.0))
        third = t[np.flatnonzero(weekend & (t >= t[14 * 24]))[0]]
        assert alerts(found(t, y), after=third) == []

    @pytest.mark.parametrize("seed", SEEDS)
    def test_rare_single_counts_raise_no_alert(self, seed):
        assert alerts(found(hours(60), np.random.default_rng(seed).poisson(0.02, 60 * 24).astype(float))) == []

    def test_an_exact_daily_square_wave_is_normal_after_a_week(self):
        t = hours(30)
        h = t.astype("datetime64[h]").astype(int) % 24
        assert alerts(found(t, np.where((h > 8) & (h < 18), 80.0, 20.0)), after=t[7 * 24]) == []


class TestOneEvent:
    @pytest.mark.parametrize("seed", SEEDS)
    @pytest.mark.parametrize("make", [traffic, gauge])
    def test_one_spike_is_one_alert_at_its_row(self, make, seed):
        t = hours(60)
        y = make(t, seed)
        before = alerts(found(t, y))
        y[AT] += 1.5 * np.median(y)
        after = alerts(found(t, y))
        assert t[AT] in after
        assert len(after) <= len(before) + 1

    @pytest.mark.parametrize("length", [3, 8, 24])
    @pytest.mark.parametrize("seed", SEEDS)
    def test_one_outage_is_one_alert_and_none_for_the_recovery(self, seed, length):
        t = hours(60)
        y = traffic(t, seed)
        y[AT : AT + length] = 0
        at = alerts(found(t, y))
        assert len(at) == 1
        assert t[AT] <= at[0] <= t[AT + 2]

    @pytest.mark.parametrize("seed", SEEDS)
    def test_silence_of_a_metric_whose_valleys_are_deep_is_one_alert(self, seed):
        t = hours(40)
        rng = np.random.default_rng(seed)
        hour = t.astype("datetime64[h]").astype(int) % 24
        y = 50 * np.exp(1.5 * np.cos(2 * np.pi * (hour - 14) / 24) + 0.35 * rng.normal(size=len(t)))
        before = len(alerts(found(t, y)))
        y[30 * 24 : 30 * 24 + 6] = 0  # from midnight, when little comes anyway
        assert t[30 * 24] <= alerts(found(t, y), after=t[30 * 24])[0] <= t[30 * 24 + 2]
        assert len(alerts(found(t, y))) == before + 1

    def test_an_outage_of_minutes_is_found_within_two_minutes(self):
        t = minutes(21)
        y = traffic(t, 5)
        k = 16 * 1440 + 600
        y[k : k + 30] = 0
        at = alerts(found(t, y), after=t[7 * 1440])
        assert len(at) == 1
        assert t[k] <= at[0] <= t[k + 2]

    def test_negative_values_are_like_any_other(self):
        t = hours(60)
        y = gauge(t, 3) - 50
        y[AT] -= 30
        up = found(t, -y)
        down = found(t, y)
        assert t[AT] in alerts(down)
        assert [i.direction for i in down.incidents if i.detected_at == t[AT]] == ["down"]
        assert [i.direction for i in up.incidents if i.detected_at == t[AT]] == ["up"]

    @pytest.mark.parametrize("shift", [-30.0, 50.0])
    @pytest.mark.parametrize("seed", SEEDS)
    def test_a_level_shift_is_found_then_becomes_the_new_normal(self, seed, shift):
        t = hours(90)
        y = gauge(t, seed)
        y[AT:] += shift
        out = found(t, y)
        at = alerts(out, after=t[AT])
        assert t[AT] <= at[0] <= t[AT + 2]
        assert len(alerts(out, "level_shift", after=t[AT])) == 1
        assert len([a for a in at if a < t[AT + 14 * 24]]) == 1

    def test_impact_and_expectation_are_in_the_metrics_unit(self):
        t = hours(60)
        y = gauge(t, 1, noise=1.0)
        y[AT] = 100.0
        hit = next(i for i in found(t, y).incidents if i.detected_at == t[AT])
        assert hit.actual == 100.0
        assert hit.expected == pytest.approx(50.0, abs=3.0)
        assert hit.impact == pytest.approx(50.0, abs=8.0)
        assert 40 < hit.severity <= 100


class TestDataAsTheyComeIn:
    def test_rows_loaded_twice_change_nothing(self):
        t, y = hours(60), traffic(hours(60), 1)
        again = np.r_[np.arange(len(t)), np.arange(500, 800)]
        once, twice = found(t, y), found(t[again], y[again])
        np.testing.assert_array_equal(once.score, twice.score)
        assert once.incidents == twice.incidents
        assert any("repeated" in n for n in twice.notes)

    def test_shuffled_rows_are_put_in_order(self):
        t, y = hours(30), traffic(hours(30), 1)
        mixed = np.random.default_rng(0).permutation(len(t))
        np.testing.assert_array_equal(found(t, y).score, found(t[mixed], y[mixed]).score)

    def test_an_incomplete_last_bucket_is_not_judged(self):
        t, y = hours(40), traffic(hours(40), 1)
        y[-1] *= 0.05
        read_at = datetime.fromtimestamp(int(t[-1].astype("datetime64[s]").astype(int)) + 300, UTC)
        out = found(t, y, as_of=read_at)
        assert alerts(out) == []
        assert len(out.times) == len(t) - 1
        assert alerts(found(t, y)) == [t[-1]]

    @pytest.mark.parametrize("length", [5, 30, 24 * 8])
    @pytest.mark.parametrize("seed", SEEDS)
    def test_a_gap_raises_no_value_alert_then_or_a_season_later(self, seed, length):
        t, y = hours(60), traffic(hours(60), seed)
        keep = np.ones(len(t), bool)
        keep[AT : AT + length] = False
        out = found(t[keep], y[keep])
        assert alerts(out) == []
        assert len(alerts(out, "missing_data")) == (length > 6)

    def test_missing_values_in_rows_are_as_a_gap(self):
        t, y = hours(60), traffic(hours(60), 1)
        y[AT : AT + 10] = np.nan
        out = found(t, y)
        assert alerts(out) == []
        assert np.isnan(out.score[AT : AT + 10]).all()

    def test_data_that_stopped_are_reported_as_missing(self):
        t, y = hours(40), traffic(hours(40), 1)
        read_at = datetime.fromtimestamp(int(t[-1].astype("datetime64[s]").astype(int)) + 13 * 3600, UTC)
        last = found(t, y, as_of=read_at).incidents[-1]
        assert (last.kind, last.is_open) == ("missing_data", True)

    def test_a_clock_change_raises_nothing_when_the_zone_is_known(self):
        t = hours(45, "2023-02-20")
        y = traffic(t, 1, zone="America/New_York", noise=0.02)  # clocks change on 12 March
        assert alerts(found(t, y, time_zone="America/New_York")) == []

    def test_a_public_holiday_that_looks_like_a_sunday_is_no_event(self):
        t = hours(60, "2023-03-20")
        y = traffic(t, 1, noise=0.02)
        day = t.astype("datetime64[D]")
        weekday_shape = day == np.datetime64("2023-05-01")  # a Monday, Labour Day
        y[weekday_shape] *= 0.25
        weekend = (day.astype(int) + 3) % 7 >= 5
        y[weekend] *= 0.25 / 0.7
        assert alerts(found(t, y, country="DE"), after=np.datetime64("2023-05-01")) == []
        assert alerts(found(t, y), after=np.datetime64("2023-05-01")) != []

    def test_a_value_that_stands_still_is_a_flat_line(self):
        t, y = hours(60), gauge(hours(60), 1)
        y[AT : AT + 40] = y[AT - 1]
        assert len(alerts(found(t, y), "flat_line")) == 1


class TestOptions:
    def test_fewer_bearable_false_alarms_give_fewer_alerts(self):
        t = hours(200)
        y = gauge(t, 9) + np.random.default_rng(1).standard_t(2, len(t))
        counts = [len(alerts(detect(DetectInput(TimeSeries("s", t, y)), sensitivity=f))) for f in (50.0, 24.0, 4.0)]
        assert counts[0] > counts[1] >= counts[2]

    def test_small_misses_and_the_wrong_side_raise_nothing(self):
        t = hours(60)
        y = gauge(t, 1, noise=0.5)
        y[AT] += 20
        item = DetectInput(TimeSeries("s", t, y))
        assert t[AT] in alerts(detect(item))
        assert t[AT] not in alerts(detect(item, min_effect=25.0))
        assert t[AT] not in alerts(detect(item, direction="down"))
        assert t[AT] in alerts(detect(item, direction="up"))

    def test_warm_up_rows_are_not_judged(self):
        t = hours(30)
        y = gauge(t, 3)
        y[200] += 40
        assert t[200] in alerts(found(t, y))
        assert alerts(found(t, y, warmup_steps=300)) == []

    @pytest.mark.parametrize(
        "options", [{"sensitivity": 0}, {"sensitivity": float("nan")}, {"direction": "sideways"}, {"min_effect": -1.0}]
    )
    def test_nonsense_options_are_refused(self, options):
        with pytest.raises(Invalid):
            detect(DetectInput(TimeSeries("s", hours(2), np.zeros(48))), **options)

    @pytest.mark.parametrize("options", [{"time_zone": "Mars/Olympus"}, {"country": "XX"}, {"as_of": datetime(2023, 1, 5)}])
    def test_unknown_zone_country_or_naive_time_is_refused(self, options):
        with pytest.raises(Invalid):
            found(hours(40), gauge(hours(40)), **options)

    def test_hostile_numbers_do_no_harm(self):
        t = hours(40)
        y = gauge(t, 1)
        y[[100, 200, 300, 400]] = [np.inf, -np.inf, 1e300, -1e300]
        out = found(t, y)
        assert np.isnan(out.score[[100, 200]]).all()
        assert np.isfinite(out.score[~np.isnan(out.score)]).all()


class TestWhatASeriesIsLike:
    def test_an_exact_day_by_minutes_is_normal_from_the_third_day(self):
        t = made.pd.date_range("2023-01-02", periods=288 * 14, freq="5min").to_numpy("datetime64[ns]")
        slot = np.arange(len(t)) % 288
        assert alerts(found(t, np.where((slot > 100) & (slot < 220), 68.0, 20.0)), after=t[2 * 288]) == []

    def test_bursts_that_belong_to_a_metric_raise_fewer_alerts_than_the_first_bursts_of_a_calm_one(self):
        t = made.pd.date_range("2023-01-02", periods=288 * 28, freq="5min").to_numpy("datetime64[ns]")
        rng = np.random.default_rng(3)
        bursts = (rng.random(len(t)) < 0.004) * (1 + rng.pareto(2.0, len(t)))
        lively = rng.poisson(5 * (1 + bursts)).astype(float)
        per_week = len(alerts(found(t, lively), after=t[288 * 7])) / 3
        assert per_week <= 2.0

    def test_a_series_that_grows_calm_or_noisy_is_noticed(self):
        t = hours(60)
        y = gauge(t, 3)
        noisy = y.copy()
        noisy[AT : AT + 48] = 50 + 5 * (y[AT : AT + 48] - 50)
        assert len(alerts(found(t, noisy), after=t[AT])) >= 1


class TestPermanentShifts:
    """Over many seeds: one alert, one notice, then silence; the season goes on at the new level and does not jump weeks later."""

    @staticmethod
    def daily(seed):
        t = made.pd.date_range("2024-01-01", periods=480, freq="D").to_numpy("datetime64[ns]")
        week = np.array([1, 1.05, 1.1, 1, 0.95, 0.7, 0.6])[np.arange(480) % 7]
        y = 1000 * week * np.exp(np.random.default_rng(seed).normal(0, 0.06, 480))
        y[400:] *= (0.6, 1.5)[seed % 2]
        return t, y, t[400]

    @staticmethod
    def hourly(seed):
        t = hours(80)
        y = traffic(t, seed, noise=0.05)
        y[AT - 40 :] *= (0.6, 1.5)[seed % 2]
        return t, y, t[AT - 40]

    @pytest.mark.parametrize("make", ["daily", "hourly"])
    def test_one_alert_and_one_notice_for_nearly_all(self, make):
        counts, notices = [], []
        for seed in range(20):
            t, y, at = getattr(self, make)(seed)
            out = found(t, y)
            counts.append(len(alerts(out, after=at)))
            notices.append(len(alerts(out, "level_shift", after=at)))
        assert min(counts) >= 1
        assert sum(counts) <= 24  # a few chance alarms in weeks of 20 series
        assert sum(notices) >= 17
        assert max(notices) == 1

    def test_two_days_off_and_back_is_one_event(self):
        repeats = 0
        for seed in range(12):
            t = hours(60)
            y = traffic(t, seed, noise=0.04)
            y[AT : AT + 48] *= 0.5
            repeats += len(alerts(found(t, y), after=t[AT])) - 1
        assert repeats <= 2


NEW_YORK = "America/New_York"


def changed(what):
    """Sixty days of hourly traffic in New York over the clock change of 12 March, to which one thing was done: times, values, options."""
    t = hours(60, "2023-01-30")
    y, keep, options = traffic(t, 2, zone=NEW_YORK), np.ones(len(t), bool), {"time_zone": NEW_YORK}
    day = pd.DatetimeIndex(t, tz="UTC").tz_convert(NEW_YORK).date
    at = 30 * 24 + 15
    if what == "incomplete bucket":
        y[-1] *= 0.3
        options["as_of"] = datetime.fromtimestamp(int(t[-1].astype("datetime64[s]").astype(int)) + 3000, UTC)
    elif what == "late load":  # a day that came after the days behind it
        order = np.r_[0:500, 524 : len(t), 500:524]
        t, y = t[order], y[order]
    elif what == "gap":
        keep[at : at + 30] = False
    elif what == "duplicate load":
        t, y, keep = np.r_[t, t[400:700]], np.r_[y, y[400:700]], np.ones(len(t) + 300, bool)
    elif what == "holiday":
        y[[one == pd.Timestamp("2023-02-20").date() for one in day]] *= 0.7  # Presidents' Day: as a Sunday
        options["country"] = "US"
    elif what == "constant":
        y = np.full(len(t), 7.0)
    elif what == "only zeros":
        y = np.zeros(len(t))
    elif what == "negative values":
        y = y - 3000.0
    elif what == "level shift":
        y[at:] *= 1.8
    elif what == "spike":
        y[at] *= 4.0
    elif what == "outage":
        y[at : at + 6] = 0.0
    return t[keep], y[keep], options


class TestBehaviourTable:
    """Every incident of any kind, row by row of what happened."""

    @pytest.mark.parametrize(
        ("what", "kinds"),
        [
            ("nothing but a clock change", []),
            ("incomplete bucket", []),
            ("late load", []),
            ("gap", ["missing_data"]),
            ("duplicate load", []),
            ("holiday", []),
            ("constant", []),
            ("only zeros", []),
            ("negative values", []),
            ("level shift", ["value", "level_shift"]),
            ("spike", ["value"]),
            ("outage", ["value"]),
        ],
    )
    def test_what_is_told(self, what, kinds):
        t, y, options = changed(what)
        assert [i.kind for i in found(t, y, **options).incidents] == kinds
