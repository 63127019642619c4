"""Atoms: single periods of a question, each read into its days and the way a query says it."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace

from dateutil.relativedelta import relativedelta

from nlq.numbers import ORDINALS, number_of
from nlq.timing.arithmetic import day_of, floor, shift, window_bounds
from nlq.timing.feasts import feast_pattern, feasts
from nlq.timing.loosely import said_loosely
from nlq.timing.patterns import ATOM, COUNT, KIND, MONTH, MONTHS, NEXT, ORD, UNIT, YEAR
from semantic.catalog.model import CatalogCalendar
from semantic.expr import Absolute, Calendar_, Rolling, Unit, Window


@dataclass(frozen=True, slots=True)
class Atom:
    """Characters [a, b) name the period [start, end); `window` is how the query says it; `year_given` for repairing "Jan to March 2023"."""

    a: int
    b: int
    start: dt.date | dt.datetime
    end: dt.date | dt.datetime
    window: Window | None
    unit: Unit
    year_given: bool = True
    bare_month: bool = False
    bare_year: bool = False


def find_atoms(text: str, today: dt.date, as_of: dt.datetime, calendar: CatalogCalendar, named: frozenset[str] = frozenset()) -> list[Atom]:
    """The single periods of a text. named: words that the catalog has itself, so that they are none (`loosely.NAMES`)."""
    found: list[Atom] = []
    matches = list(ATOM.finditer(text))
    days_first = any(m.lastgroup == "slash" and int(re.split("[/.]", m.group().strip())[0]) > 12 for m in matches)
    for match in matches:
        kind, words = match.lastgroup or "", match.group().strip()
        if kind == "slash" and days_first:
            words = words.replace("/", ".")  # "from 1/10/2026 to 15/10/2026": one question writes its dates one way
        try:
            atom = READERS[kind](words, today, calendar)
        except (ValueError, KeyError, OverflowError):
            continue
        lead = len(match.group()) - len(match.group().lstrip())
        found.append(replace(atom, a=match.start() + lead, b=match.end()))
    found = _with_shared_years(text, found)
    feasts_named = _find_feasts(text, today, calendar, found)
    loose = [atom for atom in _find_loose(text, today, calendar, named) if not any(n.a < atom.b and atom.a < n.b for n in feasts_named)]
    first = [*feasts_named, *loose]
    kept = [atom for atom in found if not any(n.a < atom.b and atom.a < n.b for n in first)]
    return sorted([*kept, *first], key=lambda atom: atom.a)


def _find_loose(text: str, today: dt.date, calendar: CatalogCalendar, named: frozenset[str]) -> list[Atom]:
    def period_of(words: str) -> tuple[dt.date, dt.date] | None:
        match = ATOM.fullmatch(words)
        if match is None:
            return None
        atom = READERS[match.lastgroup or ""](words, today, calendar)
        return day_of(atom.start), day_of(atom.end)

    said = said_loosely(text, today, calendar, period_of, named)
    return [Atom(a, b, start, end, window, unit) for a, b, (start, end, window, unit) in said]


_LISTED = re.compile(r"\A\s*(?:,|and|or|&|vs\.?|versus|against|with|to|compared (?:to|with)|than)?\s*(?:and\s)?(?:in\s|for\s|the\s)?\s*\Z")


def _with_shared_years(text: str, atoms: list[Atom]) -> list[Atom]:
    """ "January and February 2025", "H1 vs H2 2025", "November 2025 vs October": a year said once for several months or quarters is the year of all."""
    out = list(atoms)
    for i in range(len(out) - 2, -1, -1):  # said after the last
        if _shares(text, out[i], out[i + 1], giver=out[i + 1]):
            out[i] = _in_year(out[i], day_of(out[i + 1].start).year - _over_new_year(text, out[i], out[i + 1]))
    for i in range(1, len(out)):  # said after the first
        if _shares(text, out[i - 1], out[i], giver=out[i - 1]):
            out[i] = _in_year(out[i], day_of(out[i - 1].start).year + _over_new_year(text, out[i - 1], out[i]))
    return out


def _over_new_year(text: str, left: Atom, right: Atom) -> bool:
    """ "December and January 2026", "from October to March 2026": the first is of the year before; "H2 2025 vs H1" are of one year."""
    start, end, between = day_of(left.start).month, day_of(right.start).month, text[left.b : right.a].strip()
    spans = (between == "to" and "compare" not in text[: left.a]) or (
        between == "and" and re.search(r"\bbetween\s\Z", text[: left.a]) is not None
    )
    return start > end and (spans or (start, end, left.unit) == (12, 1, Unit.MONTH))


def _shares(text: str, left: Atom, right: Atom, giver: Atom) -> bool:
    taker = left if giver is right else right
    alike = left.unit is right.unit and left.unit in (Unit.MONTH, Unit.QUARTER) and left.window is None and right.window is None
    apart = day_of(left.start).month != day_of(right.start).month
    said = giver.year_given and not taker.year_given and re.search(YEAR, text[giver.a : giver.b]) is not None
    return said and alike and apart and _LISTED.match(text[left.b : right.a]) is not None


def _in_year(atom: Atom, year: int) -> Atom:
    moved = relativedelta(years=year - day_of(atom.start).year)
    return replace(atom, start=day_of(atom.start) + moved, end=day_of(atom.end) + moved, year_given=True, bare_month=False)


def _find_feasts(text: str, today: dt.date, calendar: CatalogCalendar, taken: list[Atom]) -> list[Atom]:
    """Named days ("Black Friday 2025", "around Christmas") that no other atom covers; without a year the last one."""
    found: list[Atom] = []
    for match in feast_pattern(calendar, today.year).finditer(text):
        if any(a.a < match.end("week" if match["week"] else "name") and match.start("name") < a.b for a in taken):
            continue
        given = match["year"] or match["before"]
        year = today.year - (given == "last year") if not given or given.endswith("year") else int(given)
        start, end = feasts(calendar, year).get(match["name"], (today, today))
        if not given and start > today:
            start, end = feasts(calendar, today.year - 1).get(match["name"], (start, end))
        if match["week"]:
            start = floor(start, Unit.WEEK, calendar, False)
            end = start + dt.timedelta(days=7)
        a = match.start()
        around = _AROUND.search(text[:a])
        if around is not None:
            a, start, end = around.start(), start - dt.timedelta(days=3), end + dt.timedelta(days=3)
        found.append(Atom(a, match.end(), start, end, Absolute(start=start, end=end), Unit.DAY, bool(given)))
        other = _OTHER_YEAR.match(text[match.end() :]) if given else None
        if other is not None:  # "Cyber Monday 2025 vs 2024"
            start, end = feasts(calendar, int(other["year"])).get(match["name"], (today, today))
            found.append(
                Atom(match.end() + other.start("year"), match.end() + other.end(), start, end, Absolute(start=start, end=end), Unit.DAY)
            )
    return found


_OTHER_YEAR = re.compile(rf"\A\s*(?:vs\.?|versus|compared?\ (?:to|with)|against|than)\ (?:in\ )?(?P<year>{YEAR})\b")


_AROUND = re.compile(r"\b(?:around|about|near)\ (?:the\ )?\Z")


def period(
    start: dt.date, unit: Unit, window: Window | None = None, *, year_given: bool = True, bare_month: bool = False, bare_year: bool = False
) -> Atom:
    return Atom(0, 0, start, shift(start, unit, 1), window, unit, year_given, bare_month, bare_year)


def _read_iso(text: str, _t: dt.date, _c: CatalogCalendar) -> Atom:
    year, month, day = (int(p) for p in re.split("[-/]", text))
    return period(dt.date(year, month, day), Unit.DAY)


def _read_isots(text: str, _t: dt.date, _c: CatalogCalendar) -> Atom:
    moment = dt.datetime.fromisoformat(text.upper().replace(" ", "T"))
    step = dt.timedelta(seconds=1) if text.count(":") == 2 else dt.timedelta(minutes=1)
    return Atom(0, 0, moment, moment + step, None, Unit.MINUTE)


def _read_slash(text: str, _t: dt.date, _c: CatalogCalendar) -> Atom:
    a, b, year = (int(p) for p in re.split("[/.]", text))
    year = year + 2000 if year < 100 else year
    day_first = "." in text or a > 12
    return period(dt.date(year, b, a) if day_first else dt.date(year, a, b), Unit.DAY)


def _read_ym(text: str, _t: dt.date, _c: CatalogCalendar) -> Atom:
    year, month = sorted((int(p) for p in re.split("[-/]", text)), reverse=True)
    return period(dt.date(year, month, 1), Unit.MONTH)


def _read_isoweek(text: str, _t: dt.date, _c: CatalogCalendar) -> Atom:
    numbers = [int(n) for n in re.findall(r"\d+", text)]
    year, week = (numbers[0], numbers[1]) if numbers[0] > 60 else (numbers[1], numbers[0])
    return period(dt.date.fromisocalendar(year, week, 1), Unit.WEEK)


def _month_of(text: str) -> int:
    match = re.search(rf"\b{MONTH}\b", text)
    if match is None:
        raise ValueError(text)
    return MONTHS[match.group()]


def _year_in(text: str) -> int | None:
    match = re.search(rf"\b{YEAR}(?=\b|q)", text)
    return int(match.group()) if match else None


def _said_year(text: str, today: dt.date, calendar: CatalogCalendar | None = None) -> int | None:
    """The year that a text gives, by its number or told from today's ("last year"); fiscal years are named after the one they end in."""
    told = re.search(r"\b(this|current|last|previous|prior|next) (?:calendar |fiscal )?year\b", text)
    if told is None:
        return _year_in(text)
    running = today.year
    if calendar is not None and 1 < calendar.fiscal_year_start_month <= today.month:
        running += 1
    return running + {"this": 0, "current": 0, "next": 1}.get(told[1], -1)


