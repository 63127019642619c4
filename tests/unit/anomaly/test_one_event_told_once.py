"""An event is told of once: not again at the next opening, nor when what was held of before it runs out."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import lfilter

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
