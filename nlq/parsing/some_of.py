"""Adjectives made of numbers ("discounted orders"): rows with any of it."""

from __future__ import annotations

from dataclasses import replace

from nlq.frame import Condition
from nlq.parsing.parse import Parse
from nlq.segment import Unit


def some_of(p: Parse, i: int, u: Unit) -> int | None:
    """ "discounted orders": those with any of what the number measures."""
    following = p.units[i + 1] if i + 1 < len(p.units) else None
    if not u.text.lower().endswith("ed") or " " in u.text or p.waiting.aggregate is not None or following is None:
        return None
    amounts = tuple(k for k in u.links if p.kinds.is_amount(k.target) and not k.exact)
    things = tuple(k for k in following.links if k.target.kind == "dataset")
    own = tuple(k for k in things if amounts and k.target.dataset == amounts[0].target.dataset)
    if not amounts or amounts[0] is not u.links[0] or not (own or p.kinds.likely(following, "dataset")):
        return None
    mention = p.mention(u, "condition")
    mention.links = amounts
    p.add_condition(Condition("number", mention, op="<=" if p.waiting.negate else ">", number=0.0, units=[u]))
    p.waiting.negate = False
    if own:
        p.units = [*p.units[: i + 1], replace(following, links=own), *p.units[i + 2 :]]
    return i + 1


def loose_date(p: Parse, i: int, u: Unit) -> int | None:
    """ "open orders": a word that is only like the date of something else says nothing about the things it stands before."""
    following = p.units[i + 1] if i + 1 < len(p.units) else None
    if following is None or not p.kinds.certainly(u, "time") or u.links[0].exact or u.links[0].score >= 0.85 or p.waiting.negate:
        return None
    things = {k.target.dataset for k in following.links if k.target.kind == "dataset"}
    if not things or not p.kinds.likely(following, "dataset") or {k.target.dataset for k in u.links} & things:
        return None
    p.frame.unknown.append(u)
    return i + 1
