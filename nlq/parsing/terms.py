"""Words that the glossary or the question itself defines."""

from __future__ import annotations

from dataclasses import replace

from nlq.frame import Frame, MeasureItem, OrderItem
from nlq.parsing.parse import Parse, TermDefinition
from nlq.segment import Unit


def on_term(p: Parse, i: int, u: Unit) -> int:
    """A glossary word with a definition in words: what the definition says takes its place."""
    s = p.waiting
    definition = p.terms.get(u.links[0].target.name)
    if definition is None:
        if u.func is not None and u.func.kind in p.handlers:
            return p.handlers[u.func.kind](p, i, replace(u, links=()))
        p.frame.unknown.append(u)
        return i + 1
    sub = p.read([replace(v, start=u.start, end=u.end) for v in definition.units], 0)
    p.use(u)
    p.take_pending()
    aggregate = s.aggregate
    p.reset_noun()
    f = p.frame
    f.mentions.extend(sub.mentions)
    if definition.formula:
        return on_formula(p, i, u, definition, sub, aggregate)
    for item in [*sub.measures, *sub.rank_by]:
        item.conditions.extend(sub.conditions)
    ranks = any(t.kind == "rank" for t in sub.transforms)
    for mention in [] if ranks else sub.outputs:
        kind = "count" if p.kinds.likely(mention.unit, "dataset") or p.kinds.likely(mention.unit, "time") else "aggregate"
        mention.role = kind  # type: ignore[assignment]
        sub.measures.append(MeasureItem(kind, None, mention, conditions=list(sub.conditions)))  # type: ignore[arg-type]
    if definition.units and not (sub.measures or sub.transforms):
        f.unknown.append(u)
    for transform in sub.transforms:
        if transform.kind == "rank" and transform.measure is None:
            ordered = [o.measure or (MeasureItem("aggregate", None, o.mention) if o.mention is not None else None) for o in sub.orders]
            ranked = sub.rank_by or [m for m in ordered if m is not None] or sub.measures
            transform.measure = ranked[0] if ranked else None
        if transform.kind in ("growth", "difference") and sub.measures:
            transform.measure = sub.measures[0]
            transform.kind = "growth" if definition.percent else "difference"
        f.transforms.append(transform)
    if any(t.kind == "rank" for t in sub.transforms):
        f.measures.extend(t.measure for t in sub.transforms if t.measure is not None)
    else:
        items = sub.measures or sub.rank_by
        if s.mode == "rankby":
            f.rank_by.extend(items)
        elif s.mode == "order":
            f.orders.extend(OrderItem(measure=m, descending=s.direction) for m in items)
        else:
            f.measures.extend(items)
        if items:
            s.last_measure = items[0]
    if sub.groups and not any(t.kind == "rank" for t in sub.transforms):
        f.groups.extend(sub.groups)
    if sub.grain and not f.grain:
        f.grain = sub.grain
    f.term_times.extend(sub.times)
    return i + 1


def on_formula(p: Parse, i: int, u: Unit, definition: TermDefinition, sub: Frame, aggregate: str | None) -> int:
    """A number that the question defines: "total loss is the sum of a, b and c"."""
    s = p.waiting
    parts = list(sub.measures)
    for mention in sub.outputs:
        mention.role = "aggregate"
        parts.append(MeasureItem("aggregate", "sum", mention))
    parts.sort(key=lambda m: next((n for n, x in enumerate(sub.mentions) if x is m.mention), 0))
    first = definition.units[0].text.lower().split()[0] if definition.units else ""
    if not parts or sub.unknown:
        p.frame.unknown.append(u)
        return i + 1
    item = parts[0]
    for part in parts[1:]:
        item = MeasureItem("expression", left=item, right=part, op="-" if first == "difference" else "+")
    item.label = u.text
    item.conditions = [*item.conditions, *sub.conditions]
    if aggregate not in (None, "sum") and len(parts) > 1:
        item.aggregate = aggregate
    if s.mode == "rankby":
        p.frame.rank_by.append(item)
    elif s.mode == "order":
        p.frame.orders.append(OrderItem(measure=item, descending=s.direction))
    elif s.superlative is not None:
        p.frame.superlative = OrderItem(measure=item, descending=s.superlative == "desc")
    else:
        p.add_measure(item)
    return i + 1
