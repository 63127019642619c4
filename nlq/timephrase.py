"""Time phrases -> windows: "last 8 weeks excluding the current week", "Q1 2023", "on or after Jan 1, 2023", "FYTD".

Atoms (one period each) are found first; then what stands around them (between/and, since, before, excluding the current ...) shapes the window.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dateutil.relativedelta import relativedelta

from nlq.numbers import ORDINALS, number_of
from nlq.text import Token
from semantic.catalog.model import CatalogCalendar
from semantic.expr import Absolute, Calendar_, Rolling, Unit, Window


@dataclass(frozen=True, slots=True)
class TimePhrase:
    """Tokens [start, end) say this window. `point` marks a single day or instant; `ago` a distance back from now ("3 months ago")."""

    start: int
    end: int
    window: Window
    label: str
    point: bool = False


@dataclass(frozen=True, slots=True)
class _Atom:
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


_MONTHS = {
    name: i
    for i, names in enumerate(
        ("january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug", "september sept sep", "october oct",
         "november nov", "december dec"), 1)
    for name in names.split()
}  # fmt: skip
_MONTH = "(?:" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + ")"
_YEAR = r"(?:19|20)\d\d"
_ORD = r"(?:first|second|third|fourth|1st|2nd|3rd|4th)"
_DAYNUM = r"(?:\d{1,2})(?:\ ?(?:st|nd|rd|th))?"
_UNIT = r"(?:second|minute|hour|day|week|month|quarter|year)"
_LAST = r"(?:last|past|previous|prior|preceding|trailing|most\ recent|latest)"
_NEXT = r"(?:next|coming|upcoming|following)"
_KIND = r"(?:iso|calendar|fiscal|full|complete|completed|whole|rolling|entire|consecutive|business)"
_COUNT = r"(?:\d+|a\ couple\ of|a|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|twenty\ four|thirty|sixty|ninety|few|several|dozen)"

_ATOM = re.compile(
    rf"""
    (?P<isots>\d{{4}}-\d{{1,2}}-\d{{1,2}}[t ]\d{{1,2}}:\d\d(?::\d\d)?)
  | (?P<iso>\d{{4}}-\d{{1,2}}-\d{{1,2}}|\d{{4}}/\d{{1,2}}/\d{{1,2}})
  | (?P<slash>\d{{1,2}}/\d{{1,2}}/\d{{2,4}}|\d{{1,2}}\.\d{{1,2}}\.\d{{4}})
  | (?P<isoweek>\d{{4}}\ ?-?\ ?w\d\d\b | \b(?:iso\ |calendar\ )?week\ (?:number\ |no\.?\ )?\d{{1,2}}\ (?:of\ |in\ |,\ )?(?:the\ year\ )?{_YEAR}\b)
  | (?P<ym>\d{{4}}-\d{{1,2}})(?![\d-])
  | \b(?P<md>{_MONTH}\.?\ (?:the\ )?{_DAYNUM}(?!\d)(?:\ ?,?\ (?:of\ )?{_YEAR}\b)?)
  | \b(?P<dm>(?:the\ )?{_DAYNUM}\ (?:of\ )?{_MONTH}\b(?:\ ?,?\ (?:of\ )?{_YEAR}\b)?)
  | \b(?P<my>{_MONTH}\.?\ ?,?\ (?:of\ )?(?:the\ year\ )?{_YEAR}\b)
  | \b(?P<rolling>{_LAST}\ {_COUNT}\ (?:{_KIND}\ )*{_UNIT}s?\b | {_NEXT}\ {_COUNT}\ (?:{_KIND}\ )*{_UNIT}s?\b | (?:{_KIND}\ )?trailing\ {_UNIT}s?\b)
  | \b(?P<todate>(?:fiscal\ )?{_UNIT}\ ?-?\ ?to\ ?-?\ ?date\b | \b(?:ytd|mtd|qtd|wtd|fytd|fqtd)\b | this\ (?:fiscal\ )?{_UNIT}\ (?:so\ far|to\ date|until\ now)\b)
  | \b(?P<rel>(?:this|current|{_LAST}|{_NEXT})\ (?:{_KIND}\ )*{_UNIT}\b(?!\ over|\ on\ ))
  | \b(?P<quarter>(?:fiscal\ |fy\ )?q[1-4]\b(?:\ ?,?/?-?\ ?(?:of\ )?(?:the\ )?(?:fiscal\ )?(?:year\ )?(?:fy\ ?)?{_YEAR}\b)?
      | {_YEAR}\ ?-?\ ?q[1-4]\b | (?:the\ )?{_ORD}\ (?:fiscal\ )?quarter\b(?:\ ?,?\ (?:of\ |in\ )?(?:the\ )?(?:fiscal\ )?(?:year\ )?{_YEAR}\b)?)
  | \b(?P<half>h[12]\b(?:\ ?,?\ (?:of\ )?{_YEAR}\b)? | {_YEAR}\ ?-?\ ?h[12]\b | (?:the\ )?(?:first|second|1st|2nd)\ half\ of\ (?:the\ year\ )?{_YEAR}\b)
  | \b(?P<fy>(?:fy\ ?-?\ ?|fiscal\ year\ |fiscal\ )(?:20)?\d\d\b)
  | \b(?P<ago>{_COUNT}\ {_UNIT}s?\ ago\b)
  | \b(?P<day>the\ day\ before\ yesterday|today|yesterday|tomorrow|right\ now)\b
  | \b(?P<year>(?:the\ )?(?:calendar\ )?(?:year\ (?:of\ )?)?{_YEAR})\b(?!\s?[%])
  | \b(?P<month>(?:(?:this|last|previous|next|coming)\ (?:year's\ )?)?{_MONTH})\b
    """,
    re.VERBOSE,
)

_BEFORE_ATOM = re.compile(
    r"""(?:
      (?P<ge>\b(?:on\ or\ after|on\ and\ after|since|starting(?:\ from|\ in|\ on|\ with)?|beginning(?:\ in|\ on|\ from)?|no\ earlier\ than|from))
    | (?P<le>\b(?:on\ or\ before|on\ and\ before|up\ to(?:\ and\ including)?|until(?:\ the\ end\ of)?|till|through|no\ later\ than|by\ the\ end\ of))
    | (?P<gt>\b(?:later\ than|after))
    | (?P<lt>\b(?:prior\ to|earlier\ than|before))
    | (?P<asof>\bas\ of)
    )\ (?:the\ )?(?:date\ )?(?:of\ )?\Z""",
    re.VERBOSE,
)
_LEAD = re.compile(
    r"(?:\b(?:in|on|during|for|of|over|within|throughout|at|across|from|the|whole|entire|all|course|beginning|as of"
    r"|dated|between|is|year|and|up to|date)\s)+\Z"
)
_GAP_RANGE = re.compile(
    r"\A\s*,?\s*(?:and|to|-|until|till|through|thru|up to|and ending|to the end of|through to|up until)\s+(?:the\s+)?(?:end of\s+)?\Z"
)
_EXCLUDING = re.compile(
    r"""\A\s*[,(]?\s*(?:and\ |but\ )?
    (?:excluding|not\ including|exclusive\ of|excl\.?|without|except(?:\ for)?|not\ counting)\ (?:the\ )?(?:current|this|present|running|ongoing)
   \ (?:iso\ |calendar\ |fiscal\ )?
    (?:day|week|month|quarter|year|period)\s*\)?""",
    re.VERBOSE,
)
_EXCLUDING_TODAY = re.compile(
    r"\A\s*[,(]?\s*(?:excluding|not including|exclusive of|excl\.?|without|up to but not including)\s+today(?:'s date)?\s*\)?"
)
_INCLUDING = re.compile(
    r"""\A\s*[,(]?\s*(?:and\ |but\ )?(?:inclusive\ of|including|incl\.?|inclusive|both\ inclusive|inclusively)\b
    (?:\ (?:the\ )?(?:current|this)\ (?:iso\ |calendar\ |fiscal\ )?(?:day|week|month|quarter|year|period)
      |\ today(?:\ date|\ s\ date)?|\ (?:of\ )?(?:the\ )?(?:start\ and\ end|end|start|both)
     (?:\ dates?|\ days?|\ points?)?|\ (?:\d+|one|a)\ (?:day|week|month|quarter|year)s?\ ago|\ of\ both\ dates?)?\s*\)?""",
    re.VERBOSE,
)
_CURRENT = re.compile(r"current|this")


def find_time_phrases(tokens: Sequence[Token], as_of: dt.datetime, calendar: CatalogCalendar) -> tuple[TimePhrase, ...]:
    """Every time phrase of the question, left to right, not overlapping. Quoted tokens are never time."""
    text, starts = _flatten(tokens)
    atoms = _atoms(text, as_of.date(), as_of, calendar)
    phrases: list[TimePhrase] = []
    i = 0
    while i < len(atoms):
        atom = atoms[i]
        if i + 1 < len(atoms) and _GAP_RANGE.match(text[atom.b : atoms[i + 1].a]) and _can_range(text, atom, atoms[i + 1]):
            phrase: tuple[int, int, Window, bool] | None = _range(text, atom, atoms[i + 1], as_of)
            i += 2
        else:
            phrase = _single(text, atom, as_of)
            i += 1
        if not phrase:
            continue
        a, b, window, point = phrase
        first = _token_at(starts, a)
        last = _token_at(starts, max(b - 1, a))
        while last > first and tokens[last].text in ",(":
            last -= 1
        label = " ".join(t.text for t in tokens[first : last + 1]).strip(" ,()")
        if phrases and first < phrases[-1].end:
            first = phrases[-1].end
            if first > last:
                continue
        phrases.append(TimePhrase(first, last + 1, window, label, point))
    return tuple(phrases)


def window_bounds(window: Window, as_of: dt.datetime, calendar: CatalogCalendar) -> tuple[dt.date | None, dt.date | None]:
    """The days [start, end) of a calendar or absolute window; used for nested phrases ("since last month") and labels."""
    today = as_of.date()
    if isinstance(window, Absolute):
        return _day(window.start), _day(window.end)
    if isinstance(window, Calendar_):
        start = _floor(today, window.unit, calendar, window.fiscal)
        start = _shift(start, window.unit, window.offset)
        end = _shift(start, window.unit, 1)
        return start, (min(end, today + dt.timedelta(days=1)) if window.to_date else end)
    if window.anchor == "period":
        current = _floor(today, window.unit, calendar, window.fiscal)
        return _shift(current, window.unit, -window.count), current
    return _shift(today, window.unit, -window.count), today + dt.timedelta(days=1)


def _flatten(tokens: Sequence[Token]) -> tuple[str, list[int]]:
    parts: list[str] = []
    starts: list[int] = []
    at = 0
    for token in tokens:
        word = "\x00" if token.kind == "quoted" else token.norm
        starts.append(at)
        parts.append(word)
        at += len(word) + 1
    return " ".join(parts), starts


def _token_at(starts: list[int], char: int) -> int:
    index = 0
    for i, start in enumerate(starts):
        if start <= char:
            index = i
        else:
            break
    return index


def _can_range(text: str, left: _Atom, right: _Atom) -> bool:
    gap = text[left.b : right.a].strip(" ,")
    before = text[: left.a]
    if right.year_given and left.year_given and _day_of(right.start) < _day_of(left.start):
        return False
    if gap == "and":
        return bool(re.search(r"\bbetween (?:the )?(?:start of )?(?:year |years )?(?:the )?\Z|\bfrom (?:the )?\Z", before))
    return not (isinstance(left.window, Calendar_ | Rolling) and isinstance(right.window, Calendar_ | Rolling) and gap == "-")


def _range(text: str, left: _Atom, right: _Atom, as_of: dt.datetime) -> tuple[int, int, Window, bool]:
    start, end = left.start, right.end
    if not left.year_given and right.year_given:
        year = _day_of(right.start).year
        start = _day_of(left.start).replace(year=year)
        if start > _day_of(right.start):
            start = start.replace(year=year - 1)
    elif not right.year_given and left.year_given:
        end = _day_of(right.end)
        while end <= _day_of(start):
            end = end + relativedelta(years=1)
    a = _lead(text, left.a)
    head = re.search(r"\b(?:between|from)\s(?:the\s)?\Z", text[: left.a])
    if head:
        a = _lead(text, head.start())
    b = right.b
    inclusive = _INCLUDING.match(text[b:])
    if inclusive:
        b += inclusive.end()
    exclusive = (
        re.match(r"\A\s*[,(]?\s*(?:exclusive|exclusive of (?:the )?(?:end|both)(?: dates?)?)\s*\)?", text[b:]) if not inclusive else None
    )
    if exclusive and exclusive.end():
        b += exclusive.end()
        end = right.start
    return a, b, Absolute(start=start, end=end), False


def _single(text: str, atom: _Atom, as_of: dt.datetime) -> tuple[int, int, Window, bool] | None:
    before = text[: atom.a]
    shape = _BEFORE_ATOM.search(before)
    window: Window
    a, b = atom.a, atom.b
    if shape and not (shape.lastgroup == "ge" and shape.group("ge") == "from" and not re.match(r"\s*(?:on|onwards?|forward)\b", text[b:])):
        kind = shape.lastgroup
        if kind == "ge":
            window = Absolute(start=atom.start)
            tail = re.match(r"\s*(?:onwards?|forward|on|until (?:now|today))\b(?!\s+(?:a|the|sale))", text[b:])
            b += tail.end() if tail else 0
        elif kind == "gt":
            window = Absolute(start=atom.end)
        elif kind == "lt":
            window = Absolute(end=atom.start)
        else:
            window = Absolute(end=atom.end)
        inclusive = _INCLUDING.match(text[b:])
        b += inclusive.end() if inclusive else 0
        return _lead(text, shape.start()), b, window, False
    or_later = re.match(r"\s*(?:or|and)\s+(later|after|onwards?|newer|earlier|before|older)\b", text[b:])
    if or_later:
        late = or_later[1] in ("later", "after", "onwards", "onward", "newer")
        return _lead(text, a), b + or_later.end(), Absolute(start=atom.start) if late else Absolute(end=atom.end), False
    if atom.bare_month and not re.search(
        r"\b(?:in|of|since|during|for|until|this|last|from|on|the|month|between|and|,|vs|versus|to) \Z", before
    ):
        return None
    if atom.bare_year and re.search(r"\b(?:than|least|most|over|under|above|below|exceed\w*|equals?|top|id|=|>|<|is|are|\$) \Z", before):
        return None
    window = atom.window or Absolute(start=atom.start, end=atom.end)
    rest = text[b:]
    if isinstance(window, Rolling):
        window, b = _shape_rolling(window, rest, b)
    elif isinstance(window, Calendar_):
        excluding = _EXCLUDING.match(rest)
        if excluding:
            b += excluding.end()
        including = _INCLUDING.match(rest)
        if including:
            b += including.end()
    else:
        including = _INCLUDING.match(rest)
        if including:
            b += including.end()
    return _lead(text, a), b, window, atom.unit is Unit.DAY


def _shape_rolling(window: Rolling, rest: str, b: int) -> tuple[Rolling, int]:
    excluding = _EXCLUDING.match(rest)
    if excluding:
        return window.model_copy(update={"anchor": "period", "include_current": False}), b + excluding.end()
    today = _EXCLUDING_TODAY.match(rest)
    if today:
        return window.model_copy(update={"anchor": "period", "include_current": False}), b + today.end()
    including = _INCLUDING.match(rest)
    if including:
        said = including.group()
        b += including.end()
        if _CURRENT.search(said) and re.search(_UNIT, said) and "today" not in said:
            window = window.model_copy(update={"anchor": "period", "include_current": True})
        excluding = _EXCLUDING.match(rest[including.end() :])
        if excluding:
            return window.model_copy(update={"anchor": "period", "include_current": False}), b + excluding.end()
    return window, b


def _lead(text: str, a: int) -> int:
    lead = _LEAD.search(text[:a])
    return lead.start() if lead else a


def _atoms(text: str, today: dt.date, as_of: dt.datetime, calendar: CatalogCalendar) -> list[_Atom]:
    found: list[_Atom] = []
    for match in _ATOM.finditer(text):
        kind = match.lastgroup or ""
        try:
            atom = _READERS[kind](match.group().strip(), today, calendar)
        except (ValueError, KeyError, OverflowError):
            continue
        lead = len(match.group()) - len(match.group().lstrip())
        found.append(replace(atom, a=match.start() + lead, b=match.end()))
    return found


def _period(
    start: dt.date, unit: Unit, window: Window | None = None, *, year_given: bool = True, bare_month: bool = False, bare_year: bool = False
) -> _Atom:
    return _Atom(0, 0, start, _shift(start, unit, 1), window, unit, year_given, bare_month, bare_year)


def _read_iso(text: str, _t: dt.date, _c: CatalogCalendar) -> _Atom:
    year, month, day = (int(p) for p in re.split("[-/]", text))
    return _period(dt.date(year, month, day), Unit.DAY)


def _read_isots(text: str, _t: dt.date, _c: CatalogCalendar) -> _Atom:
    moment = dt.datetime.fromisoformat(text.upper().replace(" ", "T"))
    step = dt.timedelta(seconds=1) if text.count(":") == 2 else dt.timedelta(minutes=1)
    return _Atom(0, 0, moment, moment + step, None, Unit.MINUTE)


def _read_slash(text: str, _t: dt.date, _c: CatalogCalendar) -> _Atom:
    a, b, year = (int(p) for p in re.split("[/.]", text))
    year = year + 2000 if year < 100 else year
    day_first = "." in text or a > 12
    return _period(dt.date(year, b, a) if day_first else dt.date(year, a, b), Unit.DAY)


def _read_ym(text: str, _t: dt.date, _c: CatalogCalendar) -> _Atom:
    year, month = (int(p) for p in text.split("-"))
    return _period(dt.date(year, month, 1), Unit.MONTH)


def _read_isoweek(text: str, _t: dt.date, _c: CatalogCalendar) -> _Atom:
    numbers = [int(n) for n in re.findall(r"\d+", text)]
    year, week = (numbers[0], numbers[1]) if numbers[0] > 60 else (numbers[1], numbers[0])
    return _period(dt.date.fromisocalendar(year, week, 1), Unit.WEEK)


def _month_of(text: str) -> int:
    match = re.search(rf"\b{_MONTH}\b", text)
    if match is None:
        raise ValueError(text)
    return _MONTHS[match.group()]


def _year_in(text: str) -> int | None:
    match = re.search(rf"\b{_YEAR}\b", text)
    return int(match.group()) if match else None


def _read_md(text: str, today: dt.date, _c: CatalogCalendar) -> _Atom:
    year = _year_in(text)
    rest = re.sub(rf"\b{_YEAR}\b", "", text) if year else text
    number = re.search(r"\d{1,2}", rest)
    if number is None:
        raise ValueError(text)
    day = dt.date(year or today.year, _month_of(text), int(number.group()))
    if year is None and day > today:
        day = day.replace(year=day.year - 1)
    return _period(day, Unit.DAY, year_given=year is not None)


def _read_my(text: str, _t: dt.date, _c: CatalogCalendar) -> _Atom:
    year = _year_in(text)
    if year is None:
        raise ValueError(text)
    return _period(dt.date(year, _month_of(text), 1), Unit.MONTH)


def _read_month(text: str, today: dt.date, _c: CatalogCalendar) -> _Atom:
    words = text.split()
    start = dt.date(today.year, _MONTHS[words[-1]], 1)
    if len(words) > 1:
        # "last April" is a year before "this April"; "next April" is the one to come.
        years = {"this": 0, "last": -1, "previous": -1}.get(words[0], 0 if start > today else 1)
        return _period(start.replace(year=start.year + years), Unit.MONTH)
    if start > today:
        start = start.replace(year=start.year - 1)
    return _period(start, Unit.MONTH, year_given=False, bare_month=True)


def _read_year(text: str, _t: dt.date, _c: CatalogCalendar) -> _Atom:
    year = _year_in(text)
    if year is None:
        raise ValueError(text)
    return _period(dt.date(year, 1, 1), Unit.YEAR, bare_year=text.isdigit())


def _read_quarter(text: str, today: dt.date, calendar: CatalogCalendar) -> _Atom:
    fiscal = "fiscal" in text or "fy" in text
    digit = re.search(r"q([1-4])", text)
    number = int(digit[1]) if digit else ORDINALS[re.search(_ORD, text).group()]  # type: ignore[union-attr]
    year = _year_in(text)
    shift = calendar.fiscal_year_start_month - 1 if fiscal else 0
    start = dt.date(year or today.year, 3 * number - 2, 1) + relativedelta(months=shift)
    if fiscal and shift:
        start = start - relativedelta(years=1)
    if year is None and start > today:
        start = start - relativedelta(years=1)
    return _period(start, Unit.QUARTER, year_given=year is not None)


def _read_half(text: str, today: dt.date, _c: CatalogCalendar) -> _Atom:
    second = bool(re.search(r"h2|second|2nd", text))
    year = _year_in(text)
    start = dt.date(year or today.year, 7 if second else 1, 1)
    if year is None and start > today:
        start = start - relativedelta(years=1)
    return _Atom(0, 0, start, start + relativedelta(months=6), None, Unit.QUARTER, year is not None)


def _read_fy(text: str, _t: dt.date, calendar: CatalogCalendar) -> _Atom:
    number = int(re.findall(r"\d+", text)[0])
    year = number + 2000 if number < 100 else number
    month = calendar.fiscal_year_start_month
    return _period(dt.date(year if month == 1 else year - 1, month, 1), Unit.YEAR)


def _unit_in(text: str) -> Unit:
    match = re.search(rf"\b({_UNIT})s?\b", text)
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


def _read_rolling(text: str, today: dt.date, calendar: CatalogCalendar) -> _Atom:
    unit, count = _unit_in(text), _count_in(text) if re.search(rf"\b{_COUNT}\b", text) else 1
    if not 1 <= count <= 10_000:
        raise ValueError(text)
    future = bool(re.match(_NEXT, text))
    period = bool(re.search(r"\b(?:full|complete|completed|whole|calendar|iso|entire|fiscal)\b", text))
    window = Rolling(
        count=count, unit=unit, anchor="period" if period else "now", direction="future" if future else "past", fiscal="fiscal" in text
    )
    if unit in (Unit.HOUR, Unit.MINUTE, Unit.SECOND):
        return _Atom(0, 0, today, today + dt.timedelta(days=1), window, unit)
    start, end = window_bounds(window, dt.datetime.combine(today, dt.time()), calendar)
    if start is None or end is None:
        raise ValueError(text)
    if future:
        start, end = today, _shift(today, unit, count)
    return _Atom(0, 0, start, end, window, unit)


def _read_rel(text: str, today: dt.date, calendar: CatalogCalendar) -> _Atom:
    unit, fiscal = _unit_in(text), "fiscal" in text
    if re.match(r"past\b|trailing\b", text) and not re.search(_KIND, text):
        window: Window = Rolling(count=1, unit=unit)
        return _Atom(0, 0, _shift(today, unit, -1), today + dt.timedelta(days=1), window, unit)
    offset = 0 if re.match(r"this|current", text) else 1 if re.match(_NEXT, text) else -1
    start = _shift(_floor(today, unit, calendar, fiscal), unit, offset)
    return _period(start, unit, Calendar_(unit=unit, offset=offset, fiscal=fiscal))


_TO_DATE = {"ytd": "year", "mtd": "month", "qtd": "quarter", "wtd": "week", "fytd": "year", "fqtd": "quarter"}


def _read_todate(text: str, today: dt.date, calendar: CatalogCalendar) -> _Atom:
    fiscal = "fiscal" in text or text.startswith("f")
    unit = Unit(_TO_DATE[text]) if text in _TO_DATE else _unit_in(text)
    start = _floor(today, unit, calendar, fiscal)
    return _Atom(0, 0, start, today + dt.timedelta(days=1), Calendar_(unit=unit, to_date=True, fiscal=fiscal), unit)


def _read_ago(text: str, today: dt.date, calendar: CatalogCalendar) -> _Atom:
    unit, count = _unit_in(text), _count_in(text)
    start = _shift(_floor(today, unit, calendar, False), unit, -count)
    return _period(start, unit, Calendar_(unit=unit, offset=-count))


def _read_day(text: str, today: dt.date, _c: CatalogCalendar) -> _Atom:
    offset = {"today": 0, "right now": 0, "yesterday": -1, "tomorrow": 1, "the day before yesterday": -2}[text]
    return _period(today + dt.timedelta(days=offset), Unit.DAY, Calendar_(unit=Unit.DAY, offset=offset))


_READERS = {
    "iso": _read_iso, "isots": _read_isots, "slash": _read_slash, "ym": _read_ym, "isoweek": _read_isoweek, "md": _read_md, "dm": _read_md,
    "my": _read_my, "month": _read_month, "year": _read_year, "quarter": _read_quarter, "half": _read_half, "fy": _read_fy, "rolling": _read_rolling,
    "rel": _read_rel, "todate": _read_todate, "ago": _read_ago, "day": _read_day,
}  # fmt: skip


def _floor(day: dt.date, unit: Unit, calendar: CatalogCalendar, fiscal: bool) -> dt.date:
    if unit is Unit.WEEK:
        back = day.weekday() if calendar.week_start == "monday" else (day.weekday() + 1) % 7
        return day - dt.timedelta(days=back)
    if unit is Unit.MONTH:
        return day.replace(day=1)
    first = calendar.fiscal_year_start_month if fiscal else 1
    if unit is Unit.QUARTER:
        months = (day.month - first) % 3
        return (day.replace(day=1)) - relativedelta(months=months)
    if unit is Unit.YEAR:
        return day.replace(day=1) - relativedelta(months=(day.month - first) % 12)
    return day


def _shift(day: dt.date, unit: Unit, count: int) -> dt.date:
    step = {
        Unit.DAY: relativedelta(days=count), Unit.WEEK: relativedelta(weeks=count), Unit.MONTH: relativedelta(months=count),
        Unit.QUARTER: relativedelta(months=3 * count), Unit.YEAR: relativedelta(years=count),
    }.get(unit, relativedelta())  # fmt: skip
    return day + step


def _day(value: dt.datetime | dt.date | None) -> dt.date | None:
    return None if value is None else _day_of(value)


def _day_of(value: dt.datetime | dt.date) -> dt.date:
    return value.date() if isinstance(value, dt.datetime) else value
