""" "Who bought something last month": a verb of what the things did, whose time is that of the events and not of the things."""

from __future__ import annotations

from dataclasses import replace

from nlq.fillers import RELATING
from nlq.frame import Condition
from nlq.linking import Link
from nlq.parsing.parse import Parse
from nlq.parsing.words import PARTICIPLES, SENTENCE_END, TRADING
from nlq.segment import Unit
from semantic.catalog.model import Catalog, DatasetKind

_SOMETHING = frozenset("something anything".split())
_TRADE = TRADING | frozenset("ordered order spent spend paid pay booked book rented rent".split())
_HELPING = frozenset("have has had also ever".split())
# A verb names events where so much of their name is said.
_ENOUGH = 0.35


def act(p: Parse, i: int, u: Unit) -> int | None:
    """Rows that have such an event; of a verb that names none, nothing is known."""
    after = _what_follows(p, i)
    subject = _subject(p, i)
    if after is None or subject is None or p.waiting.negate or p.frame.times:
        return None
    if u.text.lower() not in RELATING | PARTICIPLES | _TRADE or (u.links and p.kinds.certainly(u, "time") and u.text.lower() not in _TRADE):
        return None
    said = {p.units[k].text.lower() for k in range(i + 1, after)}
    if not said & _SOMETHING and (u.text.lower() not in _TRADE or after >= len(p.units) or p.units[after].time is None):
        return None
    event = _event(p, u, subject)
    if event is None:
        p.frame.unknown.append(u)
        return i + 1
    mention = p.mention(u, "related")
    mention.links = (event,)
    condition = Condition("related", mention, units=[u])
    p.waiting.related = None
    p.add_condition(condition)
    p.waiting.related, p.waiting.passive = condition, False
    return after


def _what_follows(p: Parse, i: int) -> int | None:
    """The position behind "something": a time, or the end of what is said of the things."""
    k = i + 1
    while k < len(p.units) and p.units[k].soft and p.units[k].func is None and p.units[k].text.lower() in _SOMETHING:
        k += 1
    if k < len(p.units) and not (p.units[k].time is not None or p.units[k].text in SENTENCE_END or p.units[k].is_func("and", "or", "by")):
        return None
    return k


def _subject(p: Parse, i: int) -> str | None:
    """The things that the verb right here is said of: they have no events' date of their own."""
    k = i - 1
    while k >= 0 and (p.units[k].is_func("relative") or p.units[k].text.lower() in _HELPING):
        k -= 1
    last = p.waiting.last
    if last is None or k < 0 or p.units[k] is not last.unit or not last.links or last.role not in ("output", "count", "group", "context"):
        return None
    link = next((x for x in last.links[:2] if x.target.kind == "dataset"), None)
    if link is None or link.target.dataset is None:
        return None
    return link.target.dataset if p.kinds.catalog.dataset(link.target.dataset).kind is not DatasetKind.FACT else None


def _event(p: Parse, u: Unit, subject: str) -> Link | None:
    """The events that the verb names, of such things."""
    found = [replace(k, exact=False) for k in u.links if k.target.kind == "dataset" and k.score >= _ENOUGH]
    return next((k for k in found if _tells(p.kinds.catalog, k.target.dataset or "", subject)), None)


def _tells(catalog: Catalog, event: str, subject: str) -> bool:
    """Whether each such event belongs to one of these things, itself or through what it belongs to."""
    direct = {r.to_dataset for r in catalog.relationships if r.from_dataset == event}
    return subject in direct or any(r.to_dataset == subject for r in catalog.relationships if r.from_dataset in direct)


__all__ = ["act"]
