"""A bound on a number: as a condition on rows, on a group's total, or on how many related rows there are."""

from __future__ import annotations

from collections.abc import Sequence

from nlq.adjectives import compared_field
from nlq.frame import Condition, MeasureItem, Mention
from nlq.linking import Link
from nlq.parsing.parse import Parse
from nlq.said_units import SPANS, says_money
from nlq.segment import Unit
from nlq.worth import worth_of
from semantic.query import AggregateKind

UNSURE_WORTH = "how many there are, or what each is worth"


def number_condition(p: Parse, mention: Mention, op: str, number: float | None, units: list[Unit], *, ahead: bool) -> None:
    s = p.waiting
    behind = p.units[_after_number(p, units) :][:1]
    if behind and behind[0].soft and behind[0].text.lower() in SPANS and not ahead:
        units = [*units, behind[0]]  # "longer than 3 days": no amount of something else
    if mention.role == "related" and not ahead and s.related is not None:
        at = _after_number(p, units)
        following = p.units[at].text.lower() if at < len(p.units) else ""
        times = following in ("times", "time") or (0 < at <= len(p.units) and p.units[at - 1].text.lower() in ("once", "twice"))
        if times and s.related.mention is mention:
            s.related.op, s.related.number = op, number
            return
        if at < len(p.units) and p.units[at].is_object and p.kinds.likely(p.units[at], "dataset"):
            p.frame.unknown.extend(units)  # "who ordered more than 3 products": how many, and no amount of the orders
            return
        amounts = p.kinds.amounts_of(mention.unit)
        amounts = amounts if len(amounts) == 1 else p.kinds.amounts_of(mention.unit, main=True)
        if _worth(p, mention) and not _of_periods(p, units):
            _bound_worth(p, mention, op, number, units)  # "customers with orders over 1000 euros"
            return
        if len(amounts) != 1 and not mention.plural:
            p.frame.unknown.extend(units)  # "a loan over 200000": which of its numbers is not said
            return
        if len(amounts) == 1:
            amount = Mention(mention.unit, "condition", (Link(amounts[0], 1.0, True),), s.sentence)
            p.frame.mentions.append(amount)
            p.add_condition(Condition("number", amount, op=op, number=number, units=units))
            return
    measure = next((m for m in p.frame.measures if m.mention is mention), None)
    counted = measure is not None and measure.kind == "count" and len(p.frame.mentions) == 1
    money = behind and says_money(behind[0].text) and _has_amount(p, mention)
    if counted and not ahead and units and (money or _compared(p, mention, units[0])):
        units = [*units, *behind] if money else units
        of = Mention(mention.unit, "condition", tuple(k for k in mention.unit.links if k.target.kind == "dataset"), s.sentence)
        p.frame.mentions.append(of)
        p.add_condition(Condition("number", of, op=op, number=number, units=units))  # "how many pets are older than 5"
        return
    if counted and not ahead and _worth(p, mention):
        _bound_worth(p, mention, op, number, units)  # "how many orders over 500 euros"
        return
    if measure is not None and s.mode != "head_cond":
        if measure.superlative is None and _only_for_condition(p, measure):
            p.frame.measures.remove(measure)
        p.frame.having.append(Condition("number", mention, measure, op=op, number=number, units=units))
        return
    if (
        p.kinds.likely(mention.unit, "metric")
        and not p.kinds.likely(mention.unit, "number")
        and not p.kinds.likely(mention.unit, "dataset")
    ):
        p.retract(mention)
        mention.role = "aggregate"
        item = MeasureItem("aggregate", None, mention, units=units)
        p.frame.measures.append(item)
        p.frame.having.append(Condition("number", mention, item, op=op, number=number, units=units))
        return
    if p.kinds.likely(mention.unit, "dataset") and (ahead or mention.role in ("related", "focus") or _of_periods(p, units)):
        p.retract(mention)
        item = MeasureItem("count", None, mention, units=units)
        if mention.role == "related" and s.last_condition is not None and s.last_condition.mention is mention:
            p.frame.conditions.remove(s.last_condition)
            s.related = None
        mention.role = "count"
        p.frame.having.append(Condition("number", mention, item, op=op, number=number, units=units))
        return
    if mention.role in ("output", "focus") and not ahead and _worth(p, mention):
        _bound_worth(p, mention, op, number, units)  # "orders over 500 euros by country"
        return
    if not ahead and _adds_up_for_thing(p, mention, op):
        p.retract(mention)
        mention.role = "aggregate"
        p.frame.having.append(
            Condition("number", mention, MeasureItem("aggregate", "sum", mention, units=units), op=op, number=number, units=units)
        )
        return
    if mention.role in ("output", "focus") and not ahead and p.kinds.certainly(mention.unit, "dataset"):
        mention = Mention(mention.unit, "condition", mention.links, s.sentence)
        p.frame.mentions.append(mention)
    elif mention.role in ("output", "focus"):
        p.retract(mention)
    mention.role = "condition"
    p.add_condition(Condition("number", mention, op=op, number=number, units=units))


