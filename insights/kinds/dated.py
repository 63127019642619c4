"""The days of a period in which its change sits."""

from __future__ import annotations

from insights.claims import Claim, Name, amount, share, way_of
from insights.kinds.declared import Kind, Slots
from insights.periods import during
from insights.phrasing import noun, said, said_amount, side
from insights.types import Fact


def _claims(fact: Fact) -> tuple[Claim, ...]:
    value, expected, part = fact.values["value"], fact.values["expected"], fact.values["share"]
    when, label, came = Name(fact.period.label), Name(fact.quantity.label), amount(fact.quantity, value)
    beside = (way_of(value - expected), amount(fact.quantity, expected))
    towards = way_of(fact.values["whole"])
    difference = amount(fact.quantity, fact.values["difference"], signed=True)
    if part < 0:
        return ((towards, label, came, when, *beside, difference),)
    start = (when, label, came, *beside)
    if part > 1:
        return ((*start, difference, towards),)
    return ((*start, share(part), towards, difference),)


def _slots(fact: Fact) -> Slots:
    value, expected, part = fact.values["value"], fact.values["expected"], fact.values["share"]
    when = during(fact.period)
    slots = {
        "When": when[:1].upper() + when[1:], "when": when, "label": fact.quantity.label, "value": said_amount(fact, value),
        "side": side(value - expected), "expected": said_amount(fact, expected), "noun": noun(fact.values["whole"]),
        "share": said(share(part)), "difference": said_amount(fact, fact.values["difference"], signed=True),
    }  # fmt: skip
    return ("against" if part < 0 else "beyond" if part > 1 else "part"), slots


DATED_PART = Kind(
    _claims,
    _slots,
    {
        "part": "{When}, {label} came to {value}, {side} the expected {expected}; that accounts for {share} of the {noun} ({difference}).",
        "beyond": "{When}, {label} came to {value}, {side} the expected {expected}; that accounts for {difference}, which exceeds the whole {noun}.",
        "against": "Against the {noun}, {label} came to {value} {when}, {side} the expected {expected} ({difference}).",
    },
    "drill",
)
