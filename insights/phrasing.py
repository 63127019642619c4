"""Numbers and small words of sentences: percent and points with few digits, large amounts short, directions by their sign."""

from __future__ import annotations

import math

from insights.claims import Number, amount, moved
from insights.types import Fact, Quantity
from insights.wording import number


def said(value: Number) -> str:
    """A number as it is written in sentences."""
    amount_ = value.value
    if value.format == "percent":
        amount_ = _readable(amount_ * 100) / 100
    elif value.unit == "points":
        amount_ = _readable(amount_)
    text = number(amount_, value.format, value.unit, compact=True)
    return f"+{text}" if value.signed and value.value > 0 else text


def said_points(value: float) -> str:
    """A difference of two percentages: 0.64 points."""
    return said(Number(value, unit="points"))


def said_amount(fact: Fact, value: float, *, signed: bool = False) -> str:
    return said(amount(fact.quantity, value, signed=signed))


def said_move(quantity: Quantity, before: float, after: float) -> str:
    return said(moved(quantity, before, after))


def verb(difference: float) -> str:
    return "rose" if difference > 0 else "fell" if difference < 0 else "held steady"


def noun(difference: float) -> str:
    return "rise" if difference > 0 else "fall"


def side(difference: float) -> str:
    return "above" if difference > 0 else "below"


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def listed(names: tuple[str, ...]) -> str:
    """a; a and b; a, b and c."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _readable(value: float) -> float:
    """One decimal from 10 on, two below, and one digit where that would leave nothing."""
    if not value or not math.isfinite(value) or abs(value) >= 1000:
        return value  # written whole: rounding twice would round wrongly
    return round(value, 1 if abs(value) >= 10 else 2 if abs(value) >= 0.01 else -math.floor(math.log10(abs(value))))
