"""How values are written: numbers with unit and sensible digits, dates by their grain. One rule for tables, charts and sentences.

Separators, signs and the order of dates are the reader's (core.formats).
"""

from __future__ import annotations

import datetime as dt
import math
import re
from decimal import Decimal
from typing import Any

from babel.numbers import format_compact_decimal, format_currency, format_decimal, get_currency_symbol

from core.formats import CURRENCIES, current
from semantic.states import OutputColumn

LOCALE = "en_GB"  # in which digits are made, before the reader's formats write them
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


def number(
    value: float | int | Decimal | None,
    format_: str | None = None,
    unit: str | None = None,
    *,
    compact: bool = False,
    counted: bool = False,
) -> str:
    """A number for people: `percent` scales a fraction, `currency:EUR` adds the symbol, everything else keeps about four digits.

    compact: 1.2M instead of 1,234,567. counted: what is expected of a count, without decimals from 1 on: 332 orders, not 331.7.
    NULL and NaN are written as an en dash.
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    amount = float(value)
    if format_ == "percent":
        return with_percent(format_decimal(amount * 100, format=_pattern(amount * 100, whole=False), locale=LOCALE))
    if format_ == "percent_points":
        small = 0 < abs(amount) < 0.05  # 0.03%, not 0.0%
        return with_percent(format_decimal(amount, format="0.00##" if small else "#,##0.0", locale=LOCALE))
    if not format_ and unit in CURRENCIES:
        format_ = f"currency:{unit}"
    if format_ and format_.startswith("currency:"):
        return _currency(amount, format_.split(":", 1)[1], compact)
    if counted and abs(amount) >= 1:
        amount = value = float(round(amount))
    whole = isinstance(value, int) or (isinstance(value, float | Decimal) and amount == int(amount) and abs(amount) < 1e15)
    if compact and abs(amount) >= 10_000:
        text = _compact(amount)
    else:
        text = current().figure(format_decimal(amount, format=_pattern(amount, whole=whole), locale=LOCALE))
    return f"{text} {unit}" if unit and not (format_ or "").startswith("currency") else text


def percent(share: float, decimals: int = 0, *, signed: bool = False) -> str:
    """A fraction with as many decimals as told: 12%, +3.4%."""
    return with_percent(f"{share * 100:{'+' if signed else ''},.{decimals}f}")


def figure(value: float, decimals: int = 0, *, signed: bool = False) -> str:
    """A number with as many decimals as told: 1,234, +0.5."""
    return current().figure(f"{value:{'+' if signed else ''},.{decimals}f}")


def count(value: int) -> str:
    return current().count(value)


def with_percent(digits: str) -> str:
    """digits: as they are written usually, 1,234.5."""
    formats = current()
    return formats.share(formats.figure(digits))


def _compact(amount: float) -> str:
    """1.23M; 4.80M for 4,801,234 and 4.8M for exactly that, so that figures side by side have the same digits.

    >>> _compact(4_801_234.5), _compact(4_800_000), _compact(18_012), _compact(18_000)
    ('4.80M', '4.8M', '18.0K', '18K')
    """
    places = _compact_digits(amount)
    digits = format_compact_decimal(amount, locale=LOCALE, fraction_digits=places)
    size = digits[-1] if digits[-1].isalpha() else ""
    text = digits.removesuffix(size)
    step = 1000 ** math.floor(math.log(abs(amount), 1000)) / 10
    if places and amount % step:
        whole, _, decimals = text.partition(".")
        text = f"{whole}.{decimals:0<{places}}"
    return current().figure(text) + size


def _currency(amount: float, code: str, compact: bool) -> str:
    formats = current()
    if compact and abs(amount) >= 10_000:
        return formats.amount(code, _compact(amount))
    said = format_currency(abs(amount), code, locale=LOCALE, format=None if abs(amount) < 1000 else "¤#,##0")
    digits = said.replace(get_currency_symbol(code, LOCALE), "").strip()
    return formats.amount(code, formats.figure(f"-{digits}" if said and amount < 0 else digits))


def _compact_digits(amount: float) -> int:
    """Three significant digits: 1.23M, 12.3M, 123M."""
    lead = abs(amount) / 1000 ** math.floor(math.log(abs(amount), 1000))
    return 2 if lead < 10 else 1 if lead < 100 else 0


def _pattern(amount: float, *, whole: bool) -> str:
    size = abs(amount)
    if whole or size >= 1000:
        return "#,##0"
    if size >= 100:
        return "#,##0.#"
    if size >= 1 or size == 0:
        return "#,##0.##"
    return "0.####" if size >= 0.001 else "0.######"


def bucket(value: Any, grain: str | None) -> str:
    """A time bucket by its grain: 2024, Q1 2024, Mar 2024, week of 4 Mar 2024, 4 Mar 2024, 4 Mar 2024 13:00."""
    if value is None:
        return "unknown date"
    if grain == "day_of_week" and isinstance(value, int) and 1 <= value <= 7:
        return _WEEKDAYS[value - 1]
    if grain == "month_of_year" and isinstance(value, int) and 1 <= value <= 12:
        return _MONTHS[value - 1]
    if grain == "is_weekend":
        return "weekend" if value else "weekdays"
    if grain == "hour_of_day" and isinstance(value, int):
        return current().clock(dt.time(value % 24))
    if not isinstance(value, dt.date):
        return str(value)
    if grain == "year":
        return str(value.year)
    if grain == "quarter":
        return f"Q{(value.month - 1) // 3 + 1} {value.year}"
    if grain == "month":
        return f"{value:%b} {value.year}"
    day = current().day(value)
    if grain == "week":
        return f"week of {day}"
    if isinstance(value, dt.datetime) and (grain in {"hour", "minute"} or (value.hour or value.minute)):
        return f"{day} {current().clock(value)}"
    return day


def during(value: Any, grain: str | None) -> str:
    """A bucket with its preposition: on 4 Mar 2024, in Mar 2024, in the week of 4 Mar 2024."""
    if grain == "week":
        return f"in the {bucket(value, grain)}"
    return f"{'in' if grain in {'month', 'quarter', 'year'} else 'on' if grain == 'day' else 'at'} {bucket(value, grain)}"


def cell(value: Any, column: OutputColumn) -> str:
    """One table cell as text."""
    if value is None:
        return "–"
    if isinstance(value, bool) and not column.grain:
        return "yes" if value else "no"
    if column.role == "time" or column.grain:
        return bucket(value, column.grain)
    if isinstance(value, int | float | Decimal) and column.role in {"measure", "change"}:
        return number(value, column.format, column.unit)
    if isinstance(value, dt.date):
        return bucket(value, "day")
    return str(value)


def begun(sentence: str) -> str:
    """With a capital where a sentence begins with a plain word, such as a value; names and codes in a spelling of their own stay as they are.

    For what is shown: whatever is proven or compared is the sentence as it was.

    >>> begun("organic search has the highest revenue"), begun("iPhone 15 leads"), begun("sku_7 leads"), begun("e-mail: 3")
    ('Organic search has the highest revenue', 'iPhone 15 leads', 'sku_7 leads', 'E-mail: 3')
    """
    first = sentence.split(" ", 1)[0].rstrip(",:;.")
    plain = first.replace("-", "").replace("'", "").replace("’", "")
    return sentence[:1].upper() + sentence[1:] if plain.isalpha() and plain.islower() else sentence


def says_many(label: str) -> bool:
    """Whether a metric's name is a plural: orders, visits per day, sales of shoes; not gross margin, status, address, analysis.

    >>> [says_many(name) for name in ("Orders", "Visits per user", "Gross", "Bonus", "Revenue", "People")]
    [True, True, False, False, False, True]
    """
    head = re.split(r"\s+(?:of|per|by|in|with|without|from|for|to|at)\s|\s*[(,]", label.casefold(), maxsplit=1)[0].strip()
    return head.endswith(("people", "children")) or (head.endswith("s") and not head.endswith(("ss", "us", "is", "news", "gas")))
