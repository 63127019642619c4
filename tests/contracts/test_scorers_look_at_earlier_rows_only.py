"""Every scorer: the score at t uses rows up to t only; rows one by one, in parts or at once score the same; a saved state goes on."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly import DetectInput, State, detect
from core.errors import Invalid
from core.timeseries import FloatArray, TimeArray, TimeSeries

STEPS = {"minute": 60, "five minutes": 300, "hour": 3600, "day": 86_400, "odd": 1000, "week": 604_800, "month": 2_629_800}


def made(step_s: int, rows: int, seed: int) -> tuple[TimeArray, FloatArray]:
    """Rows with season, gaps, NaN, a spike, an outage and a level shift."""
    rng = np.random.default_rng(seed)
    t = (pd.Timestamp("2022-03-01") + pd.to_timedelta(np.arange(rows) * step_s, unit="s")).to_numpy("datetime64[ns]")
    if step_s == 2_629_800:
        t = pd.date_range("1990-01-01", periods=rows, freq="MS").to_numpy("datetime64[ns]")
    y = 100 + 30 * np.sin(np.arange(rows) * step_s / 86_400 * 2 * np.pi) + rng.normal(0, 4, rows)
    y[int(rows * 0.5)] += 200
    y[int(rows * 0.6) : int(rows * 0.63)] = 0
    y[int(rows * 0.8) :] += 60
    y[rng.random(rows) < 0.01] = np.nan
    keep = rng.random(rows) > 0.03
    keep[int(rows * 0.7) : int(rows * 0.72)] = False
    return t[keep], y[keep]


@pytest.mark.parametrize("step", STEPS)
class TestEveryGrain:
    def test_a_series_cut_short_has_the_same_scores(self, step):
        t, y = made(STEPS[step], 900, 1)
        whole = State(STEPS[step]).update(t, y)
        for cut in (30, 200, 555, len(t) - 1):
            np.testing.assert_array_equal(State(STEPS[step]).update(t[:cut], y[:cut]), whole[:cut])

    def test_later_rows_of_any_size_change_nothing_before(self, step):
        t, y = made(STEPS[step], 900, 2)
        other = y.copy()
        other[400:] = np.random.default_rng(0).normal(1e6, 1e6, len(y) - 400)
        np.testing.assert_array_equal(State(STEPS[step]).update(t, y)[:400], State(STEPS[step]).update(t, other)[:400])

    def test_one_by_one_in_parts_and_at_once_score_the_same(self, step):
        t, y = made(STEPS[step], 700, 3)
        whole = State(STEPS[step]).update(t, y)
        single, parts = State(STEPS[step]), State(STEPS[step])
        one = np.array([single.update(t[i : i + 1], y[i : i + 1])[0] for i in range(len(t))])
        some = np.concatenate([parts.update(a, b) for a, b in zip(np.array_split(t, 13), np.array_split(y, 13), strict=True)])
        np.testing.assert_array_equal(one, whole)
        np.testing.assert_array_equal(some, whole)

    def test_a_saved_state_goes_on_where_it_stopped(self, step):
        t, y = made(STEPS[step], 700, 4)
        whole = State(STEPS[step], "Europe/Berlin", "DE").update(t, y)
        first = State(STEPS[step], "Europe/Berlin", "DE")
        a = first.update(t[:333], y[:333])
        b = State.from_bytes(first.to_bytes()).update(t[333:], y[333:])
        np.testing.assert_array_equal(np.r_[a, b], whole)

    def test_scores_are_finite_or_nan_in_warm_up_and_input_is_untouched(self, step):
        t, y = made(STEPS[step], 700, 5)
        t0, y0 = t.copy(), y.copy()
        score = State(STEPS[step]).update(t, y)
        assert np.isnan(score[:20]).all()
        assert np.isfinite(score[30:][~np.isnan(y[30:])]).mean() > 0.9
        assert not np.isinf(score).any()
        np.testing.assert_array_equal(t, t0)
        np.testing.assert_array_equal(y, y0)


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(
        st.one_of(st.floats(-1e9, 1e9), st.just(0.0), st.just(float("nan")), st.integers(0, 5).map(float)), min_size=40, max_size=160
    ),
    cut=st.floats(0.1, 0.95),
    gaps=st.lists(st.integers(1, 30), min_size=160, max_size=160),
)
def test_no_look_ahead_whatever_the_values_and_gaps(values, cut, gaps):
    y = np.array(values)
    t = (np.datetime64("2023-01-01", "ns") + np.cumsum(np.array(gaps[: len(y)])) * np.timedelta64(3600, "s")).astype("datetime64[ns]")
    k = int(len(y) * cut)
    np.testing.assert_array_equal(State(3600).update(t, y)[:k], State(3600).update(t[:k], y[:k]))


class TestAlertsAreCausal:
    def test_alerts_of_a_series_cut_short_are_those_it_had_until_then(self):
        t, y = made(3600, 1500, 7)
        whole = detect(DetectInput(TimeSeries("s", t, y)))
        assert len(whole.incidents) >= 3
        for cut in (400, 800, 1000, 1300):
            part = detect(DetectInput(TimeSeries("s", t[:cut], y[:cut])))
            known = [(i.kind, i.detected_at) for i in whole.incidents if i.detected_at <= t[cut - 1]]
            assert [(i.kind, i.detected_at) for i in part.incidents] == known


class TestState:
    def test_rows_that_are_not_newer_change_nothing(self):
        t, y = made(3600, 400, 1)
        state, clean = State(3600), State(3600)
        state.update(t[:300], y[:300])
        assert np.isnan(state.update(t[100:200], y[100:200] * 50)).all()
        clean.update(t[:300], y[:300])
        np.testing.assert_array_equal(state.update(t[300:], y[300:]), clean.update(t[300:], y[300:]))

    @pytest.mark.parametrize("data", [b"", b"PK\x03\x04 not a zip", b"\x80\x04\x95pickle", b"x" * 10_000])
    def test_other_bytes_are_refused(self, data):
        with pytest.raises(Invalid, match="Rebuild"):
            State.from_bytes(data)

    def test_a_state_with_arrays_of_another_shape_is_refused(self):
        import io

        with np.load(io.BytesIO(State(3600).to_bytes())) as file:
            parts = dict(file)
        parts["cells"] = np.zeros(3)
        out = io.BytesIO()
        np.savez(out, **parts)
        with pytest.raises(Invalid, match="Rebuild"):
            State.from_bytes(out.getvalue())

    def test_a_step_below_a_second_is_refused(self):
        with pytest.raises(Invalid):
            State(0)

    def test_one_point_of_a_warm_minute_metric_takes_less_than_50_ms_with_load_and_save(self):
        t, y = made(60, 40_000, 1)
        state = State(60)
        state.update(t[:-20], y[:-20])
        data = state.to_bytes()
        assert len(data) < 1_000_000
        took = []
        for i in range(len(t) - 20, len(t)):
            begin = time.perf_counter()
            state = State.from_bytes(data)
            state.update(t[i : i + 1], y[i : i + 1])
            data = state.to_bytes()
            took.append(time.perf_counter() - begin)
        assert float(np.median(took)) < 0.05


def test_importing_anomaly_loads_nothing_heavy():
    code = "import sys, anomaly; print([m for m in ('pyod', 'numba', 'pandas', 'scipy', 'sklearn', 'torch', 'holidays', 'ruptures') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
