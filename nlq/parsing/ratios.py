"""Ratio of A to B, percentage of A that B, success rate, A divided by B."""

from __future__ import annotations

from dataclasses import replace

from nlq.frame import Condition, MeasureItem, Mention, OrderItem
from nlq.parsing.operands import is_figure, operand, operand_end
from nlq.parsing.parse import Parse
from nlq.parsing.words import UNIT_NOUNS
from nlq.phrases import Func
from nlq.segment import Unit


def on_op(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    so_many = u.number if u.number is not None and u.number > 1 else 1.0  # "per 1000 hours"
    counted = u.func is not None and (u.func.value == "%" or so_many > 1) and s.last is not None and p.kinds.is_fact(s.last.unit)
    if s.last is not None and s.last.role == "output" and p.follows_last(i) and (_computable(p, s.last) or counted):
        p.retract(s.last)
        s.last.role = "aggregate"
        p.add_measure(MeasureItem("aggregate", None, s.last))
    if u.text in ("/", "-", "+") and not (s.last_measure is not None and _adjacent_measure(p, i)):
        return i + 1
    _, split = p.peek(i + 1)
    if u.text == "/" and split is not None and p.kinds.certainly(split, "category") and not p.kinds.likely(split, "measure"):
        return p.handlers["by"](p, i, replace(u, text="by", func=Func("by", "by")))  # "revenue/region"
    op = u.func.value if u.func else "/"
    if op == "%" and not _other_measure(p, i):
        return p.handlers["transform"](p, i, replace(u, func=Func("transform", "share")))
    if s.last_measure is None or op == "=":
        if u.text.lower() in ("minus", "plus", "times", "divided by") or so_many > 1:
            p.frame.unknown.append(u)
        return i + 1
    j, nxt = p.peek(i + 1)
    if nxt is not None and nxt.number is not None and not nxt.is_object:
        left = s.last_measure
        right = MeasureItem("expression", constant=nxt.number)
        p.use(u, nxt)
        while j + 1 < len(p.units) and p.units[j + 1].text.lower() in UNIT_NOUNS:
            j += 1
        _replace_measure(p, left, MeasureItem("expression", left=left, right=right, op=op, units=[u, nxt]))
        return j + 1
    end = operand_end(p, i + 1)
    right_item, extra = operand(p, p.units[i + 1 : end])
    if right_item is None:
        p.frame.unknown.extend([u] if so_many > 1 else [])
        return i + 1
    p.use(u)
    left = s.last_measure
    if op == "%":
        _replace_measure(p, left, MeasureItem("percent", left=left, right=right_item, scale=100.0, units=[u]))
    else:
        _replace_measure(p, left, MeasureItem("expression", left=left, right=right_item, op=op, scale=so_many, units=[u]))
    p.frame.conditions.extend(extra)
    return end


def _other_measure(p: Parse, i: int) -> bool:
    """Whether a measure stands before position i and another one after it ("claims as a percentage of premiums")."""
    left = p.waiting.last_measure
    if left is None or left.mention is None:
        return False
    after = next((v for v in p.units[i + 1 : operand_end(p, i + 1)] if v.links), None)
    measured = after is not None and (p.kinds.likely(after, "measure") or p.kinds.likely(after, "dataset"))
    return after is not None and measured and not set(left.mention.unit.keys) <= set(after.keys)


def _computable(p: Parse, mention: Mention) -> bool:
    return p.kinds.likely(mention.unit, "measure") and is_figure(p, mention.unit)


def _adjacent_measure(p: Parse, i: int) -> bool:
    return p.waiting.last is not None and p.binds_literal(i)


def _replace_measure(p: Parse, old: MeasureItem, new: MeasureItem) -> None:
    p.frame.measures = [new if m is old else m for m in p.frame.measures]
    if new not in p.frame.measures:
        p.frame.measures.append(new)
    p.waiting.last_measure = new


def on_ratio(p: Parse, i: int, u: Unit) -> int:
    j, nxt = p.peek(i + 1)
    if nxt is not None and nxt.is_func("of"):
        i = j
    end = operand_end(p, i + 1)
    split = next((k for k in range(i + 1, end) if _separates(p, p.units[k], u)), None)
    if split is None:
        return i + 1
    left, extra_left = operand(p, p.units[i + 1 : split])
    right, extra_right = operand(p, p.units[split + 1 : end])
    if left is None or right is None:
        return i + 1
    p.use(u, p.units[split])
    if "all" in p.units[split].text.lower() and right is not None and left is not None:
        left.conditions.extend(right.conditions)
    aggregate = p.waiting.aggregate
    p.take_pending()
    p.reset_noun()
    item = MeasureItem("ratio", aggregate, left=left, right=right, op="/", units=[u])
    _share_trailing(p, item)
    p.add_measure(item)
    p.frame.conditions.extend(extra_left + extra_right)
    return end


def _separates(p: Parse, k: Unit, ratio: Unit) -> bool:
    words = k.text.lower()
    if words in (
        "to",
        "to the",
        "divided by",
        "over",
        "/",
        "over the",
        "out of",
        "vs",
        "versus",
        "relative to",
        "out of all",
        "of all the",
        "to all",
        "out of the",
        "to total",
    ):
        return True
    return words == "and" and "between" in ratio.text.lower()


def _share_trailing(p: Parse, item: MeasureItem) -> None:
    """A place named once after both operands narrows both ("... above 4 to ... below 4 in New York")."""
    left, right = item.left, item.right
    if left is None or right is None:
        return
    left_fields = {(v.dataset, v.field) for c in left.conditions if c.kind == "value" for v in c.values}
    for condition in right.conditions:
        if (
            condition.kind == "value"
            and condition is right.conditions[-1]
            and len(right.conditions) > 1
            and not left_fields & {(v.dataset, v.field) for v in condition.values}
        ):
            left.conditions.append(condition)
    if (
        right.mention is not None
        and not left_fields
        and len(right.conditions) == 1
        and right.conditions[0].kind == "value"
        and left.conditions
    ):
        left.conditions.append(right.conditions[0])
    _share_place(p, left, right)


def _share_place(p: Parse, left: MeasureItem, right: MeasureItem) -> None:
    """ "clicks to conversions for sales campaigns": what a preposition adds behind two different figures holds for both."""
    if left.conditions or left.mention is None or right.mention is None or not right.conditions:
        return
    if set(left.mention.unit.keys) & set(right.mention.unit.keys):
        return  # "customers to customers in Berlin" holds a part against the whole
    behind = [u for u in p.units if u.start >= right.mention.unit.end]
    placed = next((u.start for u in behind if u.is_func("prep")), None)
    said = [u.start for c in right.conditions for u in c.units]
    if placed is not None and said and min(said) >= placed:
        left.conditions.extend(right.conditions)


def on_rate(p: Parse, i: int, u: Unit) -> int:
    """ "success rate": the share of rows that have this value."""
    s = p.waiting
    condition = s.last_condition
    if (
        condition is None
        or condition.kind not in ("value", "flag", "segment")
        or not condition.units
        or p.units[i - 1] is not condition.units[-1]
    ):
        return i + 1
    for conditions in (p.frame.conditions, s.related.inner if s.related else []):
        if condition in conditions:
            conditions.remove(condition)
    p.use(u)
    thing, homes = s.last, {v.dataset for v in condition.values}
    named = thing is not None and any(k.target.kind == "dataset" and k.target.dataset in homes for k in thing.links[:2])
    if thing is not None and named and thing in p.frame.outputs and not thing.plural and thing.unit.end == condition.units[0].start:
        p.retract(thing)  # "offer acceptance rate": whose rate it is, not what splits it
        thing.role = "context"
    item = MeasureItem("rate", conditions=[condition], scale=100.0, units=[u], mention=s.last)
    same = None
    if s.mode == "order":
        p.frame.orders.append(OrderItem(measure=same or item, descending=s.direction))
        if same is None:
            p.frame.measures.append(item)
        return i + 1
    if same is None:
        p.take_pending()
        p.add_measure(item)
    return i + 1


def rate_of_noun(p: Parse, i: int, u: Unit) -> int | None:
    """ "withdrawal rate", "loan cancellation rate": the share of rows that have the date, or the state, that the noun before is called by."""
    noun = p.waiting.last
    if noun is None or not p.follows_last(i) or noun.role != "output" or not noun.links or (u.links and u.links[0].score >= 0.9):
        return None
    link = noun.links[0]
    field = p.kinds.field(link.target)
    if link.score < _SURE_OF_NOUN or noun.plural:
        return None
    if link.target.kind == "segment":
        condition = Condition("segment", noun, units=[noun.unit])
    elif p.kinds.is_flag(link.target):
        condition = Condition("flag", noun, units=[noun.unit])
    elif p.kinds.is_time(link.target) and field is not None and field.nullable and not _SAYS_DATE & set(noun.unit.text.lower().split()):
        condition = Condition("null", noun, negate=True, units=[noun.unit])
    else:
        return None
    p.retract(noun)
    noun.role, noun.links = "condition", (link,)
    p.take_pending()
    p.reset_noun()
    p.add_measure(MeasureItem("rate", conditions=[condition], scale=100.0, units=[u], mention=noun))
    return i + 1


# As sure as a noun is the date or state that its verb names ("withdrawal": withdrawn on).
_SURE_OF_NOUN = 0.8
_SAYS_DATE = frozenset("date dates time times timestamp day".split())
