"""Metrics that are judged together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from anomaly import DetectInput, detect
from core.timeseries import TimeSeries

AT = 1200


@pytest.fixture(scope="module")
def shop():
    """Visits and the orders that go with them, hourly; visits rise and orders fall for six hours, each within its usual range."""
    t = pd.date_range("2024-01-01", periods=24 * 60, freq="h").to_numpy("datetime64[ns]")
    rng, common = np.random.default_rng(3), np.zeros(len(t))
    for i in range(1, len(t)):
        common[i] = 0.6 * common[i - 1] + rng.normal(0, 0.12)
    shape = np.exp(0.6 * np.sin((np.arange(len(t)) % 24 - 8) / 24 * 2 * np.pi) + common)
    visits, orders = (level * shape * np.exp(rng.normal(0, 0.03, len(t))) for level in (1000, 50))
    visits[AT : AT + 6] *= np.exp(0.25)
    orders[AT : AT + 6] *= np.exp(-0.35)
    return TimeSeries("visits", t, visits), TimeSeries("orders", t, orders)


def alerts(found):
    return [i.detected_at for i in found.incidents if i.kind == "value"]


class TestCompany:
    def test_two_that_move_apart_are_found_together_and_not_alone(self, shop):
        visits, orders = shop
        t = orders.times
        near = {t[AT + k] for k in range(3)}
        assert not near & set(alerts(detect(DetectInput(orders))))
        assert near & set(alerts(detect(DetectInput(orders), company=[visits])))

    def test_rows_and_others_up_to_each_time_only_are_used(self, shop):
        visits, orders = shop
        whole = detect(DetectInput(orders), company=[visits], second_opinion="ecod").score
        cut = [TimeSeries(s.series_id, s.times[:AT], s.values[:AT]) for s in shop]
        np.testing.assert_array_equal(detect(DetectInput(cut[1]), company=[cut[0]], second_opinion="ecod").score, whole[:AT])

    def test_another_without_rows_or_of_another_time_changes_nothing_but_the_bar(self, shop):
        _, orders = shop
        alone = detect(DetectInput(orders)).score
        nothing = TimeSeries("none", orders.times[:0], orders.values[:0])
        elsewhere = TimeSeries("old", orders.times - np.timedelta64(10_000, "D"), orders.values)
        for other in (nothing, elsewhere):
            found = detect(DetectInput(orders), company=[other]).score
            assert (found[~np.isnan(alone)] >= alone[~np.isnan(alone)]).all()
