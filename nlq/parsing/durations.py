"""Time between two dates."""

from __future__ import annotations

from collections.abc import Sequence

from nlq.adjectives import compared_field
from nlq.frame import Condition, MeasureItem, Mention, OrderItem
from nlq.lexicon import Target
from nlq.linking import Link
from nlq.parsing.parse import Parse
from nlq.parsing.words import SENTENCE_END
from nlq.segment import Unit
from semantic.catalog.model import FieldType


def on_duration(p: Parse, i: int, u: Unit) -> int:
    words = u.text.lower()
    found: list[tuple[int, Unit]] = []
    j = i + 1
    while j < len(p.units) and len(found) < 2 and p.units[j].text not in SENTENCE_END:
        v = p.units[j]
        if found and "since" in words and p.kinds.likely(found[0][1], "time"):
            break  # "days since the last admission": up to now
        if v.links and (p.kinds.likely(v, "time") or p.kinds.likely(v, "dataset") or v.is_func("super")):
            found.append((j, v))
        elif v.is_func("by", "each", "order") and found:
            break
        j += 1
    if words == "how long" and any(v.is_func("duration") for v in p.units[i + 1 :]):
        p.use(u)  # "how long has it been in days since": the words to come say it
        return i + 1
    if words == "how long" or words.endswith((" to", " until")):
        return _stored_length(p, i, u) or _time_to(p, i, u)
    events = len(found) == 2 and all(p.kinds.is_dated(v) or p.kinds.likely(v, "time") for _, v in found)
    if not found or not (events or any(p.kinds.likely(v, "time") for _, v in found)):
        return i + 1
    if len(found) == 1 and "since" not in words and "how long" not in words:
        p.frame.unknown.append(u)  # one end only: from a date to what?
        return i + 1
    unit = next((w for w in ("second", "minute", "hour", "day", "week", "month", "year") if w in words), None)
    said = unit is not None or any(
        w in x.text.lower() for w in ("day", "hour", "minute", "week", "month", "year") for x in p.units if x.soft or x.unknown or x.func
    )
    unit = unit or next((w for w in ("minute", "hour", "day", "week", "month", "year") if any(w in x.text.lower() for x in p.units)), "day")
    superlative = None
    if p.waiting.superlative:
        superlative = p.waiting.superlative
    aggregate = p.waiting.aggregate
    for v in p.units[i : found[-1][0] + 1]:
        p.use(v)
    p.take_pending()
    p.reset_noun()
    before_last = [v for v in p.units[i : found[-1][0]] if v.is_func("super")]
    start = p.mention(found[0][1], "start")
    end = p.mention(found[1][1], "end") if len(found) > 1 else None
    for mention, (place, unit_of) in zip((start, end), found, strict=False):
        lead = p.units[place - 1] if place else None
        if (
            mention is not None
            and lead is not None
            and lead.is_func("super")
            and lead.func is not None
            and lead.func.value in ("earliest", "latest")
            and p.kinds.likely(unit_of, "dataset")
        ):
            mention.links = tuple(k for k in mention.links if k.target.kind == "dataset") or mention.links
            mention.first = lead.func.value == "earliest"
            mention.last = lead.func.value == "latest"
    if end is None and before_last and "since" in words:
        aggregate = "min" if before_last[-1].func is not None and before_last[-1].func.value == "latest" else "max"
    following = p.units[found[-1][0] + 1] if found[-1][0] + 1 < len(p.units) else None
    thing = following is not None and bool(following.links) and following.links[0].target.kind == "dataset"
    if end is None and following is not None and thing and following.links[0].target.dataset == found[-1][1].links[0].target.dataset:
        p.mention(following, "context").explained = True  # "the last admitted student"
        found.append((found[-1][0] + 1, following))
    item = MeasureItem("duration", aggregate, start=start, end=end, unit=unit, exact=not said, units=[u], superlative=superlative)
    if superlative:
        p.frame.superlative = OrderItem(measure=item, descending=superlative in ("desc", "latest"))
        p.frame.singular = p.frame.limit is None
    if p.waiting.mode == "order":
        p.frame.orders.append(OrderItem(measure=item, descending=p.waiting.direction))
    else:
        p.add_measure(item)
    return found[-1][0] + 1


