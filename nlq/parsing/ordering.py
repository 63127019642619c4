"""Sorted by, descending, alphabetically."""

from __future__ import annotations

from nlq.frame import MeasureItem, OrderItem
from nlq.parsing.grouping import ranks_things
from nlq.parsing.parse import Parse
from nlq.segment import Unit
from semantic.catalog.model import FieldRole


def on_order(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    p.flush_count()
    p.use(u)
    _, nxt = p.peek(i + 1)
    cut = p.frame.limit_asked and bool(p.frame.outputs) and not (p.frame.measures or p.frame.rank_by)
    # "countries ranked by refund rate", "top customers ranked by revenue"
    ranks = nxt is not None and p.kinds.certainly(nxt, "metric") and (cut or ranks_things(p, i, nxt))
    ranks = ranks or (nxt is not None and _ranks_labels(p, i, nxt))
    s.mode = "rankby" if ranks else "order"
    s.relative, s.related, s.each = False, None, False
    ranked = nxt is not None and u.text.lower().startswith("rank") and p.kinds.certainly(nxt, "measure")
    s.direction = True if ranked and s.mode == "order" else None  # "claims ranked by amount": the highest first
    return i + 1


def _ranks_labels(p: Parse, i: int, nxt: Unit) -> bool:
    """ "reasons ranked by amount": labels, which rows share, by what the rows of each add up to."""
    if len(p.frame.outputs) != 1 or not p.kinds.certainly(nxt, "measure") or not ranks_things(p, i, nxt):
        return False
    field = p.kinds.field(p.frame.outputs[0].links[0].target)
    return field is not None and field.role is FieldRole.CATEGORY


def on_direction(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    value = u.func.value == "desc" if u.func else True
    p.use(u)
    alphabetical = "alphabet" in u.text.lower()
    p.frame.judged = p.frame.judged or bool({"best", "worst"} & set(u.text.lower().split()))
    if s.mode == "order":
        if p.frame.orders and p.frame.orders[-1].descending is None and not alphabetical:
            p.frame.orders[-1].descending = value
        else:
            _, nxt = p.peek(i + 1)
            if nxt is not None and (nxt.is_object or nxt.is_func("count", "agg", "of", "grain")) and not alphabetical:
                s.direction = value
            else:
                p.frame.orders.append(OrderItem(descending=value, alphabetical=alphabetical))
        return i + 1
    _, nxt = p.peek(i + 1)
    p.frame.orders.append(OrderItem(descending=value, alphabetical=alphabetical))
    return i + 1


def order_noun(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    descending = s.direction
    if descending is None and s.superlative is not None:
        descending = s.superlative in ("desc", "latest")
    if s.count or (s.aggregate is not None):
        units = p.take_pending()
        mention = p.mention(u, "count" if s.count else "aggregate")
        item = MeasureItem("count" if s.count else "aggregate", s.aggregate, mention, distinct=s.distinct, units=units, shown=False)
        p.reset_noun()
        p.frame.orders.append(OrderItem(measure=item, descending=descending))
        return i + 1
    p.take_pending()
    p.reset_noun()
    mention = p.mention(u, "order")
    p.frame.orders.append(OrderItem(mention=mention, descending=descending))
    return i + 1
