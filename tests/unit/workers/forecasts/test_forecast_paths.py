"""Intervals of sums and ratios from drawn paths."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.types import Forecast
from workers.forecasts.paths import Dependence, draw, estimate_dependence, interval, unknown_dependence, z_scores

Z80, Z95 = 1.2815515655, 1.9599639845


def normal(mean: float, sd: float, steps: int = 30) -> Forecast:
    level = np.full(steps, mean)
    times = np.datetime64("2026-01-01", "ns") + np.arange(steps) * np.timedelta64(1, "D")
    return Forecast(
        "s", times, level, {80: level - Z80 * sd, 95: level - Z95 * sd}, {80: level + Z80 * sd, 95: level + Z95 * sd}, model="test"
    )


def dependence(shared: float, near: float = 0.0, parts: int = 1, between: float = 0.0) -> Dependence:
    return Dependence(shared, near, np.full((parts, parts), between) + (1 - between) * np.eye(parts), 5)


class TestDraw:
    def test_each_step_has_the_forecasts_own_interval(self) -> None:
        paths = draw([normal(100, 10)], dependence(0.4, 0.5), count=4000)[0]
        low, high = np.percentile(paths, [10, 90], axis=0)
        assert np.abs(low - (100 - Z80 * 10)).max() < 1.5
        assert np.abs(high - (100 + Z80 * 10)).max() < 1.5

    @pytest.mark.parametrize(("shared", "width"), [(0.0, np.sqrt(30)), (0.95, np.sqrt(30 + 0.95 * 30 * 29))])
    def test_a_sum_is_as_wide_as_errors_go_together(self, shared: float, width: float) -> None:
        sums = draw([normal(100, 10)], dependence(shared), count=6000)[0].sum(axis=1)
        assert sums.std() == pytest.approx(10 * width, rel=0.06)
        assert sums.mean() == pytest.approx(3000, rel=0.002)

    def test_nothing_falls_below_zero_where_the_forecast_does_not(self) -> None:
        low = normal(5, 1)
        assert draw([low], dependence(0.5))[0].min() >= 0
        assert draw([normal(5, 10)], dependence(0.5))[0].min() < 0

    def test_parts_that_move_together_make_a_narrower_ratio(self) -> None:
        parts = [normal(200, 40), normal(100, 20)]
        apart = draw(parts, dependence(0.3, parts=2, between=0.0))
        together = draw(parts, dependence(0.3, parts=2, between=0.95))
        assert np.nanstd(together[0] / together[1]) < 0.5 * np.nanstd(apart[0] / apart[1])

    def test_the_same_seed_gives_the_same_paths_and_a_constant_stays(self) -> None:
        flat = normal(7, 0)
        assert (draw([flat], dependence(0.3)) == 7).all()
        assert np.array_equal(draw([normal(1, 1)], dependence(0.3), seed=3), draw([normal(1, 1)], dependence(0.3), seed=3))


class TestEstimate:
    def test_shared_errors_are_recognised(self) -> None:
        rng = np.random.default_rng(1)
        for true in (0.0, 0.8):
            z = np.sqrt(true) * rng.standard_normal((40, 1)) + np.sqrt(1 - true) * rng.standard_normal((40, 20))
            assert estimate_dependence([z]).shared == pytest.approx(true, abs=0.2)

    def test_without_origins_it_is_what_is_usual(self) -> None:
        assert estimate_dependence([np.empty((0, 5))]) == unknown_dependence(1) or estimate_dependence([np.empty((0, 5))]).origins == 0

    def test_parts_correlation_can_be_drawn_from(self) -> None:
        rng = np.random.default_rng(2)
        a = rng.standard_normal((6, 10))
        found = estimate_dependence([a, a, -a])
        assert np.linalg.eigvalsh(found.between).min() > 0

    def test_scores_are_in_standard_units_also_outside_the_bounds(self) -> None:
        f = normal(100, 10, 4)
        assert z_scores(np.array([100.0, 110.0, 160.0, np.nan]), f)[:3] == pytest.approx([0, 1, 6], abs=0.05)
        assert np.isnan(z_scores(np.array([100.0, 110.0, 160.0, np.nan]), f)[3])


def test_an_interval_holds_what_is_expected_and_widens_with_the_level() -> None:
    found = interval(np.linspace(0, 100, 1001), 250.0)
    assert found["lower_95"] <= found["lower_80"] <= 250 <= found["upper_80"] <= found["upper_95"]