def _read_md(text: str, today: dt.date, _c: CatalogCalendar) -> Atom:
    year = _said_year(text, today)
    rest = re.sub(rf"\b{YEAR}\b", "", text) if year else text
    number = re.search(r"\d{1,2}", rest)
    if number is None:
        raise ValueError(text)
    day = dt.date(year or today.year, _month_of(text), int(number.group()))
    if year is None and day > today:
        day = day.replace(year=day.year - 1)
    return period(day, Unit.DAY, year_given=year is not None)


def _read_my(text: str, _t: dt.date, _c: CatalogCalendar) -> Atom:
    short = re.search(r"' (\d\d)\Z", text)
    year = 2000 + int(short[1]) if short else _year_in(text)
    if year is None:
        raise ValueError(text)
    return period(dt.date(year, _month_of(text), 1), Unit.MONTH)


def _read_month(text: str, today: dt.date, _c: CatalogCalendar) -> Atom:
    words = text.split()
    if words[-1] == "year":
        # "March last year"
        month = next(MONTHS[w] for w in words if w in MONTHS)
        return period(dt.date(today.year - ("this" not in words), month, 1), Unit.MONTH)
    start = dt.date(today.year, MONTHS[words[-1]], 1)
    if len(words) > 1:
        # "last April" is a year before "this April"; "next April" is the one to come.
        years = {"this": 0, "last": -1, "previous": -1}.get(words[0], 0 if start > today else 1)
        return period(start.replace(year=start.year + years), Unit.MONTH)
    if start > today:
        start = start.replace(year=start.year - 1)
    return period(start, Unit.MONTH, year_given=False, bare_month=True)


