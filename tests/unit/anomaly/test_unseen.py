"""How much is doubted after rows that are missing."""

from __future__ import annotations

import numpy as np
import pytest

from anomaly.unseen import doubt_after_gaps

HOURS = (np.datetime64("2021-03-01T00", "ns") + np.arange(60 * 24) * np.timedelta64(3600, "s")).astype("datetime64[ns]")


class TestDoubtAfterGaps:
    def test_nothing_is_doubted_without_a_gap(self):
        assert not doubt_after_gaps(HOURS, np.ones(len(HOURS)), 3600).any()

    @pytest.mark.parametrize("rows", [24, 7 * 24])
    def test_a_day_after_the_longest_gap_so_far_by_its_length(self, rows):
        values = np.ones(len(HOURS))
        values[800 : 800 + rows] = np.nan
        doubt = doubt_after_gaps(HOURS, values, 3600)
        assert np.flatnonzero(doubt).tolist() == list(range(800 + rows, 800 + rows + 24))
        assert doubt.max() == pytest.approx(np.log1p(rows / 24))

    def test_rows_that_are_not_there_are_as_values_that_are_not(self):
        values = np.ones(len(HOURS))
        values[800:830] = np.nan
        known = np.isfinite(values)
        np.testing.assert_array_equal(doubt_after_gaps(HOURS, values, 3600)[known], doubt_after_gaps(HOURS[known], values[known], 3600))

    def test_what_closes_each_weekend_is_doubted_once(self):
        weekend = (HOURS.astype("datetime64[D]").astype(int) + 3) % 7 >= 5
        doubt = doubt_after_gaps(HOURS, np.where(weekend, np.nan, 1.0), 3600)
        assert np.flatnonzero(doubt).tolist() == list(range(7 * 24, 8 * 24))
