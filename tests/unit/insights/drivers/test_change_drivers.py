"""Causes of a change of an amount or a rate, on invented worlds whose cause is known."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import Invalid
from core.timeseries import FloatArray
from insights.drivers.change import amount_causes, rate_causes
from insights.drivers.leaves import Leaves, leaves_of
from insights.drivers.mix_rate import split_rate
from insights.drivers.parts import parts_of_change

SIZES = (3, 5, 4, 3)


def world(seed: int, planted: dict[str, str], factor: float, drift: float = 0.05) -> tuple[Leaves, FloatArray, FloatArray]:
    """Compound Poisson amounts per leaf before and after; everything moves at a common pace, the planted segment by `factor` more."""
    rng = np.random.default_rng(seed)
    codes = np.indices(SIZES).reshape(len(SIZES), -1)
    shares = [rng.dirichlet(np.full(size, 3.0)) for size in SIZES]
    mean = np.prod([shares[d][codes[d]] for d in range(len(SIZES))], axis=0) * 9000
    drifts = np.exp(sum(rng.normal(0, drift / 2, size)[codes[d]] for d, size in enumerate(SIZES)))
    inside = np.all([codes[int(d[1:])] == int(v[1:]) for d, v in planted.items()], axis=0) if planted else np.zeros(mean.shape, bool)
    later = mean * np.exp(rng.normal(0, 0.15)) * drifts * np.where(inside, factor, 1.0)

    def drawn(means: FloatArray) -> FloatArray:
        return np.array([rng.gamma(2.0, 15.0, n).sum() for n in rng.poisson(means)])

    columns = [[f"v{i}" for i in row] for row in codes]
    leaves, row_leaf = leaves_of([f"d{i}" for i in range(len(SIZES))], columns)
    before, after = drawn(mean), drawn(later)
    order = np.argsort(row_leaf)
    return leaves, before[order], after[order]


class TestAmountCauses:
    @pytest.mark.parametrize("planted", [{"d1": "v2"}, {"d0": "v1", "d2": "v0"}, {"d0": "v0", "d1": "v1"}], ids=str)
    def test_a_planted_fall_comes_first_and_alone(self, planted: dict[str, str]) -> None:
        right = 0
        for seed in range(12):
            found = amount_causes(*world(seed, planted, 0.3)).causes
            right += bool(found) and found[0].segment.as_dict() == planted
        assert right >= 9

    def test_false_findings_are_rare_over_two_hundred_worlds(self) -> None:
        found = sum(bool(amount_causes(*world(1000 + seed, {}, 1.0, drift=0.03)).causes) for seed in range(200))
        assert found <= 10

    def test_a_fall_of_everything_has_no_cause(self) -> None:
        leaves, before, _ = world(1, {}, 1.0)
        assert amount_causes(leaves, before, before * 0.2).causes == ()

    def test_a_new_segment_is_found(self) -> None:
        leaves, before, after = world(4, {}, 1.0)
        new = leaves.codes[1] == 3
        before = np.where(new, 0.0, before)
        assert amount_causes(leaves, before, after).causes[0].segment.as_dict() == {"d1": "v3"}

    def test_of_two_names_for_the_same_rows_the_more_specific_is_said(self) -> None:
        rows = [("EMEA", "Germany"), ("EMEA", "France"), ("APAC", "Japan"), ("AMER", "Canada"), ("AMER", "Brazil"), ("AMER", "USA")]
        products = ["a", "b", "c", "d"]
        columns = [[r for r, _ in rows for _ in products], [c for _, c in rows for _ in products], products * len(rows)]
        leaves, row_leaf = leaves_of(["region", "country", "product"], columns)
        rng = np.random.default_rng(0)
        before = rng.poisson(400, leaves.count).astype(float)
        japan = leaves.codes[1] == leaves.labels[1].index("Japan")
        found = amount_causes(leaves, before, np.where(japan, before * 0.2, rng.poisson(before))).causes
        assert [c.segment.as_dict() for c in found] == [{"country": "Japan"}]
        assert len(row_leaf) == leaves.count

    def test_negative_amounts_are_refused(self) -> None:
        leaves, before, after = world(1, {}, 1.0)
        with pytest.raises(Invalid):
            amount_causes(leaves, -before, after)


class TestRateCauses:
    def test_a_rate_is_told_from_its_mix(self) -> None:
        leaves, base, _ = world(8, {}, 1.0)
        rng = np.random.default_rng(1)
        base = np.round(base)
        rate = np.where(leaves.codes[0] == 0, 0.02, 0.1)
        shifted = np.where(leaves.codes[0] == 0, base * 3, base)
        top0, top1 = rng.poisson(base * rate).astype(float), rng.poisson(shifted * rate).astype(float)
        assert rate_causes(leaves, (top0, base), (top1, shifted)).causes == ()
        fallen = np.where(leaves.codes[1] == 1, 0.4, 1.0)
        top2 = rng.poisson(shifted * rate * fallen).astype(float)
        assert rate_causes(leaves, (top0, base), (top2, shifted)).causes[0].segment.as_dict() == {"d1": "v1"}


class TestSplitRate:
    def test_the_split_sums_to_the_change_exactly(self) -> None:
        rng = np.random.default_rng(2)
        for _ in range(50):
            top0, top1 = rng.uniform(0, 50, 6), rng.uniform(0, 50, 6)
            base0, base1 = rng.uniform(50, 900, 6), rng.uniform(50, 900, 6) * (rng.random(6) > 0.2)
            found = split_rate("d", list("abcdef"), (top0, base0), (top1 * (base1 > 0), base1))
            assert found is not None
            assert found.rate_effect + found.mix_effect == pytest.approx(found.after - found.before, abs=1e-12)
            assert sum(s.rate_effect + s.mix_effect for s in found.segments) == pytest.approx(found.after - found.before, abs=1e-12)

    def test_simpsons_reversal_is_named(self) -> None:
        before = np.array([90.0, 20.0]), np.array([900.0, 1000.0])
        after = np.array([33.0, 66.0]), np.array([300.0, 3000.0])
        found = split_rate("device", ["desktop", "mobile"], before, after)
        assert found is not None
        assert found.reversal
        assert found.rate_effect > 0 > found.mix_effect

    def test_rates_that_fall_with_the_whole_are_no_reversal(self) -> None:
        before = np.array([90.0, 20.0]), np.array([900.0, 1000.0])
        found = split_rate("device", ["desktop", "mobile"], before, (np.array([45.0, 10.0]), np.array([900.0, 1000.0])))
        assert found is not None
        assert not found.reversal
        assert found.mix_effect == pytest.approx(0.0)

    def test_without_a_base_there_is_no_rate(self) -> None:
        zeros = np.zeros(2)
        assert split_rate("d", ["a", "b"], (zeros, zeros), (zeros, zeros)) is None


class TestPartsOfChange:
    def test_effects_sum_to_the_change(self) -> None:
        before, after = {"a": 10.0, "b": 4.0, "c": 2.0}, {"a": 14.0, "b": 5.0, "c": 1.0}
        parts = parts_of_change(lambda v: (v["a"] - v["b"]) / v["c"], "abc", before, after)
        assert sum(p.effect for p in parts) == pytest.approx((14 - 5) / 1 - (10 - 4) / 2)

    def test_too_many_parts_are_refused(self) -> None:
        names = "abcdefg"
        with pytest.raises(Invalid):
            parts_of_change(lambda v: sum(v.values()), names, dict.fromkeys(names, 1.0), dict.fromkeys(names, 2.0))
