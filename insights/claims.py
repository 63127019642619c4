"""What statements are made of: names, numbers and directions, in their order.

A text is true to its facts when it is a row of statements that their kinds allow and nothing else; `verify` holds it to that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from insights.types import Quantity

Way = Literal["up", "down", "flat", "not"]


@dataclass(frozen=True, slots=True)
class Name:
    text: str


@dataclass(frozen=True, slots=True)
class Number:
    """value: with the sign it is written with. signed: a plus is written too."""

    value: float
    format: str | None = None
    unit: str | None = None
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Direction:
    way: Way


Element = Name | Number | Direction
Claim = tuple[Element, ...]


def way_of(value: float) -> Direction:
    return Direction("up" if value > 0 else "down" if value < 0 else "flat")


def amount(quantity: Quantity, value: float, *, signed: bool = False) -> Number:
    """A value of the metric; a difference of a rate is in points."""
    if signed and quantity.format == "percent":
        return points(value)
    if signed and quantity.format == "percent_points":
        return Number(value, None, "points", signed=True)
    return Number(value, quantity.format, quantity.unit, signed)


def points(value: float) -> Number:
    return Number(value * 100, None, "points", signed=True)


def share(value: float) -> Number:
    return Number(value, "percent")


def is_rate(quantity: Quantity) -> bool:
    return quantity.format in ("percent", "percent_points")


def moved(quantity: Quantity, before: float, after: float) -> Number:
    """How much a change is said to be, without its sign: in points for a rate, else in percent of before."""
    if is_rate(quantity):
        return Number(abs(after - before) * (100 if quantity.format == "percent" else 1), None, "points")
    return share(abs(after - before) / abs(before)) if before else Number(abs(after - before), quantity.format, quantity.unit)
