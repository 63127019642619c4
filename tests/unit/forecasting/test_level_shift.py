"""Lasting changes of level, and what only looks like one."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.decomposition import decompose
from forecasting.level_shift import LevelShift, find_level_shift
from forecasting.prepare import prepare

N, AT = 300, 240


@pytest.fixture
def y(weekly_pattern):
    return weekly_pattern(N)


def found(y):
    return find_level_shift(y, (7,), 7)


class TestFinding:
    @pytest.mark.parametrize("at", [120, 240, 292])
    def test_a_step_is_found_where_it_is(self, y, at):
        shift = found(np.where(np.arange(N) < at, y, y + 60))
        assert shift is not None
        assert shift.at == at
        assert not shift.is_factor
        assert shift.size == pytest.approx(60, rel=0.1)

    def test_a_change_of_scale_is_a_factor(self, y):
        shift = found(np.where(np.arange(N) < AT, y, y * 0.4))
        assert shift is not None
        assert shift.is_factor
        assert shift.size == pytest.approx(0.4, rel=0.1)

    def test_zeros_of_closed_days_stay_zero(self, y):
        closed = np.where(np.arange(N) % 7 == 6, 0.0, y)
        doubled = np.where(np.arange(N) < AT, closed, 2 * closed)
        shift = found(doubled)
        assert shift is not None
        moved = shift.to_present(doubled)
        np.testing.assert_array_equal(moved == 0, closed == 0)
        np.testing.assert_allclose(moved.mean(), 2 * closed.mean(), rtol=0.1)

    @pytest.mark.parametrize("seed", range(5))
    def test_a_random_walk_has_none(self, seed):
        assert found(100 + np.cumsum(np.random.default_rng(seed).normal(0, 1, N))) is None

    @pytest.mark.parametrize(("first", "last"), [(150, 151), (150, 164), (298, 300)])
    def test_an_outage_or_the_last_two_days_are_none(self, y, first, last):
        down = y.copy()
        down[first:last] = 5.0
        assert found(down) is None

    def test_trends_constants_and_short_series_have_none(self, y):
        assert found(y) is None
        assert found(np.arange(300.0)) is None
        assert found(np.full(90, 3.0)) is None
        assert found(y[:20]) is None


class TestMoving:
    def test_there_and_back(self):
        y = np.arange(1.0, 7.0)
        for shift in (LevelShift(3, 2.5, True), LevelShift(3, -2.0, False)):
            np.testing.assert_allclose(shift.to_past(shift.to_present(y)), y)
            assert shift.to_present(y)[3:].tolist() == [4.0, 5.0, 6.0]

    def test_a_cut_before_it_does_not_know_of_it(self, y, item):
        series = prepare(item(np.where(np.arange(N) < AT, y, y + 60)))
        assert series.shift is not None
        early, late = series.cut(AT - 10), series.cut(AT + 20)
        assert early.shift is None
        assert late.shift is not None
        np.testing.assert_allclose(series.at_present(np.zeros(3), AT - 10), np.full(3, series.shift.size))
        np.testing.assert_array_equal(series.at_present(np.zeros(3), AT + 20), np.zeros(3))

    def test_parts_of_history_add_up_with_it(self, y, item):
        loaded = np.where(np.arange(N) < AT, y, y + 60)
        parts = decompose(item(loaded)).parts
        np.testing.assert_allclose(np.sum(list(parts.values()), axis=0), loaded)
        assert parts["change of level"][0] == pytest.approx(-60, rel=0.1)
        assert parts["change of level"][-1] == 0
