"""Percentage of A that B, EMEA's share of A, revenue share of EMEA: a part over its whole."""

from __future__ import annotations

from nlq.frame import Condition, MeasureItem, TransformItem
from nlq.parsing.operands import operand, operand_end
from nlq.parsing.parse import Parse
from nlq.segment import Unit
from nlq.text import keys_of
from nlq.thesaurus import root
from semantic.query import MetricRef

UNSURE_WHOLE = "which condition is the part and which the whole"


def on_share(p: Parse, i: int, u: Unit) -> int:
    """ "percentage of A that B": A counted where B, over A."""
    for rule in (owned_share, _share_of_value, _named_part):
        following = rule(p, i, u)
        if following is not None:
            return following
    end = operand_end(p, i + 1)
    _, nxt = p.peek(i + 1)
    if nxt is None or not (nxt.is_object or nxt.is_func("agg", "count", "distinct", "of")):
        return i + 1
    item, extra = operand(p, p.units[i + 1 : end])
    if item is None:
        return i + 1
    _begin(p, u)
    item = _of_flagged(p, item)
    if not item.conditions:
        p.add_measure(item)
        p.frame.transforms.append(TransformItem("share", units=[u], measure=item))
        return end
    whole = item.copied()
    whole.conditions = _of_the_whole(p, i + 1, end, item)
    _add(p, u, item, whole, extra)
    p.waiting.relative = False
    return end


def _of_flagged(p: Parse, item: MeasureItem) -> MeasureItem:
    """ "percentage of bookings attended": the rows where it is so, over all of them; a yes or no is nothing to add up."""
    flag = item.mention
    if flag is None or item.kind != "aggregate" or item.aggregate is not None or not p.kinds.likely(flag.unit, "flag"):
        return item
    homes = {k.target.dataset for k in flag.links if k.target.kind == "field"}
    rows = next(
        (m for m in p.frame.mentions if m.role == "context" and {k.target.dataset for k in m.links if k.target.kind == "dataset"} & homes),
        None,
    )
    if rows is None:
        return item
    flag.role, rows.role = "condition", "count"
    return MeasureItem("count", None, rows, conditions=[*item.conditions, Condition("flag", flag, units=[flag.unit])], units=item.units)


def _of_the_whole(p: Parse, start: int, end: int, item: MeasureItem) -> list[Condition]:
    """ "percentage of EMEA orders that were refunded": what stands before the clause narrows part and whole."""
    noun = item.mention.unit.start if item.mention is not None else -1
    units = [v for v in p.units[start:end] if v.start > noun and v.is_func("have", "relative")]
    clause = next((v for v in units if not v.text.lower().startswith("with")), next(iter(units), None))
    if clause is not None:
        before = [c for c in item.conditions if c.units and c.units[0].start < clause.start]
        return before if len(before) < len(item.conditions) else []
    before = [c for c in item.conditions if c.units and c.units[0].start < noun]
    if before and len(before) < len(item.conditions):
        p.frame.notes.append(UNSURE_WHOLE)
        return before
    return []


def owned_share(p: Parse, i: int, u: Unit) -> int | None:
    """ "EMEA's share of revenue": the part that the value before it makes of the whole. None when no value stands before it."""
    condition = p.waiting.last_condition
    _, nxt = p.peek(i + 1)
    if condition is None or condition.kind not in ("value", "flag", "segment") or condition.negate or condition.or_previous:
        return None
    if not condition.units or not i or p.units[i - 1] is not condition.units[-1] or nxt is None:
        return None
    if not (nxt.is_func("of", "prep", "agg", "count") or nxt.is_object):
        return None
    end = operand_end(p, i + 1)
    item, extra = operand(p, p.units[i + 1 : end])
    if item is None:
        return None
    p.frame.conditions = [c for c in p.frame.conditions if c is not condition]
    _begin(p, u)
    _add(p, u, _narrowed(item, [condition]), item, extra)
    return end


def _share_of_value(p: Parse, i: int, u: Unit) -> int | None:
    """ "share of Germany in EMEA revenue", "revenue share of EMEA": the value is the part, what is named after "in" or before is the whole."""
    j, value = p.peek(i + 1)
    if value is None or not value.values or value.links:
        return None
    k, joint = p.peek(j + 1)
    end = operand_end(p, i + 1)
    if joint is not None and k < end and joint.text.lower() in ("in", "of", "to", "within", "among", "in total", "of total"):
        whole, extra = operand(p, p.units[k + 1 : end])
    elif p.follows_last(i) and p.waiting.last is not None and p.waiting.last.role in ("output", "aggregate", "count"):
        mention, extra = p.waiting.last, []
        p.retract(mention)
        mention.role = "count" if p.kinds.certainly(mention.unit, "dataset") else "aggregate"
        whole = MeasureItem("count" if mention.role == "count" else "aggregate", None, mention)
        end = j + 1
    else:
        return None
    if whole is None:
        return None
    _begin(p, u)
    p.use(value)
    _add(p, u, _narrowed(whole, [Condition("value", None, values=value.values, units=[value])]), whole, extra)
    return end


def _named_part(p: Parse, i: int, u: Unit) -> int | None:
    """ "what share of sessions bounced": the catalog has a figure for the part (bounced sessions) and one for the whole (sessions)."""
    j, part = p.peek(i + 1)
    metric = next((k for k in part.links[:3] if k.target.kind in ("metric", "field")), None) if part is not None else None
    if (
        part is None
        or metric is None
        or len(part.text.split()) < 2
        or not (metric.exact or _same_words(part, p.kinds.label(metric.target)))
    ):
        return None
    first = keys_of(part.text.split()[0])
    whole = next(
        (m for m in p.kinds.catalog.metrics if not m.hidden and any(keys_of(t) == first for t in (m.label, *m.synonyms))),
        None,
    )
    if whole is None or whole.name == metric.target.name or keys_of(part.text)[0] == keys_of(p.kinds.label(metric.target))[0]:
        return None
    named = p.mention(part, "aggregate")
    given = MeasureItem("given", given=MetricRef(metric=whole.name))
    _begin(p, u)
    _add(p, u, MeasureItem("aggregate", None, named), given, [])
    return j + 1


def _same_words(part: Unit, label: str) -> bool:
    """ "sessions bounce" and bounced sessions: the same words in another form, all of them."""
    return sorted(root(k) for k in keys_of(part.text)) == sorted(root(k) for k in keys_of(label))


def _begin(p: Parse, u: Unit) -> None:
    p.use(u)
    p.take_pending()
    p.reset_noun()


def _narrowed(item: MeasureItem, conditions: list[Condition]) -> MeasureItem:
    part = item.copied()
    part.conditions = [*part.conditions, *conditions]
    return part


def _add(p: Parse, u: Unit, part: MeasureItem, whole: MeasureItem, extra: list[Condition]) -> None:
    p.add_measure(MeasureItem("percent", left=part.copied(), right=whole, scale=100.0, units=[u]))
    p.frame.conditions.extend(extra)
