"""Verified questions are found word for word and in nearly the same words, never across a number, date, name or negation."""

from __future__ import annotations

import datetime as dt

import pytest

from nlq.understand import Understander
from semantic.catalog.model import VerifiedQuestion
from semantic.query import Aggregate, AggregateKind, SemanticQuery
from tests.sql import engine

NOW = dt.datetime(2024, 5, 15, 12, tzinfo=dt.UTC)
# A query that no grammar would make of these words, so that a match shows.
MARK = SemanticQuery(metrics=(Aggregate(aggregate=AggregateKind.COUNT, dataset="orders"),), limit=77)


def understander(*questions: str) -> Understander:
    catalog = engine.catalog()
    return Understander(catalog.changed(verified=tuple(VerifiedQuestion(question=q, query=MARK) for q in questions)))


def is_verified(known: str, asked: str) -> bool:
    found = understander(known).understand(asked, as_of=NOW)
    return bool(found.readings) and found.readings[0].query == MARK


class TestFind:
    @pytest.mark.parametrize("asked", ["Revenue by region in 2023?", "  revenue  by region in 2023 "])
    def test_the_same_words_match(self, asked: str) -> None:
        found = understander("revenue by region in 2023").understand(asked, as_of=NOW)
        assert found.readings[0].query == MARK
        assert found.readings[0].paraphrase.startswith("Verified: ")

    @pytest.mark.parametrize(
        "asked",
        [
            "please show me the revenue by region in 2023", "what is our revenue by region in 2023?", "revenue by regions in 2023",
            "revennue by region in 2023",
        ],
    )  # fmt: skip
    def test_other_words_around_it_or_a_typo_match_and_say_so(self, asked: str) -> None:
        found = understander("revenue by region in 2023").understand(asked, as_of=NOW)
        assert found.readings[0].query == MARK
        assert "near match" in found.readings[0].paraphrase

    @pytest.mark.parametrize(
        ("known", "asked"),
        [
            ("revenue by region in 2023", "revenue by region in 2022"), ("revenue by region in 2023", "revenue by region"),
            ("revenue excluding cancelled orders", "revenue of cancelled orders"), ("orders with status paid", "orders with status open"),
            ("customers with orders", "customers without orders"), ("revenue of paid orders", "revenue of not paid orders"),
            ("top 3 customers by revenue", "top 5 customers by revenue"), ("revenue last month", "revenue this month"),
            ("highest list price", "lowest list price"), ("revenue before March 2024", "revenue after March 2024"),
            ("revenue by region", "region by revenue"), ("revenue by region", "why revenue by region"), ("salary over 100", "salary under 100"),
            ("revenue by region", "forecast revenue by region"), ("list price per category", "list price of category"),
        ],
    )  # fmt: skip
    def test_what_changes_the_answer_never_matches(self, known: str, asked: str) -> None:
        assert not is_verified(known, asked)
