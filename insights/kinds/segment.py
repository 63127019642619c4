"""Segments beside each other."""

from __future__ import annotations

from insights.claims import Claim, Name, amount, moved, share, way_of
from insights.kinds.declared import Kind, Slots
from insights.periods import during
from insights.phrasing import capital, said, said_amount, said_move, verb
from insights.types import Fact

CONCENTRATION = Kind(
    lambda fact: (
        (
            Name(fact.segment),
            share(fact.values["share"]),
            Name(fact.quantity.label),
            Name(fact.names[0]),
            share(fact.values["share_before"]),
        ),
    ),
    lambda fact: (
        "holds",
        {
            "Segment": capital(fact.segment),
            "share": said(share(fact.values["share"])),
            "label": fact.quantity.label,
            "dimension": fact.names[0],
            "before": said(share(fact.values["share_before"])),
        },
    ),
    {"holds": "{Segment} holds {share} of {label} over every {dimension}, from {before}."},
    "drill",
)


def _unsaid(fact: Fact) -> tuple[str, ...]:
    """What the values of a segment are values of, where they do not say so themselves."""
    return tuple(dimension for dimension, _ in fact.scope if dimension.lower() not in fact.segment.lower())


OUTLIER_SEGMENT = Kind(
    lambda fact: (
        (
            Name(fact.segment),
            *(Name(dimension) for dimension in _unsaid(fact)),
            Name(fact.quantity.label),
            amount(fact.quantity, fact.values["after"]),
            Name(fact.period.label),
            way_of(fact.values["after"] - fact.values["before"]),
            amount(fact.quantity, fact.values["before"]),
        ),
    ),
    lambda fact: (
        "out",
        {
            "Segment": capital(fact.segment) + (f" ({', '.join(_unsaid(fact))})" if _unsaid(fact) else ""),
            "label": fact.quantity.label,
            "side": "above" if fact.values["after"] > fact.values["before"] else "below",
            "before": said_amount(fact, fact.values["before"]),
            "after": said_amount(fact, fact.values["after"]),
            "now": during(fact.period),
        },
    ),
    {"out": "{Segment} stands out: its {label} came to {after} {now}, {side} the expected {before}."},
    "drill",
)


def _exception_claims(fact: Fact) -> tuple[Claim, ...]:
    before, after = fact.values["before"], fact.values["after"]
    others = way_of(fact.values["others"])
    it = (Name(fact.segment), way_of(after - before), moved(fact.quantity, before, after), amount(fact.quantity, after))
    return ((Name(fact.quantity.label), others, Name(fact.period.label), Name(fact.names[0]), *it),)


def _exception_slots(fact: Fact) -> Slots:
    before, after = fact.values["before"], fact.values["after"]
    return "but", {
        "Label": capital(fact.quantity.label), "others": verb(fact.values["others"]), "dimension": fact.names[0],
        "segment": fact.segment, "verb": verb(after - before), "moved": said_move(fact.quantity, before, after),
        "after": said_amount(fact, after), "now": during(fact.period),
    }  # fmt: skip


EXCEPTION = Kind(
    _exception_claims,
    _exception_slots,
    {"but": "{Label} {others} {now} within every {dimension} but {segment}, where it {verb} {moved} to {after}."},
    "drill",
)
