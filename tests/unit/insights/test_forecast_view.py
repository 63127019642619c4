"""How forecasts read."""

from __future__ import annotations

from typing import Any

import pytest

from insights.forecast_view import explaining_charts, forecast_view

POINT = {"mean": 100.0, "lower_80": 90.0, "upper_80": 112.0, "lower_95": 80.0, "upper_95": 120.0}


def series(label: str = "Total", **more: Any) -> dict[str, Any]:
    forecast = [{"t": f"2026-11-2{d}T00:00:00Z", **POINT} for d in range(1, 4)]
    history = [{"t": f"2026-11-{d:02d}T00:00:00Z", "v": 95.0} for d in range(1, 21)]
    return {"id": label, "label": label, "history": history, "partial": None, "forecast": forecast, "model": "theta", "fallback": None,
            "backtest": {"mase": 0.8, "naive_mase": 1.0}, "notes": [], **more}  # fmt: skip


def result(**more: Any) -> dict[str, Any]:
    return {"label": "revenue", "unit": "EUR", "format": "currency:EUR", "grain": "day", "series": [series()], "notes": [], **more}


def period(**more: Any) -> dict[str, Any]:
    total = {"id": "total", "label": "Total", "expected": 9_000_000.0, "known": None, "before": 8_000_000.0, "lower_80": 8.5e6, "upper_80": 9.6e6,
             "lower_95": 8e6, "upper_95": 1e7}  # fmt: skip
    return {"label": "next quarter: 2027-01-01 to 2027-03-31", "start": "2027-01-01T00:00:00", "end": "2027-04-01T00:00:00", "is_sum": True,
            "running_total": False, "known_until": "2026-11-20T00:00:00Z", "series": [total], **more}  # fmt: skip


def goal(**more: Any) -> dict[str, Any]:
    return {"basis": "period_total", "target": 8.8e6, "direction": "at_least", "probability": 0.91, "now": 1e6, "expected": 9e6, "lower_80": 8.5e6,
            "upper_80": 9.6e6, "lower_95": 8e6, "upper_95": 1e7, "until": "2027-03-31T00:00:00Z", "reached_at": "2027-03-20T00:00:00Z",
            "earliest": "2027-03-10T00:00:00Z", "latest": None, "already": False, "past": [{"t": "2027-01-01T00:00:00Z", "v": 1.0}],
            "line": [{"t": "2027-01-02T00:00:00Z", "v": 2.0, "l": 1.0, "u": 3.0}], **more}  # fmt: skip


