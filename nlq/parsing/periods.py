"""Grains: monthly, per day, "which month", "average daily"."""

from __future__ import annotations

from nlq.buckets import plain_units
from nlq.frame import OrderItem
from nlq.parsing.parse import Parse
from nlq.parsing.ranking import unmeasured_superlative
from nlq.parsing.words import PERIODS, SENTENCE_END
from nlq.segment import Unit


def on_grain(p: Parse, i: int, u: Unit) -> int:
    value = u.func.value if u.func else "auto"
    s = p.waiting
    following = p.units[i + 1] if i + 1 < len(p.units) else None
    if plain_units(u.text.lower().split()) is not None and following is not None and following.text.lower().split()[0] == "active":
        p.frame.unknown.append(u)  # "daily active users" is a measure of its own, which no part of the catalog is called
    p.use(u)
    if _aggregates_periods(p, u):
        p.frame.bucket = value
        return i + 1
    if s.mode == "order":
        p.frame.orders.append(OrderItem(grain=True, descending=s.direction))
        return i + 1
    _split_ranking(p, u)
    if p.frame.grain is None or p.frame.grain == "auto" or (p.frame.grain_implied and value != "auto"):
        p.frame.grain = value
        p.frame.grain_implied = False
    p.flush_count(soft=True)
    if u.text.lower().startswith("by ") and _label_too(p, i + 1):
        s.mode = "group"  # "invoices by month and practice area"
    return i + 1


def _label_too(p: Parse, i: int) -> bool:
    """Whether "and" at position i adds a label to the step in time."""
    label = p.units[i + 1] if i + 1 < len(p.units) and p.units[i].is_func("and") else None
    kinds = p.kinds
    return label is not None and (kinds.certainly(label, "dataset") or kinds.certainly(label, "category")) and not kinds.is_fact(label)


def _split_ranking(p: Parse, u: Unit) -> None:
    """ "top 3 products each month", "which country had the most orders in each quarter": a ranking of its own in every period."""
    f = p.frame
    if not u.text.lower().startswith(("each ", "in each ", "for each ", "every ", "in every ", "for every ", "per ")) or not f.outputs:
        return
    if f.limit is None and f.superlative is not None and f.singular:
        f.limit = 1
    f.limit_per_group = f.limit is not None and bool(f.rank_by or f.superlative is not None or f.top_asked)


def settle_period_of_each(p: Parse) -> None:
    """ "Which month had the highest revenue in each region": a month of each region, and not of one of them."""
    f = p.frame
    if f.asks_period and f.grain and f.superlative is not None and f.singular and f.groups and not f.outputs and f.limit is None:
        f.limit, f.limit_per_group = 1, True


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
    """A period word on its own: "by month" splits, "highest month" and "top 3 days" rank, "which month" asks for it."""
    word = u.text.lower().rstrip("s")
    s = p.waiting
    if i and p.units[i - 1].text.lower() == "all" and s.base_mode == "output":
        p.frame.keep_empty = True
        p.use(u)
        return i + 1
    word = {"date": "day"}.get(word, word)
    if s.superlative in ("desc", "asc"):
        _rank_periods(p, word, s.superlative == "desc")
    elif s.top and p.frame.limit_asked and not p.frame.outputs:
        p.frame.grain, p.frame.asks_period = word, True
    elif s.each or s.mode == "group":
        p.frame.grain = word
        s.each = False
        if s.mode == "group" and s.base_mode != "group":
            s.mode = s.base_mode
    elif s.mode == "order":
        p.frame.orders.append(OrderItem(grain=True, descending=s.direction))
    elif _shown_period(p, i, word) or _asked_period(p, i):
        p.frame.grain = word
        p.frame.asks_period = i == 0 or p.units[0].text.lower().split()[-1] in ("which", "what")
    elif p.frame.cycle is not None and word == "hour" and i and p.units[i - 1].is_func("and", "comma"):
        p.frame.more_cycles = (*p.frame.more_cycles, "hour_of_day")  # "by day of week and hour"
    elif word == "hour" and p.frame.grain not in (None, "hour") and p.frame.cycle is None and i and p.units[i - 1].is_func("and", "comma"):
        p.frame.cycle = "hour_of_day"  # "by month and hour"
    elif word in _STEPS and p.frame.grain in _STEPS and i and p.units[i - 1].is_func("and", "comma"):
        p.frame.grain = _STEPS[min(_STEPS.index(word), _STEPS.index(p.frame.grain))]  # "by year and month": months, which say their year
    elif _telegraphic(p):
        p.frame.grain = word
    elif unmeasured_superlative(p) and i and p.units[i - 1].is_func("super"):
        if word == "hour":
            p.frame.cycle = "hour_of_day"
        else:
            p.frame.grain = word
        p.frame.asks_period = True
    else:
        if i and i == len(p.units) - 1 and p.frame.grain is None and _only_nouns(p):
            p.frame.unknown.append(u)  # "transactions branch month": not to be left out
        return i + 1
    p.use(u)
    return i + 1


_STEPS = ("day", "week", "month", "quarter", "year")


def _only_nouns(p: Parse) -> bool:
    return all(v.is_object or v.time is not None or v.text.lower() in PERIODS or v.text in SENTENCE_END for v in p.units)


def _telegraphic(p: Parse) -> bool:
    """ "revenue region quarter": nothing but a figure, what splits it and a period."""
    kinds = p.kinds
    return (
        len(p.units) <= 6
        and p.frame.grain is None
        and not p.frame.times
        and _one_figure(p)
        and any(kinds.likely(v, "category") or (kinds.certainly(v, "dataset") and not kinds.is_fact(v)) for v in p.units)
        and _only_nouns(p)
    )


def _one_figure(p: Parse) -> bool:
    """One number, or one kind of events that are counted ("claims reason month")."""
    figures = [v for v in p.units if p.kinds.likely(v, "metric") or p.kinds.likely(v, "measure")]
    events = [v for v in p.units if p.kinds.certainly(v, "dataset") and p.kinds.is_fact(v)]
    return len(figures) == 1 or (not figures and len(events) == 1)


def _rank_periods(p: Parse, word: str, descending: bool) -> None:
    p.take_pending()
    p.frame.grain = word
    p.frame.superlative = OrderItem(descending=descending)
    p.frame.singular = p.frame.limit is None
    p.reset_noun()


def _shown_period(p: Parse, i: int, word: str) -> bool:
    """ "show month, region and revenue"."""
    s = p.waiting
    return s.mode == "output" and word != "hour" and p.frame.grain in (None, "auto", word) and not s.count and _listed(p, i)


def _asked_period(p: Parse, i: int) -> bool:
    """ "which month ..."."""
    s = p.waiting
    following = p.units[1] if len(p.units) > 1 else None
    if i == 0 and following is not None and following.is_func("relative"):
        return True  # "month with the highest revenue"
    return (
        s.base_mode == "head"
        and p.frame.question_word in ("what", "that")
        and s.superlative is None
        and i <= 3
        and not s.count
        and not p.frame.mentions
    )


def _listed(p: Parse, i: int) -> bool:
    before = p.units[i - 1] if i else None
    following = p.units[i + 1] if i + 1 < len(p.units) else None
    around = (
        before is None or before.is_func("comma", "and", "output") or before.text.lower() in ("the",),
        following is None or following.is_func("comma", "and", "open") or following.text in SENTENCE_END,
    )
    return all(around)
