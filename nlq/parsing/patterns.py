"""Missing values and parts of texts."""

from __future__ import annotations

from nlq.frame import Condition
from nlq.parsing.parse import Parse
from nlq.segment import Unit


def on_null(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    if s.last is None or s.mode == "group":
        if u.links or u.unknown:
            p.frame.unknown.append(u)
        return i + 1
    mention = s.last
    if not u.text.lower().startswith(("is", "are")):
        j, nxt = p.peek(i + 1)
        if nxt is not None and nxt.links and j == i + 1:
            mention = p.mention(nxt, "condition")
            i = j
    p.retract(mention)
    mention.role = "condition"
    p.add_condition(Condition("null", mention, negate=s.negate, units=[u]))
    s.negate = False
    return i + 1


def on_contains(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    match = {"contains": "contains", "starts": "starts_with", "ends": "ends_with"}[u.func.value if u.func else "contains"]
    if u.text.lower() in ("in its name", "in their name", "in the name"):
        return i + 1
    j, nxt = p.peek(i + 1)
    raw = p.units[i + 1] if i + 1 < len(p.units) else None
    if raw is not None and len(raw.text) == 1 and raw.text.isupper():
        j, nxt = i + 1, raw
    if (
        nxt is not None
        and not nxt.quoted
        and nxt is not raw
        and nxt.text.lower() in ("the", "letter", "word", "letters", "prefix", "string", "text", "phrase", "a")
    ):
        j, nxt = p.peek(j + 1)
    if (
        nxt is not None
        and nxt.values
        and not nxt.quoted
        and not nxt.links
        and s.last is not None
        and p.kinds.likely(s.last.unit, "dataset")
    ):
        p.use(u)  # "orders containing headphones"
        return i + 1
    if nxt is None or not (nxt.quoted or nxt.unknown or nxt.values or nxt.number is not None or nxt.text.isalpha()) or s.last is None:
        return i + 1
    mention = s.last
    if s.last_condition is not None and s.or_next and s.last_condition.kind == "text" and s.last_condition.mention is not None:
        mention = s.last_condition.mention
    if mention.role in ("output", "focus") and not p.kinds.certainly(mention.unit, "dataset"):
        p.retract(mention)
        mention.role = "condition"
    p.use(u, nxt)
    p.add_condition(Condition("text", mention, literal=nxt.text, match=match, negate=s.negate, units=[u, nxt]))
    s.negate = False
    return j + 1
