""" "How much did churned customers pay": the amount of what they did, and never how many they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nlq.kinds import Kinds
from nlq.lexicon import Target
from nlq.linking import Link
from nlq.phrases import Func
from nlq.segment import Unit
from semantic.catalog.model import DatasetKind

_ACTS = frozenset(
    "pay spend order buy purchase transfer deposit withdraw donate invest owe earn sell claim borrow lend book give contribute pledge raise consume use lose win".split()
)
_OF_MONEY = frozenset("pay spend earn donate invest raise bill invoice charge collect refund owe".split())
_ASKING = frozenset(("how much", "how much money"))
_WE = frozenset("we i they you us it".split())


def act_first(units: Sequence[Unit], kinds: Kinds) -> Sequence[Unit]:
    """The units with "how much did X pay" as "how much pay of X", where pay means the events; a verb that names none is not known."""
    units = _as_how_much(units)
    if len(units) < 4 or units[0].text.lower() not in _ASKING or not units[1].is_func("have"):
        return units
    at = next((k for k in range(2, len(units)) if units[k].text.lower() in _ACTS or _costs(units[k])), None)
    between = units[2:at] if at is not None else ()
    if at is not None and _costs(units[at]):
        return _cost_first(units, at, kinds)
    things = [u for u in between if u.links and (kinds.likely(u, "dataset") or kinds.likely(u, "metric")) and not kinds.is_fact(u)]
    things = things or [u for u in between if len(u.text.split()) > 1 and u.links and kinds.certainly(u, "time")]
    if at is None or not things or any(u.text.lower() in _WE for u in between):
        return units
    verb = units[at]
    event = _events(verb, things[-1], kinds)
    if event is None:
        return [*units[:at], replace(verb, links=(), values=(), soft=False, unknown=True, func=None), *units[at + 1 :]]
    done = replace(verb, links=(Link(Target("dataset", event, event), 1.0, True),), values=(), soft=False, unknown=False)
    return [units[0], done, _of(verb), *between, *units[at + 1 :]]


def _as_how_much(units: Sequence[Unit]) -> Sequence[Unit]:
    """ "what did we spend on travel": how much."""
    if len(units) < 4 or units[0].text.lower() != "what" or not units[1].is_func("have") or units[2].text.lower() != "we":
        return units
    if units[3].text.lower() not in _OF_MONEY:
        return units
    return [replace(units[0], text="how much", func=Func("agg", "sum")), *units[1:]]


def _cost_first(units: Sequence[Unit], at: int, kinds: Kinds) -> Sequence[Unit]:
    """ "how much did cancelled orders cost us": the cost of those."""
    verb, between = units[at], units[2:at]
    known = kinds.likely(verb, "metric") or kinds.likely(verb, "measure")
    things = any(kinds.likely(u, "dataset") for u in between) or (len(verb.text.split()) > 1 and any(u.is_object for u in between))
    if not known or not things or any(u.text.lower() in _WE for u in between):
        return units
    us = units[at + 1 : at + 2] if at + 1 < len(units) and units[at + 1].text.lower() == "us" else ()
    return [units[0], verb, *us, _of(verb), *between, *units[at + 1 + len(us) :]]


def _costs(u: Unit) -> bool:
    """ "cost", and what was taken for its name with it ("orders cost")."""
    return u.text.lower().split()[-1:] == ["cost"]


def _of(verb: Unit) -> Unit:
    return Unit(verb.end, verb.end, "of", func=Func("of", "of"))


def _events(verb: Unit, thing: Unit, kinds: Kinds) -> str | None:
    """The events of such things that the verb names, by their name or by a date of theirs."""
    home = next((k.target.dataset for k in thing.links if k.target.dataset is not None), None)
    for link in verb.links:
        named = link.target.dataset
        if named is None or named == home or (link.target.kind != "dataset" and not kinds.is_time(link.target)):
            continue
        if kinds.catalog.dataset(named).kind is DatasetKind.FACT:
            return named
    return None
