"""Goals, periods and scenarios in questions."""

from __future__ import annotations

import datetime as dt

import pytest

from nlq.intents import route
from nlq.outlook import Scenario, find_outlook, find_period
from nlq.types import Intent
from semantic.catalog.model import CatalogCalendar
from semantic.windows import resolve_window

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


class TestGoals:
    @pytest.mark.parametrize(
        ("question", "target", "left"),
        [
            ("are we on track for 5M this year?", 5e6, "this year?"),
            ("when will we reach 1 million customers?", 1e6, "number of customers?"),
            ("will revenue hit 3M this quarter?", 3e6, "revenue this quarter?"),
            ("is revenue on track for €60M this year", 6e7, "revenue this year"),
            ("are we on track to hit 60M in revenue this year?", 6e7, "revenue this year?"),
            ("what is the chance of reaching 5M revenue next quarter", 5e6, "revenue next quarter"),
            ("how likely is it that orders exceed 100k this year", 1e5, "orders this year"),
            ("can we reach 2.5 million sessions next month", 2.5e6, "number of sessions next month"),
        ],
    )
    def test_the_number_is_taken_and_the_measure_is_left(self, question: str, target: float, left: str) -> None:
        found = find_outlook(question)
        assert found is not None
        assert (found.asks_goal, found.target) == (True, target)
        assert " ".join(found.text.split()) == left
        assert len(found.text) == len(question)
        assert route(question).intent is Intent.FORECAST

    def test_below_percent_when_total_and_per(self) -> None:
        below = find_outlook("will the refund rate stay below 3% next month?")
        assert below is not None
        assert (below.at_most, below.is_percent, below.target) == (True, True, 3.0)
        when = find_outlook("when will revenue reach 1M per week in EMEA")
        assert when is not None
        assert (when.asks_when, when.per) == (True, "week")
        total = find_outlook("when do we hit 100000 total orders")
        assert total is not None
        assert (total.total, total.target) == (True, 1e5)

    @pytest.mark.parametrize(
        "question", ["is revenue on track to meet our target this quarter?", "are we on track?", "will orders reach the goal?"]
    )
    def test_a_goal_without_a_number_is_a_stored_one(self, question: str) -> None:
        found = find_outlook(question)
        assert found is not None
        assert (found.asks_goal, found.target) == (True, None)

    @pytest.mark.parametrize(
        "question",
        [
            "which customers reach 1000 orders",
            "do we have more than 5 orders",
            "is there any order above 500?",
            "how many orders exceed 100 euros",
            "what is revenue if status is completed",
            "top 10 customers with 20% higher revenue",
            "does any product exceed 500 units?",
            "what will the top 10 products be next month",
            "revenue by region last quarter",
            "which stores hit their target of 5000 last month",
        ],
    )
    def test_questions_about_the_past_are_left_alone(self, question: str) -> None:
        assert find_outlook(question) is None


class TestScenarios:
    @pytest.mark.parametrize(
        ("question", "scenario"),
        [
            ("what will revenue be if ad spend grows 10%?", Scenario("ad spend", 10.0)),
            ("what happens to revenue next quarter if we cut ad spend by 20%?", Scenario("ad spend", -20.0)),
            ("forecast revenue if sessions double", Scenario("sessions", 100.0)),
            ("forecast revenue assuming that prices are 5 percent lower", Scenario("prices", -5.0)),
            ("how would orders change if we increase the ad spend by 7.5%", Scenario("ad spend", 7.5)),
        ],
    )
    def test_driver_and_change(self, question: str, scenario: Scenario) -> None:
        found = find_outlook(question)
        assert found is not None
        assert found.scenario == scenario
        assert route(question).intent is Intent.FORECAST


class TestPeriods:
    @pytest.mark.parametrize(
        ("question", "start", "end"),
        [
            ("what will revenue be next quarter by region?", "2027-01-01", "2027-04-01"),
            ("what will revenue be in March", "2027-03-01", "2027-04-01"),
            ("what will revenue be in December", "2026-12-01", "2027-01-01"),
            ("what will revenue be in Q1 2027", "2027-01-01", "2027-04-01"),
            ("revenue by the end of the year", "2026-01-01", "2027-01-01"),
            ("revenue for the rest of the year", "2026-11-21", "2027-01-01"),
            ("how many orders by quarter end", "2026-10-01", "2027-01-01"),
        ],
    )
    def test_it_ends_in_the_future(self, question: str, start: str, end: str) -> None:
        found = find_period(question, NOW, CatalogCalendar())
        assert found is not None
        bounds = resolve_window(found[0], CatalogCalendar(), NOW)
        assert bounds.start is not None
        assert bounds.end is not None
        assert (bounds.start.date().isoformat(), bounds.end.date().isoformat()) == (start, end)

    @pytest.mark.parametrize("question", ["forecast revenue", "what was revenue last quarter", "revenue in March 2025"])
    def test_the_past_is_no_period_to_forecast(self, question: str) -> None:
        assert find_period(question, NOW, CatalogCalendar()) is None


@pytest.mark.parametrize(
    "question", ["explain the forecast of revenue", "explain the revenue forecast", "explain this forecast for orders"]
)
def test_explaining_a_forecast_is_a_forecast_with_its_parts(question: str) -> None:
    assert route(question).intent is Intent.FORECAST
    assert route("explain the drop in revenue").intent is Intent.WHY
