from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from forecasting.backtests import Trial
from forecasting.combine import Mixture, combine, mix
from forecasting.conformal import (
    error_units,
    finite_sample_quantile,
    growth_with_step,
    independent_scores,
    prior_quantile,
    quantiles_by_horizon,
    widening,
)
from forecasting.folds import origins
from forecasting.uneven import season_changes, unevenness, year_changes
from forecasting.ways import Way, lone_view, relative_errors, weights_of
from forecasting.weights import least_absolute


def trial(seed: int, *, good: float = 1.0, bad: float = 4.0) -> Trial:
    rng = np.random.default_rng(seed)
    actual = 100 + rng.normal(0, 5, (3, 6))
    points = {"good": actual + rng.normal(0, good, (3, 6)), "bad": actual + rng.normal(0, bad, (3, 6))}
    return Trial({name: p[0] for name, p in points.items()}, points, actual, actual + 3.0, 5.0, (80, 74, 68))


class TestOrigins:
    def test_latest_first_without_overlap(self):
        assert origins(100, 10, 7, folds=3) == (90, 80, 70)

    def test_short_series_get_one_short_fold(self):
        assert origins(12, 7, 7, folds=3) == (9,)

    def test_nothing_to_cut(self):
        assert origins(5, 3, 1, folds=3) == ()


class TestLeastAbsolute:
    def test_finds_the_member_that_is_right(self):
        rng = np.random.default_rng(0)
        actual = rng.normal(0, 1, 500)
        weights = least_absolute(actual, np.column_stack([actual + rng.normal(0, 0.01, 500), actual + rng.normal(0, 2, 500)]))
        assert weights[0] > 0.95
        assert weights.sum() == pytest.approx(1.0)

    def test_members_that_err_apart_share(self):
        rng = np.random.default_rng(0)
        actual = rng.normal(0, 1, 2000)
        weights = least_absolute(actual, np.column_stack([actual + rng.normal(0, 1, 2000) for _ in range(4)]))
        assert np.abs(weights - 0.25).max() < 0.08


class TestCombine:
    def test_a_batch_finds_its_better_member(self):
        for made in combine([trial(k) for k in range(20)], [100.0] * 20):
            assert made.weights["good"] > 0.7

    def test_a_batch_whose_members_differ_is_learned_all_the_same(self):
        trials = [trial(k) for k in range(20)]
        for t in trials[::2]:
            t.ahead["rare"] = t.ahead["good"] + 1.0
            t.at_folds["rare"] = t.at_folds["good"] + 50.0
        for made in combine(trials, [100.0] * 20):
            assert made.weights["good"] > 0.6
            assert made.weights.get("rare", 0.0) < 0.1

    def test_a_lone_series_tilts_to_its_own_better_member(self):
        assert combine([trial(1)], [100.0])[0].weights["good"] > 0.6

    def test_where_members_are_equal_their_weights_are(self):
        one = trial(1, good=2.0, bad=2.0)
        one.at_folds["bad"] = one.actual - (one.at_folds["good"] - one.actual)
        weights = combine([one], [100.0])[0].weights
        assert abs(weights["good"] - 0.5) < 1e-9

    def test_a_fold_is_weighed_without_its_own_errors(self):
        one, other = trial(1), trial(1)
        other.at_folds["bad"][0] = other.actual[0]
        first, second = combine([one], [100.0])[0], combine([other], [100.0])[0]
        ways = (Way(2.0),)
        names = ("bad", "good")
        np.testing.assert_allclose(weights_of(lone_view(one, names), ways, 0), weights_of(lone_view(other, names), ways, 0))
        assert second.weights["bad"] > first.weights["bad"]

    def test_without_folds_all_count_alike(self):
        none = np.full((0, 6), np.nan)
        short = Trial({"a": np.ones(6), "b": np.zeros(6)}, {}, none, none, 1.0, ())
        assert combine([short], [1.0])[0].weights == {"a": 0.5, "b": 0.5}

    def test_a_member_that_never_spoke_is_unknown(self):
        errors = np.array([[1.0, 1.0], [2.0, np.nan], [np.nan, np.nan]])
        relative = relative_errors(errors)
        assert relative[0] < relative[1]
        assert np.isnan(relative[2])

    def test_the_median_stops_an_explosion(self):
        points = np.array([[1.0], [1.1], [0.9], [1e6]])
        assert 0.9 < mix(points, np.full(4, 0.25))[0] < 1.2