def length_of(p: Parse, i: int, u: Unit) -> int | None:
    """ "subscription length": how long a thing lasts is no amount of it; from which date to which is not said."""
    last = p.waiting.last
    figured = last is not None and last.role == "aggregate" and p.frame.measures[-1:] and p.frame.measures[-1].aggregate in _SPREAD
    said = u.text.lower() in ("length", "duration", "lifetime", "lifespan", "tenure", *(("time", "times") if figured else ()))
    if (
        not said
        or (u.links and u.links[0].score >= 0.6)
        or last is None
        or not p.follows_last(i)
        or not p.kinds.likely(last.unit, "dataset")
    ):
        return None
    dates = p.kinds.ends(last.links[0].target.dataset) if last.links else None
    j, unit = _in_unit(p, i + 1)
    if unit is None and dates is not None and figured:
        unit = "minute" if all(_has_clock(p, last.links[0].target.dataset or "", d) for d in dates) else "day"
    if dates is None or unit is None or p.waiting.mode != "head":
        p.frame.unknown.append(u)
        return i + 1
    kind = next((m.aggregate for m in p.frame.measures if m.mention is last), None) or p.waiting.aggregate or "avg"
    p.retract(last)
    last.role, last.explained = "context", True
    item = MeasureItem("duration", kind, unit=unit, units=[u], exact=unit not in ("day", "second"))
    item.start, item.end = (_date_of(p, u, last.links[0].target.dataset or "", d, r) for d, r in zip(dates, ("start", "end"), strict=True))
    p.take_pending()
    p.reset_noun()
    p.add_measure(item)
    return j


def takes(p: Parse, i: int, u: Unit) -> int | None:
    """ "average resolution time", "shipping time by country": from the rows' own date to the one that the words name."""
    words, s = u.text.lower().split(), p.waiting
    following = p.units[i + 1] if i + 1 < len(p.units) else None
    timed = len(words) > 1 and words[-1] == "time"
    apart = not timed and following is not None and following.soft and following.text.lower() == "time"
    if s.aggregate not in _SPREAD or not (timed or apart) or not u.links or not p.kinds.certainly(u, "time"):
        return None
    link = u.links[0]
    home = link.target.dataset or ""
    if words[0].endswith(("ed", "s")) or p.kinds.catalog.dataset(home).time in (None, link.target.field):
        return None
    if any(w in ("date", "time", "timestamp") for w in (words if apart else words[:-1])):
        return None
    kind = s.aggregate
    j, unit = _in_unit(p, i + (1 if timed else 2))
    clock = _has_clock(p, home, link.target.field or "") and _has_clock(p, home, p.kinds.catalog.dataset(home).time or "")
    if apart and following is not None:
        p.use(following)
    units = p.take_pending()
    end = p.mention(u, "end")
    end.links = tuple(k for k in u.links if p.kinds.is_time(k.target))
    p.reset_noun()
    said = unit or ("hour" if clock else "day")
    p.add_measure(MeasureItem("duration", kind, start=None, end=end, unit=said, units=units, exact=clock))
    return j


_SPREAD = ("avg", "median", "min", "max")


def _has_clock(p: Parse, dataset: str, field: str) -> bool:
    return p.kinds.catalog.dataset(dataset).field(field).type is FieldType.DATETIME


def _in_unit(p: Parse, i: int) -> tuple[int, str | None]:
    """ "in seconds" at position i, and where it ends."""
    words = p.units[i : i + 2]
    step = words[1].text.lower().rstrip("s") if len(words) == 2 and words[0].text.lower() == "in" else ""
    if step not in _STEPS:
        return i, None
    p.use(*words)
    return i + 2, step


