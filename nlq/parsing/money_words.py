"""Words for money that nothing in the catalog is called by: "ticket revenue", "spend on contractors", "value of open orders"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nlq.kinds import Kinds
from nlq.lexicon import Target
from nlq.linking import Link
from nlq.said_units import is_money
from nlq.segment import Unit
from nlq.text import words_of
from semantic.catalog.infer.vocabulary import MONEY
from semantic.catalog.model import CatalogField, DatasetKind, FieldRole, SimpleMetric
from semantic.expr import FieldRef
from semantic.query import AggregateKind

_EARNED = frozenset("revenue revenues income turnover takings earnings".split())
_SPENT = frozenset("spend spending spent expenditure".split())
_WORTH = frozenset("value worth".split())
# Money that goes out, which nobody calls revenue.
_GOES_OUT = frozenset(
    "cost expense salary wage payout refund claim discount tax penalty budget loss payroll purchase bill spend spending".split()
)
# Money that may be what somebody spends.
_PAID = frozenset("amount cost fee price paid payment charge expense spend spending bill fare premium".split())
# What comes again and again is earned for as long as it lasts, and not once.
_RECURRING = frozenset("monthly annual yearly weekly daily hourly quarterly per recurring list".split())
_QUANTITIES = frozenset("quantity qty units pieces".split())
_SURE = 0.9
_MEANT = 0.86


def with_money(units: Sequence[Unit], kinds: Kinds) -> Sequence[Unit]:
    """The units with such a word as the sum of the one amount that the rows beside it have; a word for spending that has none is not known."""
    at = next((i for i, u in enumerate(units) if _is_money_word(u)), None)
    if at is None:
        return units
    word = units[at]
    first, last = at, _rows_behind(units, at, kinds) or at
    if last == at and at and _rows(units[at - 1], kinds):
        first = at - 1
    named = units[first] if first < at else units[last]
    home = _rows(named, kinds)
    if home is None:
        return units
    metric = _sum_of(home, word.text.lower(), kinds)
    if metric is None:
        lost = word.text.lower() in _SPENT and not kinds.is_person(home)
        return [*units[:at], replace(word, soft=False, unknown=True), *units[at + 1 :]] if lost else units
    target = Target("metric", metric.name)
    if (
        word.text.lower() in _WORTH
        and isinstance(metric.of, FieldRef)
        and any(u.is_func("agg") and u.func is not None and u.func.value != "sum" for u in units[:at])
    ):
        target = Target("field", str(metric.of), metric.dataset, metric.of.field)  # "average value of approved orders"
    said = replace(word, soft=False, unknown=False, links=(Link(target, _MEANT, True),))
    if any(k.target.kind == "segment" for k in named.links[:1]):
        return [*units[:at], said, *units[at + 1 :]]
    text = " ".join(u.text for u in units[first : last + 1])
    most = [u for u in units[first:last] if u.is_func("super")]
    return [*units[:first], *most, replace(said, start=units[first].start, end=units[last].end, text=text), *units[last + 1 :]]


def _is_money_word(u: Unit) -> bool:
    return u.text.lower() in _EARNED | _SPENT | _WORTH and not (u.links or u.values or u.func)


def _rows(u: Unit, kinds: Kinds) -> str | None:
    """The dataset whose rows a unit surely names."""
    link = u.links[0] if u.links and not u.values else None
    return link.target.dataset if link is not None and link.target.kind in ("dataset", "segment") and link.score >= _SURE else None


def _rows_behind(units: Sequence[Unit], at: int, kinds: Kinds) -> int | None:
    """ "value of pending orders", "spend on contractors": where the rows are named right behind."""
    for i, u in enumerate(units[at + 1 : at + 5], at + 1):
        if _rows(u, kinds) is not None:
            joined = i > at + 1 or u.text.lower().startswith(("on ", "of ", "from "))
            return i if joined else None
        most = u.is_func("super") and u.text.lower().split()[-1] in ("most", "least")  # "spent the most on tickets"
        if not (u.is_func("of", "prep") or u.soft or most) or u.time is not None:
            return None
    return None


def _sum_of(dataset: str, word: str, kinds: Kinds) -> SimpleMetric | None:
    """The metric that adds up the one amount of money of these rows; what was spent on things may be kept by the rows that tie them to others."""
    if word in _SPENT and kinds.catalog.dataset(dataset).kind is DatasetKind.DIMENSION:
        owners = {r.from_dataset for r in kinds.catalog.relationships if r.to_dataset == dataset and r.from_dataset != dataset}
        found = [m for d in sorted(owners) if (m := _own_sum(d, word, kinds)) is not None]
        return found[0] if len(found) == 1 else None
    return _own_sum(dataset, word, kinds)


def _own_sum(dataset: str, word: str, kinds: Kinds) -> SimpleMetric | None:
    rows = kinds.catalog.dataset(dataset)
    amounts = [f for f in rows.fields if f.role is FieldRole.MEASURE and not f.hidden and _money(f)]
    main = kinds.main_amount(dataset)
    field = main if main in amounts else amounts[0] if len(amounts) == 1 else None
    counted = any(_QUANTITIES & set(words_of(f.label)) for f in rows.fields)  # a price of so many pieces
    if field is None or rows.kind not in (DatasetKind.FACT, DatasetKind.BRIDGE) or (counted and field is not main):
        return None
    if word in _SPENT and not _PAID & set(words_of(field.label)):
        return None
    if word in _EARNED and (_GOES_OUT | _RECURRING) & {*words_of(field.label), *words_of(rows.label)}:
        return None
    of = FieldRef(dataset=dataset, field=field.name)
    sums = [
        m
        for m in kinds.catalog.metrics
        if isinstance(m, SimpleMetric) and m.aggregate is AggregateKind.SUM and m.of == of and m.where is None and not m.hidden
    ]
    return sums[0] if len(sums) == 1 else None


def _money(field: CatalogField) -> bool:
    return is_money(field) or bool(MONEY & set(words_of(field.label)))
