"""Top N, bottom N, and what a ranking goes by."""

from __future__ import annotations

from nlq.frame import MeasureItem
from nlq.parsing.parse import Parse
from nlq.segment import Unit
from nlq.text import is_plural


def on_top(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    j, nxt = p.peek(i + 1)
    p.use(u)
    p.frame.limit_asked = p.frame.top_asked = True
    p.frame.ascending_top = bool(u.func and u.func.value == "asc")
    if nxt is not None and nxt.number is not None and not nxt.is_object:
        p.frame.limit = int(nxt.number)
        p.use(nxt)
        i = j
    elif p.frame.limit is None:
        p.frame.limit = 10 if plural_ahead(p, i) else 1
    s.top = True
    s.relative = False
    if s.mode in ("group", "order"):
        s.mode = s.base_mode
    return i + 1


def plural_ahead(p: Parse, i: int) -> bool:
    """Whether several things follow ("best selling products")."""
    _, nxt = p.peek(i + 1)
    return nxt is not None and is_plural(nxt.text)


def groups_the_top(p: Parse, u: Unit, nxt: Unit) -> bool:
    """ "top 3 products per category": a label that is no number splits the ranking instead of making it."""
    if not nxt.links or p.kinds.likely(nxt, "measure") or p.kinds.likely(nxt, "number") or not p.frame.outputs:
        return False
    return "per" in u.text.lower().split() or not p.kinds.likely(nxt, "dataset")


def unmeasured_superlative(p: Parse) -> bool:
    """Whether a superlative was heard that does not say yet what makes the first one first ("best selling", "worst 3 channels")."""
    superlative = p.frame.superlative
    return (
        superlative is not None
        and superlative.measure is not None
        and superlative.measure.mention is None
        and superlative.measure.kind in ("count", "aggregate")
    )


def rank_with(p: Parse, item: MeasureItem) -> None:
    """What a ranking goes by, for the superlative that waits for it or else for the list."""
    if unmeasured_superlative(p) and p.frame.superlative is not None:
        p.frame.superlative.measure = item
        if p.frame.limit is None and p.frame.outputs and p.frame.outputs[-1].plural and not p.frame.question_word:
            p.frame.limit = 10  # "worst channels by conversion rate"
    else:
        p.frame.rank_by.append(item)


def rank_noun(p: Parse, i: int, u: Unit) -> int:
    mention = p.mention(u, "aggregate")
    item = MeasureItem("count" if p.kinds.certainly(u, "dataset") else "aggregate", None, mention)
    if item.kind == "count":
        mention.role = "count"
    rank_with(p, item)
    p.reset_noun()
    return i + 1
