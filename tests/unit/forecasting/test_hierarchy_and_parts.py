from __future__ import annotations

import numpy as np
import pytest

from core.errors import Invalid
from core.timeseries import TimeSeries
from forecasting.decomposition import decompose
from forecasting.engine import forecast
from forecasting.hierarchy import Hierarchy, Reconciliation, reconcile
from forecasting.types import Forecast, ForecastInput

TREE = Hierarchy({"all": ("north", "south"), "north": ("a", "b")})


def made(series_id: str, mean: float, half: float, h: int = 3) -> Forecast:
    point = np.full(h, mean)
    times = (np.datetime64("2024-01-01") + np.arange(h)).astype("datetime64[ns]")
    return Forecast(series_id, times, point, {95: np.maximum(point - half, 0)}, {95: point + half}, "m")


@pytest.fixture
def nodes() -> list[Forecast]:
    return [made("all", 110, 5), made("north", 60, 10), made("south", 40, 10), made("a", 30, 10), made("b", 20, 2)]


class TestReconcile:
    @pytest.mark.parametrize("method", list(Reconciliation))
    def test_parts_add_up_to_the_whole(self, nodes, method):
        by_id = {f.series_id: f for f in reconcile(nodes, TREE, method=method)}
        np.testing.assert_allclose(by_id["all"].mean, by_id["north"].mean + by_id["south"].mean)
        np.testing.assert_allclose(by_id["north"].mean, by_id["a"].mean + by_id["b"].mean)

    def test_the_surest_node_moves_least(self, nodes):
        by_id = {f.series_id: f for f in reconcile(nodes, TREE)}
        assert abs(by_id["all"].mean[0] - 110) < abs(by_id["south"].mean[0] - 40)
        assert abs(by_id["b"].mean[0] - 20) < abs(by_id["a"].mean[0] - 30)

    def test_bottom_up_keeps_the_leaves(self, nodes):
        by_id = {f.series_id: f for f in reconcile(nodes, TREE, method=Reconciliation.BOTTOM_UP)}
        np.testing.assert_array_equal(by_id["a"].mean, nodes[3].mean)
        np.testing.assert_allclose(by_id["all"].mean, 90)

    def test_intervals_move_along_and_stay_ordered(self, nodes):
        for one in reconcile(nodes, TREE):
            assert (one.lower[95] <= one.mean).all()
            assert (one.mean <= one.upper[95]).all()
            assert (one.lower[95] >= 0).all()

    def test_order_is_kept_and_others_pass_through(self, nodes):
        other = made("elsewhere", 7, 1)
        result = reconcile([other, *nodes], TREE)
        assert [f.series_id for f in result] == ["elsewhere", "all", "north", "south", "a", "b"]
        assert result[0] is other

    @pytest.mark.parametrize(
        "tree",
        [
            Hierarchy({"all": ("north", "missing")}),
            Hierarchy({"all": ("north",), "south": ("north",)}),
            Hierarchy({"all": ("north",), "north": ("all",)}),
        ],
    )
    def test_a_tree_that_is_none_is_refused(self, nodes, tree):
        with pytest.raises(Invalid):
            reconcile(nodes, tree)


class TestDecompose:
    def test_parts_add_up_to_history_and_forecast(self, item, weekly_pattern):
        rng = np.random.default_rng(0)
        flag = (rng.random(3 * 365 + 14) < 0.03).astype(float)
        year = 40 * np.sin(2 * np.pi * np.arange(3 * 365) / 365.25)
        y = 100 + weekly_pattern(3 * 365) + year + 50 * flag[:-14]
        one = item(y, regressors={"promo": flag[:-14]}, future_regressors={"promo": flag[-14:]})
        ahead = forecast(one)
        parts = decompose(one, ahead)
        np.testing.assert_allclose(sum(parts.parts.values()), y, rtol=1e-9)
        np.testing.assert_allclose(sum(parts.ahead.values()), ahead.mean, rtol=1e-9)
        assert {"trend", "day of week", "time of year", "promo", "rest"} == set(parts.parts)
        assert np.median(parts.parts["promo"][flag[:-14] == 1]) == pytest.approx(50, rel=0.25)
        assert np.ptp(parts.parts["day of week"]) == pytest.approx(40, rel=0.3)

    def test_a_short_series_has_trend_and_rest(self, item):
        parts = decompose(item(np.arange(5.0), 2))
        assert set(parts.parts) == {"trend", "rest"}

    def test_a_day_of_its_own_lifts_no_trend(self):
        days = np.datetime64("2022-01-01", "ns") + np.arange(1100) * np.timedelta64(1, "D")
        at = np.arange(1100)
        flag = np.isin(at, [327, 692, 1057]).astype(float)
        noise = np.random.default_rng(1).normal(0, 0.03, 1100)
        y = 1000 * np.exp(0.2 * np.sin(2 * np.pi * at / 7) + 0.1 * np.cos(2 * np.pi * at / 365.25) + 0.8 * flag + noise)
        y[328:330] *= 1.4  # what nobody declared
        n = 1040
        item = ForecastInput(
            TimeSeries("s", days[:n], y[:n]), 30, regressors={"event: sale": flag[:n]}, future_regressors={"event: sale": flag[n : n + 30]}
        )
        said = forecast(item)
        parts = decompose(item, said)
        np.testing.assert_allclose(sum(parts.ahead.values()), said.mean)
        np.testing.assert_allclose(sum(parts.parts.values()), parts.total)
        assert np.ptp(parts.parts["trend"][313:343]) < 40
        assert np.ptp(parts.ahead["trend"]) < 0.06 * parts.ahead["trend"].mean()
        assert parts.ahead["event: sale"][17] > 800
