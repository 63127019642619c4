"""An event lasts until the values are back, also where the last rows make one expect it: its end, its impact, what is drawn as expected."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from anomaly import DetectInput, Detection, detect
from anomaly.incidents import still_away
from core.timeseries import FloatArray, TimeArray, TimeSeries

SEEDS = (1, 2, 3)
DAYS, LEVEL = 10, 400.0
AT, ROWS = 7 * 1440 + 700, 300  # five hours of minutes


def minutes(seed: int, days: int = DAYS) -> tuple[TimeArray, FloatArray]:
    rng = np.random.default_rng(seed)
    t = (pd.Timestamp("2024-03-04") + pd.to_timedelta(np.arange(days * 1440), unit="min")).to_numpy("datetime64[ns]")
    return t, LEVEL * (1 + 0.2 * np.sin(np.arange(len(t)) / 1440 * 2 * np.pi)) * np.exp(rng.normal(0, 0.05, len(t)))


def outage(seed: int, **options: float) -> tuple[FloatArray, Detection]:
    t, before = minutes(seed)
    y = before.copy()
    y[AT : AT + ROWS] *= 0.1
    return before, detect(DetectInput(TimeSeries("s", t, y)), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", SEEDS)
class TestFiveHoursOfMinutes:
    def test_it_lasts_until_the_values_are_back(self, seed: int) -> None:
        _, found = outage(seed)
        (told,) = [i for i in found.incidents if i.kind == "value"]
        assert abs((told.end - found.times[AT + ROWS - 1]) / np.timedelta64(1, "m")) <= 5  # type: ignore[operator]

    def test_all_that_is_missing_counts(self, seed: int) -> None:
        before, found = outage(seed)
        (told,) = [i for i in found.incidents if i.kind == "value"]
        assert told.impact == pytest.approx(-0.9 * before[AT : AT + ROWS].sum(), rel=0.15)

    def test_what_is_drawn_as_expected_is_not_the_outage(self, seed: int) -> None:
        before, found = outage(seed)
        off = np.abs(found.expected[AT : AT + ROWS] / before[AT : AT + ROWS] - 1)
        assert np.median(off) < 0.15
        assert (found.values[AT : AT + ROWS] < found.lower[AT : AT + ROWS]).mean() > 0.9

    def test_a_smallest_effect_is_one_of_the_event_not_of_the_next_row(self, seed: int) -> None:
        for least, told in ((0.5 * LEVEL, 1), (1.5 * LEVEL, 0)):
            _, found = outage(seed, min_effect=least)
            kept = [i for i in found.incidents if i.kind == "value"]
            assert len(kept) == told
            assert all(abs(i.impact) > 0.7 * 0.9 * LEVEL * ROWS * 0.8 for i in kept)


def test_some_rows_as_before_do_not_end_it_and_a_next_event_does() -> None:
    away, back = [9.0] * 4, [0.5] * 6
    rows = np.array([*away, 0.5, 0.5, *away, *back, *away, np.nan])
    assert still_away(rows, 1, len(rows)) == 9
    assert still_away(rows, 1, 5) == 3
    assert still_away(rows, 12, len(rows)) == len(rows) - 2


@pytest.mark.parametrize("seed", SEEDS)
def test_an_outage_inside_a_rise_that_goes_on_is_told(seed: int) -> None:
    t, y = minutes(seed)
    y[AT : AT + 720] *= 1.8
    rise_only = [i for i in detect(DetectInput(TimeSeries("s", t, y))).incidents if i.kind == "value"]
    y[AT + 480 : AT + 540] *= 0.01
    assert len(rise_only) == 1
    for rows in (AT + 500, len(t)):  # while it goes on, and long after
        rise, outage_inside = (i for i in detect(DetectInput(TimeSeries("s", t[:rows], y[:rows]))).incidents if i.kind == "value")
        assert rise.direction == "up"
        assert outage_inside.direction in ("down", "both" if rows == len(t) else "down")
        assert outage_inside.actual < 0.1 * outage_inside.expected
        assert 0 <= (outage_inside.detected_at - t[AT + 480]) / np.timedelta64(1, "m") <= 3  # type: ignore[operator]
