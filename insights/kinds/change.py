"""How a metric changed between two periods, and beside what."""

from __future__ import annotations

import math

from insights.claims import Claim, Direction, Name, Number, amount, is_rate, moved, share, way_of
from insights.kinds.declared import Kind, Slots
from insights.periods import during
from insights.phrasing import capital, listed, said, said_amount, said_move, verb
from insights.types import Fact
from insights.wording import says_many


def _then(fact: Fact) -> str:
    return fact.baseline.label if fact.baseline else ""


def _period_change_claims(fact: Fact) -> tuple[Claim, ...]:
    before, after, quantity = fact.values["before"], fact.values["after"], fact.quantity
    label, now, then = Name(quantity.label), Name(fact.period.label), Name(_then(fact))
    if after == before:
        return ((label, Direction("not"), amount(quantity, after), now, then),)
    change = (label, way_of(after - before), moved(quantity, before, after), amount(quantity, after), now)
    return ((*change, amount(quantity, before), then),)


def _period_change_slots(fact: Fact) -> Slots:
    before, after = fact.values["before"], fact.values["after"]
    slots = {
        "Label": capital(fact.quantity.label), "verb": verb(after - before), "moved": said_move(fact.quantity, before, after),
        "after": said_amount(fact, after), "now": during(fact.period), "before": said_amount(fact, before),
        "then": during(fact.baseline) if fact.baseline else "",
    }  # fmt: skip
    return ("same" if before == after else "moved"), slots


PERIOD_CHANGE = Kind(
    _period_change_claims,
    _period_change_slots,
    {
        "moved": "{Label} {verb} {moved} to {after} {now} (from {before} {then}).",
        "same": "{Label} did not change: {after} {now}, as {then}.",
    },
    "forecast",
)


def _year_ago_claims(fact: Fact) -> tuple[Claim, ...]:
    then, after = fact.values["year_ago"], fact.values["after"]
    rest = (way_of(after - then), moved(fact.quantity, then, after))
    return ((Name(_then(fact)), Name(fact.quantity.label), *rest), (Name(_then(fact)), *rest))


def _year_ago_slots(fact: Fact) -> Slots:
    then, after = fact.values["year_ago"], fact.values["after"]
    slots = {
        "then": _then(fact), "label": fact.quantity.label, "be": "are" if says_many(fact.quantity.label) else "is", "way": "up" if after > then else "down",
        "moved": said_move(fact.quantity, then, after),
    }  # fmt: skip
    return ("same" if then == after else "moved"), slots


YEAR_AGO = Kind(
    _year_ago_claims,
    _year_ago_slots,
    {"moved": "Compared with {then}, {label} {be} {way} {moved}.", "same": "Compared with {then}, {label} {be} flat, {moved}."},
)


def _usual(fact: Fact) -> Number:
    usual = fact.values["usual"]
    return Number(usual * (100 if fact.quantity.format == "percent" else 1), None, "points") if is_rate(fact.quantity) else share(usual)


USUAL_MOVE = Kind(
    lambda fact: ((Name(fact.names[0]), Name(fact.names[0]), _usual(fact)),),
    lambda fact: ("usual", {"grain": fact.names[0], "usual": said(_usual(fact))}),
    {"usual": "From {grain} to {grain} it usually moves by {usual}."},
)


def _remainder_slots(fact: Fact) -> Slots:
    before, after = fact.values["before"], fact.values["after"]
    slots = {"label": fact.quantity.label, "verb": verb(after - before), "moved": said_move(fact.quantity, before, after)}
    several = "_several" if fact.values.get("told", 1) > 1 else ""
    return ("same" if before == after else f"moved{several}"), slots


REMAINDER = Kind(
    lambda fact: (
        (
            Name(fact.quantity.label),
            way_of(fact.values["after"] - fact.values["before"]),
            moved(fact.quantity, fact.values["before"], fact.values["after"]),
        ),
    ),
    _remainder_slots,
    {
        "moved": "Without that, {label} {verb} {moved}.",
        "moved_several": "Without these, {label} {verb} {moved}.",
        "same": "Without that, {label} was flat, {moved}.",
    },
)

NO_DRIVER = Kind(
    lambda fact: ((Direction("not"), *(Name(name) for name in fact.names)),),
    lambda fact: ("spread", {"names": listed(fact.names)}) if fact.names else ("alone", {}),
    {"spread": "No segment stands out: each moved as usual, by {names}.", "alone": "There is no segment to compare."},
    "watch",
)


def _part_claims(fact: Fact) -> tuple[Claim, ...]:
    before, after, effect = (fact.values[name] for name in ("before", "after", "effect"))
    name, way = Name(fact.names[0]), way_of(after - before)
    if not math.isfinite(effect) or not before:
        return ((name, way),)
    return ((name, way, share(abs(after - before) / abs(before)), amount(fact.quantity, effect, signed=True)),)


def _part_slots(fact: Fact) -> Slots:
    before, after, effect = (fact.values[name] for name in ("before", "after", "effect"))
    slots = {"Part": capital(fact.names[0]), "verb": verb(after - before)}
    if not math.isfinite(effect) or not before:
        return "bare", slots
    relative = said(share(abs(after - before) / abs(before)))
    return "effect", slots | {"moved": relative, "effect": said_amount(fact, effect, signed=True)}


PART = Kind(
    _part_claims,
    _part_slots,
    {"effect": "{Part} {verb} {moved}, which accounts for {effect} of the change.", "bare": "{Part} {verb}."},
    "drill",
)
