"""What looks like news and is a load that went wrong."""

from __future__ import annotations

from insights.claims import Direction, Name, Number, amount, share
from insights.kinds.declared import Kind
from insights.periods import during
from insights.phrasing import capital, said, said_amount

LATE_DATA = Kind(
    lambda fact: ((Name(fact.segment), share(fact.values["share"]), Name(fact.quantity.label), Name(fact.period.label)),),
    lambda fact: (
        "late",
        {
            "Segment": capital(fact.segment),
            "share": said(share(fact.values["share"])),
            "label": fact.quantity.label,
            "now": during(fact.period),
        },
    ),
    {"late": "{Segment} seems late: only {share} of the expected {label} {now} is loaded."},
    "check_load",
)

MISSING_DATA = Kind(
    lambda fact: ((Direction("not"), Name(fact.quantity.label), Name(fact.period.label), Number(fact.values["periods"])),),
    lambda fact: (
        "missing",
        {"label": fact.quantity.label, "now": during(fact.period), "periods": said(Number(fact.values["periods"]))},
    ),
    {"missing": "There is no {label} {now}, the first gap in {periods} periods: a load seems to be missing."},
    "check_load",
    observed=True,
)

DOUBLED_DATA = Kind(
    lambda fact: (
        (
            Name(fact.quantity.label),
            Name(fact.period.label),
            amount(fact.quantity, fact.values["value"]),
            Number(fact.values["ratio"]),
            amount(fact.quantity, fact.values["expected"]),
            Name(fact.names[0]),
        ),
    ),
    lambda fact: (
        "doubled",
        {
            "Label": capital(fact.quantity.label),
            "now": during(fact.period),
            "value": said_amount(fact, fact.values["value"]),
            "ratio": said(Number(fact.values["ratio"])),
            "expected": said_amount(fact, fact.values["expected"]),
            "dimension": fact.names[0],
        },
    ),
    {"doubled": "{Label} {now} seems loaded double: {value} is {ratio} times the expected {expected}, alike in every {dimension}."},
    "check_load",
)
