"""Proven sentences, which are kept as `core.formats.USUAL` writes them, in the formats of who reads them now.

A proven sentence is made of names, periods, figures and plain words (insights.verify). Names stay as they are; figures and days are written
anew, each with the same digits, so that what was proven stays so.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from core.formats import CURRENCIES, USUAL, Formats, current
from insights.stored import fact_from_json

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = "|".join(_MONTHS)
_DAYS = rf"(?P<d>\d{{1,2}})(?: (?P<b>{_MONTH}))?(?: to (?P<d2>\d{{1,2}}) (?P<b2>{_MONTH}))? (?P<y>\d{{4}})(?!\w)"
_CLOCK = r"(?P<h>[01]\d|2[0-3]):(?P<min>[0-5]\d)(?!\w|:\d)"
_FIGURE = r"(?P<sign>[+-])?(?P<currency>{symbols})?(?P<digits>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?)(?P<size>[KMBT])?(?P<percent>%)?(?!\w)"


def retold(text: str, names: Iterable[str] = ()) -> str:
    """names: of metrics, segments and events in the text, which are kept as they are written."""
    formats = current()
    if formats.is_usual:
        return text
    kept = "|".join(
        re.escape(name) for name in sorted({n for name in names for n in (name, name[:1].upper() + name[1:]) if n}, key=len, reverse=True)
    )
    figure, codes = _figures()
    found = re.compile(rf"(?<![\w.])(?:(?P<name>(?:{kept or '(?!)'})(?!\w))|{_DAYS}|{_CLOCK}|{figure})")
    return found.sub(lambda match: _written(match, formats, codes), text)


def retold_lines(lines: Iterable[object], names: Iterable[str] = ()) -> list[str]:
    known = tuple(names)
    return [retold(str(line), known) for line in lines]


def names_in(facts: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Of kept facts: what their sentences call by name."""
    found: list[str] = []
    for kept in facts:
        fact = fact_from_json(kept)
        found += [
            fact.quantity.label,
            fact.segment,
            *(value for _, value in fact.scope),
            *fact.names,
            *([fact.quantity.unit] if fact.quantity.unit else []),
        ]
    return tuple(dict.fromkeys(name for name in found if name))


def retold_table(table: Mapping[str, Sequence[Any]] | None, names: Iterable[str] = ()) -> dict[str, list[Any]] | None:
    """Of formatted text: {"columns", "rows"}."""
    if not table:
        return None if table is None else {}
    known = tuple(names)
    return {"columns": retold_lines(table["columns"], known), "rows": [retold_lines(row, known) for row in table["rows"]]}


def is_day(text: str) -> bool:
    """Whether it is a day, or days, and nothing else."""
    return bool(re.fullmatch(_DAYS, text))


def _written(match: re.Match[str], formats: Formats, codes: Mapping[str, str]) -> str:
    part = match.groupdict()
    if part.get("name"):
        return match.group()
    if part["y"]:
        return _days(part, formats) or match.group()
    if part["h"]:
        return formats.clock(dt.time(int(part["h"]), int(part["min"])))
    figure = formats.figure(f"{part['sign'] or ''}{part['digits']}") + (part["size"] or "")
    if part["currency"]:
        figure = formats.amount(codes[part["currency"]], figure)
    return formats.share(figure) if part["percent"] else figure


def _days(part: Mapping[str, str | None], formats: Formats) -> str | None:
    """None for what only looks like days."""
    month = part["b2"] or part["b"]
    if month is None or (part["d2"] is None) != (part["b2"] is None):
        return None
    try:
        year = int(str(part["y"]))
        first = dt.date(year, _MONTHS.index(part["b"] or month) + 1, int(str(part["d"])))
        if part["d2"] is None:
            return formats.day(first)
        return formats.days(first, dt.date(year, _MONTHS.index(month) + 1, int(part["d2"])))
    except ValueError:
        return None


@lru_cache(1)
def _figures() -> tuple[str, dict[str, str]]:
    """A pattern for figures, and the currency of each symbol."""
    codes = {USUAL.symbol(code): code for code in sorted(CURRENCIES)}
    symbols = "|".join(re.escape(symbol) for symbol in sorted(codes, key=len, reverse=True))
    return _FIGURE.format(symbols=symbols), codes
