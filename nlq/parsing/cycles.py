"""Weekdays, weekends, hours of the day."""

from __future__ import annotations

from nlq.frame import Condition, MeasureItem
from nlq.parsing.parse import Parse
from nlq.phrases import WEEKDAYS
from nlq.segment import Unit


def on_cycle(p: Parse, i: int, u: Unit) -> int:
    value = u.func.value if u.func else ""
    p.use(u)
    others = {v.text.lower().split()[-1] for v in p.units if v is not u and v.is_func("cycle")}
    mine = u.text.lower().split()[-1]
    if (mine.startswith("weekend") and others & {"weekday", "weekdays"}) or (
        mine.startswith("weekday") and others & {"weekend", "weekends"}
    ):
        p.frame.cycle = "is_weekend"
        for v in p.units:
            if v.is_func("cycle", "compare"):
                p.use(v)
        return i + 1
    if value == "holiday":
        p.add_condition(Condition("cycle", op="=", literal="holiday", negate=p.waiting.negate, units=[u]))
        p.waiting.negate = False
        return i + 1
    if value in ("weekend", "weekday", *WEEKDAYS):
        named = value if value in WEEKDAYS else "weekend"
        condition = Condition("cycle", op="=", literal=named, negate=(value == "weekday") ^ p.waiting.negate, units=[u])
        if named in WEEKDAYS:
            return _on_a_weekday(p, i, condition)
        p.waiting.negate = False
        _, nxt = p.peek(i + 1)
        if nxt is not None and nxt.links and p.waiting.mode == "output":
            p.waiting.pending_units.append(u)
            p.waiting.last_condition = condition
            mention = p.mention(nxt, "count")
            item = MeasureItem("count", None, mention, units=[u])
            item.conditions.append(condition)
            p.add_measure(item)
            return p.units.index(nxt) + 1
        if p.waiting.last_measure is not None and (_second_count(p, i) or _in_total_and(p, i)):
            item = p.waiting.last_measure.copied()
            item.conditions.append(condition)
            item.units = [u]
            if not _second_count(p, i):
                p.frame.measures.append(item)
            else:
                p.waiting.last_measure.conditions.append(condition)
            return i + 1
        p.add_condition(condition)
        return i + 1
    if p.frame.cycle is not None and value != p.frame.cycle:
        p.frame.more_cycles = (*p.frame.more_cycles, value)
    else:
        p.frame.cycle = value
    p.frame.asks_period = p.frame.asks_period or _asked(p, i, u)
    return i + 1


def _asked(p: Parse, i: int, u: Unit) -> bool:
    """ "what day of the week": whether the part of the cycle is what is asked for."""
    before = p.units[i - 1] if i else None
    return (
        p.waiting.superlative is not None
        or u.text.lower().startswith("which")
        or (before is not None and before.text.lower() in ("what", "which", "on which", "on what"))
    )


def _on_a_weekday(p: Parse, i: int, condition: Condition) -> int:
    """ "on Mondays", "on Mondays and Tuesdays"; held against each other they are shown apart."""
    again = bool(p.frame.conditions) and p.frame.conditions[-1].kind == "cycle" and p.frame.conditions[-1].literal in WEEKDAYS
    p.waiting.negate = False
    p.add_condition(condition)
    condition.or_previous = again
    versus = next((v for v in p.units[max(0, i - 2) : i] if v.is_func("compare")), None)
    if again and versus is not None:
        p.frame.cycle, p.frame.compare = "day_of_week", None
        p.use(versus)
    return i + 1


def _second_count(p: Parse, i: int) -> bool:
    """The running sentence's own measure narrows an earlier one ("How many of these ... on weekends?")."""
    return (
        p.waiting.sentence > 0
        and p.waiting.last_measure is not None
        and p.waiting.last_measure.mention is not None
        and p.waiting.last_measure.mention.sentence == p.waiting.sentence
    )


def _in_total_and(p: Parse, i: int) -> bool:
    before = [u.text.lower() for u in p.units[max(0, i - 3) : i]]
    return "and" in before and "in total" in before
