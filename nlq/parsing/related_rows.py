"""Nouns of other rows: those that must, or must not, be there for the rows that are asked for."""

from __future__ import annotations

from nlq.fillers import RELATING
from nlq.frame import Condition
from nlq.lexicon import Target
from nlq.linking import Link
from nlq.parsing.parse import Parse
from nlq.parsing.words import PARTICIPLES
from nlq.segment import Unit


def related(p: Parse, i: int, u: Unit) -> int | None:
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


def tying_event(p: Parse, i: int, u: Unit) -> int | None:
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
