"""Periods as people say them: "since Monday", "last summer", "week 42", "the first ten days of October", "late March", "TTM"."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator

from dateutil.relativedelta import relativedelta

from nlq.numbers import number_of
from nlq.phrases import WEEKDAYS
from nlq.timing.arithmetic import floor, shift
from nlq.timing.patterns import COUNT, MONTH, YEAR
from semantic.catalog.model import CatalogCalendar
from semantic.expr import Calendar_, Rolling, Unit, Window

# Where a period begins and ends, how a query says it, and its unit; None where these words are no period.
Said = tuple[dt.date, dt.date, Window | None, Unit]
PeriodOf = Callable[[str], tuple[dt.date, dt.date] | None]

_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
# Most of the people of these countries live where July is winter.
_SOUTHERN = frozenset("AR AU BO BR BW CL LS MG MU MZ NA NZ PE PY SZ UY ZA ZM ZW".split())
# Words that a catalog may have itself, as a value or a name: then they are no period.
NAMES = frozenset((*WEEKDAYS, *_SEASONS, "week"))

_WEEKDAY = "|".join(WEEKDAYS)
_WHOLE = rf"(?:{MONTH}(?:\ {YEAR})?|{YEAR}|q[1-4](?:\ {YEAR})?|(?:this|last|the\ previous)\ (?:month|quarter|year))"
LOOSE = re.compile(
    rf"""
    (?<!\bblack\ )(?<!\bcyber\ )(?<!\bgood\ )(?<!\beaster\ )(?<!\ba\ )(?<!\bby\ )(?<!\bper\ )(?<!\bany\ )(?<!\beach\ )(?<!\bevery\ )(?<!\bwhich\ )(?<!\bwhat\ )
      (?<!day\ and\ )(?<!day\ or\ )(?<!day\ to\ )(?<!day\ ,\ )
    \b(?:(?P<whichday>this\ past|last|past|previous|this|next|the)\ )?(?P<weekday>{_WEEKDAY})\b
      (?!\ (?:morning|afternoon|evening|night)s?\b|\ ?(?:to|through|thru|and|or|-|,|/)\ (?:and\ )?(?:{_WEEKDAY}))
  | \b(?:(?P<whichseason>last|past|previous|this|the|in|in\ the)\ )?(?P<season>spring|summer|autumn|fall|winter)
      (?:\ (?:of\ )?(?P<seasonyear>{YEAR}|(?:last|this)\ year))?\b
  | \b(?:calendar\ |iso\ )?(?:week|kw|cw|wk)\ (?:number\ |no\.?\ )?(?P<weekno>\d{{1,2}})\b
      (?!\ ?(?:of\ |in\ |,\ )?(?:the\ year\ )?{YEAR}\b)(?:\ (?:of\ |in\ )?(?P<weekyear>last|this)\ year\b)?
  | \b(?:the\ )?(?P<end>first|last|final)\ (?P<count>{COUNT})\ (?P<unit>day|week|month)s?\ of\ (?:the\ )?(?P<whole>{_WHOLE})\b
  | \b(?P<third>early|mid|late)\ ?-?\ ?(?P<month>{MONTH}(?:\ {YEAR})?)\b
  | \b(?:since|from)\ (?:the\ )?(?:start|beginning)\ of\ (?:the|this)\ (?:current\ )?(?P<since>(?:fiscal\ )?(?:week|month|quarter|year))\b(?!\ {YEAR})
      (?:\ (?:on|onwards?|until\ now|to\ date|till\ now|to\ today|until\ today))?
  | \b(?:ttm|ltm|(?:last|past|l|t|r)(?P<rolling>\d{{1,3}})(?P<rollingunit>[dwm]))\b
    """,
    re.VERBOSE,
)


def said_loosely(
    text: str, today: dt.date, calendar: CatalogCalendar, period_of: PeriodOf, named: frozenset[str]
) -> Iterator[tuple[int, int, Said]]:
    """Characters [a, b) of every such period, and what it is. period_of: the days of a plain one; named: words that the catalog has itself."""
    for match in LOOSE.finditer(text):
        try:
            said = _read(match, today, calendar, period_of, named)
        except (ValueError, OverflowError):
            continue
        if said is not None:
            yield match.start(), match.end(), said


def _read(match: re.Match[str], today: dt.date, calendar: CatalogCalendar, period_of: PeriodOf, named: frozenset[str]) -> Said | None:
    if match["weekday"]:
        return None if match["weekday"] in named else _weekday(match["whichday"] or "", match["weekday"], today, calendar)
    if match["season"]:
        return None if match["season"] in named else _season(match, today, calendar)
    if match["weekno"]:
        return None if "week" in named else _numbered_week(int(match["weekno"]), match["weekyear"], today)
    if match["whole"]:
        return _piece(match, period_of)
    if match["third"]:
        return _third(match["third"], period_of(match["month"]))
    if match["since"]:
        unit, fiscal = Unit(match["since"].split()[-1]), match["since"].startswith("fiscal")
        return floor(today, unit, calendar, fiscal), today + dt.timedelta(days=1), Calendar_(unit=unit, to_date=True, fiscal=fiscal), unit
    count = int(match["rolling"] or 12)
    unit = {"d": Unit.DAY, "w": Unit.WEEK, "m": Unit.MONTH}[match["rollingunit"] or "m"]
    return shift(today, unit, -count), today + dt.timedelta(days=1), Rolling(count=count, unit=unit), unit


def _weekday(which: str, name: str, today: dt.date, calendar: CatalogCalendar) -> Said:
    """The last such day before today, of this week, to come, or else the last one that has begun."""
    ago = (today.weekday() - WEEKDAYS.index(name)) % 7
    if which == "this":
        first = floor(today, Unit.WEEK, calendar, False)
        day = first + dt.timedelta(days=(WEEKDAYS.index(name) - first.weekday()) % 7)
    elif which == "next":
        day = today + dt.timedelta(days=7 - ago)
    else:
        day = today - dt.timedelta(days=7 if not ago and which not in ("", "the") else ago)
    return day, day + dt.timedelta(days=1), None, Unit.DAY


def _season(match: re.Match[str], today: dt.date, calendar: CatalogCalendar) -> Said | None:
    """Three whole months, as meteorologists count them; "winter 2025" begins in that year. "fall" alone may be a verb."""
    which, given = match["whichseason"] or "", match["seasonyear"]
    if match["season"] == "fall" and not which:
        return None
    month = _SEASONS[match["season"]]
    month = (month + 5) % 12 + 1 if calendar.country in _SOUTHERN else month
    year = today.year
    if given:
        year = int(given) if given.isdigit() else year - (given == "last year")
    start = dt.date(year, month, 1)
    months = relativedelta(months=3)
    begun = start <= today if which in ("", "this", "the", "in", "in the") else start + months <= today
    if not given and not begun:
        start -= relativedelta(years=1)
    return start, start + months, None, Unit.QUARTER


def _numbered_week(number: int, which: str | None, today: dt.date) -> Said:
    year = today.isocalendar().year - (which == "last")
    start = dt.date.fromisocalendar(year, number, 1)
    if which is None and start > today:
        start = dt.date.fromisocalendar(year - 1, number, 1)
    return start, start + dt.timedelta(days=7), None, Unit.WEEK


def _piece(match: re.Match[str], period_of: PeriodOf) -> Said | None:
    """ "the first ten days of October": so much of a period from one of its ends."""
    whole, count, unit = period_of(match["whole"]), int(number_of(match["count"]) or 1), Unit(match["unit"])
    if whole is None:
        return None
    start, end = whole
    inside = (start, shift(start, unit, count)) if match["end"] == "first" else (shift(end, unit, -count), end)
    return (*inside, None, unit) if start <= inside[0] and inside[1] <= end else None


def _third(which: str, month: tuple[dt.date, dt.date] | None) -> Said | None:
    if month is None:
        return None
    tenth, twentieth = month[0] + dt.timedelta(days=10), month[0] + dt.timedelta(days=20)
    start, end = {"early": (month[0], tenth), "mid": (tenth, twentieth), "late": (twentieth, month[1])}[which]
    return start, end, None, Unit.DAY
