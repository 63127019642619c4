"""A date held against another date of the same rows ("delivered within 7 days of the order", "more than 5 days before the class")."""

from __future__ import annotations

from nlq.frame import Condition, Mention
from nlq.linking import Link
from nlq.parsing.parse import Parse
from nlq.segment import Unit

_UNITS = {w + s: w for w in ("minute", "hour", "day", "week", "month", "quarter", "year") for s in ("", "s")}
_AFTER = frozenset(("of", "of the", "after", "from", "from the", "following", "since", "later than", "past"))
_BEFORE = frozenset(("before", "prior", "ahead", "ahead of", "earlier than"))
_WITHIN = frozenset(("within", "in under", "in less than", "inside", "no later than"))


def on_lapse(p: Parse, i: int, u: Unit) -> int | None:
    """From the number on: how long, before or after which other date. None when the words say something else.

    The earlier words may have named the first date ("delivered"); else it is the rows' own.
    """
    unit = _UNITS.get(p.units[i + 1].text.lower()) if i + 1 < len(p.units) else None
    if unit is None or u.number is None:
        return None
    k = i + 2
    words: list[Unit] = [p.units[i + 1]]
    verb: Unit | None = None
    if k + 1 < len(p.units) and p.units[k].text.lower() == "to" and _dates(p, p.units[k + 1]):
        verb = p.units[k + 1]  # "longer than 14 days to deliver after shipping"
        k += 2
    joint = p.units[k].text.lower() if k < len(p.units) else ""
    if joint not in _AFTER | _BEFORE:
        return None
    anchor = _anchor(p, k + 1)
    if anchor is None:
        return None
    at, dates = anchor
    first = _first_date(p, i, verb)
    words += [v for v in p.units[k : at + 1] if v is not p.units[at]]
    end = p.mention(p.units[at], "end")
    end.links = dates
    condition = Condition(
        "lapse", first, other=end, op=_op(p, i), number=u.number, literal=unit, hint="before" if joint in _BEFORE else "after"
    )
    condition.units = [u, *words]
    p.take_pending()
    p.reset_noun()
    p.add_condition(condition)
    p.waiting.passive = p.waiting.relative = False
    return at + 1


def _op(p: Parse, i: int) -> str:
    said = p.waiting.compare_op
    if said is not None:
        return said
    before = p.units[i - 1] if i else None
    if before is not None and before.text.lower() in _WITHIN:
        p.use(before)
        return "<="
    return "="


def _anchor(p: Parse, k: int) -> tuple[int, tuple[Link, ...]] | None:
    """The position of the other date, and what it may be."""
    while k < len(p.units):
        v = p.units[k]
        if _dates(p, v):
            return k, _dates(p, v)
        if v.links or v.values or v.unknown or v.number is not None or not (v.soft or v.is_func("have", "pronoun", "of", "prep")):
            return None
        k += 1
    return None


def _dates(p: Parse, v: Unit) -> tuple[Link, ...]:
    """The dates that a word may mean; events that have a date stand for it."""
    times = tuple(k for k in v.links if p.kinds.is_time(k.target) and k.score >= 0.5)
    events = tuple(k for k in v.links if k.target.kind == "dataset" and p.kinds.catalog.dataset(k.target.dataset or "").time is not None)
    return times or events


def _read_as_value(p: Parse, i: int) -> Mention | None:
    """ "delivered within a week": what was just taken for a status is the date of it."""
    at = next((k for k in range(i - 1, max(-1, i - 4), -1) if p.units[k].links or p.units[k].values), None)
    condition = p.waiting.last_condition
    if at is None or condition is None or condition.kind != "value" or p.units[at] not in condition.units or condition.more_values:
        return None
    dates = tuple(k for k in _dates(p, p.units[at]) if p.kinds.is_time(k.target) and k.score >= 0.9)
    if not dates:
        return None
    p.frame.conditions = [c for c in p.frame.conditions if c is not condition]
    mention = p.mention(p.units[at], "start")
    mention.links = dates
    return mention


def _first_date(p: Parse, i: int, verb: Unit | None) -> Mention | None:
    """The date that the verb before the number names."""
    if verb is not None:
        mention = p.mention(verb, "start")
        mention.links = _dates(p, verb)
        return mention
    last = p.waiting.last
    said = _read_as_value(p, i)
    if said is not None:
        return said
    if last is None or not any(p.kinds.is_time(k.target) for k in last.links[:3]) or p.kinds.likely(last.unit, "dataset"):
        return None
    last.links = tuple(k for k in last.links if p.kinds.is_time(k.target))
    p.retract(last)
    last.role = "start"
    p.frame.conditions = [c for c in p.frame.conditions if not (c.kind == "null" and c.mention is last)]
    return last
