"""What people type into the box besides plain questions: other languages, greetings, SQL, slips of the pen, questions about the data itself."""

from __future__ import annotations

import datetime as dt

import pytest

from nlq.language import language_of, looks_english
from nlq.misspelt import respelt
from nlq.spelt_numbers import joined
from nlq.text import tokenise
from nlq.types import Intent
from nlq.understand import Understander
from workers.demo.catalog import demo_catalog
from workers.demo.world import ACME

NOW = dt.datetime(2026, 5, 21, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def acme() -> Understander:
    return Understander(demo_catalog(ACME))


OTHER_LANGUAGES = (
    ("Umsatz nach Region letztes Quartal", "German"), ("Kunden in Deutschland", "German"), ("revenue par pays", "French"),
    ("combien de clients en France", "French"), ("ventas por región el mes pasado", "Spanish"), ("quanti clienti abbiamo in Italia", "Italian"),
    ("hoeveel bestellingen gisteren", "Dutch"), ("sprzedaż według regionu", "Polish"), ("vendas por região no mês passado", "Portuguese"),
)  # fmt: skip


@pytest.mark.parametrize(("question", "language"), OTHER_LANGUAGES, ids=[q for q, _ in OTHER_LANGUAGES])
def test_another_language_is_named_and_never_half_read(acme: Understander, question: str, language: str) -> None:
    found = acme.understand(question, as_of=NOW)
    assert (found.outcome, found.readings) == ("refuse", ())
    assert found.message == f"This looks like {language}. I understand questions in English only."


def test_one_unknown_english_word_makes_no_other_language() -> None:
    assert language_of("where will revenue land at year end", ["land"]) is None
    assert looks_english("umsatz pro kunde", lambda word: word in ("umsatz", "kunde"))


NO_QUESTIONS = (
    ("hello", "describe", "plain English"), ("Thanks!", "describe", "welcome"), ("are you chatgpt?", "describe", "Querent"),
    ("SELECT sum(net_amount) FROM order_lines", "refuse", "SQL page"), ("revenue by region'; DROP TABLE orders; --", "refuse", "SQL page"),
    ("alert me when revenue drops below 10k", "refuse", "Alerts page"), ("email me revenue every monday", "refuse", "Digests page"),
    ("what should I do to increase revenue?", "refuse", "no advice"), ("how fresh is the data?", "refuse", "receipt"),
)  # fmt: skip


@pytest.mark.parametrize(("text", "outcome", "said"), NO_QUESTIONS, ids=[t for t, _, _ in NO_QUESTIONS])
def test_what_asks_for_no_figure_is_told_where_it_belongs(acme: Understander, text: str, outcome: str, said: str) -> None:
    found = acme.understand(text, as_of=NOW)
    assert found.outcome == outcome
    assert said in found.message


ABOUT_DATA = (
    ("which metrics can I slice by region", "By region there are revenue"), ("how can I break down revenue?", "revenue can be split by country"),
    ("what data do you have on customers", "It has customer name"), ("what's the definition of conversion rate", "Orders per session"),
)  # fmt: skip


@pytest.mark.parametrize(("question", "said"), ABOUT_DATA, ids=[q for q, _ in ABOUT_DATA])
def test_the_data_itself_is_described(acme: Understander, question: str, said: str) -> None:
    found = acme.understand(question, as_of=NOW)
    assert found.outcome == "define"
    assert said in found.message


INTENTS = (
    ("why did sales tank in April?", Intent.WHY), ("reasons revenue fell in EMEA last month", Intent.WHY), ("what made revenue go up last quarter", Intent.WHY),
    ("was yesterday a normal day for orders", Intent.UNUSUAL), ("is revenue higher than usual this month?", Intent.UNUSUAL),
    ("anything unusual this week?", Intent.SCAN),
    ("how many orders should we expect next month", Intent.FORECAST), ("where will revenue land at year end?", Intent.FORECAST),
)  # fmt: skip


@pytest.mark.parametrize(("question", "intent"), INTENTS, ids=[q for q, _ in INTENTS])
def test_other_ways_to_ask_why_what_is_unusual_and_what_comes(acme: Understander, question: str, intent: Intent) -> None:
    found = acme.understand(question, as_of=NOW)
    assert found.outcome == "answer", found.message
    assert found.readings[0].intent is intent


@pytest.mark.parametrize(
    ("written", "value"),
    [("fifteen hundred", 1_500), ("twenty-five", 25), ("two thousand and five", 2_005), ("half a million", 500_000), ("three dozen", 36), ("one hundred and fifty", 150)],
)  # fmt: skip
def test_a_number_in_several_words_is_one(written: str, value: float) -> None:
    tokens = joined(tokenise(f"over {written} orders"), lambda _: False)
    assert [t.value for t in tokens] == [None, value, None]
    assert f"over {written} orders"[tokens[1].start : tokens[1].end] == written


def test_a_value_that_is_called_like_a_number_stays() -> None:
    assert [t.norm for t in joined(tokenise("twenty one pilots"), lambda span: len(span) > 1)] == ["twenty", "one", "pilots"]


def test_slips_are_put_right_and_other_words_are_not() -> None:
    tokens = respelt(tokenise("onyl revenue wihtout form media Lowes"), lambda _: False)
    assert [t.norm for t in tokens] == ["only", "revenue", "without", "form", "media", "lowes"]


SLOPPY = (
    ("top twenty-five products by units", "first 25"), ("revenue lst qtr", "last quarter"), ("reveune by regoin", "revenue, by region"),
    ("customers with revenue over half a million", "revenue > 500,000"), ("shipping fee average by country", "average shipping fee, by country"),
    ("revenue total by region", "revenue, by region"),
)  # fmt: skip


@pytest.mark.parametrize(("question", "said"), SLOPPY, ids=[q for q, _ in SLOPPY])
def test_sloppy_input(acme: Understander, question: str, said: str) -> None:
    found = acme.understand(question, as_of=NOW)
    assert found.outcome == "answer", found.message
    assert said in found.readings[0].paraphrase
