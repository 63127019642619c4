"""Nouns by what waits for them: ordered, compared, grouped, counted, ranked, related, or the subject itself."""

from __future__ import annotations

from dataclasses import replace

from nlq.frame import Condition
from nlq.lexicon import Target
from nlq.linking import Link
from nlq.parsing.aggregates import aggregate_noun
from nlq.parsing.bounds import number_condition
from nlq.parsing.counts import count_noun
from nlq.parsing.grouping import field_after
from nlq.parsing.ordering import order_noun
from nlq.parsing.parse import Parse
from nlq.parsing.ranking import rank_noun
from nlq.parsing.subjects import plain_noun
from nlq.parsing.superlatives import super_noun
from nlq.parsing.terms import on_term
from nlq.parsing.values import is_value, on_quoted, on_value
from nlq.parsing.verbs import on_verb, verb_like
from nlq.parsing.words import LACKING
from nlq.segment import Unit


def on_object(p: Parse, i: int, u: Unit) -> int:
    if u.quoted and not u.links:
        return on_quoted(p, i, u)
    if is_value(p, i, u):
        return on_value(p, i, u)
    return on_noun(p, i, u)


def on_noun(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    _j, nxt = p.peek(i + 1)
    words = u.text.lower()
    before = p.units[i - 1] if i else None
    if words in ("date", "number", "integer") and before is not None and before.text.lower() in ("as a", "as an", "as"):
        p.use(u)
        return i + 1
    if (
        words in ("make", "makes")
        and any(v.is_func("have") and v.text.lower() in ("did", "do", "does", "to", "can") for v in p.units[:i])
        and not (before is not None and before.is_func("comma", "and", "by", "each", "of"))
    ):
        p.use(u)
        return i + 1
    if u.links[0].target.kind == "unflag":
        mention = p.mention(u, "condition")
        p.add_condition(Condition("flag", mention, negate=not s.negate, units=[u]))
        s.negate = False
        return i + 1
    if u.links[0].target.kind == "segment" and u.links[0].score >= 0.95:
        target = u.links[0].target
        mention = p.mention(u, "condition")
        mention.links = (u.links[0],)
        p.add_condition(Condition("segment", mention, negate=s.negate, units=[u]))
        s.negate = False
        if i + 1 < len(p.units) and p.units[i + 1].text.lower() == "rate":
            return i + 1
        u = replace(u, links=(Link(Target("dataset", target.dataset or "", target.dataset), 1.0, True),), values=())
        p.units = [*p.units[:i], u, *p.units[i + 1 :]]
    if u.links[0].target.kind == "term" and (u.links[0].target.name.startswith("#") or not (s.mode == "group" and not s.each)):
        return on_term(p, i, u)
    if verb_like(p, i, u):
        return on_verb(p, i, u)
    if s.mode == "order":
        return order_noun(p, i, u)
    if s.compare_op is not None and s.number is not None:
        mention = p.mention(u, "condition")
        op, number = s.compare_op, s.number
        p.reset_noun()
        number_condition(p, mention, op, number, p.take_pending(), ahead=True)
        return i + 1
    if s.each or s.mode == "group":
        return _group_noun(p, i, u)
    if s.count and not s.aggregate and s.superlative is None:
        return count_noun(p, i, u)
    if s.superlative is not None:
        return super_noun(p, i, u)
    if s.aggregate is not None:
        return aggregate_noun(p, i, u)
    if s.mode == "rankby":
        return rank_noun(p, i, u)
    if p.kinds.certainly(u, "flag") and (
        s.relative
        or s.negate
        or s.prep_next
        or words.startswith(("on ", "during ", "at "))
        or (nxt is not None and nxt.links and s.base_mode != "output")
        or (s.passive and s.last is not None)
    ):
        mention = p.mention(u, "condition")
        p.add_condition(Condition("flag", mention, negate=s.negate, units=[u]))
        s.negate = False
        s.passive = False
        return i + 1
    if (before is not None and before.text.lower() in ("corresponding", "respective", "correspoinding")) or (
        before is not None and before.soft and "corresp" in before.text.lower()
    ):
        s.relative, s.related = False, None
    lacking = s.negate and s.negate_unit is not None and s.negate_unit.text.lower() in LACKING
    if lacking and not p.kinds.likely(u, "dataset") and u.links[0].target.kind == "field" and not p.kinds.likely(u, "measure"):
        mention = p.mention(u, "condition")
        s.negate = False
        p.add_condition(Condition("null", mention, units=[x for x in (s.negate_unit, u) if x is not None]))
        s.negate_unit = None
        return i + 1
    if (s.negate or s.relative or s.by_agent) and p.kinds.likely(u, "dataset") and (p.frame.mentions or s.negate):
        return _related_noun(p, i, u)
    return plain_noun(p, i, u)


def _group_noun(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    if s.count or s.aggregate or s.superlative:
        each = s.each
        s.each = False
        mode, s.mode = s.mode, s.base_mode
        result = on_noun(p, i, u)
        s.mode, s.each = mode if not each else s.base_mode, False
        return result
    if s.last is not None and i and p.units[i - 1] is s.last.unit and s.last in p.frame.groups and p.kinds.likely(s.last.unit, "dataset"):
        p.frame.groups.remove(s.last)
        s.last.role = "context"
    mention = p.mention(u, "group")
    mention.per = bool(i and p.units[i - 1].text.lower().startswith("per"))
    p.frame.groups.append(mention)
    p.reset_noun()
    if s.each:
        _, _nxt = p.peek(i + 1)
        k, after = p.peek(i + 1)
        more = after is not None and after.is_func("and", "comma") and field_after(p, k)
        if not more:
            s.each = False
            s.mode = s.base_mode
    return i + 1


def _related_noun(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    mention = p.mention(u, "related")
    condition = Condition("related", mention, negate=s.negate, units=[u], both=s.both)
    s.related = None
    p.add_condition(condition)
    s.related = condition if s.negate or s.relative else None
    s.negate = False
    s.by_agent = False
    p.reset_noun()
    if s.or_next:
        s.or_next = False
    return i + 1