def _read_year(text: str, _t: dt.date, _c: CatalogCalendar) -> Atom:
    year = _year_in(text)
    if year is None:
        raise ValueError(text)
    return period(dt.date(year, 1, 1), Unit.YEAR, bare_year=text.isdigit())


def _read_quarter(text: str, today: dt.date, calendar: CatalogCalendar) -> Atom:
    fiscal = "fiscal" in text or "fy" in text
    digit = re.search(r"q([1-4])\b|q([1-4])(?=[ '/f])|([1-4]) ?q", text)
    number = int(next(filter(None, digit.groups()))) if digit else ORDINALS[re.search(ORD, text).group()]  # type: ignore[union-attr]
    short = re.search(r"(?:['/y] ?|q ?)(\d\d)\b|\b(\d\d) ?q", text)
    year = _said_year(text, today, calendar if fiscal else None) or (2000 + int(short[1] or short[2]) if short else None)
    if year is None and re.match(r"(?:last|previous|this|next) q", text):  # "last Q4" is a year before this Q4, as "last April" is
        year = today.year + {"this": 0, "next": 1}.get(text.split()[0], -1)
    shift = calendar.fiscal_year_start_month - 1 if fiscal else 0
    start = dt.date(year or today.year, 3 * number - 2, 1) + relativedelta(months=shift)
    if fiscal and shift:
        start = start - relativedelta(years=1)
    if year is None and start > today:
        start = start - relativedelta(years=1)
    return period(start, Unit.QUARTER, year_given=year is not None)


