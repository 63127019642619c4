"""How the person who reads writes numbers and dates: separators, the place of signs, the order of day, month and year. The words stay English.

Texts are made in the formats of the context that makes them (`current`), which stands at the edges: a request, a message to a receiver, a
command. Nobody's formats are in force elsewhere, so that what is kept is written in the usual ones, `USUAL`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache

from babel.core import get_global
from babel.numbers import get_currency_symbol

CURRENCIES = frozenset(get_global("all_currencies"))
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MARKS = dict.fromkeys(map(ord, "\u200e\u200f\u061c"))  # directions of letters, which figures do not need


@dataclass(frozen=True, slots=True)
class Formats:
    """sizes: digits of the last group and of those before it. percent, money, day: templates; `day` of {d}, {dd}, {m}, {mm}, {b} (Mar), {y}.

    Digits are the Latin ones everywhere, and K, M, B and T are short for English words.
    """

    tag: str = "en-GB"
    decimal: str = "."
    group: str = ","
    sizes: tuple[int, int] = (3, 3)
    minus: str = "-"
    percent: str = "{}%"
    money: str = "{symbol}{amount}"
    day_template: str = "{d} {b} {y}"
    hours: int = 24

    @property
    def is_usual(self) -> bool:
        return self == USUAL

    def figure(self, plain: str) -> str:
        """Digits as `USUAL` writes them ("-1,234.5"), the way they are written here."""
        sign, digits = (plain[0], plain[1:]) if plain[:1] in ("-", "+") else ("", plain)
        whole, dot, rest = digits.replace(",", "").partition(".")
        grouped = self._grouped(whole) if "," in digits or len(whole) < 4 else whole
        return f"{self.minus if sign == '-' else sign}{grouped}{self.decimal if dot else ''}{rest}"

    def count(self, value: int) -> str:
        return self.figure(f"{value:,}")

    def share(self, figure: str) -> str:
        """With the percent sign. figure: as `figure` gives it."""
        return self.percent.format(figure)

    def amount(self, code: str, figure: str) -> str:
        """With the currency; a sign stays in front."""
        sign, digits = (figure[0], figure[1:]) if figure[:1] in (self.minus, "-", "+") else ("", figure)
        return sign + self.money.format(symbol=self.symbol(code), amount=digits)

    def symbol(self, code: str) -> str:
        return _symbol(code, self.tag)

    def day(self, at: dt.date) -> str:
        return self.day_template.format(
            d=at.day, dd=f"{at.day:02}", m=at.month, mm=f"{at.month:02}", b=_MONTHS[at.month - 1], y=at.year
        )  # fmt: skip

    def days(self, first: dt.date, last: dt.date) -> str:
        """Both ends inclusive, what they share said once: 1 to 9 Mar 2026, 27 Feb to 5 Mar 2026."""
        if first.year != last.year or "{b}" not in self.day_template:
            return f"{self.day(first)} to {self.day(last)}"
        same = first.month == last.month
        if self.day_template.startswith("{b}"):
            final = f"{'' if same else _MONTHS[last.month - 1] + ' '}{last.day}, {last.year}"
            return f"{_MONTHS[first.month - 1]} {first.day} to {final}"
        return f"{first.day}{'' if same else ' ' + _MONTHS[first.month - 1]} to {self.day(last)}"

    def clock(self, at: dt.time | dt.datetime, *, seconds: bool = False) -> str:
        """13:00, or 1:00 PM."""
        rest = f"{at.minute:02}:{at.second:02}" if seconds else f"{at.minute:02}"
        if self.hours == 24:
            return f"{at.hour:02}:{rest}"
        return f"{(at.hour - 1) % 12 + 1}:{rest} {'AM' if at.hour < 12 else 'PM'}"

    def _grouped(self, whole: str) -> str:
        last, before = self.sizes
        if len(whole) <= last:
            return whole
        head, tail = whole[:-last], whole[-last:]
        first = len(head) % before
        parts = [head[:first]] if first else []
        parts += [head[at : at + before] for at in range(first, len(head), before)]
        return self.group.join([*parts, tail])


USUAL = Formats()
_current: ContextVar[Formats] = ContextVar("formats", default=USUAL)


def current() -> Formats:
    return _current.get()


def use(formats: Formats) -> None:
    """For what follows in this context: the rest of a request, a command."""
    _current.set(formats)


@contextmanager
def writing(formats: Formats) -> Iterator[None]:
    token = _current.set(formats)
    try:
        yield
    finally:
        _current.reset(token)


@lru_cache(2_000)
def _symbol(code: str, tag: str) -> str:
    return str(get_currency_symbol(code, tag.replace("-", "_"))).translate(MARKS)