class TestConformal:
    def test_few_values_give_a_wider_quantile(self):
        rng = np.random.default_rng(0)
        values = rng.normal(0, 1, 20)
        assert finite_sample_quantile(values, 0.9, 20) > np.quantile(values, 0.9)
        assert finite_sample_quantile(values, 0.1, 20) < np.quantile(values, 0.1)

    def test_errors_that_come_together_count_as_one(self):
        noise = np.random.default_rng(0).normal(0, 1, (6, 50))
        assert independent_scores(noise) > 150
        together = np.repeat(noise[:, :1], 50, axis=1)
        together[0, 10:] = np.nan
        assert independent_scores(together) == pytest.approx(6)
        assert independent_scores(np.zeros((3, 4))) == 3

    def test_without_errors_the_prior_speaks_and_grows_with_distance(self):
        (made,) = quantiles_by_horizon(np.empty((0, 12)), 12, (0.975,))
        np.testing.assert_array_equal(made, prior_quantile(12, 0.975))
        assert made.mean() == pytest.approx(stats.t(4).ppf(0.975) / stats.t(4).expect(abs))
        assert (np.diff(made) > 0).all()

    def test_pooled_gaussian_errors_give_gaussian_quantiles(self):
        pool = np.random.default_rng(0).normal(0, 1, (800, 10))
        low, high = quantiles_by_horizon(pool, 10, (0.1, 0.975))
        np.testing.assert_allclose(low, -1.28, atol=0.12)
        np.testing.assert_allclose(high, 1.96, atol=0.15)

    def test_a_few_errors_to_one_side_still_leave_room_on_the_other(self):
        low, high = quantiles_by_horizon(np.full((4, 6), 2.0), 6, (0.1, 0.9))
        assert (low < -1.0).all()
        assert (high > 2.0).all()

    def test_growth_is_seen_where_folds_are_many_and_usual_where_they_are_few(self):
        flat = np.random.default_rng(0).choice([-1.0, 1.0], (500, 30))
        many, few = growth_with_step(flat), growth_with_step(flat[:1])
        assert many[-1] / many[0] < 1.1
        assert few[-1] / few[0] > 1.8
        gaps = np.where(np.arange(30) < 20, flat[:3], np.nan)
        assert np.isfinite(growth_with_step(gaps)).all()

    def test_errors_are_expected_to_grow_with_the_level(self):
        y = 100 * 1.007 ** np.arange(200) * np.exp(np.random.default_rng(0).normal(0, 0.02, 200))
        actual, point = np.full((1, 10), 105.0), np.full((1, 10), 100.0)
        early = error_units(y[:100], (90,), actual, Mixture(point[0], point, np.array([2.0]), 2.0, {}))
        late = error_units(y, (90,), actual, Mixture(2 * point[0], point, np.array([2.0]), 4.0, {}))
        assert ((late.ahead / early.ahead > 1.7) & (late.ahead / early.ahead < 2.4)).all()

    def test_errors_are_expected_where_values_change_from_week_to_week(self):
        noise = np.random.default_rng(0).normal(0, 1, 70) * np.tile([0.0, 1, 1, 1, 1, 1, 5], 10)
        wide = unevenness(noise, (7,), np.zeros(9), relative=False)
        assert wide[0] == wide[7] < wide[1] < wide[6]
        assert season_changes(noise, 7).mean() == pytest.approx(1.0)
        np.testing.assert_array_equal(unevenness(noise[:30], (7,), np.zeros(9), relative=False), 1.0)
        np.testing.assert_array_equal(unevenness(np.ones(70), (7,), np.zeros(9), relative=False), 1.0)

    def test_the_volatile_time_of_the_year_is_wider(self):
        rng = np.random.default_rng(3)
        at = np.arange(4 * 365)
        y = rng.normal(0, np.where(at % 365 < 90, 4.0, 1.0))
        ahead = unevenness(y, (7, 365), np.zeros(180), relative=False)
        assert ahead[20:70].min() > 1.5 * ahead[120:].max()
        assert year_changes(y, 7, 365).mean() == pytest.approx(1.0)
        even = unevenness(rng.normal(0, 1, at.shape[0]), (7, 365), np.zeros(180), relative=False)
        assert even.max() < 1.3 * even.min()
        short, week = unevenness(y[:700], (7, 365), np.zeros(60), relative=False), season_changes(y[:700], 7)
        np.testing.assert_array_equal(short, week[np.arange(60) % 7])  # two years were not seen

    def test_errors_are_expected_where_more_is_expected(self):
        made = unevenness(np.ones(20), (), np.array([1.0, 4.0, 16.0]), relative=True)
        np.testing.assert_allclose(made, [0.5, 1.0, 2.0])

    def test_few_folds_widen(self):
        assert widening(2) > widening(6) > widening(600) > 1.0
        assert widening(0) == widening(1)

    def test_a_fold_does_not_see_its_own_errors(self):
        y = np.cumsum(np.random.default_rng(0).normal(0, 1, 100))
        actual = np.ones((3, 10))
        wild = actual.copy()
        wild[0] = 1000.0
        said = Mixture(np.zeros(10), np.zeros((3, 10)), np.full(3, 0.5), 0.5, {})
        calm = error_units(y, (90, 80, 70), actual, said)
        loud = error_units(y, (90, 80, 70), wild, said)
        np.testing.assert_array_equal(calm.at_folds[0], loud.at_folds[0])
        assert (loud.at_folds[1] > calm.at_folds[1]).all()
        assert (loud.ahead > calm.ahead).all()
