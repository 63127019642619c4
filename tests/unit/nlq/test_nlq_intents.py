from __future__ import annotations

import pytest

from nlq.definitions import take_definitions, without_join_hints
from nlq.intents import route
from nlq.language import looks_english
from nlq.types import Intent
from nlq.understand import Understander
from tests.sql import engine

ROUTES = [
    ("revenue by country", Intent.ASK), ("how did revenue do last quarter?", Intent.ASK), ("what's the average predicted time to graduation?", Intent.ASK),
    ("how are orders distributed by region", Intent.ASK), ("why did revenue drop in March?", Intent.WHY), ("what drove the change in orders?", Intent.WHY),
    ("forecast revenue for the next 3 months", Intent.FORECAST), ("what will revenue be by year end?", Intent.FORECAST), ("anything unusual this week?", Intent.UNUSUAL),
    ("are there anomalies in sessions?", Intent.UNUSUAL), ("what does churn mean here?", Intent.DEFINE), ("define AOV", Intent.DEFINE),
    ("how is revenue calculated?", Intent.DEFINE), ("what can I ask?", Intent.DESCRIBE), ("help", Intent.DESCRIBE), ("which metrics are there?", Intent.DESCRIBE),
]  # fmt: skip


class TestRoute:
    @pytest.mark.parametrize(("question", "intent"), ROUTES, ids=[q for q, _ in ROUTES])
    def test_intent(self, question: str, intent: Intent) -> None:
        assert route(question).intent is intent

    def test_the_rest_of_the_question_keeps_its_place(self) -> None:
        routed = route("why did revenue drop in March?")
        assert len(routed.text) == len("why did revenue drop in March?")
        assert "revenue" in routed.text
        assert "drop" not in routed.text

    def test_a_forecast_knows_its_horizon(self) -> None:
        routed = route("predict sessions by channel for the next two weeks")
        assert (routed.horizon, routed.grain) == (2, "week")


class TestDefinitions:
    def test_where_x_is_the_sum_of(self) -> None:
        text, found = take_definitions("What is the total loss by claim where total loss is the sum of a, b and c?")
        assert [(d.subject, d.expression) for d in found] == [("total loss", "sum of a, b and c")]
        assert "sum" not in text

    def test_which_is_stops_before_the_grouping(self) -> None:
        (found,) = take_definitions("What are the total loss, which is the sum of paid, reserve amount by claim number?")[1]
        assert (found.subject, found.expression) == ("total loss", "sum of paid, reserve amount")

    def test_note_that(self) -> None:
        (found,) = take_definitions("Who sold most? Note that revenue refers to the sum of sale_price in the sales table.")[1]
        assert (found.subject, found.expression) == ("revenue", "sum of sale_price in the sales table")

    def test_two_definitions_in_one_sentence(self) -> None:
        found = take_definitions("What is X and Y where X is the sum of a and b and Y is X divided by c?")[1]
        assert [d.subject for d in found] == ["X", "Y"]

    def test_nothing_is_taken_from_plain_conditions(self) -> None:
        assert take_definitions("orders where the status is pending")[1] == ()

    def test_join_hints_are_blanked(self) -> None:
        text = "Return the ids of cars that have no sales, by doing a left join from the cars to sales table."
        assert without_join_hints(text).rstrip(" .").endswith("no sales")


class TestLanguage:
    @pytest.mark.parametrize("text", ["revenue by country", "Umsatz", "café revenue in São Paulo", "123", "sales of les Halles"])
    def test_english_or_undecidable(self, text: str) -> None:
        assert looks_english(text)

    @pytest.mark.parametrize(
        "text", ["wie viele kunden sind im letzten jahr", "выручка по странам", "売上はいくらですか", "quel est le chiffre par mois"]
    )
    def test_other_languages(self, text: str) -> None:
        assert not looks_english(text)


class TestScan:
    @pytest.mark.parametrize(
        "question",
        [
            "anything I should know?", "Is there anything we need to know about this week?", "what changed this week?", "what's new?",
            "summarise EMEA", "summarize last month", "give me a summary of last quarter", "how are we doing?", "what happened yesterday?",
            "catch me up", "how did we do last month?", "how was last quarter", "KPIs this month", "how is performance in Germany",
        ],
    )  # fmt: skip
    def test_questions_about_everything_are_scans(self, question: str) -> None:
        assert route(question).intent is Intent.SCAN

    @pytest.mark.parametrize(
        "question",
        ["revenue summary by region", "what is the number of new customers", "changed orders", "new customers this week", "what changes", "anything else by region",
         "how is revenue doing", "how was revenue last month", "which KPIs are there"],
    )  # fmt: skip
    def test_questions_about_something_are_not(self, question: str) -> None:
        assert route(question).intent is not Intent.SCAN

    def test_a_summary_says_so(self) -> None:
        assert route("summarise this week").summary
        assert not route("what changed this week?").summary


class TestScanReading:
    @pytest.mark.parametrize(
        ("question", "intent"),
        [
            ("what changed this week?", Intent.SCAN), ("anything I should know?", Intent.SCAN), ("what changed in revenue last month?", Intent.WHY),
            ("summary of revenue by region", Intent.ASK), ("how was this month's revenue?", Intent.ASK),
        ],
    )  # fmt: skip
    def test_a_measure_that_is_named_is_asked_about(self, question: str, intent: Intent) -> None:
        found = Understander(engine.catalog()).understand(question, as_of=engine.AS_OF)
        assert found.outcome == "answer"
        assert found.readings[0].intent is intent

    def test_how_a_measure_is_doing_is_its_course(self) -> None:
        found = Understander(engine.catalog()).understand("how is revenue doing by region?", as_of=engine.AS_OF)
        assert [chip.label.lower() for chip in found.readings[0].chips][1:3] == ["by region", "by month"]

    def test_a_period_goes_with_it(self) -> None:
        found = Understander(engine.catalog()).understand("what changed this week?", as_of=engine.AS_OF)
        assert found.readings[0].query.time is not None
        assert len(found.readings[0].query.metrics) > 1

    def test_an_unknown_word_is_named(self) -> None:
        found = Understander(engine.catalog()).understand("what is going on with flumox?", as_of=engine.AS_OF)
        assert found.outcome == "refuse"
        assert [w.text for w in found.unknown] == ["flumox"]
