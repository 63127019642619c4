"""The made-up suite with few events, and the figure for labels that are windows."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from benchmarks import planted_windows
from benchmarks.anomaly_figures import Labelled
from benchmarks.anomaly_windows import cooled, from_windows

EVENTS = ((600.0, 640.0), (900.0, 960.0))


def flagged(*rows: int) -> Labelled:
    score = np.zeros(1500)
    score[list(rows)] = 5.0
    return Labelled(np.arange(1500.0), score, EVENTS, (), 200, 1.0)


class TestFromWindows:
    def test_every_window_at_its_first_row_is_a_hundred(self):
        assert from_windows([flagged(600, 900)], cool_down=False)["standard"] == pytest.approx(100, abs=0.1)

    def test_silence_is_nothing(self):
        assert from_windows([flagged()], cool_down=False) == {"standard": 0.0, "low_fp": 0.0}

    def test_late_missed_and_false_alerts_cost(self):
        right = from_windows([flagged(600, 900)], cool_down=False)["standard"]
        assert from_windows([flagged(630, 950)], cool_down=False)["standard"] < right
        assert from_windows([flagged(600)], cool_down=False)["standard"] < right
        noisy = from_windows([flagged(600, 900, 300, 400, 1300)], cool_down=False)
        assert noisy["low_fp"] < noisy["standard"] < right

    def test_a_repetition_within_the_cool_down_is_not_counted(self):
        twice = cooled(np.r_[np.zeros(10), 5.0, 5.0, 5.0, np.zeros(600), 5.0])
        assert np.flatnonzero(twice == 5.0).tolist() == [10, 613]


class TestPlantedWindows:
    @pytest.mark.parametrize("kind", sorted(planted_windows.KINDS))
    def test_windows_lie_inside_the_series_and_do_not_overlap(self, kind):
        t, y, labels = planted_windows.series(np.random.default_rng(4), kind)
        assert np.isfinite(y).all()
        spans = [(pd.Timestamp(a), pd.Timestamp(b)) for a, b in labels]
        assert all(a in t and b in t and a < b for a, b in spans)
        assert all(one[1] < other[0] for one, other in pairwise(spans))

    def test_the_seed_makes_the_series(self):
        one, other = (planted_windows.series(np.random.default_rng(9), "mentions")[1] for _ in range(2))
        np.testing.assert_array_equal(one, other)
