"""A PyOD detector beside our own score."""

from __future__ import annotations

import numpy as np
import pytest

from anomaly import DetectInput, detect
from anomaly.second_opinion import in_the_past
from core.errors import Invalid
from core.timeseries import TimeSeries

T = np.datetime64("2024-01-01", "ns") + np.arange(700) * np.timedelta64(3600, "s")


def item(values, rows=700):
    return DetectInput(TimeSeries("s", T[:rows], values[:rows]))


@pytest.fixture
def values():
    y = 100 + np.random.default_rng(5).normal(0, 3, 700)
    y[650] += 40
    return y


class TestWeighed:
    @pytest.mark.parametrize("name", ["ecod", "iforest", "knn", "ensemble"])
    def test_it_adds_to_what_is_strange_and_takes_nothing_away(self, values, name):
        alone, both = detect(item(values)), detect(item(values), second_opinion=name)
        known = ~np.isnan(alone.score)
        assert (both.score[known] >= alone.score[known]).all()
        assert both.score[650] > alone.score[650]
        assert np.isnan(both.score).sum() == np.isnan(alone.score).sum()

    def test_later_rows_change_nothing(self, values):
        whole, cut = detect(item(values), second_opinion="ecod"), detect(item(values, 500), second_opinion="ecod")
        np.testing.assert_array_equal(whole.score[:500], cut.score)

    def test_an_unknown_one_is_refused(self, values):
        with pytest.raises(Invalid, match="ecod, iforest, knn, ensemble"):
            detect(item(values), second_opinion="prophet")


class TestInThePast:
    def test_what_came_in_half_of_the_blocks_is_not_rare_and_a_record_is(self):
        scores = np.tile([1, 1, 1, 1, 1, 5, 1, 1, 1, 1, 1, 1.0], 100)
        scores[-1] = 50
        rare = in_the_past(scores, 3600)
        assert rare[-7] == pytest.approx(0.6, abs=0.15)  # the middle of the half that reached it
        assert rare[-1] > 3
        assert (rare[:60] == 0).all()
