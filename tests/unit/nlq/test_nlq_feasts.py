"""Days with a name, as time phrases and as conditions."""

from __future__ import annotations

import datetime as dt

import pytest

from nlq.text import tokenise
from nlq.timing.feasts import feasts, public_holidays
from nlq.timing.phrases import find_time_phrases
from semantic.catalog.model import CalendarEvent, CatalogCalendar
from semantic.expr import Absolute

NOW = dt.datetime(2026, 5, 21, 12, tzinfo=dt.UTC)
GERMANY = CatalogCalendar(country="DE", events=(CalendarEvent(name="Spring fair", month=3, day=10, length_days=4),))


def window(text: str, calendar: CatalogCalendar = GERMANY) -> tuple[object, object]:
    (phrase,) = find_time_phrases(tokenise(text), NOW, calendar)
    assert isinstance(phrase.window, Absolute)
    return phrase.window.start, phrase.window.end


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("orders on Black Friday 2025", dt.date(2025, 11, 28), dt.date(2025, 11, 29)),
        ("orders on Black Friday", dt.date(2025, 11, 28), dt.date(2025, 11, 29)),
        ("orders around Christmas 2025", dt.date(2025, 12, 22), dt.date(2025, 12, 29)),
        ("orders in the week before Christmas 2025", dt.date(2025, 12, 18), dt.date(2025, 12, 25)),
        ("orders in the 3 days after Cyber Monday 2025", dt.date(2025, 12, 2), dt.date(2025, 12, 5)),
        ("orders on Easter Monday", dt.date(2026, 4, 6), dt.date(2026, 4, 7)),
        ("orders during the spring fair", dt.date(2026, 3, 10), dt.date(2026, 3, 14)),
        ("orders on German Unity Day 2025", dt.date(2025, 10, 3), dt.date(2025, 10, 4)),
        ("orders since New Year's Day", dt.date(2026, 1, 1), None),
        ("orders between Black Friday and Christmas 2025", dt.date(2025, 11, 28), dt.date(2025, 12, 26)),
    ],
)
def test_named_days(text: str, start: dt.date, end: dt.date | None) -> None:
    assert window(text) == (start, end)


def test_a_country_brings_its_own_holidays() -> None:
    assert "german unity day" in feasts(GERMANY, 2025)
    assert "german unity day" not in feasts(CatalogCalendar(), 2025)


def test_no_country_or_an_unknown_one_has_no_public_holidays() -> None:
    assert public_holidays(None, 2025) == {}
    assert public_holidays("XX", 2025) == {}
    assert dt.date(2025, 12, 25) in public_holidays("DE", 2025)
