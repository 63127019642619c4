""" "Who bought something last month": a verb of what the things did, whose time is that of the events and not of the things."""

from __future__ import annotations

from dataclasses import replace

from nlq.fillers import RELATING
from nlq.frame import Condition, MeasureItem
from nlq.lexicon import Target
from nlq.linking import Link
from nlq.parsing.parse import Parse
from nlq.parsing.words import PARTICIPLES, SENTENCE_END, TRADING
from nlq.segment import Unit
from semantic.catalog.model import Catalog, DatasetKind

_SOMETHING = frozenset("something anything".split())
_TRADE = TRADING | frozenset(
    "ordered order spent spend paid pay booked book rented rent visited visit attended attend stayed stay borrowed borrow watched watch played play".split()
)
_OF_MONEY = frozenset("pay paid spend spent transfer transferred donate donated invest invested claim claimed owe owed".split())
_CURRENCIES = frozenset("dollar dollars euro euros usd eur gbp pound pounds $ € £ francs chf".split())
_HAVING = frozenset("have has had".split())
_ALSO_NOUNS = frozenset("spend order pay book rent buy purchase claim transfer".split())
_HELPING = frozenset("have has had also ever".split())
# A verb names events where so much of their name is said.
_ENOUGH = 0.35


def act(p: Parse, i: int, u: Unit) -> int | None:
    """Rows that have such an event; of a verb that names none, nothing is known."""
    subject = _subject(p, i)
    if subject is not None and u.links and u.links[0].target.dataset == subject and p.kinds.certainly(u, "time"):
        return None  # a date of their own
    if i and p.units[i - 1].text.lower() in _HAVING and u.text.lower() in _ALSO_NOUNS:
        return None  # "advertisers that had spend in May"
    bounded = _bounded(p, i, u, subject) if subject is not None and not p.waiting.negate else None
    if bounded is not None:
        return bounded
    after = _what_follows(p, i)
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


def _bounded(p: Parse, i: int, u: Unit, subject: str) -> int | None:
    """ "who paid more than 200": what all of it adds up to, and not one payment."""
    if u.text.lower() not in _OF_MONEY | _TRADE:
        return None
    k = i + 1
    worth = p.units[k].text.lower() in ("for", "in total for", "a total of") if k < len(p.units) else False
    k += 1 if worth else 0
    bound, number = p.units[k] if k < len(p.units) else None, p.units[k + 1] if k + 1 < len(p.units) else None
    if bound is None or number is None or not bound.is_func("cmp") or bound.func is None or number.number is None or number.is_object:
        return None
    end = k + 2
    money = end < len(p.units) and p.units[end].text.lower() in _CURRENCIES
    end += 1 if money else 0
    following = p.units[end] if end < len(p.units) else None
    if following is not None and not (following.time is not None or following.text in SENTENCE_END or following.text.lower() == "in total"):
        return None
    event = _money_event(p, u, subject)
    if event is None or not (worth or money or u.text.lower() in _OF_MONEY):
        return None
    mention = p.mention(u, "aggregate")
    mention.links = (event[0],)
    done = p.mention(u, "end") if event[1] is not None else None
    if done is not None and event[1] is not None:
        done.links, done.explained = (event[1],), True
    units = [u, bound, number]
    item = MeasureItem("aggregate", "sum", mention, units=units)
    p.frame.having.append(Condition("number", mention, item, op=bound.func.value, number=number.number, other=done, units=units))
    p.use(*p.units[i:end])
    p.reset_noun()
    p.waiting.relative = p.waiting.passive = False
    return end


def _money_event(p: Parse, u: Unit, subject: str) -> tuple[Link, Link | None] | None:
    """The events of such things that the verb names, by their name or by a date of theirs, which then says that it was done."""
    catalog = p.kinds.catalog
    for k in u.links:
        home, dated = k.target.dataset, p.kinds.is_time(k.target)
        if home in (None, subject) or not (k.target.kind == "dataset" or dated) or k.score < _ENOUGH:
            continue
        if home is not None and catalog.dataset(home).kind is DatasetKind.FACT and _tells(catalog, home, subject):
            return Link(Target("dataset", home, home), k.score, False), k if dated else None
    return None


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
