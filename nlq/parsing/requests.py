"""What the answer should show: list verbs, empty rows, rounding, and clauses that only explain."""

from __future__ import annotations

from nlq.frame import MeasureItem
from nlq.parsing.parse import Parse
from nlq.parsing.words import SENTENCE_END
from nlq.pictures import POINTS
from nlq.segment import Unit


def on_output(p: Parse, i: int, u: Unit) -> int:
    words = u.text.lower()
    if words in ("including", "include") and _keep_empty(p, i):
        return _keep_empty_end(p, i)
    s = p.waiting
    p.frame.list_verb = True
    p.frame.all_rows = p.frame.all_rows or words == POINTS
    p.flush_count()
    if words == "and their":
        _count_those(p)
    s.mode = s.base_mode = "output"
    s.relative, s.related, s.negate = False, None, False
    p.reset_noun()
    return i + 1


def _count_those(p: Parse) -> None:
    """ "employees hired per year and their average salary": what is split comes first, counted, and the figure beside it."""
    f = p.frame
    thing = f.mentions[0] if f.mentions else None
    split = f.grain is not None or bool(f.groups)
    if thing is None or not split or f.measures or f.rank_by or f.superlative is not None or f.limit is not None:
        return
    if f.question_word or not thing.plural or thing in f.groups or not p.kinds.certainly(thing.unit, "dataset"):
        return
    for mention in f.outputs:
        mention.role = "context"
    f.outputs = []
    thing.role = "count"
    p.add_measure(MeasureItem("count", None, thing))


def _keep_empty(p: Parse, i: int) -> bool:
    words = [u.text.lower() for u in p.units[i + 1 : i + 9]]
    text = " ".join(words)
    return any(
        w in text
        for w in (
            "those where",
            "months where",
            "where there were no",
            "those with no",
            "those without",
            "those that have no",
            "with zero",
            "where metrics are",
            "with 0",
        )
    )


def _keep_empty_end(p: Parse, i: int) -> int:
    p.frame.keep_empty = True
    while i < len(p.units) and p.units[i].text not in SENTENCE_END:
        p.use(p.units[i])
        i += 1
    return i


def on_define(p: Parse, i: int, u: Unit) -> int:
    """ "based on X" settles which number the measure before means; "Xs are considered Y if ..." only explains."""
    s = p.waiting
    kind = u.func.value if u.func else ""
    if kind == "considered":
        j = i
        while j >= 0 and p.units[j].text not in SENTENCE_END:
            p.use(p.units[j])
            j -= 1
        while i < len(p.units) and p.units[i].text not in ("?", "!", ";"):
            p.use(p.units[i])
            i += 1
        if s.last is not None and s.last.sentence == s.sentence:
            p.retract(s.last)
        return i
    if kind == "basis":
        j, nxt = p.peek(i + 1)
        old = s.last
        if nxt is not None and nxt.links and old is not None and old.role in ("aggregate", "output", "count"):
            mention = p.mention(nxt, "context")
            if not any(link.score >= 0.6 and link.target.kind in ("metric", "field") for link in old.links):
                for other in p.frame.mentions:
                    if other.unit.keys == old.unit.keys:
                        other.links = mention.links
                for item in [*p.frame.measures, *p.frame.rank_by]:
                    if item.mention is not None and item.mention.unit.keys == old.unit.keys:
                        item.aggregate = item.aggregate or "sum"
            return j + 1
        if nxt is not None and (nxt.links or nxt.is_func("agg", "count", "super")) and s.base_mode in ("head", "output"):
            s.mode = "rankby" if p.frame.limit_asked else s.mode
        return i + 1
    return i + 1


def on_round(p: Parse, i: int, u: Unit) -> int:
    p.use(u)
    for v in p.units[i : i + 4]:
        if v.number is not None or (v.text[:1].isdigit()):
            digits = v.number if v.number is not None else float(v.text.split()[0])
            p.frame.round_digits = int(min(digits, 12))
            p.use(v)
            return p.units.index(v) + 1
        for word in v.text.lower().split():
            if word in ("two", "2"):
                p.frame.round_digits = 2
    return i + 1
