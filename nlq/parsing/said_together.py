"""Words that are one name although each is known by itself: the amount of events, and what somebody did to something of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nlq.kinds import Kinds
from nlq.linking import Link
from nlq.segment import Unit
from semantic.catalog.model import DatasetKind

_AMOUNTS = frozenset("amount amounts value values".split())


def said_together(units: Sequence[Unit], kinds: Kinds) -> Sequence[Unit]:
    """The units with "invoiced amount" and "closed their account last month" as one thing said."""
    return _acts_on_own(_amounts_of_events(units, kinds), kinds)


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
