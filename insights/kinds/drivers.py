"""Segments that go with a change, and the mix of segments."""

from __future__ import annotations

from insights.claims import Claim, Name, amount, share, way_of
from insights.kinds.declared import Kind, Slots
from insights.phrasing import capital, noun, said, said_amount, verb
from insights.types import Fact


def _driver_claims(fact: Fact) -> tuple[Claim, ...]:
    name, towards = Name(fact.segment), way_of(fact.values["whole"])
    difference = amount(fact.quantity, fact.values["difference"], signed=True)
    if fact.values["share"] > 1.0:
        return ((name, difference, towards),)
    return ((name, share(fact.values["share"]), towards, difference),)


def _driver_slots(fact: Fact) -> Slots:
    part = fact.values["share"]
    slots = {
        "Segment": capital(fact.segment), "noun": noun(fact.values["whole"]), "share": said(share(part)),
        "difference": said_amount(fact, fact.values["difference"], signed=True),
    }  # fmt: skip
    return ("beyond" if part > 1.0 else "part"), slots


DRIVER = Kind(
    _driver_claims,
    _driver_slots,
    {
        "part": "{Segment} accounts for {share} of the {noun} ({difference}).",
        "beyond": "{Segment} accounts for {difference}, which exceeds the whole {noun}.",
    },
    "drill",
)

COUNTER_DRIVER = Kind(
    lambda fact: ((way_of(fact.values["whole"]), Name(fact.segment), amount(fact.quantity, fact.values["difference"], signed=True)),),
    lambda fact: (
        "against",
        {
            "noun": noun(fact.values["whole"]),
            "segment": fact.segment,
            "difference": said_amount(fact, fact.values["difference"], signed=True),
        },
    ),
    {"against": "Against the {noun}, {segment} moved {difference}."},
    "drill",
)

MIX_RATE = Kind(
    lambda fact: ((Name(fact.names[0]), *(amount(fact.quantity, fact.values[name], signed=True) for name in ("mix", "rate"))),),
    lambda fact: (
        "split",
        {"dimension": fact.names[0]} | {name: said_amount(fact, fact.values[name], signed=True) for name in ("mix", "rate")},
    ),
    {"split": "By {dimension}, a shift in the mix accounts for {mix} and the segments' own rates for {rate}."},
    "drill",
)

REVERSAL = Kind(
    lambda fact: ((Name(fact.quantity.label), way_of(-fact.values["whole"]), Name(fact.names[0]), way_of(fact.values["whole"])),),
    lambda fact: (
        "simpson",
        {
            "label": fact.quantity.label,
            "within": verb(-fact.values["whole"]),
            "dimension": fact.names[0],
            "whole": verb(fact.values["whole"]),
        },
    ),
    {"simpson": "Simpson's reversal: {label} {within} within every {dimension}, yet {whole} as a whole."},
    "drill",
)

SHARE_SHIFT = Kind(
    lambda fact: ((Name(fact.segment), Name(fact.names[0]), share(fact.values["share_before"]), share(fact.values["share_after"])),),
    lambda fact: (
        "went",
        {
            "segment": fact.segment,
            "base": fact.names[0],
            "before": said(share(fact.values["share_before"])),
            "after": said(share(fact.values["share_after"])),
        },
    ),
    {"went": "The share of {segment} in {base} went from {before} to {after}."},
    "drill",
)
