"""Words that are one name although each is known by itself: the amount of events, and what somebody did to something of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nlq.fillers import RELATING
from nlq.kinds import Kinds
from nlq.lexicon import Target
from nlq.linking import Link
from nlq.phrases import Func
from nlq.segment import Unit
from semantic.catalog.model import DatasetKind, RatioMetric

_AMOUNTS = frozenset("amount amounts value values".split())


def said_together(units: Sequence[Unit], kinds: Kinds) -> Sequence[Unit]:
    """The units with "invoiced amount", "closed their account last month" and "opted in to the newsletter" as one thing said."""
    units = _per_so_many(_ratio_of_figure(units, kinds), kinds)
    return _acts_on_own(_tied_to(_flags_apart(_not_done(_amounts_of_events(units, kinds), kinds), kinds), kinds), kinds)


def _ratio_of_figure(units: Sequence[Unit], kinds: Kinds) -> list[Unit]:
    """ "profit margin", where margin is profit over something: the one figure, and not both."""
    out: list[Unit] = []
    for u in units:
        figure = _metric(out[-1]) if out else None
        ratio = kinds.catalog.metric(name) if figure is not None and (name := _metric(u)) is not None else None
        if isinstance(ratio, RatioMetric) and ratio.numerator == figure:
            out[-1] = replace(u, start=out[-1].start, text=f"{out[-1].text} {u.text}")
        else:
            out.append(u)
    return out


def _metric(u: Unit) -> str | None:
    """The metric that a unit surely names."""
    link = u.links[0] if u.links and not u.values and u.func is None else None
    return link.target.name if link is not None and link.target.kind == "metric" and link.score >= _SURE else None


def _per_so_many(units: list[Unit], kinds: Kinds) -> list[Unit]:
    """ "incidents per 1000 hours": one over the other, so many times; nothing is split by a number."""
    for i in range(1, len(units) - 2):
        per, number, whole = units[i : i + 3]
        if not per.is_func("by") or per.text.lower() != "per" or number.number not in _SO_MANY or number.is_object:
            continue
        if any(kinds.likely(whole, kind) for kind in ("dataset", "measure")) and whole.links[0].score >= _NAMED:
            over = replace(per, end=number.end, text=f"{per.text} {number.text}", func=Func("op", "/"), number=number.number)
            return [*units[:i], over, *units[i + 2 :]]
    return units


# As sure as a name is that is said as a whole, and no part of another one ("samples", of a sample size).
_NAMED = 0.8
_SO_MANY = (100.0, 1_000.0, 10_000.0, 100_000.0, 1_000_000.0)


def _tied_to(units: list[Unit], kinds: Kinds) -> list[Unit]:
    """ "employees who worked on Riverside": the rows that tie both to each other, not any work of theirs and anything else of that name."""
    for i, u in enumerate(units[2:-1], 2):
        if u.text.lower() not in RELATING or not units[i - 1].is_func("relative") or u.values or not u.links or u.links[0].score >= _SURE:
            continue
        behind = next((v for v in units[i + 1 : i + 4] if not (v.is_func("prep") or v.soft)), None)
        thing, other = units[i - 2], behind.values[0].dataset if behind is not None and behind.values and not behind.links else None
        home = thing.links[0].target.dataset if thing.links and kinds.certainly(thing, "dataset") else None
        if home is None or other is None or home == other:
            continue
        ties = [d.name for d in kinds.catalog.datasets if not d.hidden and {home, other} <= _leads_to(d.name, kinds)]
        named = [d for d in ties if any(k.target.dataset == d for k in u.links)] or ties
        if len(named) == 1:
            verb = replace(u, links=(Link(Target("dataset", named[0], named[0]), _SURE, True),))
            return [*units[:i], verb, *units[i + 1 :]]
    return units


def _leads_to(dataset: str, kinds: Kinds) -> set[str]:
    return {r.to_dataset for r in kinds.catalog.relationships if r.from_dataset == dataset}


def _not_done(units: list[Unit], kinds: Kinds) -> list[Unit]:
    """ "authors who haven't published this year": they did not do it, and nothing of theirs is in another state than published."""
    for i, u in enumerate(units[1:], 1):
        if not u.values or not units[i - 1].is_func("neg") or not units[i - 1].text.lower().startswith(_HAVE_NOT):
            continue
        things = next((v.links[0].target.dataset for v in units[: i - 1] if v.links and kinds.certainly(v, "dataset")), None)
        home = u.links[0].target.dataset if u.links and kinds.certainly(u, "time") else None
        if things is not None and home is not None and home != things and all(v.dataset == home for v in u.values):
            return [*units[:i], replace(u, values=()), *units[i + 1 :]]
    return units


_HAVE_NOT = ("have not", "has not", "haven't", "hasn't", "had not", "hadn't", "did not", "didn't", "never")


def _flags_apart(units: list[Unit], kinds: Kinds) -> list[Unit]:
    """ "opted in to the newsletter", where there is a newsletter opt-in: a yes or no whose words stand apart."""
    for i, u in enumerate(units):
        link = u.links[0] if u.links and not u.func else None
        if link is None or link.exact or not kinds.is_flag(link.target):
            continue
        for k in range(i + 2, min(i + 5, len(units))):
            other = units[k]
            if other.links and other.links[0].target == link.target and not other.links[0].exact and set(other.keys).isdisjoint(u.keys):
                whole = replace(u, end=other.end, text=" ".join(v.text for v in units[i : k + 1]), keys=(*u.keys, *other.keys), values=())
                return [*units[:i], replace(whole, links=(Link(link.target, _SURE, True),)), *units[k + 1 :]]
            if not units[k].is_func("prep", "of") and not units[k].soft:
                break
            if not units[i + 1].is_func("prep", "of") and not units[i + 1].soft:
                break
    return units


def _amounts_of_events(units: Sequence[Unit], kinds: Kinds) -> list[Unit]:
    """ "invoice amount", where only something else has one that is called so: the amount that these events come to."""
    out: list[Unit] = []
    for u in units:
        before = out[-1] if out else None
        whole = _amount_of(before, u, kinds) if before is not None and u.text.lower() in _AMOUNTS and not u.values else None
        if whole is None:
            out.append(u)
        else:
            out[-1] = whole
    return out


def _amount_of(events: Unit, amount: Unit, kinds: Kinds) -> Unit | None:
    target = events.links[0].target if events.links and events.links[0].score >= _SURE else None
    if target is None or target.kind != "dataset" or events.values or events.func is not None or " " in events.text:
        return None
    home = target.dataset or ""
    main = kinds.main_amount(home) if kinds.catalog.dataset(home).kind is DatasetKind.FACT else None
    if main is None or any(k.target.dataset == home for k in amount.links[:1]) or (amount.links and kinds.likely(amount, "metric")):
        return None
    field = next(t for t in kinds.amounts_of(events, main=True))
    return replace(events, end=amount.end, text=f"{events.text} {amount.text}", links=(Link(field, 1.0, True, True),))


_SURE = 0.9


def _acts_on_own(units: list[Unit], kinds: Kinds) -> list[Unit]:
    """ "customers closed their account last month": a verb with a date of theirs, whose object is only theirs."""
    for i, u in enumerate(units[:-3]):
        whose, thing, when = units[i + 1 : i + 4]
        if not whose.is_func("pronoun") or when.time is None or not u.text.lower().endswith("ed") or not kinds.certainly(u, "time"):
            continue
        home = u.links[0].target.dataset
        own = thing.links and all(k.target.kind == "field" and k.target.dataset == home for k in thing.links[:1])
        if own and not thing.values and not any(kinds.likely(thing, t) for t in ("measure", "time", "flag")):
            said = replace(u, end=thing.end, links=(replace(u.links[0], score=max(u.links[0].score, _SURE)), *u.links[1:]))
            return [*units[:i], said, *units[i + 3 :]]
    return units
