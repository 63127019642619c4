"""Facts read back from the JSON that they were kept as."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any

from insights.types import Evidence, Fact, Period, Quantity, Score


def fact_from_json(kept: Mapping[str, Any]) -> Fact:
    """The inverse of `Fact.as_json`. Raises: KeyError for what is no kept fact."""
    quantity = kept["quantity"]
    test, score = kept.get("test"), kept.get("score")
    return Fact(
        kind=kept["kind"],
        quantity=Quantity(quantity["label"], quantity["format"], quantity["unit"], quantity["good_direction"], quantity["name"]),
        period=_period(kept["period"]),
        baseline=_period(kept["baseline"]) if kept.get("baseline") else None,
        scope=tuple((str(name), str(value)) for name, value in kept["scope"].items()),
        values={name: math.nan if value is None else float(value) for name, value in kept["values"].items()},
        names=tuple(kept["names"]),
        test=Evidence(test["name"], test["statistic"], test["p"], test["n"]) if test else None,
        impact=float(kept["impact"]),
        score=Score(
            score["impact"], score["significance"], score["novelty"], score["actionability"], score["reader"], tuple(score["reasons"])
        )
        if score
        else None,
        receipts=tuple(kept["receipts"]),
        model=kept.get("model") or "",
    )


def _period(kept: Mapping[str, Any]) -> Period:
    start, end = (dt.datetime.fromisoformat(kept[name]) if kept[name] else None for name in ("start", "end"))
    return Period(kept["label"], start, end)
