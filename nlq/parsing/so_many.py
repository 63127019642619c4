""" "With at least 3 urgent requests": so many related rows of a kind, where what they are like stands before their noun."""

from __future__ import annotations

from collections.abc import Sequence

from nlq.frame import Condition
from nlq.parsing.parse import Parse
from nlq.segment import Unit

_MOST = 3


def so_many_of_a_kind(p: Parse, i: int, op: str, number: float | None, units: Sequence[Unit]) -> int | None:
    """Reads stored values and yes-or-no words from position i up to the noun of other rows than those before; None where it is none."""
    s, kinds = p.waiting, p.kinds
    end = i
    while end < len(p.units) and end - i < _MOST and _adjective(p, p.units[end]):
        end += 1
    noun = p.units[end] if end < len(p.units) else None
    if end == i or noun is None or number is None or s.last is None or not s.relative or not kinds.likely(s.last.unit, "dataset"):
        return None
    home = next((k.target.dataset for k in noun.links[:1] if k.target.kind == "dataset"), None)
    told = {k.target.dataset for k in s.last.links[:1]}
    if home is None or home in told or op not in (">", ">=", "<", "<=", "=", "!="):
        return None
    of_noun = [tuple(v for v in u.values if v.dataset == home) for u in p.units[i:end]]
    flags = [tuple(k for k in u.links if kinds.is_flag(k.target) and k.target.dataset == home) for u in p.units[i:end]]
    if not all(v or f for v, f in zip(of_noun, flags, strict=True)):
        return None
    inner: list[Condition] = []
    for unit, values, links in zip(p.units[i:end], of_noun, flags, strict=True):
        if values:
            inner.append(Condition("value", values=values, units=[unit]))
            continue
        mention = p.mention(unit, "condition")
        mention.links = links
        inner.append(Condition("flag", mention, units=[unit]))
    rows = p.mention(noun, "related")
    rows.links = tuple(k for k in noun.links if k.target.kind == "dataset")
    said = [*units, *p.units[i : end + 1]]
    condition = Condition("related", rows, op=op, number=number, inner=inner, units=said)
    p.reset_noun()
    s.related = None
    p.add_condition(condition)
    s.related = condition
    return end + 1


def _adjective(p: Parse, u: Unit) -> bool:
    likely = bool(u.links) and p.kinds.likely(u, "dataset")
    return not likely and (bool(u.values) or (bool(u.links) and p.kinds.likely(u, "flag")))
