"""Nouns that are an amount although a table has their name: "sales by region" means money, "number of sales" means rows."""

from __future__ import annotations

from nlq.composing.draft import Draft
from nlq.frame import MeasureItem
from nlq.lexicon import Target
from nlq.text import keys_of, lemma
from semantic.catalog.model import CatalogField, DatasetKind, FieldRole

# Nouns whose plural is a sum of money in business talk; orders and claims are counted.
_MONEY = frozenset(lemma(w) for w in ("sales", "revenue", "expenses", "expenditure", "spending", "earnings", "turnover", "income"))
_SAYS_NOTHING = frozenset(lemma(w) for w in ("total", "amount", "value", "price", "net", "gross", "usd", "eur", "gbp"))


def settle_money(draft: Draft, measures: list[MeasureItem]) -> None:
    """Gives such nouns the amount of their table as meaning, unless rows are listed or counted in words. Changes `measures`."""
    f = draft.frame
    listed = f.list_verb and not (f.groups or f.grain or f.cycle or f.compare or f.rank_by)
    if listed or f.question_word == "who":
        return
    items = {id(m.mention): m for m in [*measures, *f.rank_by, *_halves(measures)] if m.mention is not None}
    for mention in f.mentions:
        target = draft.target(mention)
        item = items.get(id(mention))
        if target is None or target.kind != "dataset" or mention.role not in ("output", "count", "aggregate"):
            continue
        if not set(mention.unit.keys) <= _MONEY or (item is not None and (item.units or item.distinct)):
            continue
        field = amount_of(draft, target.dataset or "")
        if field is None or (item is None and mention not in f.outputs):
            continue
        draft.assignment.targets[id(mention)] = Target("field", f"{target.dataset}.{field.name}", target.dataset, field.name)
        if item is not None:
            item.kind, item.aggregate, mention.role = "aggregate", item.aggregate or "sum", "aggregate"
        else:
            f.outputs.remove(mention)
            mention.role = "aggregate"
            measures.append(MeasureItem("aggregate", "sum", mention))


def amount_of(draft: Draft, dataset: str) -> CatalogField | None:
    """The one additive number that bears the name of its table ("sales amount" of sales)."""
    found = draft.catalog.dataset(dataset)
    if found.kind is not DatasetKind.FACT:
        return None
    own = set(keys_of(found.label))
    numbers = [f for f in found.fields if f.role is FieldRole.MEASURE and f.additive and not f.hidden]
    named = [f for f in numbers if own <= set(keys_of(f.label)) and set(keys_of(f.label)) - own <= _SAYS_NOTHING]
    return named[0] if len(named) == 1 else None


def _halves(measures: list[MeasureItem]) -> list[MeasureItem]:
    """The operands of ratios and formulas, at any depth."""
    found: list[MeasureItem] = []
    todo = list(measures)
    while todo:
        parts = [x for x in (todo[-1].left, todo[-1].right) if x is not None]
        todo = [*todo[:-1], *parts]
        found.extend(parts)
    return found
