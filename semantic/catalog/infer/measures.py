"""What aggregate a number wants when nobody says: sums for amounts and counts, averages for rates, prices and levels."""

from __future__ import annotations

from dataclasses import dataclass

from semantic.catalog.infer import vocabulary as v
from semantic.catalog.infer.probe import ColumnStats
from semantic.catalog.infer.types import ParsedType
from semantic.catalog.infer.vocabulary import UNITS
from semantic.catalog.infer.words import singular
from semantic.catalog.model import FieldType
from semantic.query import AggregateKind

_STRONG_INTENSIVE = frozenset(
    "rate ratio percent percentage pct average mean median per unit score rating index probability gpa temperature latitude longitude minimum maximum threshold".split()
)
# What is still owed on single rows ("open balance" of an invoice) adds up.
_OWED = frozenset({"open", "due", "outstanding", "unpaid", "remaining"})
# A size of the thing where a dimension has it, an amount moved where a fact has it.
_SUMMED_ON_FACTS = frozenset({"weight", "distance"})


@dataclass(frozen=True, slots=True)
class MeasureKind:
    """`additive`: a sum over rows means something."""

    aggregate: AggregateKind
    additive: bool


def measure_kind(
    words: tuple[str, ...],
    parsed: ParsedType,
    stats: ColumnStats | None,
    *,
    on_fact: bool,
    has_quantity: bool,
    is_snapshot: bool,
    counts: bool = False,
) -> MeasureKind:
    """`has_quantity`: the same table has a quantity, so its prices are per unit. `is_snapshot`: rows repeat a state, so sums over time mean
    nothing. `counts`: a comment says that the column counts something."""
    if len(words) > 1 and words[-1] in UNITS and words[-1] not in v.EXTENSIVE | _STRONG_INTENSIVE:
        words = words[:-1]
    last = words[-1]
    said = {*words, *(singular(w) for w in words)}
    if set(words) & _STRONG_INTENSIVE and words[0] not in ("count", "number"):
        return MeasureKind(AggregateKind.AVG, additive=False)
    if said & v.BALANCE and said & _OWED and on_fact and not is_snapshot:
        return MeasureKind(AggregateKind.SUM, additive=True)
    if said & v.BALANCE or is_snapshot:
        return MeasureKind(AggregateKind.AVG, additive=False)
    if last == "price" and not {"total", "extended", "line"} & said:
        return MeasureKind(AggregateKind.AVG, additive=on_fact and not has_quantity and not {"list", "unit", "catalog"} & said)
    if parsed.type == FieldType.INTEGER and singular(last) != last and last not in v.INTENSIVE:
        return MeasureKind(AggregateKind.SUM, additive=True)
    if last in v.EXTENSIVE or words[0] in ("total", "number", "count") or counts:
        return MeasureKind(AggregateKind.SUM, additive=True)
    if on_fact and last in _SUMMED_ON_FACTS:
        return MeasureKind(AggregateKind.SUM, additive=True)
    if last in v.INTENSIVE:
        return MeasureKind(AggregateKind.AVG, additive=False)
    if said & v.EXTENSIVE:
        return MeasureKind(AggregateKind.SUM, additive=True)
    if said & v.INTENSIVE:
        return MeasureKind(AggregateKind.AVG, additive=False)
    if (
        parsed.type in (FieldType.FLOAT, FieldType.DECIMAL)
        and stats
        and stats.high is not None
        and stats.low is not None
        and stats.low >= 0
        and stats.high <= 1
    ):
        return MeasureKind(AggregateKind.AVG, additive=False)
    if on_fact:
        return MeasureKind(AggregateKind.SUM, additive=True)
    return MeasureKind(AggregateKind.AVG, additive=True)