def _adds_up_for_thing(p: Parse, mention: Mention, op: str) -> bool:
    """ "viewers who watched more than 500 minutes": a verb of what they did, where their events keep a number that adds up."""
    thing = next((m for m in p.frame.mentions if m.role in ("output", "count", "context")), None)
    verb, link = mention.unit.text.lower(), mention.links[0] if mention.links else None
    field = p.kinds.field(link.target) if link is not None else None
    home = thing.links[0].target if thing is not None and thing.links else None
    if link is None or field is None or home is None or home.kind != "dataset" or op not in (">", ">="):
        return False
    if not (verb.endswith("ed") and " " not in verb) or not field.additive or field.aggregate is not AggregateKind.SUM or p.waiting.negate:
        return False
    catalog, events = p.kinds.catalog, link.target.dataset
    told = any(k.target.kind == "dataset" and k.target.dataset == events for m in p.frame.mentions for k in m.links[:1])
    return not told and any(r.from_dataset == events and r.to_dataset == home.dataset for r in catalog.relationships)


def _has_amount(p: Parse, mention: Mention) -> bool:
    """Whether the things that are counted have one amount: "how many fines above 10 euros"."""
    home = next((k.target.dataset for k in mention.unit.links[:1] if k.target.kind == "dataset"), None)
    return home is not None and p.kinds.main_amount(home) is not None


def _compared(p: Parse, mention: Mention, u: Unit) -> bool:
    """Whether the things have the number that a comparison is about ("older than": their age)."""
    things = [k.target.dataset for k in mention.unit.links[:2] if k.target.kind == "dataset" and k.exact]
    return any(compared_field(u.text, p.kinds.catalog.dataset(d)) is not None for d in things if d is not None)


def _of_periods(p: Parse, units: Sequence[Unit]) -> bool:
    """ "days with orders above 400": so many in each period, as long as no money is said."""
    return bool(p.frame.asks_period or (p.frame.grain and not p.frame.outputs[1:])) and not any(says_money(u.text) for u in units)


def _worth(p: Parse, mention: Mention) -> bool:
    """Whether the catalog says what one of these things is worth."""
    return any(k.target.kind == "dataset" and worth_of(p.kinds.catalog, k.target.dataset or "") is not None for k in mention.unit.links[:2])


def _bound_worth(p: Parse, mention: Mention, op: str, number: float | None, units: list[Unit]) -> None:
    worth = Mention(mention.unit, "condition", tuple(k for k in mention.unit.links if k.target.kind == "dataset"), p.waiting.sentence)
    p.frame.mentions.append(worth)
    if mention.role == "related" and mention.plural and not any(says_money(u.text) for u in units):
        p.frame.notes.append(UNSURE_WORTH)  # "channels with orders over 1000": so many, or worth so much?
    p.add_condition(Condition("number", worth, op=op, number=number, units=units))


