from __future__ import annotations

import numpy as np

from core.timeseries import TimeSeries
from forecasting.pooled.boosting import learn_boosted
from forecasting.pooled.copies import teachers
from forecasting.pooled.learner import learn_pooled
from forecasting.pooled.network import Recipe, learn
from forecasting.pooled.windows import Shape, last_window, scaled, training_windows
from forecasting.prepare import prepare
from forecasting.types import ForecastInput

SHAPE = Shape(length=30, horizon=7, level_span=7, own_unit=True, least=12)
RECIPE = Recipe(hidden=16, steps=300, batch=128)


def waves(count: int, n: int = 200) -> list[np.ndarray]:
    """Series of one shape with levels from 10 to 10 million."""
    rng = np.random.default_rng(0)
    return [
        10.0 ** rng.uniform(1, 7) * (5 + np.sin(2 * np.pi * (np.arange(n) + rng.integers(7)) / 7) + rng.normal(0, 0.1, n))
        for _ in range(count)
    ]


class TestNetwork:
    def test_learns_a_line_and_is_deterministic(self):
        rng = np.random.default_rng(0)
        x = rng.normal(0, 1, (2000, 5)).astype(np.float32)
        y = (x @ np.array([[0.3], [-0.6], [0.1], [0.0], [0.8]])).astype(np.float32)
        first, second = (learn(x, y, Recipe(hidden=16, steps=800, batch=128, epochs=60), seed=4) for _ in range(2))
        assert np.abs(first.predict(x) - y).mean() < 0.1 * np.abs(y).mean()
        np.testing.assert_array_equal(first.predict(x), second.predict(x))

    def test_few_windows_are_not_looked_at_for_ever(self):
        recipe = Recipe(steps=2000, batch=512, epochs=10)
        assert recipe.steps_for(1_000_000) == 2000
        assert recipe.steps_for(10_240) == 200
        assert recipe.steps_for(100) == 60

    def test_one_wild_target_does_not_bend_it(self):
        rng = np.random.default_rng(0)
        x = rng.normal(0, 1, (2000, 3)).astype(np.float32)
        y = x[:, :1].copy()
        y[::50] += 100
        fitted = learn(x, y, RECIPE, seed=0)
        assert np.median(np.abs(fitted.predict(x) - x[:, :1])) < 0.15


class TestWindows:
    def test_are_padded_before_the_beginning(self):
        np.testing.assert_array_equal(last_window(np.array([1.0, 2.0]), 4), [np.nan, np.nan, 1.0, 2.0])

    def test_targets_follow_their_windows(self):
        inputs, targets, owner = training_windows([np.arange(60.0)], SHAPE, np.random.default_rng(0), 500)
        np.testing.assert_array_equal(targets[:, 0], inputs[:, -1] + 1)
        assert (owner == 0).all()
        assert targets.max() == 59

    def test_units_make_scale_and_level_irrelevant(self):
        window = np.random.default_rng(0).normal(0, 1, (1, 30))
        one = scaled(window, SHAPE, np.array([False]), 1.0)
        other = scaled(1000 + 50 * window, SHAPE, np.array([False]), 1.0)
        np.testing.assert_allclose(one.inputs, other.inputs, rtol=1e-4, atol=1e-5)


class TestLearnPooled:
    def test_what_many_series_share_is_learned(self):
        series = waves(25)
        learned = learn_pooled([y[:-7] for y in series], [True] * 25, SHAPE, RECIPE, seed=0)
        assert learned is not None
        made = learned.predict([y[:-7] for y in series], [True] * 25)
        naive = np.mean([np.abs(y[-7:] - y[-8]).mean() / y.mean() for y in series])
        assert np.mean([np.abs(y[-7:] - p).mean() / y.mean() for y, p in zip(series, made, strict=True)]) < 0.4 * naive

    def test_too_little_teaches_nothing(self):
        assert learn_pooled(waves(3), [True] * 3, SHAPE, RECIPE, seed=0) is None


class TestTeachers:
    def series(self, y: np.ndarray, start: str = "2023-01-02"):
        times = (np.datetime64(start) + np.arange(y.shape[0])).astype("datetime64[ns]")
        return prepare(ForecastInput(TimeSeries("s", times, y), 7))

    def test_of_one_series_cut_twice_only_the_earlier_cut_teaches(self):
        rng = np.random.default_rng(0)
        y, other = rng.normal(100, 5, 500), rng.normal(100, 5, 500)
        assert teachers([self.series(y), self.series(y[:400]), self.series(other)]) == [False, True, True]

    def test_the_same_values_at_other_times_are_another_series(self):
        y = np.random.default_rng(0).normal(100, 5, 500)
        assert teachers([self.series(y), self.series(y, "2010-01-04")]) == [True, True]

    def test_sharing_zeros_is_no_copy(self):
        rng = np.random.default_rng(0)
        first, second = (np.where(rng.random(300) < 0.1, rng.normal(9, 1, 300), 0.0) for _ in range(2))
        assert teachers([self.series(first), self.series(second)]) == [True, True]


class TestBoostedTrees:
    SHAPE = Shape(length=24, horizon=4, level_span=3, own_unit=True, least=12)

    @staticmethod
    def histories(count: int = 12, n: int = 150) -> list[np.ndarray]:
        at = np.arange(n)
        return [50 + k + 10 * np.sin(2 * np.pi * (at + 3 * k) / 12) + np.random.default_rng(k).normal(0, 0.5, n) for k in range(count)]

    def test_learn_what_comes_next(self):
        series = self.histories(n=154)
        learned = learn_boosted([y[:150] for y in series], [True] * 12, self.SHAPE, seed=0)
        assert learned is not None
        said = np.array(learned.predict([y[:150] for y in series], [True] * 12))
        truth = np.array([y[150:] for y in series])
        held = np.array([np.full(4, y[149]) for y in series])
        assert np.abs(said - truth).mean() < 0.5 * np.abs(held - truth).mean()

    def test_are_deterministic(self):
        first, second = (learn_boosted(self.histories(), [False] * 12, self.SHAPE, seed=3) for _ in range(2))
        assert first is not None
        assert second is not None
        for a, b in zip(first.predict(self.histories(), [False] * 12), second.predict(self.histories(), [False] * 12), strict=True):
            np.testing.assert_array_equal(a, b)

    def test_say_nothing_when_there_is_too_little(self):
        assert learn_boosted([np.arange(30.0)], [False], self.SHAPE, seed=0) is None

    def test_follow_the_unit(self):
        series = self.histories()
        small = learn_boosted(series, [False] * 12, self.SHAPE, seed=0)
        large = learn_boosted([1000 * y for y in series], [False] * 12, self.SHAPE, seed=0)
        assert small is not None
        assert large is not None
        np.testing.assert_allclose(
            large.predict([1000 * series[0]], [False])[0], 1000 * np.array(small.predict([series[0]], [False])[0]), rtol=1e-3
        )
