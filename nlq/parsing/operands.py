"""One side of a ratio: a stretch of the question read on its own."""

from __future__ import annotations

from collections.abc import Sequence

from nlq.frame import Condition, MeasureItem
from nlq.parsing.parse import Parse
from nlq.parsing.words import SENTENCE_END
from nlq.segment import Unit


def operand_end(p: Parse, i: int) -> int:
    j = i
    while j < len(p.units):
        u = p.units[j]
        if u.text in SENTENCE_END or u.is_func("each", "by", "grain", "order", "output", "comma"):
            return j
        if u.is_func("wh") and j > i:
            return j
        j += 1
    return j


def is_figure(p: Parse, u: Unit) -> bool:
    """Whether a noun means a figure rather than rows that are counted: a metric that is called so comes before the rows of that name."""
    named = next((k for k in u.links if k.target.kind == "metric"), None)
    return not p.kinds.likely(u, "dataset") or (named is not None and named.score >= u.links[0].score)


def operand(p: Parse, units: Sequence[Unit]) -> tuple[MeasureItem | None, list[Condition]]:
    """A measure from a slice of the question, with the conditions that belong to it alone."""
    sub = p.read(units, p.waiting.sentence)
    p.frame.used |= sub.used
    p.frame.mentions.extend(sub.mentions)
    p.frame.unknown.extend(sub.unknown)
    p.frame.times.extend(sub.times)
    item: MeasureItem | None = sub.measures[0] if sub.measures else None
    if item is None and sub.outputs:
        mention = sub.outputs[0]
        is_dataset = not is_figure(p, mention.unit)
        mention.role = "count" if is_dataset else "aggregate"
        item = MeasureItem("count" if is_dataset else "aggregate", None, mention)
    if item is None and sub.having and sub.mentions:
        mention = sub.mentions[0]
        item = MeasureItem("count", None, mention)
    if item is None:
        return None, sub.conditions
    for having in sub.having:
        having.inner = []
        item.conditions.append(having)
    item.conditions.extend(sub.conditions)
    p.frame.groups.extend(m for m in sub.groups)
    if sub.grain and not p.frame.grain:
        p.frame.grain = sub.grain
    return item, []
