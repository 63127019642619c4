"""Named things and numbers: which are shown as columns, which are computed."""

from __future__ import annotations

from nlq.composing.amounts import same_measure, subtype_metric
from nlq.composing.draft import Draft
from nlq.composing.shape import plain_rank
from nlq.frame import MeasureItem, Mention
from nlq.lexicon import Target
from nlq.predicates import Unbuildable
from nlq.text import keys_of
from semantic.catalog.model import Entity

_KEY_WORDS = frozenset("id ids number numbers no key keys code codes".split())


def expand_display(draft: Draft, mentions: list[Mention]) -> list[Mention]:
    """A "name" that is made of several columns becomes one mention per column."""
    out: list[Mention] = []
    for mention in mentions:
        target = draft.target(mention)
        entity = draft.entities.get(target.dataset or "") if target is not None and target.kind == "display" else None
        listed = mention.role == "output" and not (draft.frame.measures or draft.frame.rank_by or draft.frame.superlative)
        played = _played_by(draft, mention, target) if target is not None and listed else None
        if entity is None and played is None:
            out.append(mention)
            continue
        via: tuple[str, ...] = ()
        if entity is None and played is not None:
            entity, via = played
            draft.explained.add(id(mention))
        for name in entity.display if entity is not None else ():
            part = Mention(mention.unit, mention.role, mention.links, mention.sentence)
            home = entity.dataset if entity is not None else ""
            draft.settle(part, Target("field", f"{home}.{name}", home, name, via))
            draft.parts.append(part)
            out.append(part)
    return out


def _played_by(draft: Draft, mention: Mention, target: Target) -> tuple[Entity, tuple[str, ...]] | None:
    """ "employees and their managers": a key that says who plays a part stands for whoever plays it, unless the key itself was asked for."""
    if target.kind != "field" or not draft.kinds.is_key(target) or set(mention.unit.text.lower().split()) & _KEY_WORDS:
        return None
    for r in draft.catalog.relationships:
        entity = draft.entities.get(r.to_dataset)
        if r.from_dataset == target.dataset and r.from_fields == (target.field,) and r.role and entity is not None and entity.display:
            return (entity, (r.name,)) if set(keys_of(mention.unit.text)) <= set(keys_of(r.role)) else None
    return None


def settle_outputs(draft: Draft, measures: list[MeasureItem]) -> None:
    """Named numbers become measures where the question aggregates; the rest stay columns."""
    f = draft.frame
    groups = bool(f.groups or f.grain or f.cycle)
    ranked = [*f.rank_by, *([f.superlative.measure] if f.superlative is not None and f.superlative.measure is not None else [])]
    aggregates = bool(measures) or any(not plain_rank(draft, m) for m in ranked)
    for mention in list(f.outputs):
        target = draft.target(mention)
        if target is None:
            continue
        subtype = (
            target.kind == "dataset"
            and (groups or aggregates)
            and subtype_metric(draft, target.dataset or "", None) is not None
            and _amount_beside(draft, mention)
        )
        if subtype or target.kind == "metric" or (target.kind == "field" and draft.kinds.is_amount(target) and (groups or aggregates)):
            item = MeasureItem("aggregate", None, mention, units=[])
            if not any(same_measure(draft, item, m) for m in measures):
                measures.append(item)
            f.outputs.remove(mention)
        elif ((groups or aggregates) and _is_event(draft, mention, target)) or (mention.beside and target.kind == "dataset"):
            item = MeasureItem("count", None, mention)
            if not any(same_measure(draft, item, m) for m in measures):
                measures.append(item)
            f.outputs.remove(mention)
    _merge_compared(draft)
    for mention in list(f.groups):
        target = draft.target(mention)
        if mention.per and target is not None and len(measures) == 1 and _divides(draft, target, measures[0]):
            f.groups.remove(mention)
            whole = MeasureItem("aggregate", None if target.kind == "metric" else "sum", mention)
            measures[0] = MeasureItem("ratio", left=measures[0], right=whole)
            continue
        if (
            target is not None
            and (
                target.kind == "metric"
                or (target.kind == "field" and draft.kinds.is_amount(target))
                or (target.kind == "dataset" and subtype_metric(draft, target.dataset or "", None) is not None)
            )
            and (len(f.groups) > 1 or measures or f.compare_values)
        ):
            if (
                target.kind == "metric"
                and len(f.groups) == 1
                and measures
                and not (mention.per or f.outputs or f.compare_values or f.rank_by)
            ):
                raise Unbuildable("splits a figure by a figure")  # "revenue by margin": neither both nor one of them was asked for
            f.groups.remove(mention)
            measures.append(MeasureItem("aggregate", None, mention))
    listed = f.question_word in ("who",) or f.distinct or (f.all_rows and len(f.outputs) > 1)
    amounts = [(m, t) for m in f.outputs if (t := draft.target(m)) is not None and t.kind == "field" and draft.kinds.is_amount(t)]
    if amounts and len(amounts) == len(f.outputs) and not measures and not groups and not ranked and not f.orders and not listed:
        measures.extend(MeasureItem("aggregate", None, m) for m, _ in amounts)
        f.outputs = []
    f.measures = measures


def _divides(draft: Draft, target: Target, item: MeasureItem) -> bool:
    """Whether "per" this number makes a ratio ("revenue per visit", "sales per square foot")."""
    if target.kind == "metric":
        return item.aggregate is None
    return draft.kinds.is_amount(target) and item.kind in ("aggregate", "count") and item.aggregate in (None, "sum")


def _merge_compared(draft: Draft) -> None:
    """ "revenue from mobile orders vs desktop": two values of one field, held against each other."""
    f = draft.frame
    values = [c for c in f.conditions if c.kind == "value" and not c.negate and not c.both and draft.value(c) is not None]
    if f.compare != "vs" or f.compare_values or len(f.times) > 1 or len(values) != 2:
        return
    one, two = (draft.value(c) for c in values)
    if one is not None and two is not None and (one.dataset, one.field) == (two.dataset, two.field):
        if values[1].values not in values[0].more_values:  # the condition is of every reading of the sentence
            values[0].more_values = [*values[0].more_values, values[1].values]
        f.conditions = [c for c in f.conditions if c is not values[1]]
        f.compare_values = [values[0]]


def _amount_beside(draft: Draft, mention: Mention) -> bool:
    """Whether an amount is named in the same list ("loss payment, loss reserve and expense amount")."""
    for other in draft.frame.mentions:
        if other is mention or other.sentence != mention.sentence:
            continue
        target = draft.target(other)
        if target is not None and (target.kind == "metric" or (target.kind == "field" and draft.kinds.is_amount(target))):
            return True
    return False


def _is_event(draft: Draft, mention: Mention, target: Target) -> bool:
    """A time field named by its event, not as a date ("signups", "hires"): each row is one such event."""
    words = {w.lower() for w in mention.unit.text.split()}
    return draft.kinds.is_time(target) and mention.plural and not words & {"date", "dates", "time", "times", "timestamp", "day", "days"}
