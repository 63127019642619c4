"""Feedback becomes synonyms and verified questions, and those change what is understood."""

from __future__ import annotations

import datetime as dt

import pytest

from core.errors import Conflict, Invalid, NotFound
from nlq import learning
from nlq.understand import Understander
from semantic.query import MetricRef, SemanticQuery
from tests.sql import engine

NOW = dt.datetime(2024, 5, 15, 12, tzinfo=dt.UTC)
CATALOG = engine.catalog()


class TestSynonym:
    def test_an_approved_synonym_is_understood(self) -> None:
        metric = CATALOG.metrics[0]
        proposed = learning.synonym("zorkmids", f"metric:{metric.name}", CATALOG)
        assert Understander(CATALOG).understand("total zorkmids", as_of=NOW).outcome != "answer"
        better = learning.applied(CATALOG, proposed.kind, proposed.payload, approved_by="u1")
        found = Understander(better).understand("zorkmids", as_of=NOW)
        assert found.outcome == "answer"
        assert found.readings[0].query.metrics == (MetricRef(metric=metric.name),)

    def test_a_value_gets_another_name(self) -> None:
        proposed = learning.synonym("settled up", "value:orders.status=paid", CATALOG)
        better = learning.applied(CATALOG, proposed.kind, proposed.payload, approved_by="u1")
        assert "settled up" in better.dataset("orders").field("status").value_synonyms["paid"]

    @pytest.mark.parametrize("means", ["metric:nothing", "field:orders.nothing", "entity:nothing", "dataset:nothing"])
    def test_what_the_catalog_does_not_have_is_not_found(self, means: str) -> None:
        with pytest.raises(NotFound):
            learning.synonym("thing", means, CATALOG)

    @pytest.mark.parametrize(
        ("word", "means"), [("", "metric:revenue"), ("x" * 200, "metric:revenue"), ("thing", "revenue"), ("12", "metric:revenue")]
    )
    def test_nonsense_is_refused(self, word: str, means: str) -> None:
        with pytest.raises(Invalid):
            learning.synonym(word, means, CATALOG)

    def test_a_name_it_has_already_is_a_conflict(self) -> None:
        metric = CATALOG.metrics[0]
        with pytest.raises(Conflict):
            learning.synonym(metric.label.upper(), f"metric:{metric.name}", CATALOG)


class TestVerified:
    def test_the_same_words_replace_the_older_one(self) -> None:
        one, two = (SemanticQuery(metrics=(MetricRef(metric=m.name),)) for m in CATALOG.metrics[:2])
        catalog = CATALOG
        for query in (one, two):
            proposed = learning.verified("how is it  going?", query)
            catalog = learning.applied(catalog, proposed.kind, proposed.payload, approved_by="u1")
        assert [v.query for v in catalog.verified if v.question.startswith("how is it")] == [two]
        assert not learning.without_verified(catalog, "How is it going").verified

    def test_a_query_of_another_version_is_refused(self) -> None:
        with pytest.raises(Invalid):
            learning.applied(CATALOG, "verified", {"question": "q", "query": {"sql": "SELECT 1"}}, approved_by="u1")
