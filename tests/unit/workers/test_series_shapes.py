"""What is done to fetched rows before they are forecast, as pure functions."""

from __future__ import annotations

import numpy as np

from core.ids import TenantId
from core.timeseries import Grain, TimeSeries
from semantic.query import Aggregate, AggregateKind
from workers.jobs.chart_data import finite, history_points, instant
from workers.jobs.naming import model_name
from workers.jobs.series import _zero_filled
from workers.kinds import SeriesParams


def days(*numbers: int) -> np.ndarray:
    return np.datetime64("2026-01-01", "ns") + np.array(numbers) * np.timedelta64(1, "D")


class TestZeroFilled:
    def test_missing_buckets_are_zero_and_own_values_stay(self) -> None:
        series = TimeSeries("a", days(1, 3), np.array([5.0, np.nan]), Grain.DAY)
        filled = _zero_filled(series, days(0, 1, 2, 3))
        np.testing.assert_array_equal(filled.values, [0.0, 5.0, 0.0, np.nan])

    def test_what_the_whole_does_not_have_is_left_out(self) -> None:
        series = TimeSeries("a", days(1, 9), np.array([5.0, 7.0]), Grain.DAY)
        np.testing.assert_array_equal(_zero_filled(series, days(0, 1)).values, [0.0, 5.0])


class TestChartData:
    def test_json_has_no_nan(self) -> None:
        assert [finite(v) for v in (1.0, float("nan"), float("inf"), None, "x")] == [1.0, None, None, None, "x"]

    def test_times_are_utc_to_the_second(self) -> None:
        assert instant(np.datetime64("2026-03-01T12:30", "ns")) == "2026-03-01T12:30:00Z"

    def test_history_is_the_end_of_the_series(self) -> None:
        series = TimeSeries("a", days(*range(500)), np.arange(500.0), Grain.DAY)
        points = history_points(series, 14)
        assert (len(points), points[-1]["v"]) == (70, 499.0)


class TestModelName:
    def test_a_metric_gives_its_name_and_anything_else_a_hash(self) -> None:
        acme = TenantId("acme")
        assert str(model_name(acme, "forecast", SeriesParams(metric="revenue"))) == "acme.forecast.revenue.auto"
        count = Aggregate(aggregate=AggregateKind.COUNT, dataset="orders")
        adhoc = model_name(acme, "forecast", SeriesParams(measure=count))
        assert adhoc == model_name(acme, "forecast", SeriesParams(measure=count, grain=Grain.WEEK))
        assert adhoc.metric.startswith("adhoc-")
