"""Causes of rate incidents, on invented incidents whose cause is known."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import Invalid, NotEnoughData
from core.timeseries import FloatArray
from insights.drivers.incident import corrected_p, explain_rate
from insights.drivers.leaves import Leaves, leaves_of

SIZES = (4, 6, 3, 5)


def grid(sizes: tuple[int, ...] = SIZES) -> tuple[Leaves, list[tuple[str, ...]]]:
    """All combinations, in the order of the leaves."""
    values = np.indices(sizes).reshape(len(sizes), -1)
    columns = [[f"v{i}" for i in row] for row in values]
    leaves, row_leaf = leaves_of([f"d{i}" for i in range(len(sizes))], columns)
    rows = [tuple(row) for row in zip(*columns, strict=True)]
    return leaves, [rows[i] for i in np.argsort(row_leaf)]


def incident(seed: int, cause: dict[str, str], factor: float, minutes: int = 10) -> tuple[Leaves, FloatArray, FloatArray]:
    """(steps, leaves) bad outcomes and trials; in the last step the rate of the cause's leaves is `factor` times as high."""
    rng = np.random.default_rng(seed)
    leaves, rows = grid()
    size = rng.gamma(0.6, 400.0, leaves.count)
    rate = 0.03 * np.exp(rng.normal(0, 0.4, leaves.count))
    trials = rng.poisson(size, (minutes + 1, leaves.count)).astype(float)
    noisy = rate * np.exp(rng.normal(0, 0.15, (minutes + 1, leaves.count)))
    inside = np.array([all(row[int(d[1:])] == v for d, v in cause.items()) for row in rows])
    noisy[-1] *= np.where(inside, factor, 1.0)
    return leaves, rng.binomial(trials.astype(int), np.clip(noisy, 0, 1)).astype(float), trials


class TestExplainRate:
    @pytest.mark.parametrize("cause", [{"d0": "v1"}, {"d1": "v3"}, {"d1": "v2", "d2": "v0"}, {"d0": "v0", "d2": "v1", "d3": "v4"}], ids=str)
    def test_a_planted_cause_comes_first(self, cause: dict[str, str]) -> None:
        firsts = []
        for seed in range(12):
            found = explain_rate(*incident(seed, cause, 5.0))
            firsts.append(bool(found.causes) and found.causes[0].segment.as_dict() == cause)
        assert sum(firsts) >= 9

    def test_one_cause_is_answered_with_one(self) -> None:
        answers = [explain_rate(*incident(seed, {"d1": "v3"}, 6.0)).answer for seed in range(10)]
        assert answers.count(1) >= 9

    def test_two_apart_are_answered_with_two(self) -> None:
        leaves, bad, trials = incident(3, {"d1": "v3"}, 1.0)
        inside = leaves.mask(next(c for c in [leaves.segment_of((1,), i) for i in range(leaves.count)] if c.as_dict() == {"d1": "v3"}))
        other = leaves.mask(next(c for c in [leaves.segment_of((1,), i) for i in range(leaves.count)] if c.as_dict() == {"d1": "v5"}))
        bad[-1] = np.minimum(np.where(inside | other, bad[-1] * 6 + 2, bad[-1]), trials[-1])
        found = explain_rate(leaves, bad, trials)
        assert found.answer == 2
        assert {tuple(c.segment.as_dict().items()) for c in found.causes[:2]} == {(("d1", "v3"),), (("d1", "v5"),)}

    def test_nothing_planted_seldom_gives_an_answer(self) -> None:
        answers = [explain_rate(*incident(100 + seed, {"d0": "v0"}, 1.0)).answer for seed in range(40)]
        assert sum(answers) <= 2

    def test_names_of_values_do_not_matter(self) -> None:
        leaves, bad, trials = incident(5, {"d1": "v2", "d2": "v0"}, 5.0)
        renamed = Leaves(leaves.dimensions, tuple(tuple(f"x{label}" for label in labels) for labels in leaves.labels), leaves.codes)
        first, second = explain_rate(leaves, bad, trials), explain_rate(renamed, bad, trials)
        assert [("x" + v) for _, v in first.causes[0].segment.pairs] == [v for _, v in second.causes[0].segment.pairs]

    def test_a_fall_is_found_when_down_is_worse(self) -> None:
        found = explain_rate(*incident(2, {"d0": "v2"}, 0.1), upward=False)
        assert found.causes[0].segment.as_dict() == {"d0": "v2"}
        assert found.causes[0].multiplier < 1.0

    @pytest.mark.parametrize("change", ["shape", "negative", "missing"])
    def test_bad_numbers_are_refused(self, change: str) -> None:
        leaves, bad, trials = incident(1, {"d0": "v0"}, 2.0)
        if change == "shape":
            bad = bad[:, 1:]
        elif change == "negative":
            bad[0, 0] = -1.0
        else:
            bad[0, 0] = np.nan
        with pytest.raises(Invalid):
            explain_rate(leaves, bad, trials)

    def test_without_a_past_there_is_nothing_to_compare(self) -> None:
        leaves, bad, trials = incident(1, {"d0": "v0"}, 2.0)
        with pytest.raises(NotEnoughData):
            explain_rate(leaves, bad[-1:], trials[-1:])

    def test_inputs_are_left_as_they_were(self) -> None:
        leaves, bad, trials = incident(1, {"d0": "v0"}, 4.0)
        kept = bad.copy(), trials.copy()
        explain_rate(leaves, bad, trials)
        assert np.array_equal(bad, kept[0])
        assert np.array_equal(trials, kept[1])


class TestCorrectedP:
    def test_no_gain_is_no_evidence(self) -> None:
        assert corrected_p(0.0, 100) == 1.0

    def test_more_tries_need_more_evidence(self) -> None:
        assert corrected_p(8.0, 10) < corrected_p(8.0, 1000)
