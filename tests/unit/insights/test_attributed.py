"""Drivers by somebody else's contributions, told in proven words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pytest

from insights.attributed import Attribution, SegmentSums, explained_with, sums_of
from insights.drivers.leaves import leaves_of
from insights.explaining import explain_change
from insights.narrative import narrate
from insights.periods import period_of
from insights.study import Cube, Study
from insights.types import Quantity

MAY, APRIL = (period_of(dt.datetime(2026, m, 1), dt.datetime(2026, m + 1, 1), "") for m in (5, 4))
Asked = tuple[Sequence[Attribution], str]


@pytest.fixture(scope="module")
def study() -> Study:
    """Web moved most; by region all moved alike."""
    found = leaves_of(["region", "channel"], [["EMEA", "EMEA", "APAC", "APAC"], ["Web", "Shop", "Web", "Shop"]])[0]
    order = [found.labels[1][code] for code in found.codes[1]]
    before = np.full(4, 250.0)
    after = np.where(np.array(order) == "Web", 350.0, 260.0)
    return Study(Quantity("revenue"), "amount", MAY, APRIL, 1000.0, float(after.sum()), cube=Cube(found, before, after))


def plain(sums: Sequence[SegmentSums]) -> Asked:
    """Plain differences; what stands out beyond equal sizes."""
    made = [one.after - one.before for one in sums]
    return [
        Attribution(one, change, change - change.sum() * one.before / one.before.sum()) for one, change in zip(sums, made, strict=True)
    ], ""


class TestAttributed:
    def test_the_uneven_dimension_is_told(self, study: Study) -> None:
        assert [(one.dimension, one.before.sum()) for one in sums_of(study)] == [("region", 1000.0), ("channel", 1000.0)]
        explained, model, note = explained_with(study, explain_change(study), "t.explain.revenue.m/1", plain)
        drivers = [fact for fact in explained.facts if fact.kind == "driver"]
        assert [fact.scope for fact in drivers] == [(("channel", "Web"),)]
        assert drivers[0].values["share"] == pytest.approx(200 / 220)
        assert model == "t.explain.revenue.m/1"
        assert model in note[0]
        assert any("Web accounts for 90.9%" in sentence for sentence in narrate(explained.told))
        assert not [fact for fact in explained.told if fact.kind in ("no_driver", "remainder")]

    def test_where_it_says_nothing_the_search_does(self, study: Study) -> None:
        own = explain_change(study)
        explained, model, note = explained_with(study, own, "m/1", lambda sums: ([], "it crashed."))
        assert (explained, model) == (own, "")
        assert note == ["Model m/1 did not explain this change: it crashed. Querent's own search did."]

    def test_rates_are_not_asked_about(self, study: Study) -> None:
        rate = Study(Quantity("margin", "percent"), "rate", MAY, APRIL, 0.2, 0.3)

        def never(sums: Sequence[SegmentSums]) -> Asked:
            raise AssertionError

        assert explained_with(rate, explain_change(rate), "m/1", never)[1] == ""
