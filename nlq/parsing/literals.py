"""Words and numbers that are no name of the catalog: codes, identifiers, units."""

from __future__ import annotations

from nlq.frame import Condition, Mention
from nlq.parsing.parse import Parse
from nlq.parsing.parts import part_verb
from nlq.parsing.words import UNIT_NOUNS
from nlq.segment import Unit


def on_unknown(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    part = part_verb(p, i, u)
    if part is not None:
        return part
    if (
        u.text.lower() == "new"
        and i + 1 < len(p.units)
        and (p.kinds.is_dated(p.units[i + 1]) or p.kinds.likely(p.units[i + 1], "time"))
        and _has_time(p)
    ):
        p.use(u)
        return i + 1
    j, nxt = p.peek(i + 1)
    before = p.before(i)
    if (
        u.text.lower() in UNIT_NOUNS
        and before is not None
        and (before.is_func("prep", "grain") or before.number is not None or before.text.lower() in UNIT_NOUNS)
        and (not before.is_func("by") or _unit_per_unit(p, i))
    ):
        p.use(u)
        return i + 1
    if u.text.startswith(".") and nxt is not None and nxt.links:
        mention = p.mention(nxt, "condition")
        p.add_condition(Condition("text", mention, literal=u.text, match="ends_with", negate=s.negate, units=[u]))
        s.negate = False
        return j + 1
    if s.last is not None and p.binds_literal(i) and _literal_like(p, u) and s.last.role != "group":
        bind_literal(p, u, s.last)
        return i + 1
    p.frame.unknown.append(u)
    return i + 1


def _unit_per_unit(p: Parse, i: int) -> bool:
    """ "in miles per hour" is a unit; "revenue per square foot" divides by what may not be known."""
    return i > 1 and p.units[i - 1].is_func("by") and p.units[i - 2].text.lower() in UNIT_NOUNS


def _has_time(p: Parse) -> bool:
    """Whether a period or a step in time is named: things are new by the date on which they came."""
    return p.frame.asks_period or any(v.time is not None or v.is_func("grain") for v in p.units)


def _literal_like(p: Parse, u: Unit) -> bool:
    return any(c.isdigit() for c in u.text) and any(c.isalnum() for c in u.text)


def bind_literal(p: Parse, u: Unit, mention: Mention) -> None:
    if u.text.isdigit() and not u.quoted and p.kinds.likely(mention.unit, "dataset"):  # "order 1043"
        mention.links = tuple(k for k in mention.links if k.target.kind == "dataset")
    elif mention.role in ("output", "focus") and not p.kinds.certainly(mention.unit, "dataset"):
        p.retract(mention)
        mention.role = "condition"
    last = p.waiting.last_condition
    if last is not None and last.kind == "value" and last.mention is mention and last.literal is not None:
        last.literals = (*last.literals, u.text)
        last.units.append(u)
        p.use(u)
        return
    p.add_condition(Condition("value", mention, literal=u.text, number=u.number, negate=p.waiting.negate, units=[u]))
    p.waiting.negate = False
