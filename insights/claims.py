"""What may be said of each kind of fact: the names, numbers and directions of a statement, in their order.

A text is true to its facts when it is a row of such statements and nothing else; `verify` holds it to that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from insights.types import Fact, FactKind, Quantity

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


def claims_of(fact: Fact) -> tuple[Claim, ...]:
    """The statements that this fact allows; each may also be made without what is left out of it only where listed."""
    return _MADE[fact.kind](fact)


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


def _period_change(fact: Fact) -> tuple[Claim, ...]:
    before, after = fact.values["before"], fact.values["after"]
    label, now, then = Name(fact.quantity.label), Name(fact.period.label), Name(fact.baseline.label if fact.baseline else "")
    if after == before:
        return ((label, Direction("not"), amount(fact.quantity, after), now, then),)
    return (
        (
            label,
            way_of(after - before),
            moved(fact.quantity, before, after),
            amount(fact.quantity, after),
            now,
            amount(fact.quantity, before),
            then,
        ),
    )


def _year_ago(fact: Fact) -> tuple[Claim, ...]:
    then, after = fact.values["year_ago"], fact.values["after"]
    return ((Name(fact.baseline.label if fact.baseline else ""), way_of(after - then), moved(fact.quantity, then, after)),)


def _usual_move(fact: Fact) -> tuple[Claim, ...]:
    usual, grain = fact.values["usual"], Name(fact.names[0])
    return ((grain, grain, Number(usual * 100, None, "points") if is_rate(fact.quantity) else share(usual)),)


def _driver(fact: Fact) -> tuple[Claim, ...]:
    difference, part, whole = fact.values["difference"], fact.values["share"], fact.values["whole"]
    name, towards = Name(fact.segment), way_of(whole)
    if part > 1.0:
        return ((name, amount(fact.quantity, difference, signed=True), towards),)
    return ((name, share(part), towards, amount(fact.quantity, difference, signed=True)),)


def _counter_driver(fact: Fact) -> tuple[Claim, ...]:
    return ((way_of(fact.values["whole"]), Name(fact.segment), amount(fact.quantity, fact.values["difference"], signed=True)),)


def _remainder(fact: Fact) -> tuple[Claim, ...]:
    before, after = fact.values["before"], fact.values["after"]
    return ((Name(fact.quantity.label), way_of(after - before), moved(fact.quantity, before, after)),)


def _no_driver(fact: Fact) -> tuple[Claim, ...]:
    return ((Direction("not"), *(Name(name) for name in fact.names)),)


def _mix_rate(fact: Fact) -> tuple[Claim, ...]:
    return (
        (
            Name(fact.names[0]),
            amount(fact.quantity, fact.values["mix"], signed=True),
            amount(fact.quantity, fact.values["rate"], signed=True),
        ),
    )


def _reversal(fact: Fact) -> tuple[Claim, ...]:
    whole = fact.values["whole"]
    return ((Name(fact.quantity.label), way_of(-whole), Name(fact.names[0]), way_of(whole)),)


def _share_shift(fact: Fact) -> tuple[Claim, ...]:
    return ((Name(fact.segment), Name(fact.names[0]), share(fact.values["share_before"]), share(fact.values["share_after"])),)


def _part(fact: Fact) -> tuple[Claim, ...]:
    before, after = fact.values["before"], fact.values["after"]
    way = way_of(after - before)
    if not math.isfinite(fact.values["effect"]) or not before:
        return ((Name(fact.names[0]), way),)
    return (
        (Name(fact.names[0]), way, share(abs(after - before) / abs(before)), amount(fact.quantity, fact.values["effect"], signed=True)),
    )


def _record(fact: Fact) -> tuple[Claim, ...]:
    return (
        (
            Name(fact.quantity.label),
            amount(fact.quantity, fact.values["value"]),
            Name(fact.period.label),
            way_of(fact.values["way"]),
            Number(fact.values["periods"]),
        ),
    )


def _unusual_value(fact: Fact) -> tuple[Claim, ...]:
    value, expected = fact.values["value"], fact.values["expected"]
    return (
        (
            Name(fact.quantity.label),
            amount(fact.quantity, value),
            Name(fact.period.label),
            way_of(value - expected),
            amount(fact.quantity, expected),
        ),
    )


def _new_trend(fact: Fact) -> tuple[Claim, ...]:
    return ((Name(fact.quantity.label), way_of(fact.values["way"]), Number(fact.values["periods"]), Name(fact.period.label)),)


def _level_shift(fact: Fact) -> tuple[Claim, ...]:
    before, after = fact.values["before"], fact.values["after"]
    return (
        (
            Name(fact.quantity.label),
            way_of(after - before),
            Name(fact.period.label),
            amount(fact.quantity, before),
            amount(fact.quantity, after),
        ),
    )


def _concentration(fact: Fact) -> tuple[Claim, ...]:
    return (
        (
            Name(fact.segment),
            share(fact.values["share"]),
            Name(fact.quantity.label),
            Name(fact.names[0]),
            share(fact.values["share_before"]),
        ),
    )


def _outlier_segment(fact: Fact) -> tuple[Claim, ...]:
    before, after = fact.values["before"], fact.values["after"]
    return (
        (
            Name(fact.segment),
            Name(fact.quantity.label),
            way_of(after - before),
            amount(fact.quantity, before),
            amount(fact.quantity, after),
        ),
    )


def _late_data(fact: Fact) -> tuple[Claim, ...]:
    return ((Name(fact.segment), share(fact.values["share"]), Name(fact.quantity.label), Name(fact.period.label)),)


_MADE: Mapping[FactKind, Callable[[Fact], tuple[Claim, ...]]] = {
    "period_change": _period_change,
    "year_ago": _year_ago,
    "usual_move": _usual_move,
    "driver": _driver,
    "counter_driver": _counter_driver,
    "remainder": _remainder,
    "no_driver": _no_driver,
    "mix_rate": _mix_rate,
    "reversal": _reversal,
    "share_shift": _share_shift,
    "part": _part,
    "record": _record,
    "unusual_value": _unusual_value,
    "new_trend": _new_trend,
    "level_shift": _level_shift,
    "concentration": _concentration,
    "outlier_segment": _outlier_segment,
    "late_data": _late_data,
}
