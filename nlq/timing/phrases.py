"""Time phrases -> windows: "last 8 weeks excluding the current week", "Q1 2023", "on or after Jan 1, 2023", "FYTD".

Atoms (one period each) are found first; then what stands around them (between/and, since, before, excluding the current ...) shapes the window.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from dateutil.relativedelta import relativedelta

from nlq.numbers import number_of
from nlq.text import Token
from nlq.timing.arithmetic import day_of, floor, shift
from nlq.timing.atoms import Atom, find_atoms
from nlq.timing.patterns import UNIT
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


_BEFORE_ATOM = re.compile(
    r"""(?:
      (?P<ge>\b(?:on\ or\ after|on\ and\ after|(?:since|from)\ the\ (?:start|beginning)\ of|since|starting(?:\ from|\ in|\ on|\ with)?
        |beginning(?:\ in|\ on|\ from)?|no\ earlier\ than|from))
    | (?P<le>\b(?:on\ or\ before|on\ and\ before|up\ to(?:\ and\ including)?|until(?:\ the\ end\ of)?|till|through|no\ later\ than|by\ the\ end\ of))
    | (?P<gt>\b(?:later\ than|after))
    | (?P<lt>\b(?:prior\ to|earlier\ than|before))
    | (?P<asof>\bas\ of(?:\ the\ end\ of)?|\bat\ (?:the\ )?end\ of)
    )\ (?:the\ )?(?:date\ )?(?:of\ )?\Z""",
    re.VERBOSE,
)
_LEAD = re.compile(
    r"(?:\b(?:in|on|during|for|of|over|within|throughout|at|across|from|the|whole|entire|all|course|beginning|as of"
    r"|dated|between|is|(?<!\bper )(?<!\bby )(?<!\beach )(?<!\bevery )(?<!\bto )(?:year|date)|and|up to)\s)+\Z"
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
_STRETCH = re.compile(
    r"\b(?:the )?(?:(?P<count>\d+|two|three|four|five|six|seven|ten) )?(?P<unit>day|week|month)s? (?P<side>before|prior to|after|following) (?:the )?\Z"
)
_WEEK_OF = re.compile(r"\b(?:the )?week (?P<how>of|with|containing|beginning|starting|commencing|ending)(?: on| in)? (?:the )?\Z")
_CURRENT = re.compile(r"current|this")


def find_time_phrases(
    tokens: Sequence[Token], as_of: dt.datetime, calendar: CatalogCalendar, named: frozenset[str] = frozenset()
) -> tuple[TimePhrase, ...]:
    """Every time phrase of the question, left to right, not overlapping. Quoted tokens are never time.

    named: words of `loosely.NAMES` that the catalog or its data have themselves.
    """
    text, starts = _flatten(tokens)
    atoms = find_atoms(text, as_of.date(), as_of, calendar, named)
    phrases: list[TimePhrase] = []
    i = 0
    while i < len(atoms):
        atom = atoms[i]
        if i + 1 < len(atoms) and _GAP_RANGE.match(text[atom.b : atoms[i + 1].a]) and _can_range(text, atom, atoms[i + 1]):
            phrase: tuple[int, int, Window, bool] | None = _range(text, atom, atoms[i + 1], as_of)
            i += 2
        else:
            phrase = _single(text, atom, calendar)
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


def _can_range(text: str, left: Atom, right: Atom) -> bool:
    gap = text[left.b : right.a].strip(" ,")
    before = text[: left.a]
    if right.year_given and left.year_given and day_of(right.start) < day_of(left.start):
        return False
    if gap in ("to", "and") and left.unit is right.unit and re.search(r"\bcompar(?:e|ing|ison)\b(?!.*\bfrom (?:the )?\Z)", before):
        return False
    if gap == "and":
        return bool(re.search(r"\bbetween (?:the )?(?:start of )?(?:year |years )?(?:the )?\Z|\bfrom (?:the )?\Z", before))
    return not (isinstance(left.window, Calendar_ | Rolling) and isinstance(right.window, Calendar_ | Rolling) and gap == "-")


def _range(text: str, left: Atom, right: Atom, as_of: dt.datetime) -> tuple[int, int, Window, bool]:
    start, end = left.start, right.end
    if not left.year_given and right.year_given:
        year = day_of(right.start).year
        start = day_of(left.start).replace(year=year)
        if start > day_of(right.start):
            start = start.replace(year=year - 1)
    elif not right.year_given and left.year_given:
        end = day_of(right.end)
        while end <= day_of(start):
            end = end + relativedelta(years=1)
    elif not left.year_given and day_of(end) <= day_of(start):
        # "from October to December" in November: of this year; "from November to February": the last such winter.
        wraps = day_of(left.start).month > day_of(right.start).month
        start = day_of(start) - relativedelta(years=wraps)
        end = day_of(end) + relativedelta(years=not wraps)
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


def _beside(text: str, atom: Atom, calendar: CatalogCalendar) -> tuple[int, int, Window, bool] | None:
    """ "the week before Christmas", "3 days after 2025-03-01": so long a stretch on one side of a period."""
    week = _WEEK_OF.search(text[: atom.a]) if atom.unit is Unit.DAY else None
    if week is not None:
        start = day_of(atom.start)
        start = start - dt.timedelta(days=6) if week["how"] == "ending" else start
        start = floor(start, Unit.WEEK, calendar, False) if week["how"] in ("of", "with", "containing") else start
        return _lead(text, week.start()), atom.b, Absolute(start=start, end=start + dt.timedelta(days=7)), False
    shape = _STRETCH.search(text[: atom.a])
    if shape is None:
        return None
    count = int(number_of(shape["count"]) or 1) if shape["count"] else 1
    unit = Unit(shape["unit"])
    start, end = day_of(atom.start), day_of(atom.end)
    window = (
        Absolute(start=shift(start, unit, -count), end=start)
        if shape["side"] in ("before", "prior to")
        else Absolute(start=end, end=shift(end, unit, count))
    )
    return _lead(text, shape.start()), atom.b, window, False


def _single(text: str, atom: Atom, calendar: CatalogCalendar) -> tuple[int, int, Window, bool] | None:
    before = text[: atom.a]
    beside = _beside(text, atom, calendar)
    if beside is not None:
        return beside
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
    if atom.bare_month and not _means_month(text, atom):
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


def _means_month(text: str, atom: Atom) -> bool:
    """Whether a month's name without a year is a month: after a preposition, held against another, or no other word."""
    if re.search(r"\b(?:in|of|since|during|for|until|this|last|from|on|the|month|between|and|,|vs|versus|to) \Z", text[: atom.a]):
        return True
    if re.match(r"\s*(?:vs\.?|versus|compared (?:to|with)|against)\s", text[atom.b :]):
        return True
    return text[atom.a : atom.b] in _ONLY_MONTHS


_ONLY_MONTHS = frozenset("january february april june july august september october november december feb apr jul aug sept oct nov".split())


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
        if _CURRENT.search(said) and re.search(UNIT, said) and "today" not in said:
            window = window.model_copy(update={"anchor": "period", "include_current": True})
        excluding = _EXCLUDING.match(rest[including.end() :])
        if excluding:
            return window.model_copy(update={"anchor": "period", "include_current": False}), b + excluding.end()
    return window, b


def _lead(text: str, a: int) -> int:
    lead = _LEAD.search(text[:a])
    return lead.start() if lead else a