class TestHeadline:
    def test_the_last_step(self) -> None:
        assert forecast_view(result()).headline == "Revenue is expected at €100.00 on 23 Nov 2026 (80% between €90.00 and €112.00)."

    def test_what_is_counted_has_no_decimals_but_where_it_is_rare(self) -> None:
        expected = [{"t": "2026-11-23T00:00:00Z", **POINT, "mean": 331.7, "lower_80": 0.4, "upper_80": 400.2}]
        orders = {"label": "orders", "unit": "orders", "format": None, "series": [series(forecast=expected)]}
        head = "Orders are expected at 332 orders on 23 Nov 2026 (80% between 0.4 orders and 400 orders)."
        assert forecast_view(result(**orders)).headline == head
        halves = [{"t": "2026-11-20T00:00:00Z", "v": 95.5}]
        assert "331.7 orders" in forecast_view(result(**orders | {"series": [series(forecast=expected, history=halves)]})).headline

    @pytest.mark.parametrize(("label", "verb"), [("active customers", "are"), ("gross loss", "is"), ("share of returns", "is")])
    def test_many_things_are_expected_and_one_is(self, label: str, verb: str) -> None:
        assert f"{label[1:]} {verb} expected at" in forecast_view(result(label=label, period=period())).headline

    def test_one_figure_for_the_period_and_last_years(self) -> None:
        view = forecast_view(result(period=period()))
        assert view.headline == "Revenue is expected at €9M next quarter (1 Jan 2027 to 31 Mar 2027); 80% between €8.5M and €9.6M."
        assert "That is 12.5% more than a year before (€8M)." in view.sentences
        assert view.table["columns"][0] == "series"

    @pytest.mark.parametrize(("label", "words"), [("December: 2026-12-01", "in December"), ("this year: 2026", "this year")])
    def test_a_period_reads_as_people_say_it(self, label: str, words: str) -> None:
        assert f"€9M {words} (1 Jan" in forecast_view(result(period=period(label=label))).headline

    def test_steps_that_add_up_are_added_up(self) -> None:
        assert "3 days, from 21 Nov 2026 to 23 Nov 2026; €300.00 in all." in forecast_view(result(is_sum=True)).sentences
        assert "3 days, from 21 Nov 2026 to 23 Nov 2026." in forecast_view(result(is_sum=False)).sentences

    @pytest.mark.parametrize(
        ("probability", "words"), [(0.91, "On track"), (0.6, "Likely, but not safe"), (0.3, "At risk"), (0.02, "Off track")]
    )
    def test_a_goal_with_its_chance(self, probability: float, words: str) -> None:
        head = forecast_view(result(period=period(), goal=goal(probability=probability))).headline
        assert head.startswith(words)
        assert f"the chance to reach €8.8M is {probability:.0%}" in head

    def test_a_goal_that_is_reached_and_one_that_is_not_to_be_exceeded(self) -> None:
        reached = forecast_view(result(period=period(), goal=goal(already=True)))
        assert reached.headline.startswith("The goal of €8.8M is reached")
        assert "€9M is expected by the end of it, 12.5% more than a year before (€8M)." in reached.sentences
        assert "stay at or below €8.8M" in forecast_view(result(period=period(), goal=goal(direction="at_most"))).headline

    def test_when_a_value_is_reached(self) -> None:
        found = forecast_view(result(goal=goal(basis="running_total"))).headline
        assert found == "Revenue will probably reach €8.8M on 20 Mar 2027 (80% between 10 Mar 2027 and after 31 Mar 2027)."
        never = forecast_view(result(goal=goal(basis="level", reached_at=None, probability=0.005))).headline
        assert "not expected to reach €8.8M a day by 31 Mar 2027" in never
        assert "below 1%" in never

    def test_a_scenario(self) -> None:
        scenario = {"driver": "ads", "label": "ad spend", "change_percent": -10.0, "percent": -2.5, "difference": -7.5,
                    "forecast": [{"t": "2026-11-21T00:00:00Z", "v": 97.5}], "notes": ["An assumption."]}  # fmt: skip
        view = forecast_view(result(scenario=scenario))
        assert view.headline == "With ad spend 10% lower, revenue would be 2.5% less from 21 Nov 2026 to 23 Nov 2026 (-€7.50)."
        assert "An assumption." in view.sentences
        assert view.table["columns"][-1] == "scenario"

    def test_nothing_to_forecast(self) -> None:
        assert forecast_view(result(series=[])).headline == "There is nothing to forecast for revenue."


class TestSentences:
    def test_live_record_backtest_events_and_parts(self) -> None:
        live = {"forecasts": 6, "points": 42, "error": 0.031, "coverage_80": 0.82}
        parts = {"parts": [], "days": [{"name": "Black Friday", "ahead": 500.0, "effect": 500.0, "share": 0.5}]}
        said = forecast_view(result(live=live, parts=parts, made_from=["orders", "sessions"], assumes=["public holidays (DE)"])).sentences
        assert "Live, the last 6 forecasts of this were off by 3.1% on average; the 80% band held 82% of the time." in said
        assert "On past data its error was 20% smaller than repeating the last season." in said
        assert "Without Black Friday it would be €500.00 lower in all." in said
        assert "Forecast from its parts: orders and sessions." in said
        assert "Assumes that trend and seasons go on; known ahead: public holidays (DE)." in said

    def test_a_running_bucket_is_said_and_drawn_apart(self) -> None:
        running = series(partial={"t": "2026-11-21T00:00:00Z", "v": 12.0, "until": None})
        view = forecast_view(result(series=[running]))
        assert any("21 Nov 2026 is not over (€12.00)" in sentence for sentence in view.sentences)
        assert view.table["rows"][0][1] == "21 Nov 2026 (running)"
        assert view.chart is not None
        parts = {row["part"] for row in view.chart["data"]["values"] if row["v"] == 12.0}
        assert parts == {"so far (running)"}


class TestCharts:
    def test_the_goal_is_a_line_across(self) -> None:
        chart = forecast_view(result(period=period(), goal=goal())).chart
        assert chart is not None
        assert chart["layer"][-1]["data"]["values"] == [{"goal": 8.8e6, "name": "goal"}]

    def test_small_charts_leave_out_what_is_flat(self) -> None:
        part = {"name": "trend", "history": [{"t": "2026-11-01T00:00:00Z", "v": 3.0}], "ahead": []}
        flat = {"name": "holidays", "history": [{"t": "2026-11-01T00:00:00Z", "v": 0.0}], "ahead": []}
        assert [c["title"] for c in explaining_charts(result(parts={"parts": [part, flat], "days": []}))] == ["trend"]
        assert explaining_charts(result()) == []
