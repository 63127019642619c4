from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pytest

from nlq.text import tokenise
from nlq.timing.phrases import TimePhrase, find_time_phrases
from semantic.catalog.model import CatalogCalendar
from semantic.expr import Absolute, Calendar_, Rolling, Unit, Window

AS_OF = dt.datetime(2024, 5, 15, 12, tzinfo=dt.UTC)
CALENDAR = CatalogCalendar(fiscal_year_start_month=4)


def phrases(text: str) -> tuple[TimePhrase, ...]:
    return find_time_phrases(tokenise(text), AS_OF, CALENDAR)


def day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def between(start: str | None, end: str | None) -> Absolute:
    return Absolute(start=day(start), end=day(end))


RELATIVE: list[tuple[str, Window]] = [
    ("today", Calendar_(unit=Unit.DAY)),
    ("yesterday", Calendar_(unit=Unit.DAY, offset=-1)),
    ("this week", Calendar_(unit=Unit.WEEK)),
    ("last week (exclusive of the current week)", Calendar_(unit=Unit.WEEK, offset=-1)),
    ("the whole of the previous ISO week not including the current week", Calendar_(unit=Unit.WEEK, offset=-1)),
    ("last month", Calendar_(unit=Unit.MONTH, offset=-1)),
    ("this fiscal year", Calendar_(unit=Unit.YEAR, fiscal=True)),
    ("last fiscal quarter", Calendar_(unit=Unit.QUARTER, offset=-1, fiscal=True)),
    ("YTD", Calendar_(unit=Unit.YEAR, to_date=True)),
    ("month to date", Calendar_(unit=Unit.MONTH, to_date=True)),
    ("quarter-to-date", Calendar_(unit=Unit.QUARTER, to_date=True)),
    ("this year so far", Calendar_(unit=Unit.YEAR, to_date=True)),
    ("fiscal year to date", Calendar_(unit=Unit.YEAR, to_date=True, fiscal=True)),
    ("past 30 days, inclusive of 30 days ago", Rolling(count=30, unit=Unit.DAY)),
    ("last 7 days, inclusive of today", Rolling(count=7, unit=Unit.DAY)),
    ("last 12 months", Rolling(count=12, unit=Unit.MONTH)),
    ("the past month, inclusive of 1 month ago", Rolling(count=1, unit=Unit.MONTH)),
    ("last 8 weeks excluding the current week", Rolling(count=8, unit=Unit.WEEK, anchor="period")),
    ("last 8 calendar weeks (excluding the current week)", Rolling(count=8, unit=Unit.WEEK, anchor="period")),
    ("last three full months", Rolling(count=3, unit=Unit.MONTH, anchor="period")),
    ("next 2 weeks", Rolling(count=2, unit=Unit.WEEK, direction="future")),
    ("3 months ago", Calendar_(unit=Unit.MONTH, offset=-3)),
]
FIXED = [
    ("in 2022", "2022-01-01", "2023-01-01"),
    ("the year 2020", "2020-01-01", "2021-01-01"),
    ("Q1 2023", "2023-01-01", "2023-04-01"),
    ("2023-Q2", "2023-04-01", "2023-07-01"),
    ("the first quarter of 2023", "2023-01-01", "2023-04-01"),
    ("1st quarter of 2023", "2023-01-01", "2023-04-01"),
    ("Q3", "2023-07-01", "2023-10-01"),
    ("H1 2023", "2023-01-01", "2023-07-01"),
    ("in the first half of last year", "2023-01-01", "2023-07-01"),
    ("second half of April", "2024-04-16", "2024-05-01"),
    ("between 1 and 15 April", "2024-04-01", "2024-04-16"),
    ("from April 1 to 15, 2023", "2023-04-01", "2023-04-16"),
    ("20-25 October", "2023-10-20", "2023-10-26"),
    ("since Black Friday last year", "2023-11-24", None),
    ("in Christmas week 2023", "2023-12-25", "2024-01-01"),
    ("FY2024", "2023-04-01", "2024-04-01"),
    ("March 2023", "2023-03-01", "2023-04-01"),
    ("in March", "2024-03-01", "2024-04-01"),
    ("in November", "2023-11-01", "2023-12-01"),
    ("on Apr 1, 2023", "2023-04-01", "2023-04-02"),
    ("on the 1st of April 2023", "2023-04-01", "2023-04-02"),
    ("on 4/1/2023", "2023-04-01", "2023-04-02"),
    ("on 2023-04-01", "2023-04-01", "2023-04-02"),
    ("week 12 of 2023", "2023-03-20", "2023-03-27"),
    ("2023-W12", "2023-03-20", "2023-03-27"),
    ("between Jan 1, 2023 and Mar 31, 2023 (inclusive of start and end dates)", "2023-01-01", "2023-04-01"),
    ("from April 1 2023 to April 4 2023", "2023-04-01", "2023-04-05"),
    ("between 2022 and 2023 (both inclusive)", "2022-01-01", "2024-01-01"),
    ("between January and March 2023", "2023-01-01", "2023-04-01"),
    ("June 2021 through December 2021", "2021-06-01", "2022-01-01"),
    ("from October to March 2023", "2022-10-01", "2023-04-01"),
    ("November 2022 to February", "2022-11-01", "2023-03-01"),
    ("between December 2022 and January", "2022-12-01", "2023-02-01"),
    ("on or after Apr 1, 2023", "2023-04-01", None),
    ("since March", "2024-03-01", None),
    ("since last month", "2024-04-01", None),
    ("after 2022", "2023-01-01", None),
    ("before 2024-02-03", None, "2024-02-03"),
    ("until March 2023", None, "2023-04-01"),
    ("as of 2024-01-31", None, "2024-02-01"),
]


class TestOnePhrase:
    @pytest.mark.parametrize(("text", "window"), RELATIVE, ids=[t for t, _ in RELATIVE])
    def test_relative(self, text: str, window: Window) -> None:
        (found,) = phrases(f"revenue {text}?")
        assert found.window == window

    @pytest.mark.parametrize(("text", "start", "end"), FIXED, ids=[t for t, *_ in FIXED])
    def test_fixed(self, text: str, start: str | None, end: str | None) -> None:
        (found,) = phrases(f"revenue {text}?")
        assert found.window == between(start, end)


class TestWhatIsNoTime:
    @pytest.mark.parametrize(
        "text",
        [
            "more than 2000 sales",
            "rating above 2010",
            "may I see sales",
            "top 2020",
            "a march on sales",
            "last name",
            "the second customer",
        ],
    )
    def test_numbers_and_words_that_look_like_dates(self, text: str) -> None:
        assert phrases(text) == ()

    def test_quoted_text_is_never_time(self) -> None:
        assert phrases('papers in "Research Papers 2020"') == ()


class TestSeveral:
    def test_two_periods_stay_two(self) -> None:
        assert [p.window for p in phrases("revenue this year vs last year")] == [
            Calendar_(unit=Unit.YEAR),
            Calendar_(unit=Unit.YEAR, offset=-1),
        ]

    def test_phrases_do_not_overlap(self) -> None:
        found = phrases("sales in Q1 2023 and Q2 2023 and on 2023-07-01 and last week")
        assert all(a.end <= b.start for a, b in pairwise(found))
        assert len(found) == 4
