"""Words that nothing here is called, but that mean what something here is called: asked about, never answered in silence."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from nlq.meaning.nearest import LEAST, Meanings
from nlq.meaning.rephrase import rephrased
from nlq.meaning.vectors import load, save, shipped
from nlq.types import Span, UnknownWord
from nlq.understand import Understander
from tests.sql import engine

NOW = dt.datetime(2024, 5, 15, 12, tzinfo=dt.UTC)


def cosine(a: str, b: str) -> float:
    one, two = shipped().encode(a), shipped().encode(b)
    assert one is not None
    assert two is not None
    return float(one @ two)


class TestVectors:
    @pytest.mark.parametrize(
        ("near", "far", "to"),
        [("money in", "weather", "revenue"), ("headcount", "discount", "employees"), ("clients", "countries", "customers"), ("takings", "age", "revenue"),
         ("footfall", "weight", "visits"), ("money out", "names", "cost")],
    )  # fmt: skip
    def test_meaning_is_nearer_than_spelling(self, near: str, far: str, to: str) -> None:
        assert cosine(near, to) > max(LEAST, cosine(far, to))

    @pytest.mark.parametrize("word", ["atlantis", "weather", "moon"])
    def test_what_has_nothing_to_do_with_business_is_near_nothing(self, word: str) -> None:
        assert max(cosine(word, name) for name in ("revenue", "orders", "customers", "cost", "region")) < LEAST

    def test_unknown_letters_have_no_vector(self) -> None:
        assert shipped().encode("zxqv 123 ___") is None

    def test_a_saved_table_reads_back(self, tmp_path) -> None:  # type: ignore[no-untyped-def]
        save(tmp_path / "t.npz", ["a", "b c"], np.array([[1.0, 0.0], [0.0, 2.0]], np.float32), np.array([1.0, 1.0]), {})
        again = load(tmp_path / "t.npz")
        assert "b c" in again
        assert again.encode("B  C") == pytest.approx([0.0, 1.0])


class TestUnderstand:
    @pytest.mark.parametrize(
        ("question", "meant"), [("money in by region", "revenue"), ("takings last month", "revenue"), ("headcount by region", "employee")]
    )  # fmt: skip
    def test_a_near_name_is_asked_about(self, question: str, meant: str) -> None:
        found = Understander(engine.catalog()).understand(question, as_of=NOW)
        assert found.outcome in ("clarify", "answer")
        assert meant in (found.readings[0].paraphrase + found.message).lower()
        if found.outcome == "clarify":
            assert found.unknown
            assert found.readings[0].confidence < 0.9

    @pytest.mark.parametrize("question", ["weather by region", "revenue by blood type", "flumox last month", "revenue in Atlantis", "zxqv"])
    def test_what_means_nothing_here_stays_refused(self, question: str) -> None:
        found = Understander(engine.catalog()).understand(question, as_of=NOW)
        assert found.outcome == "refuse"
        assert found.unknown


class TestRephrased:
    def test_names_and_numbers_are_never_replaced(self) -> None:
        meanings = Meanings(engine.catalog())
        question = "revenue in Income City"
        assert rephrased(question, [UnknownWord("Income", Span(11, 17))], meanings) == []
        assert rephrased("revenue 7x", [UnknownWord("7x", Span(8, 10))], meanings) == []

    def test_three_unknown_words_are_too_many_to_guess(self) -> None:
        words = [UnknownWord(w, Span(i, i + len(w))) for i, w in ((0, "takings"), (8, "clients"), (16, "footfall"))]
        assert rephrased("takings clients footfall", words, Meanings(engine.catalog())) == []
