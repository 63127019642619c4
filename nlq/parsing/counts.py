"""How many, number of: rows of the noun that follows are counted."""

from __future__ import annotations

from nlq.frame import MeasureItem, Mention
from nlq.lexicon import Target
from nlq.linking import Link
from nlq.parsing.operands import operand_end
from nlq.parsing.parse import Parse
from nlq.parsing.ranking import rank_with
from nlq.parsing.words import SENTENCE_END
from nlq.segment import Unit


def on_count(p: Parse, i: int, u: Unit) -> int:
    """A count word: of the noun before it, of nothing yet, of the steps of a duration, or of the noun to come."""
    for rule in (_count_before, _count_alone, _duration_units, _flagged_or_not, _of_them):
        following = rule(p, i, u)
        if following is not None:
            return following
    s = p.waiting
    p.flush_count()
    s.count = True
    s.pending_units.append(u)
    if u.text.lower().startswith("how many"):
        p.frame.question_word = p.frame.question_word or "how many"
        s.mode = s.base_mode = "head"
        s.relative, s.related = False, None
    return i + 1


def _count_before(p: Parse, i: int, u: Unit) -> int | None:
    """ "order count"."""
    last = p.waiting.last
    if u.text.lower() not in ("count", "counts", "counting") or last is None or not p.adjacent(i):
        return None
    if last.role not in ("output", "focus", "aggregate", "order") or not p.last_is_dataset():
        return None
    p.retract(last)
    p.add_measure(MeasureItem("count", None, last, units=[u]))
    last.role = "count"
    return i + 1


def _count_alone(p: Parse, i: int, u: Unit) -> int | None:
    """ "region and count"."""
    _, nxt = p.peek(i + 1)
    ends = nxt is None or nxt.text in SENTENCE_END or nxt.is_func("and", "comma", "by", "each", "for", "direction")
    if u.text.lower() not in ("count", "counts") or not ends:
        return None
    p.frame.count_word_alone = True
    p.use(u)
    return i + 1


def _duration_units(p: Parse, i: int, u: Unit) -> int | None:
    """ "the number of days" after a duration only says its unit."""
    _, nxt = p.peek(i + 1)
    if nxt is None or nxt.text.lower() not in ("days", "weeks", "months", "years", "hours", "minutes"):
        return None
    if not any(m.kind == "duration" for m in p.frame.measures):
        return None
    while i < len(p.units) and p.units[i].text not in SENTENCE_END and not p.units[i].is_func("comma"):
        p.use(p.units[i])
        i += 1
    return i


def _flagged_or_not(p: Parse, i: int, u: Unit) -> int | None:
    """ "how many are active and how many are not": both sides of a yes/no field."""
    _, nxt = p.peek(i + 1)
    condition = p.waiting.last_condition
    if nxt is None or not nxt.is_func("neg") or condition is None or condition.kind != "flag" or condition.mention is None:
        return None
    at = p.units.index(nxt)
    _, after = p.peek(at + 1)
    if after is not None and after.text not in SENTENCE_END:
        return None
    p.frame.conditions = [c for c in p.frame.conditions if c is not condition]
    for measure in p.frame.measures:
        measure.conditions = [c for c in measure.conditions if c is not condition]
    condition.mention.role = "group"
    p.frame.groups.append(condition.mention)
    p.use(u, nxt)
    return at + 1


def _of_them(p: Parse, i: int, u: Unit) -> int | None:
    """ "how many new customers and how many of them ordered": the same count once more, narrower."""
    whole = p.waiting.last_measure
    words = [v.text.lower() for v in p.units[i + 1 : i + 3]]
    at = (
        2 if words[:1] == ["of"] and words[1:] and words[1] in ("them", "these", "those", "which") else 1 if words[:1] == ["of them"] else 0
    )
    if not at or whole is None or not u.text.lower().startswith(("how many", "number of")) or p.waiting.sentence:
        return None
    end = operand_end(p, i + 1 + at)
    sub = p.read([*(v for m in (whole.mention,) if m is not None for v in (m.unit,)), *p.units[i + 1 + at : end]], p.waiting.sentence)
    conditions = [*sub.conditions, *(c for m in sub.measures for c in m.conditions)]
    if not conditions or sub.unknown:
        return None
    p.frame.used |= sub.used
    p.frame.mentions.extend(m for m in sub.mentions if not (whole.mention is not None and m.unit is whole.mention.unit))
    part = whole.copied()
    part.conditions = [*part.conditions, *conditions]
    part.units = [u]
    p.add_measure(part)
    p.use(*p.units[i : i + 1 + at])
    return end


def count_doers(p: Parse, i: int, u: Unit) -> bool:
    """ "how many payments used a voucher": nobody counts "a voucher"; the rows of the plural before it are counted, and these must have one."""
    s, doers = p.waiting, p.waiting.last_condition
    if (
        doers is None
        or doers.kind != "value"
        or not doers.values
        or not doers.units
        or not i
        or p.units[i - 1].text.lower() not in ("a", "an")
    ):
        return False
    said = doers.units[-1]
    thing = next((k.target.dataset for k in u.links[:1] if k.target.kind == "dataset"), None)
    home = doers.values[0].dataset
    ties = any(r.from_dataset == home and r.to_dataset == thing for r in p.kinds.catalog.relationships)
    if not ties or not said.text.lower().endswith("s") or p.frame.measures or any(v.dataset != home for v in doers.values):
        return False
    units = p.take_pending()
    counted = Mention(said, "count", (Link(Target("dataset", home, home), 0.95, True),), s.sentence)
    p.frame.mentions.append(counted)
    p.reset_noun()
    p.add_measure(MeasureItem("count", None, counted, units=units))
    s.relative = True
    return True


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
