"""A metric beside another metric, a goal or a dated event. An association is called one."""

from __future__ import annotations

from insights.claims import Claim, Direction, Name, Number, amount, is_rate, share, way_of
from insights.kinds.declared import Kind, Slots
from insights.phrasing import capital, said, said_amount, side
from insights.types import Fact

LAGGED_CORRELATION = Kind(
    lambda fact: (
        (
            Name(fact.names[0]),
            Number(fact.values["lag"]),
            Name(fact.names[1] if fact.values["lag"] == 1 else f"{fact.names[1]}s"),
            Name(fact.quantity.label),
            Number(fact.values["r"], signed=True),
            Direction("not"),
        ),
    ),
    lambda fact: (
        "ahead" if fact.values["lag"] == 1 else "ahead_by",
        {
            "Leader": capital(fact.names[0]),
            "lag": said(Number(fact.values["lag"])),
            "grain": fact.names[1],
            "label": fact.quantity.label,
            "r": f"{fact.values['r']:+.2f}",
        },
    ),
    {
        "ahead": "{Leader} has tended to move {lag} {grain} before {label} (correlation {r}); that is an association, not a cause.",
        "ahead_by": "{Leader} has tended to move {lag} {grain}s before {label} (correlation {r}); that is an association, not a cause.",
    },
    "watch",
)


def _goal_claims(fact: Fact) -> tuple[Claim, ...]:
    forecast, goal = fact.values["forecast"], fact.values["goal"]
    start = (Name(fact.quantity.label), amount(fact.quantity, forecast), Name(fact.period.label), way_of(forecast - goal))
    said_by = (Name(fact.model),) if fact.model else ()
    return ((*start, amount(fact.quantity, goal), *said_by),)


def _goal_slots(fact: Fact) -> Slots:
    forecast, goal = fact.values["forecast"], fact.values["goal"]
    return ("course_by" if fact.model else "course"), {
        "Label": capital(fact.quantity.label), "forecast": said_amount(fact, forecast), "period": fact.period.label,
        "side": side(forecast - goal), "goal": said_amount(fact, goal), "model": fact.model,
    }  # fmt: skip


GOAL_PACE = Kind(
    _goal_claims,
    _goal_slots,
    {
        "course": "{Label} is expected to reach {forecast} for {period}, {side} the goal of {goal}.",
        "course_by": "{Label} is expected to reach {forecast} for {period}, {side} the goal of {goal}, as model {model} forecasts.",
    },
    "forecast",
)


def _effect(fact: Fact) -> Number:
    effect = abs(fact.values["effect"])
    if is_rate(fact.quantity):
        return Number(effect * (100 if fact.quantity.format == "percent" else 1), None, "points")
    return share(effect)


EVENT_EFFECT = Kind(
    lambda fact: ((Name(fact.names[0]), Name(fact.period.label), _effect(fact), way_of(fact.values["effect"]), Name(fact.quantity.label)),),
    lambda fact: (
        "event",
        {
            "Event": capital(fact.names[0]),
            "period": fact.period.label,
            "effect": said(_effect(fact)),
            "way": "more" if fact.values["effect"] > 0 else "less",
            "label": fact.quantity.label,
        },
    ),
    {"event": "{Event} ({period}) accounts for {effect} {way} {label} than its own course would have given."},
    "watch",
)
