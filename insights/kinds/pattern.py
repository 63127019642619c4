"""What is new in the course of a metric: values, records, trends, levels."""

from __future__ import annotations

from insights.claims import Claim, Direction, Name, Number, amount, share, way_of
from insights.kinds.declared import Kind, Slots
from insights.periods import during
from insights.phrasing import capital, said, said_amount, side
from insights.types import Fact

FLAT = 0.0005  # per step: a slope that is written 0%


def _about(fact: Fact) -> dict[str, str]:
    return {"Label": capital(fact.quantity.label), "label": fact.quantity.label, "now": during(fact.period), "period": fact.period.label}


RECORD = Kind(
    lambda fact: (
        (
            Name(fact.quantity.label),
            amount(fact.quantity, fact.values["value"]),
            Name(fact.period.label),
            way_of(fact.values["way"]),
            Number(fact.values["periods"]),
        ),
    ),
    lambda fact: (
        "record",
        _about(fact)
        | {
            "value": said_amount(fact, fact.values["value"]),
            "way": "highest" if fact.values["way"] > 0 else "lowest",
            "periods": said(Number(fact.values["periods"])),
        },
    ),
    {"record": "{Label} came to {value} {now}, the {way} of {periods} periods."},
    "drill",
)


def _beside_claims(fact: Fact) -> tuple[Claim, ...]:
    value, expected = fact.values["value"], fact.values["expected"]
    start = (Name(fact.quantity.label), amount(fact.quantity, value), Name(fact.period.label), way_of(value - expected))
    return ((*start, amount(fact.quantity, expected)),)


def _beside_slots(fact: Fact) -> Slots:
    value, expected = fact.values["value"], fact.values["expected"]
    slots = {"value": said_amount(fact, value), "side": side(value - expected), "expected": said_amount(fact, expected)}
    return "beside", _about(fact) | slots


UNUSUAL_VALUE = Kind(_beside_claims, _beside_slots, {"beside": "{Label} came to {value} {now}, {side} the expected {expected}."}, "drill")
SEASON_NOTE = Kind(
    _beside_claims,
    _beside_slots,
    {"beside": "{Label} came to {value} {now}, {side} the {expected} of ordinary weeks, as at the same time a year earlier."},
)

STREAK = Kind(
    lambda fact: ((Name(fact.quantity.label), way_of(fact.values["way"]), Number(fact.values["periods"]), Name(fact.period.label)),),
    lambda fact: (
        "row",
        _about(fact) | {"way": "up" if fact.values["way"] > 0 else "down", "periods": said(Number(fact.values["periods"]))},
    ),
    {"row": "{Label} moved {way} for {periods} periods in a row, to {period}."},
    "forecast",
)


def _slope(value: float) -> tuple[Claim, str]:
    if abs(value) < FLAT:
        return (Direction("flat"),), "flat"
    size = share(abs(value))
    return (way_of(value), size), f"{'rising' if value > 0 else 'falling'} by {said(size)}"


def _new_trend_claims(fact: Fact) -> tuple[Claim, ...]:
    (now, _), (before, _) = _slope(fact.values["slope"]), _slope(fact.values["slope_before"])
    return ((Name(fact.period.label), Name(fact.quantity.label), *now, Name(fact.names[0]), *before),)


def _new_trend_slots(fact: Fact) -> Slots:
    (_, now), (_, before) = _slope(fact.values["slope"]), _slope(fact.values["slope_before"])
    return "turn", _about(fact) | {"course": now, "before": before, "grain": fact.names[0]}


NEW_TREND = Kind(
    _new_trend_claims,
    _new_trend_slots,
    {"turn": "Since {period}, {label} has been {course} a {grain}, where before it was {before}."},
    "forecast",
)

LEVEL_SHIFT = Kind(
    lambda fact: (
        (
            Name(fact.quantity.label),
            way_of(fact.values["after"] - fact.values["before"]),
            Name(fact.period.label),
            amount(fact.quantity, fact.values["before"]),
            amount(fact.quantity, fact.values["after"]),
        ),
    ),
    lambda fact: (
        "level",
        _about(fact)
        | {
            "level": "higher" if fact.values["after"] > fact.values["before"] else "lower",
            "before": said_amount(fact, fact.values["before"]),
            "after": said_amount(fact, fact.values["after"]),
        },
    ),
    {"level": "The level of {label} is {level} since {period}: from {before} to {after}."},
    "drill",
)
