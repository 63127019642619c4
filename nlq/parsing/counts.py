"""How many, number of: rows of the noun that follows are counted."""

from __future__ import annotations

from nlq.frame import MeasureItem
from nlq.parsing.parse import Parse
from nlq.parsing.ranking import rank_with
from nlq.parsing.words import SENTENCE_END
from nlq.segment import Unit


def on_count(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    _, nxt = p.peek(i + 1)
    words = u.text.lower()
    if (
        words in ("count", "counts", "counting")
        and s.last is not None
        and p.adjacent(i)
        and s.last.role in ("output", "focus", "aggregate", "order")
        and p.last_is_dataset()
    ):
        p.retract(s.last)
        p.add_measure(MeasureItem("count", None, s.last, units=[u]))
        s.last.role = "count"
        p.use(u)
        return i + 1
    if words in ("count", "counts") and (
        nxt is None or nxt.text in SENTENCE_END or nxt.is_func("and", "comma", "by", "each", "for", "direction")
    ):
        p.frame.count_word_alone = True
        p.use(u)
        return i + 1
    if (
        nxt is not None
        and nxt.text.lower() in ("days", "weeks", "months", "years", "hours", "minutes")
        and any(m.kind == "duration" for m in p.frame.measures)
    ):
        k = i
        while k < len(p.units) and p.units[k].text not in SENTENCE_END and not p.units[k].is_func("comma"):
            p.use(p.units[k])
            k += 1
        return k
    if (
        nxt is not None
        and nxt.is_func("neg")
        and s.last_condition is not None
        and s.last_condition.kind == "flag"
        and s.last_condition.mention is not None
    ):
        k, after = p.peek(p.units.index(nxt) + 1)
        if after is None or after.text in SENTENCE_END:
            condition = s.last_condition
            p.frame.conditions = [c for c in p.frame.conditions if c is not condition]
            for measure in p.frame.measures:
                measure.conditions = [c for c in measure.conditions if c is not condition]
            mention = s.last_condition.mention
            mention.role = "group"
            p.frame.groups.append(mention)
            p.use(u, nxt)
            return p.units.index(nxt) + 1
    p.flush_count()
    s.count = True
    s.pending_units.append(u)
    if words.startswith("how many"):
        p.frame.question_word = p.frame.question_word or "how many"
        s.mode = s.base_mode = "head"
        s.relative, s.related = False, None
    return i + 1


def count_noun(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    units = p.take_pending()
    mention = p.mention(u, "count")
    item = MeasureItem("count", None, mention, distinct=s.distinct, units=units)
    in_relative = s.relative
    p.reset_noun()
    if s.mode == "rankby":
        rank_with(p, item)
        return i + 1
    s.relative = False
    p.add_measure(item)
    mention.in_relative = in_relative
    return i + 1
