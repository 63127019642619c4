"""A date held against another date of the same rows ("delivered within 7 days of the order", "more than 5 days before the class")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nlq.frame import Condition, Mention
from nlq.lexicon import Target
from nlq.linking import Link
from nlq.parsing.parse import Parse
from nlq.segment import Unit
from nlq.timing.phrases import TimePhrase
from semantic.expr import Rolling
from semantic.expr import Unit as TimeUnit

_UNITS = {w + s: w for w in ("minute", "hour", "day", "week", "month", "quarter", "year") for s in ("", "s")}
_AFTER = frozenset(("of", "of the", "after", "from", "from the", "following", "since", "later than", "past"))
_BEFORE = frozenset(("before", "prior", "ahead", "ahead of", "earlier than"))
_WITHIN = frozenset(("within", "in under", "in less than", "inside", "no later than"))


def on_lapse(p: Parse, i: int, u: Unit) -> int | None:
    """From the number on: how long, before or after which other date. None when the words say something else.

    The earlier words may have named the first date ("delivered"); else it is the rows' own.
    """
    _split_to(p, i + 1)
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
        aged = _age(p, i, u, unit)
        return aged if aged is not None else _since_its_own(p, i, u, verb)
    anchor = _anchor(p, k + 1)
    if anchor is None:
        return None
    at, dates = anchor
    denied = _denied(p)
    first = _first_date(p, i, verb)
    words += [v for v in p.units[k : at + 1] if v is not p.units[at]]
    end = p.mention(p.units[at], "end")
    end.links = dates
    condition = Condition(
        "lapse", first, other=end, op=_op(p, i), number=u.number, literal=unit, hint="before" if joint in _BEFORE else "after"
    )
    condition.units, condition.negate = [u, *words], denied
    p.take_pending()
    p.reset_noun()
    p.add_condition(condition)
    p.waiting.passive = p.waiting.relative = False
    return at + 1


def _since_its_own(p: Parse, i: int, u: Unit, verb: Unit | None) -> int | None:
    """ "shipped within 3 days", "took more than 5 days to ship": counted from the rows' own date."""
    before, last = p.units[i - 1] if i else None, p.waiting.last
    said = p.waiting.compare_op is not None or (before is not None and before.text.lower() in _WITHIN)
    dated = last is not None and p.follows_last(i - 1) and bool(_dates(p, last.unit)) and not p.kinds.likely(last.unit, "dataset")
    if not said or (verb is None and not dated and not _dated_value(p, i)):
        return None
    denied = _denied(p)
    first = _first_date(p, i, verb)
    if first is None:
        return None
    end = i + 2 if verb is None else p.units.index(verb) + 1
    condition = Condition("lapse", first, op=_op(p, i), number=u.number, literal=_UNITS[p.units[i + 1].text.lower()], hint="after")
    condition.units, condition.negate = [u, p.units[i + 1]], denied
    p.take_pending()
    p.reset_noun()
    p.add_condition(condition)
    p.waiting.passive = p.waiting.relative = False
    return end


def _denied(p: Parse) -> bool:
    """ "not shipped within 7 days": the verb before was denied."""
    last = p.waiting.last
    return last is not None and any(c.kind == "null" and c.mention is last and not c.negate for c in p.frame.conditions)


def _dated_value(p: Parse, i: int) -> bool:
    """Whether a status before position i names a date as well ("delivered within a week")."""
    last = p.waiting.last_condition
    return last is not None and last.kind == "value" and last.units[-1:] == [p.units[i - 2]] and bool(_dates(p, last.units[-1]))


_AGES = {"older than": True, "longer ago than": True, "newer than": False, "younger than": False, "more recent than": False}


def _age(p: Parse, i: int, u: Unit, unit: str) -> int | None:
    """ "orders older than 7 days": their own date lies so far back. Persons older than so many years have an age."""
    said = next((v for v in p.waiting.pending_units if v.text.lower() in _AGES), None)
    thing = (
        next((k.target.dataset for k in p.waiting.last.links if k.target.kind == "dataset"), None) if p.waiting.last is not None else None
    )
    if said is None or thing is None or u.number is None or u.number < 1 or u.number != int(u.number) or unit in ("minute", "hour"):
        return None
    if p.kinds.catalog.dataset(thing).time is None or (p.kinds.is_person(thing) and unit == "year"):
        return None
    window = Rolling(count=int(u.number), unit=TimeUnit(unit))
    phrase = TimePhrase(u.start, p.units[i + 1].end, window, f"last {int(u.number)} {unit}s")
    p.use(p.units[i + 1])
    p.take_pending()
    p.reset_noun()
    p.add_condition(Condition("time", _own_date(p, thing), time=phrase, negate=_AGES[said.text.lower()], units=[u]))
    p.waiting.relative = False
    return i + 2


def _own_date(p: Parse, thing: str) -> Mention | None:
    """ "revenue of customers older than a year": the date of those, where something else is computed."""
    told, name = p.waiting.last, p.kinds.catalog.dataset(thing).time
    figures = [m.mention for m in p.frame.measures if m.mention is not None] + p.frame.outputs
    if (
        told is None
        or name is None
        or told.role not in ("context", "related")
        or any(k.target.dataset == thing for m in figures for k in m.links[:1])
    ):
        return None
    date = Mention(told.unit, "condition", (Link(Target("field", f"{thing}.{name}", thing, name), 1.0, True),), told.sentence)
    p.frame.mentions.append(date)
    return date


def _split_to(p: Parse, i: int) -> None:
    """ "14 days to deliver": after a number the unit of time is a word of its own."""
    u = p.units[i] if i < len(p.units) else None
    words = u.text.split() if u is not None else []
    if u is not None and len(words) == 2 and words[1].lower() == "to" and words[0].lower() in _UNITS:
        parts = [Unit(u.start + n, u.start + n + 1, word, soft=True) for n, word in enumerate(words)]
        p.units = [*p.units[:i], *parts, *p.units[i + 1 :]]


def with_one(units: Sequence[Unit], i: int) -> Sequence[Unit]:
    """ "more than a month after": the article before a unit of time at position i is the number one."""
    if i + 1 >= len(units) or units[i].text.lower() not in ("a", "an") or units[i + 1].text.lower() not in _UNITS:
        return units
    return [*units[:i], replace(units[i], number=1.0, soft=False), *units[i + 1 :]]


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
