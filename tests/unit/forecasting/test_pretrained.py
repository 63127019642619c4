"""Networks that learned from generated series: what they see, what they say, and that they are there."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.forecast_pretraining import SHAPES, examples, write
from benchmarks.forecast_prior import series_of_prior
from forecasting.engine import forecast
from forecasting.members.pretrained import is_foreseen, pretrained
from forecasting.pooled import tuned
from forecasting.pooled.committee import tuned_seats
from forecasting.pooled.network import SMOOTHING
from forecasting.prepare import prepare
from forecasting.pretrained import weights
from forecasting.pretrained.windows import look

YEAR = np.sin(2 * np.pi * np.arange(120) / 12)


@pytest.fixture
def months(item):
    def make(y, horizon=12):
        return item(y, horizon, unit="M")

    return make


class TestWindows:
    @pytest.mark.parametrize("sign", [1.0, -1.0])
    def test_a_pattern_and_a_level_are_found_and_put_back(self, sign):
        y = sign * (100 + 20 * YEAR[:84])
        seen = look(y[None, :72], 12)
        assert bool(seen.is_log[0, 0]) is (sign > 0)
        found = seen.back(np.zeros((1, 12)))[0]
        assert np.abs(found - y[72:]).mean() < 4

    def test_what_is_seen_does_not_depend_on_the_unit(self):
        y = 50 + np.arange(40.0) + 5 * YEAR[:40]
        np.testing.assert_allclose(look(y[None], 12).inputs, look(1e9 * y[None], 12).inputs, atol=1e-4)

    def test_a_short_history_says_that_it_is_short(self):
        y = np.full(72, np.nan)
        y[-9:] = 100 + np.arange(9.0)
        short, long = look(y[None], 12), look(100 + np.arange(72.0)[None], 12)
        assert np.isfinite(short.inputs).all()
        assert short.inputs[0, -13:-1].sum() < 2 < 12 == long.inputs[0, -13:-1].sum()


class TestMember:
    @pytest.mark.parametrize("n", [15, 20, 60])
    def test_continues_a_growing_season_better_than_holding_the_last_value(self, months, n):
        y = np.exp(5 + 0.01 * np.arange(120) + 0.2 * YEAR)
        said = pretrained(prepare(months(y[:n])))
        assert np.abs(said - y[n : n + 12]).mean() < 0.6 * np.abs(y[n - 1] - y[n : n + 12]).mean()

    def test_a_season_seen_once_is_expected_again(self, months):
        """Twenty months: no other member knows a season that was not seen twice."""
        y = 100 + 30 * YEAR + np.random.default_rng(1).normal(0, 2, 120)
        made = forecast(months(y[:20]))
        assert "pretrained" in made.model
        assert np.abs(made.mean - y[20:32]).mean() < 0.6 * np.abs(y[:20].mean() - y[20:32]).mean()

    def test_stays_out_where_it_was_not_trained(self, item, months):
        y = 100 + YEAR
        assert not is_foreseen(prepare(item(y, 12)))
        assert not is_foreseen(prepare(item(y, 12, unit="W")))
        assert is_foreseen(prepare(item(y[:90], 12, unit="W")))
        assert not is_foreseen(prepare(months(y[:7])))
        assert not is_foreseen(prepare(months(y, 60)))
        assert is_foreseen(prepare(months(y)))


class TestTaughtFurther:
    def test_the_gradient_is_that_of_the_error(self):
        rng = np.random.default_rng(0)
        last = [rng.normal(size=(9, 4)) / 2, rng.normal(size=4) / 2]
        x, wanted = rng.normal(size=(20, 9)), rng.normal(size=(20, 4))

        def error() -> float:
            return float(np.sqrt((x @ last[0] + last[1] - wanted) ** 2 + SMOOTHING**2).sum() / 20)

        for part, gradient in zip(last, tuned._gradients(last, x, wanted), strict=True):
            at = tuple(rng.integers(0, n) for n in part.shape)
            kept = part[at]
            part[at] = kept + 1e-6
            more = error()
            part[at] = kept - 1e-6
            assert gradient[at] == pytest.approx((more - error()) / 2e-6, abs=1e-6)
            part[at] = kept

    def test_learns_what_the_series_have_in_common(self):
        """Every seventh month is a third of the others: no season of a year, and no network knows it before."""
        rng = np.random.default_rng(3)
        at = np.arange(84)
        series = [100 * np.where((at + k) % 7 == 0, 0.33, 1.0) * np.exp(rng.normal(0, 0.02, 84)) for k in range(20)]
        seat = tuned_seats(12, 12)[0]
        found = tuned.learn_tuned([y[:72] for y in series], seat.shape, 12, seat.recipe, 1)
        before = tuned.Tuned(seat.shape, 12, tuned.first_steps(weights.committee(12).networks[0], 12))

        def error(network) -> float:
            return float(
                np.mean([np.abs(p - y[72:]).mean() for p, y in zip(network.predict([y[:72] for y in series], []), series, strict=True)])
            )

        assert found.predict([series[0]], [])[0].shape == (12,)
        assert all(np.array_equal(*pair) for pair in zip(found.network.weights[:-2], before.network.weights[:-2], strict=True))
        assert error(found) < 0.8 * error(before)

    def test_too_little_to_look_at_teaches_nothing(self):
        seat = tuned_seats(12, 12)[0]
        assert tuned.learn_tuned([100 + YEAR[:40]] * 3, seat.shape, 12, seat.recipe, 1) is None
        assert tuned_seats(12, 36) == tuned_seats(5, 12) == ()


class TestWeights:
    def test_are_small_and_there(self):
        files = list(weights.FOLDER.glob("season_*.npz"))
        assert sum(file.stat().st_size for file in files) < 5_000_000
        assert {int(file.stem.split("_")[1]) for file in files} == set(SHAPES)
        assert weights.committee(5) is None

    def test_are_read_as_they_were_written(self, tmp_path, monkeypatch):
        rng = np.random.default_rng(0)
        inputs, horizon = 40 + 4 + 13, 12
        sizes = [(inputs, 6), (6, 6), (6, 6), (6, horizon), (inputs, horizon)]
        layers = [(rng.normal(size=size).astype(np.float32), rng.normal(size=size[1]).astype(np.float32)) for size in sizes]
        write([layers, layers], 4, tmp_path / "season_4.npz")
        monkeypatch.setattr(weights, "FOLDER", tmp_path)
        found = weights.committee.__wrapped__(4)
        assert (found.length, found.horizon, len(found.networks)) == (40, 12, 2)
        np.testing.assert_allclose(found.networks[1].weights[0], layers[0][0], atol=2e-3)
        assert found(np.ones((3, inputs), dtype=np.float32)).shape == (3, horizon)


def test_the_prior_is_deterministic_and_gives_examples_of_every_length():
    first, again = (series_of_prior(np.random.default_rng(4), 300, 52, 4) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert np.isfinite(first).all()
    assert (first < 0).any()
    inputs, wanted = examples(np.random.default_rng(5), first, SHAPES[4], 4)
    assert np.isfinite(inputs).all()
    assert np.isfinite(wanted).all()
    assert inputs.shape[0] == wanted.shape[0] > 250
    assert len(np.unique(inputs[:, -13:-1].sum(axis=1).round(2))) > 20
