"""Stored values: conditions on the field that holds them."""

from __future__ import annotations

from nlq.frame import Condition, Mention
from nlq.parsing.literals import bind_literal
from nlq.parsing.parse import Parse
from nlq.parsing.words import SENTENCE_END
from nlq.segment import Unit


def on_quoted(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    j, nxt = p.peek(i + 1)
    if nxt is not None and nxt.text.lower() in ("in", "in the", "within"):
        k, owner = p.peek(j + 1)
        if owner is not None and owner.is_func("pronoun"):
            k, owner = p.peek(k + 1)
        if owner is not None and owner.links and not p.kinds.certainly(owner, "dataset") and not p.kinds.likely(owner, "time"):
            mention = p.mention(owner, "condition")
            p.add_condition(Condition("text", mention, literal=u.text, match="contains", negate=s.negate, units=[u]))
            s.negate = False
            return k + 1
    if u.values:
        return on_value(p, i, u)
    if s.last is not None:
        bind_literal(p, u, s.last)
        return i + 1
    if nxt is not None and nxt.links:
        mention = p.mention(nxt, "condition")
        p.add_condition(Condition("value", mention, literal=u.text, negate=s.negate, units=[u]))
        return j + 1
    p.frame.unknown.append(u)
    return i + 1


def is_value(p: Parse, i: int, u: Unit) -> bool:
    s = p.waiting
    if not u.values:
        return False
    if not u.links:
        return True
    value, link = u.values[0].score, u.links[0].score
    if u.quoted:
        return value >= link
    _, nxt = p.peek(i + 1)
    around = [x for x in (s.last.unit if s.last is not None else None, nxt) if x is not None]
    things = {k.target.dataset for x in around for k in x.links[:3] if k.target.dataset}
    if any(p.kinds.is_flag(k.target) and k.score >= 0.95 and k.target.dataset in things for k in u.links[:3]):
        return False
    before = p.before(i)
    if value >= 0.95 and link < 0.9:
        after_count = before is not None and before.is_func("count", "each", "by", "agg")
        return not (after_count and not (nxt is not None and nxt.links))
    if value < 0.95:
        return False
    premodifier = nxt is not None and bool(nxt.links) and i + 1 < len(p.units) and p.units[i + 1] is nxt
    if premodifier and nxt is not None:
        owners = {link.target.dataset for link in nxt.links[:3]}
        return any(v.dataset in owners for v in u.values) and not p.kinds.likely(u, "dataset")
    owners = {k.target.dataset for k in s.last.links[:3]} if s.last is not None else set()
    if any(k.target.dataset in owners and k.exact for k in u.links[:3]) and not any(v.dataset in owners for v in u.values):
        return False
    after_place = before is not None and before.is_func("prep", "neg", "cmp", "have", "relative")
    return after_place and not p.kinds.likely(u, "dataset") and not p.kinds.likely(u, "measure")


def on_value(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    owner: Mention | None = None
    if s.last is not None and p.binds_literal(i):
        fits = _fitting(p, u, s.last)
        if fits:
            owner = s.last
            if owner.role in ("output", "focus") and _names_field(p, u, owner):
                p.retract(owner)
                owner.role = "condition"
    last = s.last_condition
    if (
        last is not None
        and last.kind == "value"
        and last.values
        and _listed_with(p, i, last)
        and not _same_field(p, u, last)
        and not s.both
        and _in_or_list(p, i)
    ):
        s.or_next = True
    if last is not None and last.kind == "value" and last.values and _listed_with(p, i, last) and _same_field(p, u, last) and not s.both:
        last.more_values.append(u.values)
        last.units.append(u)
        if s.comparing or (i and p.units[i - 1].is_func("compare")):
            p.frame.compare_values.append(last)
        s.or_next = False
        p.use(u)
        return i + 1
    condition = Condition("value", owner, values=u.values, negate=s.negate, units=[u], both=s.both)
    if u.quoted:
        condition.literal = u.text
    s.negate = False
    p.add_condition(condition)
    return i + 1


def _names_field(p: Parse, u: Unit, mention: Mention) -> bool:
    """Whether the mention names the very field of the value ("status pending"), and no thing or metric."""
    top = mention.links[0].score if mention.links else 0.0
    near = [link.target for link in mention.links if link.score >= top - 0.06]
    if any(t.kind in ("dataset", "metric") for t in near):
        return False
    fields = {(v.dataset, v.field) for v in u.values}
    return any(t.kind == "field" and (t.dataset, t.field) in fields for t in near)


def _fitting(p: Parse, u: Unit, mention: Mention) -> bool:
    for value in u.values:
        for link in mention.links[:6]:
            if link.target.kind == "field" and (link.target.dataset, link.target.field) == (value.dataset, value.field):
                return True
            if link.target.kind == "dataset" and link.target.dataset == value.dataset:
                return True
    return False


def _listed_with(p: Parse, i: int, last: Condition) -> bool:
    if not last.units:
        return False
    j = i - 1
    while j >= 0:
        v = p.units[j]
        if v is last.units[-1]:
            return True
        if not (v.is_func("and", "or", "comma", "compare") or v.text.lower() in ("the", "in", "for") or v.soft):
            return False
        j -= 1
    return False


def _in_or_list(p: Parse, i: int) -> bool:
    """Whether the list that position i is in ends with "or"."""
    for v in p.units[max(0, i - 1) : i + 10]:
        if v.is_func("or"):
            return True
        if v.text in SENTENCE_END or v.is_func("close", "and"):
            return False
    return False


def _same_field(p: Parse, u: Unit, last: Condition) -> bool:
    fields = {(v.dataset, v.field) for v in last.values}
    return any((v.dataset, v.field) in fields for v in u.values)
