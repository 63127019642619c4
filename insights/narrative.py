"""Sentences from facts. "Accounts for", never "caused by"; each sentence is checked against its facts before it leaves.

A change of any template changes TEMPLATES_VERSION, so that an old narrative can be told apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from insights.claims import Number, amount, is_rate, moved, share
from insights.periods import during
from insights.types import Fact, FactKind, Quantity
from insights.verify import verify
from insights.wording import number

TEMPLATES_VERSION = 1


def narrate(facts: Sequence[Fact]) -> list[str]:
    """One sentence per fact, in their order, proven. Raises: NotProven."""
    sentences = [_SAID[fact.kind](fact) for fact in facts]
    verify(sentences, facts)
    return sentences


def said(value: Number) -> str:
    """A number as it is written in sentences: percent and points with few digits, large amounts short."""
    amount_ = value.value
    if value.format == "percent":
        amount_ = _readable(amount_ * 100) / 100
    elif value.unit == "points":
        amount_ = _readable(amount_)
    text = number(amount_, value.format, value.unit, compact=True)
    return f"+{text}" if value.signed and value.value > 0 else text


def _readable(value: float) -> float:
    """One decimal from 10 on, two below, and one digit where that would leave nothing."""
    if not value or not math.isfinite(value) or abs(value) >= 1000:
        return value  # written whole: rounding twice would round wrongly
    return round(value, 1 if abs(value) >= 10 else 2 if abs(value) >= 0.01 else -math.floor(math.log10(abs(value))))


def _period_change(fact: Fact) -> str:
    before, after = fact.values["before"], fact.values["after"]
    label, now, then = fact.quantity.label, during(fact.period), during(fact.baseline) if fact.baseline else ""
    if before == after:
        return f"{_cap(label)} did not change: {_amount(fact, after)} {now}, as {then}."
    return f"{_cap(label)} {_verb(after - before)} {_moved(fact.quantity, before, after)} to {_amount(fact, after)} {now} (from {_amount(fact, before)} {then})."


def _year_ago(fact: Fact) -> str:
    then, after = fact.values["year_ago"], fact.values["after"]
    if then == after:
        return f"Compared with {fact.baseline.label if fact.baseline else ''} it is flat, {_moved(fact.quantity, then, after)}."
    return f"Compared with {fact.baseline.label if fact.baseline else ''} it is {'up' if after > then else 'down'} {_moved(fact.quantity, then, after)}."


def _usual_move(fact: Fact) -> str:
    usual, grain = fact.values["usual"], fact.names[0]
    return f"From {grain} to {grain} it usually moves by {said(Number(usual * 100, None, 'points') if is_rate(fact.quantity) else share(usual))}."


def _driver(fact: Fact) -> str:
    whole, part = fact.values["whole"], fact.values["share"]
    noun, difference = _noun(whole), said(amount(fact.quantity, fact.values["difference"], signed=True))
    if part > 1.0:
        return f"{_cap(fact.segment)} accounts for {difference}, which exceeds the whole {noun}."
    return f"{_cap(fact.segment)} accounts for {said(share(part))} of the {noun} ({difference})."


def _counter_driver(fact: Fact) -> str:
    return f"Against the {_noun(fact.values['whole'])}, {fact.segment} moved {said(amount(fact.quantity, fact.values['difference'], signed=True))}."


def _remainder(fact: Fact) -> str:
    before, after = fact.values["before"], fact.values["after"]
    if before == after:
        return f"Without that, {fact.quantity.label} was flat, {_moved(fact.quantity, before, after)}."
    return f"Without that, {fact.quantity.label} {_verb(after - before)} {_moved(fact.quantity, before, after)}."


def _no_driver(fact: Fact) -> str:
    names = list(fact.names)
    if not names:
        return "There is no segment to compare."
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"No segment stands out: the change is spread over {listed}."


def _mix_rate(fact: Fact) -> str:
    mix, rate = (said(amount(fact.quantity, fact.values[name], signed=True)) for name in ("mix", "rate"))
    return f"By {fact.names[0]}, a shift in the mix accounts for {mix} and the segments' own rates for {rate}."


def _reversal(fact: Fact) -> str:
    whole = fact.values["whole"]
    return f"Simpson's reversal: {fact.quantity.label} {_verb(-whole)} within every {fact.names[0]}, yet {_verb(whole)} as a whole."


def _share_shift(fact: Fact) -> str:
    before, after = (said(share(fact.values[name])) for name in ("share_before", "share_after"))
    return f"The share of {fact.segment} in {fact.names[0]} went from {before} to {after}."


def _part(fact: Fact) -> str:
    before, after, effect = (fact.values[name] for name in ("before", "after", "effect"))
    name, verb = _cap(fact.names[0]), _verb(after - before)
    if not math.isfinite(effect) or not before:
        return f"{name} {verb}."
    return f"{name} {verb} {said(share(abs(after - before) / abs(before)))}, which accounts for {said(amount(fact.quantity, effect, signed=True))} of the change."


def _record(fact: Fact) -> str:
    way, periods = "highest" if fact.values["way"] > 0 else "lowest", said(Number(fact.values["periods"]))
    return (
        f"{_cap(fact.quantity.label)} came to {_amount(fact, fact.values['value'])} {during(fact.period)}, the {way} of {periods} periods."
    )


def _unusual_value(fact: Fact) -> str:
    value, expected = fact.values["value"], fact.values["expected"]
    side = "above" if value > expected else "below"
    return (
        f"{_cap(fact.quantity.label)} came to {_amount(fact, value)} {during(fact.period)}, {side} the expected {_amount(fact, expected)}."
    )


def _new_trend(fact: Fact) -> str:
    way, periods = "up" if fact.values["way"] > 0 else "down", said(Number(fact.values["periods"]))
    return f"{_cap(fact.quantity.label)} moved {way} for {periods} periods in a row, to {fact.period.label}."


def _level_shift(fact: Fact) -> str:
    before, after = fact.values["before"], fact.values["after"]
    level = "higher" if after > before else "lower"
    return (
        f"The level of {fact.quantity.label} is {level} since {fact.period.label}: from {_amount(fact, before)} to {_amount(fact, after)}."
    )


def _concentration(fact: Fact) -> str:
    now, then = said(share(fact.values["share"])), said(share(fact.values["share_before"]))
    return f"{_cap(fact.segment)} holds {now} of {fact.quantity.label} over every {fact.names[0]}, from {then}."


def _outlier_segment(fact: Fact) -> str:
    before, after = fact.values["before"], fact.values["after"]
    return f"{_cap(fact.segment)} stands out: its {fact.quantity.label} {_verb(after - before)} from {_amount(fact, before)} to {_amount(fact, after)}."


def _late_data(fact: Fact) -> str:
    loaded = said(share(fact.values["share"]))
    return f"{_cap(fact.segment)} seems late: only {loaded} of the expected {fact.quantity.label} {during(fact.period)} is loaded."


def _amount(fact: Fact, value: float) -> str:
    return said(amount(fact.quantity, value))


def _moved(quantity: Quantity, before: float, after: float) -> str:
    return said(moved(quantity, before, after))


def _verb(difference: float) -> str:
    return "rose" if difference > 0 else "fell" if difference < 0 else "held steady"


def _noun(difference: float) -> str:
    return "rise" if difference > 0 else "fall"


def _cap(text: str) -> str:
    return text[:1].upper() + text[1:]


_SAID: Mapping[FactKind, Callable[[Fact], str]] = {
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
