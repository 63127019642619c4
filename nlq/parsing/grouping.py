"""By, per, for each: what splits the answer into rows."""

from __future__ import annotations

from nlq.parsing.most import most_in_each
from nlq.parsing.parse import Parse
from nlq.parsing.ranking import groups_the_top, unmeasured_superlative
from nlq.parsing.words import PARTICIPLES, PERIODS, TOTAL_OF_NOTHING
from nlq.segment import Unit


def on_by(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    _, nxt = p.peek(i + 1)
    before = p.before(i)
    previous = p.units[i - 1] if i else None
    period = i + 1 < len(p.units) and p.units[i + 1].text.lower() in PERIODS  # "broken down by quarter"
    period = period and not p.kinds.certainly(p.units[i + 1], "amount")  # "top offices by hours", where hours are kept
    if nxt is None or period:
        s.mode = "group" if period and s.mode != "order" else s.mode
        return i + 1
    if s.mode == "order":
        return i + 1
    participle = previous is not None and previous.text.lower().split()[-1] in PARTICIPLES
    named = p.kinds.certainly(nxt, "dataset") or (participle and p.kinds.likely(nxt, "dataset"))
    plural_dataset = nxt.is_object and named and nxt.text.lower().endswith("s")
    filtered = _filtered_after(p, i + 1)
    if u.text.lower() == "by" and _done_by_own_rows(p, i):
        s.by_agent = s.relative = True
        return i + 1
    if u.text.lower() == "by" and plural_dataset and (participle or filtered or (before is not None and s.passive)):
        s.by_agent = True
        s.relative = True
        return i + 1
    if u.text.lower() in ("by", "in terms of") and ranks_things(p, i, nxt):
        s.mode = "rankby"
        return i + 1
    ranking = any(t.kind == "rank" and t.measure is None for t in p.frame.transforms) and not p.frame.rank_by
    if s.top and groups_the_top(p, u, nxt):
        p.frame.limit_per_group = p.frame.limit is not None
        s.mode, s.each = "group", False
        return i + 1
    unmeasured = unmeasured_superlative(p) and (
        nxt.is_func("count", "agg") or p.kinds.likely(nxt, "measure") or p.kinds.certainly(nxt, "dataset")
    )
    if unmeasured_superlative(p) and "per" in u.text.lower().split() and _all(p, nxt, "dataset", "category") and not p.kinds.is_fact(nxt):
        return on_each(p, i, u)  # "best product per store"
    if (s.top or ranking or unmeasured) and not nxt.is_func("each", "grain"):
        s.mode = "rankby"
        s.top = False
        return i + 1
    p.flush_count()
    unnamed = p.units[i - 2] if i > 1 and previous is not None and previous.soft and previous.keys and not previous.func else None
    if previous is not None and unnamed is not None and unnamed in s.pending_units and unnamed.is_func("agg") and s.aggregate is not None:
        p.frame.unknown.append(previous)  # "average yield per crop", where nothing is called a yield
    if (
        previous is not None
        and previous.soft
        and previous.text.lower() in ("spend", "spending")
        and not (p.frame.outputs or p.frame.measures)
    ):
        p.frame.unknown.append(previous)  # "spend per buyer", where nothing is called so
    if s.aggregate == "sum" and previous is not None and previous in s.pending_units and not (p.frame.outputs or p.frame.measures):
        p.take_pending()  # "total by channel": of what is not said
        p.frame.notes.append(TOTAL_OF_NOTHING)
        s.aggregate = None
    s.mode = "group"
    s.each = False
    s.relative, s.related = False, None
    if nxt.is_func("count", "agg") and not p.frame.rank_by and p.frame.groups:
        s.mode = "rankby"
    return i + 1


def _done_by_own_rows(p: Parse, i: int) -> bool:
    """ "customers affected by outages", a number that outages have: the rows that it is of, not what splits it."""
    figure = p.units[i - 1] if i else None
    if figure is None or not p.kinds.certainly(figure, "amount") or not figure.text.lower().endswith("ed"):
        return False
    home = figure.links[0].target.dataset
    ahead = next((v for v in p.units[i + 1 : i + 4] if v.links), None)
    return (
        ahead is not None
        and ahead.text.lower().endswith("s")
        and any(k.exact and k.target.kind == "dataset" and k.target.dataset == home for k in ahead.links[:2])
    )


def ranks_things(p: Parse, i: int, nxt: Unit) -> bool:
    """ "countries by revenue", "plans by number of members": things or labels by a figure are ranked by it."""
    f = p.frame
    if (
        len(f.outputs) != 1
        or f.measures
        or f.rank_by
        or f.groups
        or f.grain
        or f.superlative is not None
        or f.limit_asked
        or p.waiting.relative
    ):
        return False
    thing = f.outputs[0]
    if not thing.plural or not p.adjacent(i) or p.waiting.last is not thing:
        return False
    if not _all(p, thing.unit, "dataset", "category"):
        return False
    if nxt.is_func("count", "agg") or p.kinds.certainly(nxt, "measure"):
        return True
    return (
        _all(p, nxt, "dataset", "measure") and p.kinds.is_fact(nxt) and not p.kinds.is_fact(thing.unit) and nxt.text.lower().endswith("s")
    )


def _all(p: Parse, u: Unit, *tests: str) -> bool:
    """Whether each of the unit's best links passes one of the tests."""
    top = u.links[0].score if u.links else 0.0
    near = [k.target for k in u.links if k.score >= top - 0.06]
    return bool(near) and all(any(getattr(p.kinds, f"is_{test}")(t) for test in tests) for t in near)


def _filtered_after(p: Parse, i: int) -> bool:
    """Whether the noun after `by` is followed by a relative clause or a value: then it is an agent, not a grouping."""
    j, noun = p.peek(i)
    _, after = p.peek(j + 1)
    if noun is None or after is None:
        return False
    if after.is_func("relative"):
        return True
    if after.is_func("prep"):
        k, value = p.peek(j + 1)
        _, value = p.peek(k + 1)
        return value is not None and bool(value.values) and not value.links
    return False


def on_each(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    p.flush_count()
    most_in_each(p, i)
    s.each = True
    if p.frame.limit is None and p.frame.superlative is not None and p.frame.outputs and s.sentence == 0 and not p.frame.asks_period:
        p.frame.limit = 1 if p.frame.singular else 10  # "most expensive product in each category", "best restaurants in each city"
    topped = p.frame.top_asked and p.frame.outputs  # "top 3 products in each category by revenue"
    if p.frame.limit is not None and (p.frame.rank_by or p.frame.superlative is not None or topped) and s.sentence == 0:
        p.frame.limit_per_group = True
    if s.mode != "group":
        s.base_mode = s.mode if s.mode in ("head", "output") else s.base_mode
    s.mode = "group"
    s.relative = s.relative and False
    s.related = None
    p.use(u)
    return i + 1


def group_noun(p: Parse, i: int, u: Unit) -> int:
    """The noun after "by" or "for each"; of "by product category" the last word counts."""
    s = p.waiting
    if s.last is not None and p.follows_last(i) and s.last in p.frame.groups and p.kinds.likely(s.last.unit, "dataset"):
        p.frame.groups.remove(s.last)
        s.last.role = "context"
    if (
        s.of_next
        and s.last is not None
        and s.last in p.frame.groups
        and not p.kinds.likely(s.last.unit, "dataset")
        and p.kinds.certainly(u, "dataset")
    ):
        p.mention(u, "context")  # "by nationality of passengers"
        p.reset_noun()
        return i + 1
    mention = p.mention(u, "group")
    mention.links = p.kinds.players(u) or mention.links
    mention.per = bool(i and p.units[i - 1].text.lower().startswith("per"))
    p.frame.groups.append(mention)
    p.reset_noun()
    if s.each:
        k, after = p.peek(i + 1)
        more = after is not None and after.is_func("and", "comma") and _field_after(p, k)
        if not more:
            s.each = False
            s.mode = s.base_mode
    return i + 1


def _field_after(p: Parse, k: int) -> bool:
    """Whether the list goes on with another label after position k."""
    _, nxt = p.peek(k + 1)
    return nxt is not None and bool(nxt.links) and not p.kinds.likely(nxt, "dataset") and not p.kinds.likely(nxt, "measure")