def _read_part(text: str, today: dt.date, calendar: CatalogCalendar) -> Atom:
    """ "the last quarter of 2025", "first week of October": the first whole or last piece that the period holds."""
    year, unit = _year_in(text), _unit_in(text)
    inside = re.search(rf"\b{MONTH}\b", text)
    whole = _read_month(inside.group(), today, calendar) if inside else period(dt.date(year or today.year, 1, 1), Unit.YEAR)
    if inside and year is not None:
        whole = period(dt.date(year, MONTHS[inside.group()], 1), Unit.MONTH)
    last = not re.match(r"(?:the )?first\b", text)
    if unit is Unit.WEEK:  # seven days, whatever the weekday
        week = dt.timedelta(days=7)
        ends = (day_of(whole.end) - week, day_of(whole.end)) if last else (day_of(whole.start), day_of(whole.start) + week)
        return Atom(0, 0, *ends, None, unit, year is not None)
    start = day_of(whole.start) if not last else floor(day_of(whole.end) - dt.timedelta(days=1), unit, calendar, False)
    end = shift(floor(start, unit, calendar, False), unit, 1)
    return Atom(0, 0, start, min(end, day_of(whole.end)), None, unit, year is not None)


def _read_days(text: str, today: dt.date, calendar: CatalogCalendar) -> Atom:
    """ "1 to 15 October", "October 1 - 15 2025": days of one month, the last one included."""
    year = _year_in(text)
    first, last = (int(n) for n in re.findall(r"\d{1,2}", re.sub(rf"\b{YEAR}\b", "", text) if year else text)[:2])
    start = dt.date(year or today.year, _month_of(text), first)
    end = start.replace(day=last) + dt.timedelta(days=1)
    if end <= start:
        raise ValueError(text)
    if year is None and start > today:
        start, end = start - relativedelta(years=1), end - relativedelta(years=1)
    return Atom(0, 0, start, end, None, Unit.DAY, year is not None)


def _read_half(text: str, today: dt.date, calendar: CatalogCalendar) -> Atom:
    second = bool(re.search(r"h2|second|2nd", text))
    year = _said_year(text, today) or (today.year if text.endswith(" year") else None)
    inside = re.search(rf"\b{MONTH}\b", text)
    if inside:
        month = day_of((_read_my if year else _read_month)(text[inside.start() :], today, calendar).start)
        middle, after = month.replace(day=16), shift(month, Unit.MONTH, 1)
        return Atom(0, 0, middle if second else month, after if second else middle, None, Unit.DAY, year is not None)
    start = dt.date(year or today.year, 7 if second else 1, 1)
    if year is None and start > today:
        start = start - relativedelta(years=1)
    return Atom(0, 0, start, start + relativedelta(months=6), None, Unit.QUARTER, year is not None)


def _read_fy(text: str, _t: dt.date, calendar: CatalogCalendar) -> Atom:
    number = int(re.findall(r"\d+", text)[0])
    year = number + 2000 if number < 100 else number
    month = calendar.fiscal_year_start_month
    return period(dt.date(year if month == 1 else year - 1, month, 1), Unit.YEAR)


def _unit_in(text: str) -> Unit:
    match = re.search(rf"\b({UNIT})s?\b", text)
    if match is None:
        raise ValueError(text)
    return Unit(match[1])


