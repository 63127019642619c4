from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlq.numbers import number_of
from nlq.text import keys_of, lemma, tokenise, words_of


class TestTokenise:
    def test_keeps_the_place_of_every_token(self) -> None:
        question = "Revenue for “New York” in Q1 2023, over $1.5k?"
        for token in tokenise(question):
            assert 0 <= token.start < token.end <= len(question)

    def test_quotes_make_one_token(self) -> None:
        assert [t.text for t in tokenise("named \"Data Science\" and `cid` or 'buy'") if t.kind == "quoted"] == [
            "Data Science",
            "cid",
            "buy",
        ]

    def test_possessives_and_contractions_are_undone(self) -> None:
        assert [t.norm for t in tokenise("customer's haven't don't")] == ["customer", "have", "not", "do", "not"]

    def test_dates_and_numbers_are_whole(self) -> None:
        assert [t.text for t in tokenise("2023-04-01 30,000 $30,000 4/1/2023 60M")] == [
            "2023-04-01",
            "30,000",
            "$30,000",
            "4/1/2023",
            "60M",
        ]

    @given(st.text(max_size=300))
    def test_never_fails(self, text: str) -> None:
        tokens = tokenise(text)
        assert len(tokens) <= 600
        assert all(a.start <= b.start for a, b in pairwise(tokens))


class TestLemma:
    @pytest.mark.parametrize(
        "words",
        [
            ("hire", "hired", "hires", "hiring"),
            ("city", "cities"),
            ("sell", "sold", "selling"),
            ("price", "prices", "pricing"),
            ("ad", "ads"),
        ],
    )
    def test_one_key_for_all_inflections(self, words: tuple[str, ...]) -> None:
        assert len({lemma(w) for w in words}) == 1

    @pytest.mark.parametrize("pair", [("news", "new"), ("status", "stat"), ("business", "busy")])
    def test_different_words_stay_apart(self, pair: tuple[str, str]) -> None:
        assert lemma(pair[0]) != lemma(pair[1])


class TestNames:
    def test_identifiers_split_into_words(self) -> None:
        assert words_of("abTxClosingDateStr") == ("ab", "tx", "closing", "date", "str")
        assert keys_of("vin_numbers") == ("vin", "number")


class TestNumberOf:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("1,200", 1200),
            ("$1k", 1000),
            ("60M", 60e6),
            ("4.5%", 4.5),
            ("twenty-five", 25),
            ("dozen", 12),
            ("3 million", 3e6),
            ("0.5", 0.5),
        ],
    )
    def test_as_people_write_them(self, text: str, value: float) -> None:
        assert number_of(text) == value

    @pytest.mark.parametrize("text", ["", "apple", "k", "$", "1.2.3", "--5"])
    def test_none_for_what_is_no_number(self, text: str) -> None:
        assert number_of(text) is None
