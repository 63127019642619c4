"""Nouns that say of rows what they are or what became of them: yes or no, delivered in May, refunded."""

from __future__ import annotations

from dataclasses import replace

from nlq.fillers import RELATING
from nlq.frame import Condition
from nlq.lexicon import Target
from nlq.linking import Link
from nlq.parsing.parse import Parse
from nlq.segment import Unit
from nlq.text import keys_of, lemma
from nlq.thesaurus import root
from semantic.catalog.model import FieldRole

_DOERS = frozenset("spender spenders payer payers buyer buyers earner earners seller sellers donor donors investor investors".split())
_BEING = frozenset("was were is are be been being got get".split())


def opposite(p: Parse, i: int, u: Unit) -> int | None:
    """ "inactive": a yes/no field, denied."""
    if u.links[0].target.kind != "unflag":
        return None
    mention = p.mention(u, "condition")
    p.add_condition(Condition("flag", mention, negate=not p.waiting.negate, units=[u]))
    p.waiting.negate = False
    return i + 1


def happened(p: Parse, i: int, u: Unit) -> int | None:
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


def done_by_someone(p: Parse, i: int, u: Unit) -> int | None:
    """ "visitors were referred", "referred visitors", of rows that may name who did it: those that do."""
    target, words = u.links[0].target, u.text.lower().split()
    field = p.kinds.field(target)
    if field is None or not words[0].endswith("ed") or not field.nullable or not field.label.lower().endswith(" by") or words[-1] == "by":
        return None
    rows = Target("dataset", target.dataset or "", target.dataset)
    if len(words) > 1:
        p.add_condition(Condition("null", p.mention(u, "condition"), negate=not p.waiting.negate, units=[u]))
        p.waiting.negate = False
        p.units = [*p.units[:i], replace(u, links=(Link(rows, 1.0, True),)), *p.units[i + 1 :]]
        return i
    before, following = p.units[i - 1] if i else None, p.units[i + 1] if i + 1 < len(p.units) else None
    if following is not None and following.is_func("by"):
        return None
    helping = p.units[i - 2] if before is not None and before.is_func("neg") and i > 1 else before
    told = helping is not None and not _BEING.isdisjoint(helping.text.lower().split()) and bool(p.frame.mentions)
    own = following is not None and any(k.target == rows for k in following.links[:1])
    if not told and not own:
        return None
    denied = [p.waiting.negate_unit] if p.waiting.negate and p.waiting.negate_unit is not None else []
    p.add_condition(Condition("null", p.mention(u, "condition"), negate=not p.waiting.negate, units=[*denied, u]))
    p.waiting.negate = p.waiting.passive = False
    return i + 1


def undergone(p: Parse, i: int, u: Unit) -> int | None:
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


def flag(p: Parse, i: int, u: Unit) -> int | None:
    """A yes/no field before a noun, or in a clause: a condition."""
    s = p.waiting
    _, following = p.peek(i + 1)
    own = u.links[0].exact and p.kinds.is_flag(u.links[0].target) and following is not None and bool(following.links)
    own = own and following is not None and following.links[0].target.dataset == u.links[0].target.dataset
    own = own or (u.links[0].exact and p.kinds.is_flag(u.links[0].target) and s.passive and _said_of_last(p, u))
    if not own and not p.kinds.certainly(u, "flag"):
        return None
    before_noun = following is not None and bool(following.links) and (s.base_mode != "output" or _beside_own(p, i, u))
    before_noun = before_noun or (following is not None and bool(following.values) and p.units[i + 1] is following)  # "organic wheat"
    before = p.units[i - 1] if i else None
    verb = before is not None and before.soft and before.text.lower() in RELATING and s.last is not None  # "restaurants offer delivery"
    in_place = u.text.lower().startswith(("on ", "during ", "at "))
    if not (s.relative or s.negate or s.prep_next or verb or in_place or before_noun or (s.passive and s.last is not None)):
        return None
    mention = p.mention(u, "condition")
    p.add_condition(Condition("flag", mention, negate=s.negate, units=[u]))
    s.negate = s.passive = False
    return i + 1


def _said_of_last(p: Parse, u: Unit) -> bool:
    """ "payments were refunded": a yes or no of the things right before, whatever counts those that have it."""
    last = p.waiting.last
    return last is not None and any(k.target.kind == "dataset" and k.target.dataset == u.links[0].target.dataset for k in last.links[:1])


def _beside_own(p: Parse, i: int, u: Unit) -> bool:
    """ "list low cost carriers": right before the things that it is a yes or no of."""
    following = p.units[i + 1] if i + 1 < len(p.units) else None
    home = u.links[0].target.dataset
    return following is not None and any(k.target.kind == "dataset" and k.target.dataset == home and k.exact for k in following.links[:2])


def became(p: Parse, i: int, u: Unit) -> int | None:
    """ "payments of cancelled members": what became of the things that the figure is of, and no second figure."""
    s, words = p.waiting, u.text.lower().split()
    if (
        len(words) < 2
        or not words[0].endswith(("ed", "en", "wn", "sold", "lost"))
        or not (s.of_next or s.prep_next)
        or not p.frame.measures
    ):
        return None
    if not p.kinds.certainly(u, "time") or s.aggregate is not None or s.count or s.mode != "head":
        return None
    figures = {m.mention.links[0].target.dataset for m in p.frame.measures if m.mention is not None and m.mention.links}
    home = u.links[0].target.dataset
    if s.of_next and any(r.from_dataset == home and r.to_dataset in figures for r in p.kinds.catalog.relationships):
        p.frame.unknown.append(u)  # "price of returned copies": the price is kept of the books, once for all their copies
    mention = p.mention(u, "condition")
    p.add_condition(Condition("null", mention, negate=not s.negate, units=[u]))
    s.negate = False
    p.reset_noun()
    return i + 1


def doers(p: Parse, i: int, u: Unit) -> int | None:
    """ "biggest spenders": those who do it are no figure, where nothing says who they are."""
    if u.text.lower() not in _DOERS or not p.kinds.likely(u, "measure") or u.links[0].target.kind == "dataset":
        return None
    p.frame.unknown.append(u)
    return i + 1


def date_of_segment(p: Parse, i: int, u: Unit) -> Link | None:
    """ "parcels delivered in May", of rows that keep when they were delivered: that date, not the status that they have now."""
    following, home = p.units[i + 1] if i + 1 < len(p.units) else None, u.links[0].target.dataset
    if following is None or following.time is None or p.waiting.negate or home is None:
        return None
    said = {root(lemma(w)) for w in u.text.lower().split() if w.endswith("ed")}
    dates = [f for f in p.kinds.catalog.dataset(home).fields if f.role is FieldRole.TIME and not f.hidden]
    found = [f for f in dates if said & {root(k) for k in keys_of(f.label)}]
    return Link(Target("field", f"{home}.{found[0].name}", home, found[0].name), 1.0, True) if len(found) == 1 else None
