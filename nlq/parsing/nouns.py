"""Nouns by what waits for them: ordered, compared, grouped, counted, ranked, related, or the subject itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from nlq.fillers import RELATING
from nlq.frame import Condition, MeasureItem
from nlq.lexicon import Target
from nlq.linking import Link
from nlq.parsing.aggregates import aggregate_noun
from nlq.parsing.bounds import number_condition
from nlq.parsing.counts import count_doers, count_noun
from nlq.parsing.durations import length_of
from nlq.parsing.grouping import group_noun
from nlq.parsing.lacking import lacking, none_of_a_figure
from nlq.parsing.ordering import order_noun
from nlq.parsing.parse import Parse
from nlq.parsing.parts import part_verb
from nlq.parsing.ranking import rank_noun
from nlq.parsing.some_of import loose_date, some_of
from nlq.parsing.subjects import plain_noun
from nlq.parsing.superlatives import super_noun
from nlq.parsing.terms import on_term
from nlq.parsing.values import is_value, on_quoted, on_value
from nlq.parsing.verbs import on_verb, verb_like
from nlq.parsing.words import PARTICIPLES
from nlq.segment import Unit
from nlq.text import keys_of, lemma
from nlq.thesaurus import root
from semantic.catalog.model import FieldRole


def on_object(p: Parse, i: int, u: Unit) -> int:
    """A unit that names something of the catalog: a quoted text, a stored value or a noun."""
    if u.quoted and not u.links:
        return on_quoted(p, i, u)
    if is_value(p, i, u):
        return on_value(p, i, u)
    return on_noun(p, i, u)


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


def _opposite(p: Parse, i: int, u: Unit) -> int | None:
    """ "inactive": a yes/no field, denied."""
    if u.links[0].target.kind != "unflag":
        return None
    mention = p.mention(u, "condition")
    p.add_condition(Condition("flag", mention, negate=not p.waiting.negate, units=[u]))
    p.waiting.negate = False
    return i + 1


def _segment(p: Parse, i: int, u: Unit) -> int | None:
    """A named condition on rows; the rows themselves are what is talked about."""
    target = u.links[0].target
    if target.kind != "segment" or u.links[0].score < 0.95:
        return None
    mention = p.mention(u, "condition")
    when = _date_of_segment(p, i, u)
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
    p.units = [*p.units[:i], rows, *p.units[i + 1 :]]
    return on_noun(p, i, rows)


def _date_of_segment(p: Parse, i: int, u: Unit) -> Link | None:
    """ "parcels delivered in May", of rows that keep when they were delivered: that date, not the status that they have now."""
    following, home = p.units[i + 1] if i + 1 < len(p.units) else None, u.links[0].target.dataset
    if following is None or following.time is None or p.waiting.negate or home is None:
        return None
    said = {root(lemma(w)) for w in u.text.lower().split() if w.endswith("ed")}
    dates = [f for f in p.kinds.catalog.dataset(home).fields if f.role is FieldRole.TIME and not f.hidden]
    found = [f for f in dates if said & {root(k) for k in keys_of(f.label)}]
    return Link(Target("field", f"{home}.{found[0].name}", home, found[0].name), 1.0, True) if len(found) == 1 else None


def _headcount(p: Parse, i: int, u: Unit) -> int | None:
    """ "headcount by department": persons, counted."""
    if u.text.lower() != "headcount" or p.waiting.mode in ("order", "rankby") or p.waiting.each:
        return None
    return count_noun(p, i, u)


def _tying_event(p: Parse, i: int, u: Unit) -> int | None:
    """ "completed the training", "have not completed any training": a date before the thing it is about is only a verb."""
    if not p.kinds.certainly(u, "time") or not u.text.lower().endswith(("ed", "en", "ght", "ok", "t")) or not p.frame.mentions:
        return None
    before = p.units[i - 1] if i else None
    if before is None or not (p.follows_last(i) or before.is_func("have", "neg", "relative")):
        return None
    j, following = p.peek(i + 1)
    if following is not None and following.values and not following.links:
        _, following = p.peek(j + 1)
    if following is not None and following.is_func("prep"):
        j, following = p.peek(j + 1)
    if following is not None and following.is_func("cmp"):
        j, following = p.peek(j + 1)
        j, following = p.peek(j + 1)
    if following is None or not following.links or not p.kinds.likely(following, "dataset"):
        return None
    s = p.waiting
    event, thing = u.links[0].target.dataset, p.frame.mentions[-1].links[0].target.dataset if p.frame.mentions[-1].links else None
    events = [r for r in p.kinds.catalog.relationships if r.from_dataset == event and r.to_dataset == thing]
    if s.negate and event is not None and events and event != thing:
        mention = p.mention(u, "related")  # "never enrolled in any course"
        mention.links = (Link(Target("dataset", event, event), 0.9, False),)
        condition = Condition("related", mention, negate=True, units=[u])
        s.related = None
        p.add_condition(condition)
        s.related, s.negate, s.passive = condition, False, False
        if following.links and j > 0 and p.units[j - 1].text.lower() in ("any", "a", "the", "an", "in any"):
            p.mention(following, "context").explained = True
            return j + 1
        return i + 1
    if event == thing and p.units[i + 1].is_func("prep"):
        return None
    p.use(u)
    s.passive = False
    return i + 1


def _term(p: Parse, i: int, u: Unit) -> int | None:
    target, grouping = u.links[0].target, p.waiting.mode == "group" and not p.waiting.each
    return on_term(p, i, u) if target.kind == "term" and (target.name.startswith("#") or not grouping) else None


def _verb(p: Parse, i: int, u: Unit) -> int | None:
    return on_verb(p, i, u) if verb_like(p, i, u) else None


def _several(p: Parse, i: int, u: Unit) -> int | None:
    """ "min, max and average price": each of them of the one noun."""
    s = p.waiting
    last = s.aggregate or {"desc": "max", "asc": "min"}.get(s.superlative or "")
    if not s.also or last is None or s.mode in ("order", "rankby"):
        return None
    if p.frame.question_word and p.frame.outputs:
        p.frame.unknown.extend(s.pending_units)  # "which products have the highest and lowest price": two rankings at once
        return None
    units, kinds = p.take_pending(), [*s.also, last]
    mention = p.mention(u, "aggregate")
    p.reset_noun()
    s.also = []
    for kind in kinds:
        p.add_measure(MeasureItem("aggregate", kind, mention, units=units))
    return i + 1


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
    return aggregate_noun(p, i, u) if p.waiting.aggregate is not None else None


def _ranked(p: Parse, i: int, u: Unit) -> int | None:
    return rank_noun(p, i, u) if p.waiting.mode == "rankby" else None


def _happened(p: Parse, i: int, u: Unit) -> int | None:
    """ "cancelled policies in 2024": what happened to them, in that year."""
    following = p.units[i + 1] if i + 1 < len(p.units) else None
    if following is None or not following.links or not p.kinds.certainly(u, "time") or not u.text.lower().endswith("ed"):
        return None
    home, thing = u.links[0].target.dataset, following.links[0].target
    if len(u.text.split()) > 1 or thing.kind != "dataset" or thing.dataset != home or p.waiting.aggregate is not None:
        return None
    mention = p.mention(u, "condition")
    at = next((k for k in range(i + 1, len(p.units)) if p.units[k].time is not None), None)
    if at is None or p.waiting.negate:
        p.add_condition(Condition("null", mention, negate=not p.waiting.negate, units=[u]))
        p.waiting.negate = False
        return i + 1
    when = p.units[at]
    p.add_condition(Condition("time", mention, time=when.time, units=[u, when]))
    p.units = [*p.units[:at], *p.units[at + 1 :]]
    return i + 1


_BEING = frozenset("was were is are be been being got get".split())


def _undergone(p: Parse, i: int, u: Unit) -> int | None:
    """ "refunded orders", "orders were refunded": those that have such an event."""
    if not u.text.lower().endswith("ed") or len(u.text.split()) > 1 or p.waiting.aggregate is not None:
        return None
    event = next((link for link in u.links if link.target.kind == "dataset" and not link.exact), None)
    if event is None:
        return None
    before, following = p.units[i - 1] if i else None, p.units[i + 1] if i + 1 < len(p.units) else None
    after = following is not None and bool(following.links) and p.kinds.likely(following, "dataset")
    helping = p.units[i - 2] if before is not None and before.is_func("neg") and i > 1 else before
    told = helping is not None and not _BEING.isdisjoint(helping.text.lower().split()) and bool(p.frame.mentions)
    links = following.links if after and following is not None else p.frame.mentions[-1].links if told else ()
    things = {link.target.dataset for link in links if link.target.kind == "dataset"}
    if not any(r.from_dataset == event.target.dataset and r.to_dataset in things for r in p.kinds.catalog.relationships):
        return None
    mention = p.mention(u, "related")
    mention.links = (event,)
    p.add_condition(Condition("related", mention, negate=p.waiting.negate, units=[u]))
    p.waiting.negate = p.waiting.passive = False
    return i + 1


def _flag(p: Parse, i: int, u: Unit) -> int | None:
    """A yes/no field before a noun, or in a clause: a condition."""
    s = p.waiting
    _, following = p.peek(i + 1)
    own = u.links[0].exact and p.kinds.is_flag(u.links[0].target) and following is not None and bool(following.links)
    own = own and following is not None and following.links[0].target.dataset == u.links[0].target.dataset
    if not own and not p.kinds.certainly(u, "flag"):
        return None
    before_noun = following is not None and bool(following.links) and (s.base_mode != "output" or _beside_own(p, i, u))
    before = p.units[i - 1] if i else None
    verb = before is not None and before.soft and before.text.lower() in RELATING and s.last is not None  # "restaurants offer delivery"
    in_place = u.text.lower().startswith(("on ", "during ", "at "))
    if not (s.relative or s.negate or s.prep_next or verb or in_place or before_noun or (s.passive and s.last is not None)):
        return None
    mention = p.mention(u, "condition")
    p.add_condition(Condition("flag", mention, negate=s.negate, units=[u]))
    s.negate = s.passive = False
    return i + 1


def _beside_own(p: Parse, i: int, u: Unit) -> bool:
    """ "list low cost carriers": right before the things that it is a yes or no of."""
    following = p.units[i + 1] if i + 1 < len(p.units) else None
    home = u.links[0].target.dataset
    return following is not None and any(k.target.kind == "dataset" and k.target.dataset == home and k.exact for k in following.links[:2])


def _respective(p: Parse, i: int, u: Unit) -> int | None:
    """ "and the corresponding X" goes back to what is shown; the noun itself is for the rules below."""
    before = p.units[i - 1] if i else None
    if before is not None and (before.text.lower() == "respective" or "corresp" in before.text.lower()) and (before.soft or before.unknown):
        p.waiting.relative, p.waiting.related = False, None
    return None


def _related(p: Parse, i: int, u: Unit) -> int | None:
    """ "customers with refunds", "who never ordered": rows that must, or must not, be related."""
    s = p.waiting
    if not (s.negate or s.relative or s.by_agent) or not p.kinds.likely(u, "dataset") or not (p.frame.mentions or s.negate):
        return None
    event = s.related
    if event is not None and event.negate and not s.negate and not event.inner and _tells_of(p, event, u):
        p.mention(u, "context").explained = True  # "never booked a flight"
        p.reset_noun()
        return i + 1
    mention = p.mention(u, "related")
    condition = Condition("related", mention, negate=s.negate, inner=s.held, units=[u], both=s.both)
    for inner in s.held:
        p.use(*inner.units)
    s.related, s.held = None, []
    p.add_condition(condition)
    s.related = condition if s.negate or s.relative else None
    s.negate = s.by_agent = False
    p.reset_noun()
    s.or_next = False
    return i + 1


def _tells_of(p: Parse, event: Condition, thing: Unit) -> bool:
    """Whether the events that a verb named belong to such things."""
    said = event.mention.unit.text.lower() if event.mention is not None else ""
    events = {k.target.dataset for k in event.mention.links} if event.mention is not None else set()
    things = {k.target.dataset for k in thing.links if k.target.kind == "dataset"}
    verb = said in RELATING | PARTICIPLES
    return verb and any(r.from_dataset in events and r.to_dataset in things for r in p.kinds.catalog.relationships)


def _net_of_what(p: Parse, i: int, u: Unit) -> int | None:
    """ "net new customers": the word alone is no amount before something else that is counted, or said by itself."""
    following = p.units[i + 1] if i + 1 < len(p.units) else None
    if u.text.lower() not in ("net", "gross") or (len(p.units) > 1 and (following is None or not following.is_object)):
        return None
    p.frame.unknown.append(u)
    return i + 1


RULES: tuple[Callable[[Parse, int, Unit], int | None], ...] = (
    _net_of_what,
    _type_word,
    _auxiliary_make,
    _opposite,
    _segment,
    _tying_event,
    _headcount,
    _term,
    _happened,
    _undergone,
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
    _flag,
    _respective,
    lacking,
    none_of_a_figure,
    _related,
)
