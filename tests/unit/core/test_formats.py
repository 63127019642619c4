"""Figures and days as people of many places write them, and read back."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Invalid
from core.formats import USUAL, current, writing
from core.locales import OFFERED, formats_of, known, wished
from core.typed_numbers import number_typed, plain_number, typed
from insights.retold import retold
from insights.wording import bucket, number


@given(st.sampled_from(OFFERED), st.integers(-(10**12), 10**12), st.sampled_from([0, 1, 2]))
@settings(max_examples=150, deadline=None)
def test_what_is_written_reads_back_as_the_same_number(tag: str, cents: int, decimals: int) -> None:
    formats, plain = formats_of(tag), f"{cents / 100:,.{decimals}f}"
    assert number_typed(formats.figure(plain), formats) == float(plain.replace(",", ""))


@given(st.sampled_from(OFFERED), st.floats(-1e12, 1e12).map(lambda value: round(value, 4)))
@settings(max_examples=150, deadline=None)
def test_what_a_form_shows_reads_back_as_the_same_number(tag: str, value: float) -> None:
    formats = formats_of(tag)
    assert number_typed(typed(value, formats), formats) == value


@pytest.mark.parametrize(("tag", "text", "plain"), [
    ("de-DE", "1.234,56", "1234.56"), ("de-DE", "1.5", "1.5"), ("de-DE", "1,234", None), ("en-GB", "1.234,56", "1234.56"),
    ("en-IN", "12,34,567", "1234567"), ("fr-FR", "1\u202f234,5", "1234.5"), ("de-DE", "1.23.4", None), ("en-US", "", None), ("en-US", "٣", None),
])  # fmt: skip
def test_what_could_be_two_numbers_is_refused(tag: str, text: str, plain: str | None) -> None:
    assert plain_number(text, formats_of(tag)) == plain


@pytest.mark.parametrize(("tag", "money", "day", "percent"), [
    ("en-GB", "-€1.23M", "4 Mar 2024 13:05", "12.3%"), ("en-US", "-€1.23M", "Mar 4, 2024 1:05 PM", "12.3%"),
    ("de-DE", "-1,23M\xa0€", "04.03.2024 13:05", "12,3\xa0%"), ("sv-SE", "−1,23M\xa0€", "4 Mar 2024 13:05", "12,3\xa0%"),
    ("ja-JP", "-€1.23M", "2024/03/04 13:05", "12.3%"),
])  # fmt: skip
def test_one_value_in_several_formats(tag: str, money: str, day: str, percent: str) -> None:
    with writing(formats_of(tag)):
        assert number(-1_234_000, "currency:EUR", compact=True) == money
        assert bucket(dt.datetime(2024, 3, 4, 13, 5), "minute") == day
        assert number(0.123, "percent") == percent
    assert current() == USUAL


def test_proven_sentences_are_retold_but_for_their_names() -> None:
    said = "Plan 2.0 rose 12.3% to €1.23M over 27 Feb to 5 Mar 2026, from €1,400.50 on 4 Mar 2025."
    assert retold(said, ["Plan 2.0"]) == said
    with writing(formats_of("de-DE")):
        assert retold(said, ["Plan 2.0"]) == (
            "Plan 2.0 rose 12,3\xa0% to 1,23M\xa0€ over 27.02.2026 to 05.03.2026, from 1.400,50\xa0€ on 04.03.2025."
        )


def test_browsers_say_a_place_and_anything_else_is_nobody() -> None:
    assert [getattr(wished(text), "tag", None) for text in ("de,en-US;q=0.5", "en", "*;q", "q;;=", "de-AT;q=0.1, sv-SE", "fr;q=0")] == [
        "de-DE", None, None, None, "sv-SE", None,
    ]  # fmt: skip
    assert known("../etc") is None
    assert known("xx-YY") is None
    with pytest.raises(Invalid, match="de-DE"):
        formats_of("en")
