from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import vl_convert

from insights.chart import MAX_BARS, MAX_SERIES, chart
from insights.forecast_charts import forecast_chart
from semantic.states import OutputColumn

REVENUE = OutputColumn("revenue", "revenue", "measure", unit="EUR", format="currency:EUR", measure_index=0)
RATE = OutputColumn("rate", "conversion rate", "measure", format="percent", measure_index=0)
REGION = OutputColumn("region", "region", "dimension")
DEVICE = OutputColumn("device", "device", "dimension")
MONTH = OutputColumn("month", "month", "time", grain="month")
JAN, FEB = dt.date(2024, 1, 1), dt.date(2024, 2, 1)


class TestChart:
    def test_time_becomes_a_line(self) -> None:
        spec = chart([MONTH, REVENUE], [[JAN, Decimal("1.5")], [FEB, Decimal("2.5")]])
        assert spec is not None
        assert spec["mark"]["type"] == "line"
        assert [point["value"] for point in spec["data"]["values"]] == [1.5, 2.5]

    def test_time_and_a_dimension_become_one_line_each(self) -> None:
        rows = [[month, name, 1.0] for month in (JAN, FEB) for name in ("EMEA", "APAC")]
        spec = chart([MONTH, REGION, REVENUE], rows)
        assert spec is not None
        assert {point["series"] for point in spec["data"]["values"]} == {"EMEA", "APAC"}

    def test_the_way_to_a_running_period_is_told_apart(self) -> None:
        rows = [[JAN, 3.0], [FEB, 2.0], [dt.date(2024, 3, 1), 1.0]]
        spec = chart([MONTH, REVENUE], rows, now=dt.datetime(2024, 3, 9))
        assert spec is not None
        drawn = {part: [p["value"] for p in spec["data"]["values"] if p["part"] == part] for part in ("whole", "running")}
        assert drawn == {"whole": [3.0, 2.0], "running": [2.0, 1.0]}
        assert vl_convert.vegalite_to_svg(json.dumps({**spec, "width": 300}))
        assert chart([MONTH, REVENUE], rows, now=dt.datetime(2024, 4, 1)) == chart([MONTH, REVENUE], rows)

    def test_weeks_are_named_by_the_days_that_they_begin_on(self) -> None:
        week = OutputColumn("week", "week", "time", grain="week")
        mondays = [dt.date(2026, 8, 17) + dt.timedelta(weeks=n) for n in range(4)]
        spec = chart([week, REVENUE], [[day, 1.0 + n] for n, day in enumerate(mondays)])
        drawn = vl_convert.vegalite_to_svg(json.dumps({**spec, "width": 600}))
        assert all(f">{day:%d %b %Y}<" in drawn for day in mondays)
        assert "23 Aug" not in drawn

    def test_many_lines_keep_the_largest(self) -> None:
        rows = [[month, f"r{i}", float(i)] for month in (JAN, FEB) for i in range(40)]
        spec = chart([MONTH, REGION, REVENUE], rows)
        assert spec is not None
        series = {point["series"] for point in spec["data"]["values"]}
        assert len(series) == MAX_SERIES
        assert "r39" in series

    def test_a_compared_value_stands_beside_its_own(self) -> None:
        before = OutputColumn("before", "revenue, last year", "measure", unit="EUR", format="currency:EUR", measure_index=0)
        orders = OutputColumn("orders", "orders", "measure", measure_index=1)
        spec = chart([REGION, REVENUE, before, orders], [["EMEA", 3, 2, 9], ["APAC", 1, None, 9]])
        assert spec is not None
        assert spec["encoding"]["yOffset"]["field"] == "series"
        assert [(p["name"], p["series"], p["value"]) for p in spec["data"]["values"]] == [
            ("EMEA", "revenue", 3), ("EMEA", "revenue, last year", 2), ("APAC", "revenue", 1), ("APAC", "revenue, last year", None),
        ]  # fmt: skip

    def test_a_dimension_becomes_bars_up_to_a_limit(self) -> None:
        spec = chart([REGION, REVENUE], [[f"r{i}", i] for i in range(100)])
        assert spec is not None
        assert spec["mark"]["type"] == "bar"
        assert len(spec["data"]["values"]) == MAX_BARS
        assert spec["encoding"]["y"]["title"] == f"region (first {MAX_BARS} of 100)"

    def test_bars_keep_the_order_of_the_rows_except_for_steps_of_a_scale(self) -> None:
        named = chart([REGION, REVENUE], [["EMEA", 1], ["APAC", 3]])
        steps = chart([REGION, REVENUE], [["25-34", 9], ["100+", 5], ["9-17", 2], ["< 9", 1]])
        assert named is not None
        assert steps is not None
        assert named["encoding"]["y"]["sort"] is None
        assert steps["encoding"]["y"]["sort"] == ["< 9", "9-17", "25-34", "100+"]

    def test_rates_are_not_stacked(self) -> None:
        spec = chart([REGION, DEVICE, RATE], [["EMEA", "mobile", 0.1], ["EMEA", "desktop", 0.2], ["APAC", "mobile", 0.3]])
        assert spec is not None
        assert spec["encoding"]["x"]["stack"] is None

    def test_a_single_number_needs_no_chart(self) -> None:
        assert chart([REVENUE], [[1.0]]) is None

    def test_every_form_renders(self) -> None:
        cases = [
            chart([MONTH, REVENUE], [[JAN, 1.0], [FEB, 2.0]], title="A"),
            chart([MONTH, REGION, REVENUE], [[JAN, "x", 1.0], [FEB, "y", 2.0]]),
            chart([REGION, REVENUE], [["x", 1.0], ["y", None]]),
            chart([REGION, DEVICE, REVENUE], [["x", "m", 1.0], ["y", "n", 2.0]]),
        ]
        for spec in cases:
            assert spec is not None
            fixed = {**spec, "width": 300}
            assert "<svg" in vl_convert.vegalite_to_svg(json.dumps(fixed), vl_version="6.1")


class TestForecastChart:
    def test_its_legend_has_the_colours_of_the_lines_not_of_the_faint_bands(self) -> None:
        points = [(JAN + dt.timedelta(days=n)).isoformat() for n in range(4)]
        ahead = [{"t": t, "mean": 2.0, "lower_80": 1.0, "upper_80": 3.0, "lower_95": 0.5, "upper_95": 4.0} for t in points[2:]]
        series = [{"label": name, "history": [{"t": t, "v": 1.0} for t in points[:2]], "forecast": ahead} for name in ("EMEA", "APAC")]
        drawn = vl_convert.vegalite_to_svg(json.dumps(forecast_chart(series, "revenue")))
        symbols = drawn.partition('role-legend-symbol"')[2]
        assert symbols
        assert 'opacity="0.' not in symbols