def _after_number(p: Parse, units: Sequence[Unit]) -> int:
    """The position after a comparison's words and its number."""
    end = max((u.end for u in units), default=0)
    position = next((k for k, v in enumerate(p.units) if v.start >= end), len(p.units))
    while position < len(p.units) and p.units[position].number is not None:
        position += 1
    return position


def _only_for_condition(p: Parse, measure: MeasureItem) -> bool:
    """A measure named after "with" or "having" is there for its condition, not to be shown."""
    return measure.mention is not None and measure.mention.in_relative


def measured_before(p: Parse) -> bool:
    """Whether a number-like mention stands directly before the comparison ("rating above 4")."""
    last = p.waiting.last
    if last is None:
        return False
    counted = last.role == "count" and (last.in_relative or p.frame.question_word == "" or p.waiting.base_mode == "output")
    return p.kinds.likely(last.unit, "number") or counted or (p.kinds.likely(last.unit, "measure") and last.role != "count")


def on_between(p: Parse, i: int, u: Unit) -> int:
    j, low = p.peek(i + 1)
    if low is not None and low.values and not low.links and (p.frame.compare == "vs" or _split_said(p, i)):
        p.use(u)  # "compare revenue between Germany and France"
        p.frame.compare, p.waiting.comparing = "vs", True
        return i + 1
    if low is None or low.number is None:
        return i + 1
    k, joint = p.peek(j + 1)
    m, high = p.peek(k + 1)
    if joint is None or high is None or high.number is None or not (joint.is_func("and") or joint.text.lower() in ("to", "-")):
        return i + 1
    p.use(u, low, joint, high)
    target = p.waiting.last
    n, nxt = p.peek(m + 1)
    if target is None and nxt is not None and nxt.links:
        target = p.mention(nxt, "condition")
        m = n
    if target is None:
        p.frame.unknown.append(u)
        return m + 1
    measure = next((x for x in p.frame.measures if x.mention is target), None)
    condition = Condition(
        "number", target, measure, op="between", number=low.number, number_high=high.number, units=[u], negate=p.waiting.negate
    )
    p.waiting.negate = False
    if measure is not None:
        if _only_for_condition(p, measure):
            p.frame.measures.remove(measure)
        p.frame.having.append(condition)
    else:
        p.retract(target)
        target.role = "condition"
        p.add_condition(condition)
    return m + 1


def _split_said(p: Parse, i: int) -> bool:
    """ "the split of orders between mobile and desktop"."""
    return any(v.text.lower() in ("split", "distribution", "breakdown", "difference") for v in p.units[:i])


def on_versus_average(p: Parse, i: int, u: Unit) -> int:
    op = "<" if u.func is not None and u.func.value.endswith("<") else ">"
    j, nxt = p.peek(i + 1)
    target = p.waiting.last
    if nxt is not None and nxt.links and (target is None or not measured_before(p)):
        target = p.mention(nxt, "condition")
        i = j
    if target is None:
        p.frame.unknown.append(u)
        return i + 1
    measure = next((m for m in p.frame.measures if m.mention is target), None)
    if measure is None and target.role == "condition" and p.kinds.likely(target.unit, "metric"):
        measure = MeasureItem("aggregate", None, target)  # "regions below average revenue"
        target.role = "aggregate"
        p.frame.measures.append(measure)
    if nxt is not None and nxt.links and nxt.keys == target.unit.keys:
        p.use(nxt)
        i = j
    condition = Condition("average", target, measure, op=op, units=[u])
    p.use(u)
    if measure is not None:
        if _only_for_condition(p, measure):
            p.frame.measures.remove(measure)
        p.frame.having.append(condition)
    else:
        p.retract(target)
        target.role = "condition"
        p.add_condition(condition)
    return i + 1
