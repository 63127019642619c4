"""Numbers and days of questions as people of several places type them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.formats import USUAL, writing
from core.locales import OFFERED, formats_of
from nlq.understand import Understander
from nlq.written_numbers import as_usual
from workers.demo.catalog import demo_catalog
from workers.demo.world import WORLDS


@pytest.mark.parametrize(("tag", "text", "usual"), [
    ("de-DE", "orders above 1.234,56€", "orders above 1,234.56€"), ("de-DE", "revenue > 1.234", "revenue > 1,234"),
    ("de-DE", "discount of 2,5% or 1.5", "discount of 2.5% or 1.5"), ("de-DE", "orders 1,2,3", "orders 1,2,3"),
    ("de-DE", "over 1,234.56 in 03.2026", "over 1,234.56 in 03.2026"), ("de-DE", 'named "1.234"', 'named "1.234"'),
    ("de-DE", "on 31.12.2026 and 3/4/2026", "on 31.12.2026 and 4/3/2026"), ("en-US", "on 3/4/2026", "on 3/4/2026"),
    ("en-GB", "over 1.234,56 or 1.234.567", "over 1,234.56 or 1,234,567"), ("en-GB", "version 1.234, 1,5", "version 1.234, 1,5"),
    ("de-CH", "over 1'234.5", "over 1,234.5"), ("fr-FR", "over 12 345,5 in 2025", "over 12,345.5 in 2025"),
    ("en-IN", "over 12,34,567", "over 1,234,567"), ("en-IN", "over 1,23,45,678", "over  12,345,678"), ("de-DE", "A1.234 b-1.234", "A1.234 b-1.234"),
])  # fmt: skip
def test_are_read_as_the_asker_writes_them(tag: str, text: str, usual: str) -> None:
    assert as_usual(text, formats_of(tag)) == usual


@given(st.sampled_from(OFFERED), st.text(alphabet="0123456789.,/' \u202f\"a-", max_size=80))
@settings(max_examples=200, deadline=None)
def test_places_in_the_text_stay(tag: str, text: str) -> None:
    assert len(as_usual(text, formats_of(tag))) == len(text)
    assert as_usual("9" * 5_000, USUAL) == "9" * 5_000


def test_the_chip_shows_what_was_understood_in_the_formats_of_who_asks() -> None:
    understander = Understander(demo_catalog(WORLDS[0]))
    found = {}
    for tag, figure in (("de-DE", "1.234.567,5"), ("en-GB", "1,234,567.5")):
        with writing(formats_of(tag)):
            answer = understander.understand(f"countries with revenue over {figure}", as_of=dt.datetime(2026, 5, 20, tzinfo=dt.UTC))
        reading = answer.readings[0]
        found[tag] = reading.query
        assert f"revenue > {figure}" in [chip.label for chip in reading.chips]
        assert answer.question.endswith(figure)
    assert found["de-DE"] == found["en-GB"]
