"""An event is told of once: not again at the next opening, nor when what was held of before it runs out."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import lfilter

from anomaly import DetectInput, detect
from core.timeseries import TimeSeries

_spec = importlib.util.spec_from_file_location("made_up_series", Path(__file__).with_name("made_up_series.py"))
assert _spec is not None
assert _spec.loader is not None
made = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(made)
alerts, found, hours = made.alerts, made.found, made.hours

DAY = 24
AT = 30 * DAY


@pytest.mark.parametrize("seed", [5, 8, 13, 20])
def test_a_rise_of_what_closes_at_night_is_not_told_again_at_the_next_opening(seed):
    t = hours(45)
    hour = np.arange(len(t)) % DAY
    is_open = (hour > 8) & (hour < 22)
    rng = np.random.default_rng(seed)
    y = np.where(is_open, rng.poisson(20 * np.exp(0.3 * np.cos(2 * np.pi * (hour - 14) / 12))), 0).astype(float)
    assert alerts(found(t, y), after=t[AT]) == []
    y[AT + 15 :] = np.round(1.7 * y[AT + 15 :])
    assert len(alerts(found(t, y), after=t[AT])) == 1


@pytest.mark.parametrize("seed", [1, 4, 8])
def test_an_outage_of_what_drifts_is_not_told_again_days_later(seed):
    """The last value predicts such a series best, and is right again an hour after the outage; the levels must come back as well."""
    t = hours(37)
    drift = lfilter([1], [1, -1.9, 0.905], np.random.default_rng(seed).normal(0, 0.12, len(t) + 500))[500:]
    y = 1015 + drift
    assert alerts(found(t, y), after=t[AT]) == []
    y[AT + 13 : AT + 37] = 0.0
    assert alerts(found(t, y), after=t[AT]) == [t[AT + 13]]


def five_minutes_out(rows=36):
    """A swinging series of five minutes, values from before and with an outage, and its first row."""
    t = np.datetime64("2023-01-02", "ns") + np.arange(288 * 24) * np.timedelta64(300, "s")
    at = 288 * 20 + 144
    noise = np.random.default_rng(1).normal(0, 0.04, len(t))
    y = 1000 * np.exp(0.5 * np.cos(np.arange(len(t)) % 288 / 288 * 2 * np.pi - 3) + noise)
    out = y.copy()
    out[at : at + rows] = 0.0
    return t, y, out, at


def test_an_outage_below_an_hour_says_what_was_due_before_it_and_what_is_missing():
    t, y, out, at = five_minutes_out()
    (told,) = (i for i in found(t, out).incidents if i.kind == "value" and i.start >= t[at])
    assert told.direction == "down"
    assert told.actual == 0.0
    assert told.expected == pytest.approx(y[at : at + 36].mean(), rel=0.15)
    assert told.impact == pytest.approx(-y[at : at + 36].sum(), rel=0.1)


def test_who_asks_for_rises_hears_nothing_of_an_outage_and_of_its_end():
    t, _, out, at = five_minutes_out()
    made_of = DetectInput(TimeSeries("s", t, out))
    assert alerts(detect(made_of, direction="up"), after=t[at]) == []
    assert len(alerts(detect(made_of, direction="down"), after=t[at])) == 1


def test_a_new_normal_names_the_level_of_before_and_the_new_one():
    t, y, _, at = five_minutes_out()
    shifted = np.r_[y[:at], 1.7 * y[at:]]
    (told,) = (i for i in found(t, shifted).incidents if i.kind == "level_shift")
    assert told.direction == "up"
    assert told.expected == pytest.approx(y[at : at + 288].mean(), rel=0.15)
    assert told.actual == pytest.approx(1.7 * y[at : at + 288].mean(), rel=0.15)
