"""A noun that nothing waits for: shown, or context of what is."""

from __future__ import annotations

from nlq.frame import Condition
from nlq.parsing.parse import Parse
from nlq.segment import Unit


def plain_noun(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    words = u.text.lower()
    if (
        (p.kinds.likely(u, "dataset") or p.kinds.likely(u, "key"))
        and i
        and (p.units[i - 1].text.lower().split()[-1] == "all" or p.units[i - 1].text.lower() in ("all the",))
    ):
        p.frame.all_rows = True
    if (
        s.last is not None
        and i
        and p.units[i - 1] is s.last.unit
        and s.last.role == "group"
        and p.kinds.likely(s.last.unit, "dataset")
        and s.last in p.frame.groups
    ):
        p.frame.groups.remove(s.last)
        s.last.role = "context"
        mention = p.mention(u, "group")
        p.frame.groups.append(mention)
        p.reset_noun()
        return i + 1
    if (
        s.last is not None
        and i
        and p.units[i - 1] is s.last.unit
        and s.last.role in ("output", "context")
        and p.kinds.likely(s.last.unit, "dataset")
    ):
        p.retract(s.last)
        if s.last.role == "context":
            s.of_next = True
        s.last.role = "context"
    after_of, prep = s.of_next, s.prep_next
    if _names_value_field(p, i, u):
        p.mention(u, "condition")
        p.reset_noun()
        return i + 1
    modified = (
        i
        and s.last_condition is not None
        and s.last_condition.units
        and p.units[i - 1] is s.last_condition.units[-1]
        and s.last_condition.kind in ("value", "flag", "segment")
    )
    if modified and s.last_condition is not None and _repeats_field(p, u, s.last_condition):
        mention = p.mention(u, "condition")
        s.last_condition.mention = s.last_condition.mention or mention
        p.reset_noun()
        return i + 1
    if modified and (p.frame.measures or p.frame.outputs) and p.kinds.likely(u, "dataset"):
        p.mention(u, "context").links = tuple(k for k in u.links if k.target.kind == "dataset") or u.links
        p.reset_noun()
        return i + 1
    holder = s.last
    dataset = p.kinds.likely(u, "dataset")
    role = "output"
    counted = p.kinds.likely(u, "metric") and not p.frame.measures and not p.frame.outputs
    if (
        dataset
        and not counted
        and (after_of or prep)
        and (p.frame.mentions or p.frame.measures or (p.frame.limit_asked is False and prep and not after_of))
    ):
        role = "context"
    _, nxt_clause = p.peek(i + 1)
    mention = p.mention(u, role)
    mention.sole = (
        not (nxt_clause is not None and nxt_clause.is_func("relative", "neg", "have"))
        and not p.frame.question_word
        and s.base_mode == "head"
        and len(p.frame.mentions) == 1
    )
    if prep and p.frame.measures + p.frame.outputs and p.kinds.certainly(u, "metric") and not after_of:
        p.frame.unknown.append(u)
    if after_of and holder is not None:
        holder.after_of = mention
    if after_of:
        mention.after_of = None
    if (
        role == "output"
        and p.kinds.certainly(u, "time")
        and not mention.plural
        and not (s.passive or s.relative or s.negate)
        and p.frame.mentions[:-1]
        and not any(w in words.split() for w in ("date", "time", "timestamp", "day"))
        and s.base_mode == "head"
        and not (u.links and u.links[0].exact)
    ):
        mention.role = "context"
    elif (
        role == "output"
        and p.kinds.certainly(u, "time")
        and (s.passive or s.relative or s.negate)
        and words.endswith(("ed", "up", "en", "t"))
        and "date" not in words
    ):
        mention.role = "condition"
        p.add_condition(Condition("null", mention, negate=not s.negate, units=[u]))
        if s.negate and s.negate_unit is not None:
            p.use(s.negate_unit)
        s.negate = False
    elif role == "output":
        p.frame.outputs.append(mention)
    if s.distinct:
        p.frame.distinct = True
    if s.negate and not dataset:
        p.frame.unknown.append(u)
        s.negate = False
    s.top = s.top
    p.take_pending()
    keep_count = s.count
    p.reset_noun()
    s.count = keep_count and False
    s.passive = False
    return i + 1


def _names_value_field(p: Parse, i: int, u: Unit) -> bool:
    """Whether a noun only says what kind of thing the single value before it is ("the Music category", "EMEA region")."""
    last = p.waiting.last_condition
    if last is None or last.kind != "value" or last.more_values or not last.units or not i or p.units[i - 1] is not last.units[-1]:
        return False
    fields = {(v.dataset, v.field) for v in last.values}
    return any(k.target.kind == "field" and (k.target.dataset, k.target.field) in fields for k in u.links[:4])


def _repeats_field(p: Parse, u: Unit, condition: Condition) -> bool:
    """ "the Audio category", "EMEA region": the noun only says which field the value before it belongs to."""
    fields = {(v.dataset, v.field) for v in condition.values}
    top = u.links[0].score if u.links else 0.0
    return any(k.target.kind == "field" and (k.target.dataset, k.target.field) in fields for k in u.links if k.score >= top - 0.03)
