"""Nouns by what waits for them: ordered, compared, grouped, counted, ranked, related, or the subject itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from nlq.frame import Condition, MeasureItem
from nlq.lexicon import Target
from nlq.linking import Link
from nlq.parsing.aggregates import aggregate_noun, whose_figure
from nlq.parsing.bounds import number_condition
from nlq.parsing.counts import count_doers, count_noun
from nlq.parsing.durations import length_of, takes
from nlq.parsing.grouping import group_noun
from nlq.parsing.lacking import lacking, lacks_some, none_of_a_figure
from nlq.parsing.literals import on_unknown
from nlq.parsing.ordering import order_noun
from nlq.parsing.parse import Parse
from nlq.parsing.parts import part_verb
from nlq.parsing.ranking import rank_noun
from nlq.parsing.related_rows import related, tying_event
from nlq.parsing.said_of_rows import became, date_of_segment, doers, done_by_someone, flag, happened, opposite, undergone
from nlq.parsing.some_of import loose_date, some_of
from nlq.parsing.subjects import plain_noun
from nlq.parsing.superlatives import super_noun
from nlq.parsing.terms import on_term
from nlq.parsing.values import is_value, on_quoted, on_value
from nlq.parsing.verbs import on_verb, verb_like
from nlq.parsing.words import EXTREMES
from nlq.segment import Unit


def on_object(p: Parse, i: int, u: Unit) -> int:
    """A unit that names something of the catalog: a quoted text, a stored value or a noun."""
    if u.quoted and not u.links:
        return on_quoted(p, i, u)
    if is_value(p, i, u):
        return on_value(p, i, u)
    return on_noun(p, i, u) if u.links else on_unknown(p, i, u)


def on_noun(p: Parse, i: int, u: Unit) -> int:
    """The first rule that has a use for the noun takes it; else it is the subject or its context."""
    for rule in RULES:
        following = rule(p, i, u)
        if following is not None:
            return following
    return plain_noun(p, i, u)


def _type_word(p: Parse, i: int, u: Unit) -> int | None:
    """ "as a date" says how to write something."""
    before = p.units[i - 1].text.lower() if i else ""
    if u.text.lower() not in ("date", "number", "integer") or before not in ("as a", "as an", "as"):
        return None
    p.use(u)
    return i + 1


def _auxiliary_make(p: Parse, i: int, u: Unit) -> int | None:
    """ "did they make": a verb, not the make of a car."""
    before = p.units[i - 1] if i else None
    if u.text.lower() not in ("make", "makes") or (before is not None and before.is_func("comma", "and", "by", "each", "of")):
        return None
    if not any(v.is_func("have") and v.text.lower() in ("did", "do", "does", "to", "can") for v in p.units[:i]):
        return None
    p.use(u)
    return i + 1


def _segment(p: Parse, i: int, u: Unit) -> int | None:
    """A named condition on rows; the rows themselves are what is talked about."""
    target = u.links[0].target
    if target.kind != "segment" or u.links[0].score < 0.95:
        return None
    if lacks_some(p, u):
        return i + 1
    mention = p.mention(u, "condition")
    when = date_of_segment(p, i, u)
    mention.links = (u.links[0],) if when is None else (when,)
    if when is not None:
        at = p.units[i + 1]
        p.add_condition(Condition("time", mention, time=at.time, units=[u, at]))
        p.units = [*p.units[: i + 1], *p.units[i + 2 :]]
    else:
        p.add_condition(Condition("segment", mention, negate=p.waiting.negate, units=[u]))
    p.waiting.negate = False
    if i + 1 < len(p.units) and p.units[i + 1].text.lower() == "rate":
        return i + 1
    rows = replace(u, links=(Link(Target("dataset", target.dataset or "", target.dataset), 1.0, True),), values=())
    after = p.units[i + 1] if i + 1 < len(p.units) else None
    if after is not None and after.soft and after.text.lower() in ("amount", "amounts", "value", "balance"):
        p.use(after)  # "overdue amount": of those rows
        rows = replace(rows, links=tuple(Link(t, 1.0, True) for t in p.kinds.amounts_of(rows, main=True)) or rows.links)
    p.units = [*p.units[:i], rows, *p.units[i + 1 :]]
    return on_noun(p, i, rows)


def _headcount(p: Parse, i: int, u: Unit) -> int | None:
    """ "headcount by department": persons, counted."""
    if u.text.lower() != "headcount" or p.waiting.mode in ("order", "rankby") or p.waiting.each:
        return None
    return count_noun(p, i, u)


def _term(p: Parse, i: int, u: Unit) -> int | None:
    target, grouping = u.links[0].target, p.waiting.mode == "group" and not p.waiting.each
    return on_term(p, i, u) if target.kind == "term" and (target.name.startswith("#") or not grouping) else None


def _verb(p: Parse, i: int, u: Unit) -> int | None:
    splits = p.waiting.mode == "group" and i > 0 and p.units[i - 1].is_func("by")  # "outages by cause": no verb
    return on_verb(p, i, u) if not splits and verb_like(p, i, u) else None


def _several(p: Parse, i: int, u: Unit) -> int | None:
    """ "min, max and average price": each of them of the one noun."""
    s = p.waiting
    last = s.aggregate or EXTREMES.get(s.superlative or "")
    if not s.also or last is None or s.mode in ("order", "rankby"):
        return None
    if p.frame.question_word and p.frame.outputs:
        p.frame.unknown.extend(s.pending_units)  # "which products have the highest and lowest price": two rankings at once
        return None
    timed = any(x.is_func("super") and x.func is not None and x.func.value in ("latest", "earliest") for x in s.pending_units)
    events = timed and p.kinds.likely(u, "dataset") and p.kinds.is_dated(u)
    if timed and not events and not p.kinds.likely(u, "time"):
        p.frame.unknown.extend(s.pending_units)  # "first and last price": whose price was first
        return None
    units, kinds = p.take_pending(), [*s.also, last]
    dates = events and i + 1 < len(p.units) and p.units[i + 1].text.lower() in ("date", "dates", "day", "time")
    if dates:
        p.use(p.units[i + 1])  # "first and last sale date", where sales have a date of another name
    mention = p.mention(u, "aggregate")
    if events:
        mention.links = tuple(k for k in u.links if k.target.kind == "dataset")
    p.reset_noun()
    s.also = []
    for kind in kinds:
        p.add_measure(MeasureItem("aggregate", kind, mention, units=units, label="when" if events else None))
    return i + 2 if dates else i + 1


def _ordered(p: Parse, i: int, u: Unit) -> int | None:
    return order_noun(p, i, u) if p.waiting.mode == "order" else None


def _compared(p: Parse, i: int, u: Unit) -> int | None:
    """ "more than 5 X"."""
    op, number = p.waiting.compare_op, p.waiting.number
    if op is None or number is None:
        return None
    mention = p.mention(u, "condition")
    p.reset_noun()
    number_condition(p, mention, op, number, p.take_pending(), ahead=True)
    return i + 1


def _grouped(p: Parse, i: int, u: Unit) -> int | None:
    """ "per X"; in "per number of X" the number comes first."""
    s = p.waiting
    if not (s.each or s.mode == "group"):
        return None
    if not (s.count or s.aggregate or s.superlative):
        return _only_those(p, i, u) or group_noun(p, i, u)
    each, mode = s.each, s.mode
    s.each, s.mode = False, s.base_mode
    following = on_noun(p, i, u)
    s.mode, s.each = s.base_mode if each else mode, False
    return following


def _only_those(p: Parse, i: int, u: Unit) -> int | None:
    """ "revenue by promotion, only sales with a promotion": which rows, added behind what splits them."""
    after = p.units[i + 1] if i + 1 < len(p.units) else None
    if not i or p.units[i - 1].text.lower() != "only" or after is None or not after.is_func("relative", "prep", "neg"):
        return None
    if not p.kinds.likely(u, "dataset"):
        return None
    p.mention(u, "context")
    p.waiting.mode, p.waiting.each = p.waiting.base_mode, False
    p.reset_noun()
    return i + 1


def _counted(p: Parse, i: int, u: Unit) -> int | None:
    s = p.waiting
    counts = s.count and not s.aggregate and s.superlative is None
    return count_noun(p, i, u) if counts and not count_doers(p, i, u) else None


def _superlative(p: Parse, i: int, u: Unit) -> int | None:
    return super_noun(p, i, u) if p.waiting.superlative is not None else None


def _aggregated(p: Parse, i: int, u: Unit) -> int | None:
    taken = takes(p, i, u)
    if taken is not None:
        return taken
    if whose_figure(p, i, u):
        p.mention(u, "context")
        return i + 1
    return aggregate_noun(p, i, u) if p.waiting.aggregate is not None else None


def _ranked(p: Parse, i: int, u: Unit) -> int | None:
    following = p.units[i + 1] if i + 1 < len(p.units) else None
    own = following is not None and p.kinds.likely(following, "amount") and following.links[0].target.dataset == u.links[0].target.dataset
    if p.waiting.mode == "rankby" and own and p.kinds.certainly(u, "flag"):
        p.add_condition(Condition("flag", p.mention(u, "condition"), negate=p.waiting.negate, units=[u]))
        p.waiting.negate = False
        return i + 1  # "top lawyers by billable hours"
    return rank_noun(p, i, u) if p.waiting.mode == "rankby" else None


def _respective(p: Parse, i: int, u: Unit) -> int | None:
    """ "and the corresponding X" goes back to what is shown; the noun itself is for the rules below."""
    before = p.units[i - 1] if i else None
    if before is not None and (before.text.lower() == "respective" or "corresp" in before.text.lower()) and (before.soft or before.unknown):
        p.waiting.relative, p.waiting.related = False, None
    return None


def _net_of_what(p: Parse, i: int, u: Unit) -> int | None:
    """ "net new customers": the word alone is no amount before something else that is counted, or said by itself."""
    following = p.units[i + 1] if i + 1 < len(p.units) else None
    if u.text.lower() not in ("net", "gross") or (len(p.units) > 1 and (following is None or not following.is_object)):
        return None
    p.frame.unknown.append(u)
    return i + 1


RULES: tuple[Callable[[Parse, int, Unit], int | None], ...] = (
    _net_of_what,
    doers,
    became,
    _type_word,
    _auxiliary_make,
    opposite,
    _segment,
    tying_event,
    _headcount,
    _term,
    happened,
    done_by_someone,
    undergone,
    some_of,
    loose_date,
    length_of,
    part_verb,
    _verb,
    _several,
    _ordered,
    _compared,
    _grouped,
    _counted,
    _superlative,
    _aggregated,
    _ranked,
    flag,
    _respective,
    lacking,
    none_of_a_figure,
    related,
)
