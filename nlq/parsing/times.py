"""Time phrases: the window of the question, of one date field, or of a related event."""

from __future__ import annotations

from nlq.fillers import RELATING
from nlq.frame import Condition, MeasureItem, Mention
from nlq.parsing.parse import Parse
from nlq.parsing.words import PARTICIPLES, SENTENCE_END
from nlq.segment import Unit
from semantic.expr import Calendar_

# "the same day last week": the period as it was one of these before.
OFFSETS = {"week": "week_before", "month": "month_before", "quarter": "quarter_before"}

_FIRST = ("first", "the first", "earliest", "the earliest")


def on_time(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    phrase = u.time
    if phrase is None:
        return i + 1
    if u.text.lower().startswith(("and last ", "and latest ")) and i and p.units[i - 1].text.lower() in _FIRST:
        p.frame.unknown.append(u)  # "first and last year per venue": the ends of what each has, and no period
        return i + 1
    p.use(u)
    if _as_it_is(p, i, u):
        return i + 1
    if s.each:
        unit = getattr(phrase.window, "unit", None)
        if unit is not None:
            p.frame.grain = str(unit.value)
        s.each = False
        s.mode = s.base_mode
    listed = s.last_condition
    if (
        listed is not None
        and listed.kind == "time"
        and listed.mention is not None
        and not listed.negate
        and _listed_after(p, i, listed.units[-1])
    ):
        # "founded in 2022 or 2023": any of the periods of one date.
        again = Condition("time", listed.mention, time=phrase, units=[u])
        p.add_condition(again)
        again.or_previous = True
        return i + 1
    event = next((c for c in p.frame.conditions if c.kind == "related" and listed is not None and listed in c.inner), None)
    if event is not None and listed is not None and listed.kind == "time" and not event.negate and _listed_after(p, i, listed.units[-1]):
        if (s.both and u.text.lower().startswith(("and ", "& "))) or (s.both and p.units[i - 1].is_func("and")):
            again = Condition("related", event.mention, units=[u])  # "with orders in both 2023 and 2024": some in each
            again.inner.append(Condition("time", None, time=phrase, units=[u]))
            p.frame.conditions.append(again)
            s.both = False
            return i + 1
        event.inner.append(Condition("time", None, time=phrase, or_previous=True, units=[u]))  # "who enrolled in 2022 or 2023"
        s.last_condition = event.inner[-1]
        return i + 1
    if s.last is not None and _adjacent_time(p, i) and _are_events(p, s.last):
        # "new hires this year": each date is one event.
        p.retract(s.last)
        s.last.role = "count"
        p.add_measure(MeasureItem("count", None, s.last))
    elif (
        s.last is not None
        and _adjacent_time(p, i)
        and (p.kinds.likely(s.last.unit, "time") or p.kinds.certainly(s.last.unit, "year"))
        and not p.kinds.likely(s.last.unit, "dataset")
        and s.last.role not in ("aggregate", "count", "end")
        and not any(c.kind == "null" and c.mention is s.last and not c.negate for c in p.frame.conditions)  # "not shipped in May"
    ):
        mention = s.last
        p.retract(mention)
        mention.role = "condition"
        p.add_condition(Condition("time", mention, time=phrase, negate=s.negate, units=[u]))
        s.negate = False
        return i + 1
    if s.negate and s.related is not None and not s.related.negate and any(c.kind == "time" for c in s.related.inner):
        again = Condition("related", s.related.mention, negate=True, units=[u])
        again.inner.append(Condition("time", None, time=phrase, units=[u]))
        s.negate, s.related = False, None
        p.add_condition(again)
        return i + 1
    if s.negate:
        s.negate = False
        condition = Condition("time", None, time=phrase, negate=True, units=[u])
        p.add_condition(condition)
        return i + 1
    if s.related is not None and not _lacks(p, s.related):
        p.add_condition(Condition("time", None, time=phrase, units=[u]))
        return i + 1
    p.frame.times.append(phrase)
    if s.mode == "group":
        s.mode = s.base_mode
    return i + 1


def _as_it_is(p: Parse, i: int, u: Unit) -> bool:
    """ "overdue today", "open now": a state that holds at the moment of asking, and nothing of the day on which it began."""
    state = p.waiting.last_condition
    if (
        u.text.lower() not in _NOW
        or state is None
        or state.kind != "segment"
        or state.mention is None
        or not _just_said(p, i, state.units[-1])
    ):
        return False
    name = state.mention.links[0].target.name if state.mention.links else ""
    found = next((x for x in p.kinds.catalog.segments if x.name == name), None)
    told = found.where.model_dump_json() if found is not None else ""
    return '"kind":"now"' in told or ('"kind":"null"' in told and '"negate":true' not in told)


def _just_said(p: Parse, i: int, unit: Unit) -> bool:
    """Whether a unit stands before position i, with nothing between but the noun that it is said of."""
    between = [v for v in p.units[max(0, i - 4) : i] if v.start >= unit.end]
    return p.units[i].start - unit.end <= _NEAR and all(v.soft or v.is_func("have") or p.kinds.likely(v, "dataset") for v in between)


_NOW = frozenset(("today", "now", "right now", "as of today", "as of now"))
_NEAR = 4


def _listed_after(p: Parse, i: int, before: Unit) -> bool:
    """Whether position i follows `before` in one list ("2022, 2023 or 2024")."""
    j = i - 1
    while j >= 0 and p.units[j].is_func("or", "and", "comma"):
        j -= 1
    joined = j < i - 1 or p.units[i].text.lower().split()[:1] in (["and"], ["or"], ["&"])
    return joined and j >= 0 and p.units[j] is before


def _are_events(p: Parse, mention: Mention) -> bool:
    """Whether a date is named in the plural by what happened on it ("hires", "signups") and nothing else is asked for."""
    words = set(mention.unit.text.lower().split())
    if not mention.plural or mention.role != "output" or p.frame.outputs != [mention] or p.frame.measures or p.waiting.relative:
        return False
    return p.kinds.certainly(mention.unit, "time") and not words & {"dates", "times", "timestamps", "days"}


def _lacks(p: Parse, condition: Condition) -> bool:
    """ "orders without a refund in March": the month is that of the orders, events with a date of their own that lack another."""
    if not condition.negate or condition.mention is None or condition.mention.unit.text.lower() in (RELATING | PARTICIPLES):
        return False
    subject = next((m for m in p.frame.mentions if m.role in ("output", "count", "aggregate")), None)
    if subject is not None and _come_again(p, condition.mention, subject):
        return False
    return subject is not None and (p.kinds.is_fact(subject.unit) or p.kinds.certainly(subject.unit, "metric"))


def _come_again(p: Parse, events: Mention, subject: Mention) -> bool:
    """ "meters without readings this year": of events that each of the things has again and again, the period is theirs."""
    both = [next((k.target.dataset for k in m.links[:1] if k.target.kind == "dataset"), None) for m in (events, subject)]
    if both[0] is None or both[1] is None:
        return False
    rows, things = (p.kinds.catalog.dataset(d) for d in both if d is not None)
    tied = any(r.from_dataset == both[0] and r.to_dataset == both[1] for r in p.kinds.catalog.relationships)
    return tied and rows.time is not None and (rows.row_count or 0) > _AGAIN * (things.row_count or 0)


# So many events for each thing make the thing no event itself.
_AGAIN = 1.5


def _adjacent_time(p: Parse, i: int) -> bool:
    j = i - 1
    steps = 0
    while j >= 0 and steps < 3:
        v = p.units[j]
        if p.waiting.last is not None and v is p.waiting.last.unit:
            return True
        if not (v.soft or v.is_func("have", "prep", "cmp")):
            return False
        steps += 1
        j -= 1
    return False


def on_same(p: Parse, i: int, u: Unit) -> int:
    """ "in the same month as they signed up": two dates fall into one period."""
    j, period = p.peek(i + 1, skip_soft=False)
    if period is None or period.text.lower().rstrip("s") not in ("day", "week", "month", "quarter", "year"):
        return i + 1
    following = p.units[j + 1] if j + 1 < len(p.units) else None
    if following is not None and following.time is not None and p.frame.compare == "vs":
        p.use(u, period)  # "compared to the same month last year"
        window = following.time.window
        if isinstance(window, Calendar_) and window.offset == -1 and window.unit.value in OFFSETS:
            p.frame.compare = OFFSETS[window.unit.value]
            p.use(following)
            return j + 2
        p.frame.versus = following.time
        return j + 1
    for k in range(j + 1, min(j + 8, len(p.units))):
        v = p.units[k]
        if v.text in SENTENCE_END:
            break
        if v.links and (p.kinds.likely(v, "time") or p.kinds.likely(v, "dataset") or p.kinds.likely(v, "flag")):
            mention = p.mention(v, "end")
            p.use(u, period)
            p.add_condition(Condition("same_period", mention, literal=period.text.lower().rstrip("s"), units=[u, period]))
            return k + 1
    p.frame.unknown.append(u)
    return i + 1