def lasts(p: Parse, u: Unit, said: Sequence[Unit]) -> bool:
    """ "stays longer than 10 days", where only something else has a number of days: from the first to the last date of the stay itself.

    False where it is no such comparison. Where the thing does not have exactly two dates, how long it lasts is unknown.
    """
    step, s = u.text.lower().rstrip("s"), p.waiting
    things = [k.target.dataset for k in s.last.links[:1] if k.target.kind == "dataset"] if s.last is not None else []
    at = p.units.index(said[0]) - 1 if said and said[0] in p.units else -1
    lasting = at >= 0 and p.units[at].text.lower() in _LASTING
    longer = lasting or any(v.text.lower() in ("longer than", "shorter than") for v in said)
    if not longer or step not in _STEPS or not things or any(k.target.dataset in things for k in u.links):
        return False
    if not lasting and any(compared_field(v.text, p.kinds.catalog.dataset(d)) for v in said for d in things if d is not None):
        return False  # "calls longer than 25 minutes", of which a number says how long they were
    dates = p.kinds.ends(things[0])
    if dates is None or (lasting and not p.kinds.starts_and_ends(things[0] or "", dates)):
        p.frame.unknown.extend((*said, u))
        return True
    start, end = (_date_of(p, u, things[0] or "", d, r) for d, r in zip(dates, ("start", "end"), strict=True))
    p.add_condition(
        Condition("lapse", end, other=start, op=s.compare_op or ">", number=s.number, literal=step, hint="after", units=[*said, u])
    )
    return True


def _date_of(p: Parse, u: Unit, dataset: str, name: str, role: str) -> Mention:
    mention = p.mention(u, role)
    mention.links = (Link(Target("field", f"{dataset}.{name}", dataset, name), 1.0, True),)
    return mention


_LASTING = frozenset("lasted lasting last lasts".split())
_STEPS = frozenset("second minute hour day week month year".split())
_LENGTHS = frozenset("duration length minutes hours days seconds weeks months".split())


def _stored_length(p: Parse, i: int, u: Unit) -> int | None:
    """ "how long do members stay": the number that holds it, of the verb's own name."""
    for v in p.units[i + 1 :]:
        if v.text in SENTENCE_END or v.is_func("by", "each", "comma"):
            return None
        links = tuple(
            k for k in v.links if k.score >= 0.5 and (f := p.kinds.field(k.target)) is not None and _LENGTHS & set(f.label.lower().split())
        )
        if links and not p.kinds.certainly(v, "dataset") and all(p.kinds.is_amount(k.target) for k in links):
            subjects = [x for x in p.units[i + 1 : p.units.index(v)] if p.kinds.likely(x, "dataset")]
            for subject in subjects:
                p.mention(subject, "context")
            p.units = [x for x in p.units if x not in subjects]
            mention = p.mention(v, "aggregate")
            mention.links = links
            p.add_measure(MeasureItem("aggregate", p.waiting.aggregate or "avg", mention, units=[u]))
            p.units = [x for x in p.units if x is not v]
            p.reset_noun()
            return i + 1
    return None


def _time_to(p: Parse, i: int, u: Unit) -> int:
    """ "time to settle a claim": from the thing's first date to the date that the verb names."""
    s = p.waiting
    j, verb = p.peek(i + 1)
    while verb is not None and (
        verb.is_func("have", "prep", "pronoun") or verb.text.lower() == "get" or verb.text.lower() in ("it", "take", "takes")
    ):
        j, verb = p.peek(j + 1)
    dates = tuple(k for k in verb.links if p.kinds.is_time(k.target)) if verb is not None else ()
    if verb is None or not dates or not (dates[0].score >= 0.5 or p.kinds.likely(verb, "time")):
        return i + 1
    end = p.mention(verb, "end")
    end.links = dates
    unit = next((w for w in ("hour", "day", "week", "month") if w in u.text.lower()), "day")
    kind = s.aggregate or {"desc": "max", "asc": "min"}.get(s.superlative or "") or ("avg" if s.count else None)
    item = MeasureItem("duration", kind, start=None, end=end, unit=unit, units=[u])
    p.take_pending()
    p.reset_noun()
    s.of_next = True
    p.add_measure(item)
    return j + 1