def _count_in(text: str) -> int:
    words = text.split()
    for i, word in enumerate(words):
        if word in ("a", "one"):
            if i + 1 < len(words) and words[i + 1] == "couple":
                return 2
            return 1
        if word in ("few", "several"):
            return 3
        value = number_of(word)
        if value is not None:
            following = number_of(words[i + 1]) if i + 1 < len(words) else None
            return int(value + (following or 0)) if following and value in range(20, 100, 10) and following < 10 else int(value)
    raise ValueError(text)


def _read_rolling(text: str, today: dt.date, calendar: CatalogCalendar) -> Atom:
    unit, count = _unit_in(text), _count_in(text) if re.search(rf"\b{COUNT}\b", text) else 1
    if not 1 <= count <= 10_000:
        raise ValueError(text)
    future = bool(re.match(NEXT, text))
    period = bool(re.search(r"\b(?:full|complete|completed|whole|calendar|iso|entire|fiscal)\b", text))
    window = Rolling(
        count=count, unit=unit, anchor="period" if period else "now", direction="future" if future else "past", fiscal="fiscal" in text
    )
    if unit in (Unit.HOUR, Unit.MINUTE, Unit.SECOND):
        return Atom(0, 0, today, today + dt.timedelta(days=1), window, unit)
    start, end = window_bounds(window, dt.datetime.combine(today, dt.time()), calendar)
    if start is None or end is None:
        raise ValueError(text)
    if future:
        start, end = today, shift(today, unit, count)
    return Atom(0, 0, start, end, window, unit)


def _read_rel(text: str, today: dt.date, calendar: CatalogCalendar) -> Atom:
    unit, fiscal = _unit_in(text), "fiscal" in text
    if re.match(r"past\b|trailing\b", text) and not re.search(KIND, text):
        window: Window = Rolling(count=1, unit=unit)
        return Atom(0, 0, shift(today, unit, -1), today + dt.timedelta(days=1), window, unit)
    offset = 0 if re.match(r"this|current", text) else 1 if re.match(NEXT, text) else -1
    start = shift(floor(today, unit, calendar, fiscal), unit, offset)
    return period(start, unit, Calendar_(unit=unit, offset=offset, fiscal=fiscal))


_TO_DATE = {"ytd": "year", "mtd": "month", "qtd": "quarter", "wtd": "week", "fytd": "year", "fqtd": "quarter"}


def _read_todate(text: str, today: dt.date, calendar: CatalogCalendar) -> Atom:
    fiscal = "fiscal" in text or text.startswith("f")
    unit = Unit(_TO_DATE[text]) if text in _TO_DATE else _unit_in(text)
    start = floor(today, unit, calendar, fiscal)
    return Atom(0, 0, start, today + dt.timedelta(days=1), Calendar_(unit=unit, to_date=True, fiscal=fiscal), unit)


def _read_ago(text: str, today: dt.date, calendar: CatalogCalendar) -> Atom:
    unit, count = _unit_in(text), _count_in(text)
    start = shift(floor(today, unit, calendar, False), unit, -count)
    return period(start, unit, Calendar_(unit=unit, offset=-count))


def _read_day(text: str, today: dt.date, _c: CatalogCalendar) -> Atom:
    offset = {"today": 0, "right now": 0, "yesterday": -1, "tomorrow": 1, "the day before yesterday": -2}[text]
    return period(today + dt.timedelta(days=offset), Unit.DAY, Calendar_(unit=Unit.DAY, offset=offset))


READERS = {
    "days": _read_days,
    "iso": _read_iso, "isots": _read_isots, "slash": _read_slash, "ym": _read_ym, "isoweek": _read_isoweek, "md": _read_md, "dm": _read_md,
    "my": _read_my, "month": _read_month, "year": _read_year, "quarter": _read_quarter, "part": _read_part, "half": _read_half, "fy": _read_fy, "rolling": _read_rolling,
    "rel": _read_rel, "todate": _read_todate, "ago": _read_ago, "day": _read_day,
}  # fmt: skip
