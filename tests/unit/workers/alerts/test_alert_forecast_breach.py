"""Rules over forecast bands, and ratios with a minimum volume."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import Invalid
from core.timeseries import TimeSeries
from workers.alerts.bands import Band
from workers.alerts.evaluate import Judge
from workers.alerts.rule import parse_rule
from workers.jobs.series import TOTAL

_spec = importlib.util.spec_from_file_location("made_up_history", Path(__file__).with_name("made_up_history.py"))
assert _spec is not None
assert _spec.loader is not None
made = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(made)


def judged(history, **definition):
    rule = parse_rule({"metric": "revenue", **definition})
    return Judge(history, made.NOW).events(rule, sensitivity=24.0)


def with_band(values, rows: slice):
    history = made.history(values)
    times = history.series[0].times[rows]
    mean = np.full(len(times), 1000.0)
    return replace(history, bands={TOTAL: Band(times, mean, mean - 100, mean + 100)})


class TestForecastBreach:
    def test_what_leaves_the_band_is_an_event_against_the_forecast(self):
        values = np.full(100, 1000.0)
        values[-5:-3] = 1300.0
        (event,) = judged(with_band(values, slice(-30, None)), kind="forecast_breach")
        assert (event.main.kind, event.direction, event.main.expected, event.main.actual) == ("forecast", "up", 1000.0, 1300.0)
        assert event.main.impact == pytest.approx(600)
        assert not event.is_open

    def test_buckets_without_a_forecast_are_not_judged(self):
        values = np.full(100, 1000.0)
        values[10] = 5000.0
        assert judged(with_band(values, slice(-30, None)), kind="forecast_breach") == []
        assert judged(made.history(values), kind="forecast_breach") == []

    def test_direction_and_buckets_in_a_row_narrow(self):
        values = np.full(100, 1000.0)
        values[-5] = 700.0
        history = with_band(values, slice(-30, None))
        assert judged(history, kind="forecast_breach", direction="up") == []
        assert judged(history, kind="forecast_breach", buckets=2) == []
        assert len(judged(history, kind="forecast_breach", direction="down")) == 1

    def test_a_level_that_is_not_kept_is_refused(self):
        with pytest.raises(Invalid, match="level"):
            parse_rule({"metric": "revenue", "kind": "forecast_breach", "level": 90})


class TestVolumeOfARatio:
    def test_a_rate_of_three_visits_is_no_news_and_one_of_a_thousand_is(self):
        rng = np.random.default_rng(4)
        rate = 0.03 * (1 + rng.normal(0, 0.05, 400))
        rate[-4] = 0.6
        visits = np.full(400, 1000.0)
        few = visits.copy()
        few[-4] = 3
        history = made.history(rate)
        times = history.series[0].times
        for volume, events in ((visits, 1), (few, 0)):
            known = replace(history, volumes={TOTAL: TimeSeries(TOTAL, times, volume, history.grain)})
            found = [e for e in judged(known, min_volume=50) if e.start.date() >= made.NOW.date() - made.timedelta(days=6)]
            assert len(found) == events

    def test_a_segment_is_watched_by_its_denominator(self):
        rate = np.full(400, 0.03) * (1 + np.random.default_rng(4).normal(0, 0.05, 400))
        part = rate.copy()
        part[-4] = 0.9
        history = made.history(rate, segments={"tiny": part})
        times = history.series[0].times
        volumes = {TOTAL: TimeSeries(TOTAL, times, np.full(400, 1000.0)), "tiny": TimeSeries("tiny", times, np.full(400, 4.0))}
        for least, noticed in ((50, 0), (2, 1)):
            found = judged(replace(history, volumes=volumes), min_volume=least)
            assert sum(e.main.series_id == "tiny" for e in found) == noticed
