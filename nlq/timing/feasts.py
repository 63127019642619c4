"""Days with a name: public holidays of the calendar's country, the business's own days, and feasts that everyone knows."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from functools import lru_cache

from dateutil.easter import easter

from nlq.phrases import WEEKDAYS
from nlq.text import tokenise
from semantic.catalog.model import CalendarEvent, CatalogCalendar

Days = tuple[dt.date, dt.date]
# Feasts on one day of the year, wherever one is.
_FIXED: Mapping[str, tuple[int, int]] = {
    "christmas": (12, 25), "christmas day": (12, 25), "christmas eve": (12, 24), "boxing day": (12, 26), "new year day": (1, 1),
    "new year eve": (12, 31), "valentine day": (2, 14), "halloween": (10, 31), "singles day": (11, 11),
}  # fmt: skip
# Days around the fourth Thursday of November.
_NOVEMBER = {"thanksgiving": 0, "black friday": 1, "cyber monday": 4}
_EASTER = {"good friday": -2, "easter": 0, "easter sunday": 0, "easter monday": 1}


def plain(name: str) -> str:
    """A name as time phrases see it: lower case, no possessives, no signs."""
    return " ".join(t.norm for t in tokenise(name) if t.is_word or t.kind == "number")


@lru_cache(maxsize=64)
def feast_pattern(calendar: CatalogCalendar, year: int) -> re.Pattern[str]:
    """Finds the names of all feasts of a year, with a year or not, and whether the week around them is meant."""
    names = "|".join(re.escape(n) for n in sorted(feasts(calendar, year), key=lambda n: (-len(n), n)))
    return re.compile(
        rf"\b(?:(?P<before>(?:this|last)\ year)\ )?(?P<name>{names})\b(?P<week>\ week\b)?(?:\ (?:of\ |in\ )?(?P<year>(?:19|20)\d\d|(?:this|last)\ year)\b)?"
    )


@lru_cache(maxsize=256)
def feasts(calendar: CatalogCalendar, year: int) -> Mapping[str, Days]:
    """Plain name -> first day and the day after the last, for one year."""
    found: dict[str, Days] = {}
    for name, (month, number) in _FIXED.items():
        found[name] = _one(dt.date(year, month, number))
    for name, shift in _EASTER.items():
        found[name] = _one(easter(year) + dt.timedelta(days=shift))
    thursday = _nth(year, 11, "thursday", 4)
    for name, shift in _NOVEMBER.items():
        found[name] = _one(thursday + dt.timedelta(days=shift))
    for day, name in public_holidays(calendar.country, year).items():
        found.setdefault(plain(name), _one(day))
    for event in calendar.events:
        days = _event(event, year)
        if days is not None:
            found[plain(event.name)] = days
    return {name: days for name, days in found.items() if name}


@lru_cache(maxsize=512)
def public_holidays(country: str | None, year: int) -> Mapping[dt.date, str]:
    """Day -> English name; empty without a country or for one whose holidays are not known."""
    if not country:
        return {}
    import holidays

    if country not in holidays.list_supported_countries():
        return {}  # questions about holidays then say that none are known
    found = holidays.country_holidays(country, years=[year], language="en_US")
    return {day: name.split(";")[0].split("(")[0].strip() for day, name in sorted(found.items()) if day.year == year}


def _one(day: dt.date) -> Days:
    return day, day + dt.timedelta(days=1)


def _event(event: CalendarEvent, year: int) -> Days | None:
    """The days of a business's own event in a year."""
    listed = next((d for d in event.dates if d.year == year), None)
    if listed is not None:
        first = listed
    elif event.month is not None and event.weekday is not None and event.nth is not None:
        first = _nth(year, event.month, event.weekday, event.nth)
    elif event.month is not None and event.day is not None:
        first = dt.date(year, event.month, event.day)
    else:
        return None
    first += dt.timedelta(days=event.offset_days)
    return first, first + dt.timedelta(days=event.length_days)


def _nth(year: int, month: int, weekday: str, nth: int) -> dt.date:
    first = dt.date(year, month, 1)
    return first + dt.timedelta(days=(WEEKDAYS.index(weekday) - first.weekday()) % 7 + 7 * (nth - 1))
