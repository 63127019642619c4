"""Grains: monthly, per day, "which month", "average daily"."""

from __future__ import annotations

from nlq.buckets import plain_units
from nlq.frame import OrderItem
from nlq.parsing.parse import Parse
from nlq.parsing.ranking import unmeasured_superlative
from nlq.parsing.words import SENTENCE_END
from nlq.segment import Unit


def on_grain(p: Parse, i: int, u: Unit) -> int:
    value = u.func.value if u.func else "auto"
    s = p.waiting
    p.use(u)
    if _aggregates_periods(p, u):
        p.frame.bucket = value
        return i + 1
    if s.mode == "order":
        p.frame.orders.append(OrderItem(grain=True, descending=s.direction))
        return i + 1
    if p.frame.grain is None or p.frame.grain == "auto" or (p.frame.grain_implied and value != "auto"):
        p.frame.grain = value
        p.frame.grain_implied = False
    p.flush_count(soft=True)
    return i + 1


def _aggregates_periods(p: Parse, u: Unit) -> bool:
    """ "average daily X", "highest monthly X", "average number of X per day": single periods are aggregated, not listed."""
    s = p.waiting
    if p.frame.bucket is not None:
        return False
    if plain_units(u.text.lower().split()) is not None:
        return s.aggregate in ("avg", "median", "min", "max") or (s.superlative in ("desc", "asc") and not p.frame.outputs)
    last = s.last_measure
    return (
        u.text.lower().startswith("per ") and last is not None and last.aggregate == "avg" and last.mention is s.last and not p.frame.grain
    )


def on_bare_period(p: Parse, i: int, u: Unit) -> int:
    word = u.text.lower().rstrip("s")
    s = p.waiting
    if i and p.units[i - 1].text.lower() == "all" and s.base_mode == "output":
        p.frame.keep_empty = True
        p.use(u)
        return i + 1
    word = {"date": "day"}.get(word, word)
    if s.superlative in ("desc", "asc") and word in ("day", "week", "month", "quarter", "year", "hour"):
        p.take_pending()
        p.frame.grain = word
        p.frame.superlative = OrderItem(descending=s.superlative == "desc")
        p.frame.singular = p.frame.limit is None
        p.reset_noun()
        p.use(u)
        return i + 1
    if s.top and p.frame.limit_asked and not p.frame.outputs and word in ("day", "week", "month", "quarter", "year", "hour"):
        p.frame.grain, p.frame.asks_period = word, True
        p.use(u)
        return i + 1
    if s.each or s.mode == "group":
        p.frame.grain = word
        p.use(u)
        s.each = False
        if s.mode == "group" and s.base_mode != "group":
            s.mode = s.base_mode
    elif s.mode == "order":
        p.frame.orders.append(OrderItem(grain=True, descending=s.direction))
        p.use(u)
    elif (
        s.mode == "output"
        and word in ("month", "year", "week", "quarter", "day")
        and p.frame.grain in (None, "auto", word)
        and not s.count
        and _listed(p, i)
    ) or (
        s.base_mode == "head"
        and p.frame.question_word in ("what", "that")
        and s.superlative is None
        and i <= 3
        and word in ("month", "year", "week", "quarter", "day", "hour")
        and not s.count
        and not p.frame.mentions
    ):
        p.frame.grain = word
        p.frame.asks_period = p.units[0].text.lower().split()[-1] in ("which", "what")
        p.use(u)
    elif (
        unmeasured_superlative(p) and i and p.units[i - 1].is_func("super") and word in ("month", "year", "week", "quarter", "day", "hour")
    ):
        if word == "hour":
            p.frame.cycle = "hour_of_day"
        else:
            p.frame.grain = word
        p.frame.asks_period = True
        p.use(u)
    return i + 1


def _listed(p: Parse, i: int) -> bool:
    before = p.units[i - 1] if i else None
    following = p.units[i + 1] if i + 1 < len(p.units) else None
    around = (
        before is None or before.is_func("comma", "and", "output") or before.text.lower() in ("the",),
        following is None or following.is_func("comma", "and", "open") or following.text in SENTENCE_END,
    )
    return all(around)
