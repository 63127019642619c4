"""Numbers and the comparisons that wait for them ("more than 60M", "5 or more")."""

from __future__ import annotations

from dataclasses import replace

from nlq.frame import Condition, MeasureItem, Mention
from nlq.lexicon import Target
from nlq.linking import Link
from nlq.parsing.bounds import measured_before, number_condition
from nlq.parsing.durations import lasts
from nlq.parsing.lapses import on_lapse, with_one
from nlq.parsing.literals import bind_literal
from nlq.parsing.parse import Parse
from nlq.parsing.so_many import so_many_of_a_kind
from nlq.parsing.words import DENIED, UNIT_NOUNS
from nlq.segment import Unit
from nlq.text import is_plural, keys_of, lemma

DIFFERENT = "so many different ones"


def on_number(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    lapse = on_lapse(p, i, u)
    if lapse is not None:
        return lapse
    j, nxt = p.peek(i + 1)
    if u.number == 0 and i and p.units[i - 1].is_func("relative") and nxt is not None and nxt.links and p.kinds.likely(nxt, "dataset"):
        s.negate, s.negate_unit = True, replace(u, text="no")  # "countries with zero orders"
        p.use(u)
        return i + 1
    trait = _trait(p, i, u)
    if trait is not None:
        return trait
    if nxt is not None and nxt.is_func("super", "top") and u.number is not None and u.number <= 1000:
        p.frame.limit, p.frame.limit_asked = int(u.number), True
        s.top = True
        p.use(u)
        return i + 1
    if nxt is not None and nxt.is_func("postcmp") and nxt.func is not None:
        s.number, s.compare_op = u.number, nxt.func.value
        p.use(u, nxt)
        return _close_comparison(p, j + 1)
    if s.superlative is not None and u.number is not None:
        p.frame.limit, p.frame.limit_asked = int(u.number), True
        p.use(u)
        return i + 1
    often = _so_often(p, i, u)
    if often is not None:
        return often
    if s.compare_op is not None:
        s.number = u.number
        p.use(u)
        return _close_comparison(p, i + 1)
    so_many = s.relative and nxt is not None and nxt.is_object and p.kinds.likely(nxt, "dataset")  # "customers with two orders"
    if s.last is not None and p.binds_literal(i) and u.number is not None and not (so_many and p.units[i - 1].is_func("relative")):
        bind_literal(p, u, s.last)
        return i + 1
    if (
        nxt is not None
        and nxt.is_object
        and s.base_mode in ("head", "output")
        and not s.relative
        and u.number is not None
        and 1 <= u.number <= 1000
        and not s.count
        and s.mode != "group"
    ):
        p.frame.limit, p.frame.limit_asked = int(u.number), True
        s.top = True
        p.use(u)
        return i + 1
    if so_many:
        s.number, s.compare_op = u.number, "="
        p.use(u)
        return i + 1
    if u.text.isdigit() or u.number is not None:
        if u.text.lower() in ("one", "single", "a", "couple", "zero"):
            return i + 1
        p.frame.unknown.append(u)
    return i + 1


def _so_often(p: Parse, i: int, u: Unit) -> int | None:
    """ "admitted more than 5 times": so many of the events that the verb tells of; of nothing else."""
    s = p.waiting
    times = p.units[i + 1] if i + 1 < len(p.units) else None
    following = p.units[i + 2] if i + 2 < len(p.units) else None
    if times is None or times.text.lower() != "times" or s.compare_op is None or u.number is None or (following and following.is_object):
        return None
    event = s.last_condition
    if event is None or event.kind != "related" or event.negate or event.mention is None:
        p.frame.unknown.append(times)
        return i + 2
    event.op, event.number = s.compare_op, u.number
    p.use(u, times, *p.take_pending())
    s.compare_op = s.number = None
    return i + 2


def _trait(p: Parse, i: int, u: Unit) -> int | None:
    """ "five star reviews", "with 5 stars": a number of the rows themselves, exactly."""
    j, noun = p.peek(i + 1)
    if noun is None or u.number is None or j != i + 1 or not noun.links or not p.kinds.certainly(noun, "number"):
        return None
    rows = rows_called(p, noun)
    if rows is not None and p.waiting.compare_op is None and not p.waiting.top:
        figure = p.mention(noun, "condition")
        p.add_condition(Condition("number", figure, op="=", number=u.number, units=[u]))  # "5 star reviews", where reviews have stars
        p.units = [*p.units[:j], rows, *p.units[j + 1 :]]
        return j
    _, thing = p.peek(j + 1)
    home = noun.links[0].target.dataset
    before_thing = thing is not None and any(k.target.kind == "dataset" and k.target.dataset == home for k in thing.links[:2])
    before_thing = before_thing and not noun.text.lower().endswith("s")
    said_with = i > 0 and p.units[i - 1].is_func("relative") and p.units[i - 1].text.lower().startswith("with")
    about = any(k.target.kind == "dataset" and k.target.dataset == home for m in p.frame.mentions for k in m.links[:2])
    if not before_thing and not (said_with and about):
        return None
    if p.waiting.compare_op is not None or p.waiting.top:
        return None
    mention = p.mention(noun, "condition")
    p.add_condition(Condition("number", mention, op="=", number=u.number, units=[u]))
    return j + 1


def rows_called(p: Parse, u: Unit) -> Unit | None:
    """ "star reviews", "viewed listings": the rows, where the words name a number of theirs and then them."""
    link, words = u.links[0], u.text.lower().split()
    home = link.target.dataset
    if len(words) != 2 or link.target.kind != "field" or home is None or not is_plural(words[-1]):
        return None
    named, label = keys_of(p.kinds.catalog.dataset(home).label)[-1], keys_of(p.kinds.label(link.target))
    if lemma(words[-1]) != named or lemma(words[0]) not in label or named in label[-1:]:
        return None
    return replace(u, text=words[-1], links=(Link(Target("dataset", home, home), 1.0, True),), values=())


def on_compare_op(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    if u.func is None:
        return i + 1
    p.units = with_one(p.units, i + 1)
    j, nxt = p.peek(i + 1)
    following = _others_same(p, i + 1)
    if following is not None:
        return following
    if (
        nxt is not None
        and nxt.number is None
        and nxt.is_object
        and s.last is not None
        and u.func.value in (">", "<", ">=", "<=", "=", "!=")
    ):
        if nxt.values and (nxt.quoted or not nxt.links):
            s.negate = s.negate or u.func.value == "!="
            p.use(u)
            return i + 1
        if nxt.links and p.kinds.likely(nxt, "number") and p.kinds.likely(s.last.unit, "number"):
            last = s.last
            p.retract(last)
            other = p.mention(nxt, "condition")
            last.role = "condition"
            p.add_condition(Condition("compare_fields", last, op=u.func.value, other=other, units=[u]))
            return j + 1
    if nxt is None or (nxt.number is None and not nxt.is_func("agg", "super", "neg")):
        if nxt is not None and nxt.quoted:
            s.negate = s.negate or u.func.value == "!="
            p.use(u)
        return i + 1
    s.compare_op = u.func.value
    s.pending_units.append(u)
    if s.negate:
        s.compare_op = DENIED[s.compare_op]
        s.negate = False
    return i + 1


def _others_same(p: Parse, i: int) -> int | None:
    """ "earn more than their manager": the same number of the row that the role points to."""
    last = p.waiting.last
    op = p.units[i - 1].func
    j, nxt = p.peek(i)
    while nxt is not None and nxt.is_func("pronoun"):
        j, nxt = p.peek(j + 1)
    if nxt is None or last is None or op is None or not p.kinds.likely(last.unit, "number"):
        return None
    role = p.kinds.self_role(nxt)
    if role is None:
        return None
    p.use(p.units[i - 1], nxt)
    p.retract(last)
    last.role = "condition"
    other = Mention(last.unit, "condition", last.links, last.sentence, via=(role,))
    p.frame.mentions.append(other)
    p.add_condition(Condition("compare_fields", last, op=op.value, other=other, units=[p.units[i - 1], nxt]))
    return j + 1


def _is_percent(u: Unit) -> bool:
    """ "30%", or the sign or word behind a number."""
    return u.text.lower() in ("%", "percent", "pct") or (u.number is not None and "%" in u.text)


def _counts_ahead(p: Parse, i: int) -> bool:
    """ "orders with more than 3 items": after "with" the noun to come is bounded, not the things that have it."""
    last = p.waiting.last
    _, nxt = p.peek(i)
    bounded = nxt is not None and bool(nxt.links) and p.kinds.likely(nxt, "dataset")
    if bounded and nxt is not None and last is not None and is_plural(nxt.text.lower()):
        between = p.units[p.units.index(last.unit) + 1 : i] if last.unit in p.units else []
        if any(v.is_func("and") for v in between) and any(v.number is not None for v in between[:-1]):
            return True  # "with an average score above 7 and at least 5 votes"
    return bounded and p.waiting.relative and last is not None and not last.in_relative and p.kinds.likely(last.unit, "dataset")


def _counted(p: Parse, nxt: Unit) -> Unit | None:
    """ "orders with more than 3 lines": what is counted is rows of a kind, however loosely they are called so; None where no number is meant."""
    last = p.waiting.last
    if last is None or not p.waiting.relative or last.in_relative or not nxt.is_object or not p.kinds.likely(last.unit, "dataset"):
        return None
    if not nxt.links or any(p.kinds.likely(nxt, kind) for kind in ("number", "measure", "dataset")):
        return None
    return replace(nxt, links=tuple(k for k in nxt.links if k.target.kind == "dataset"))


def _bounded_sum(p: Parse, j: int, op: str, number: float | None, units: list[Unit]) -> int | None:
    """ "with more than 8000 in total store sales": what they add up to."""
    total, k = p.units[j], j + 1
    if not total.is_func("agg") or total.text.lower() not in ("in total", "total") or number is None or k >= len(p.units):
        return None
    if k + 1 < len(p.units) and p.kinds.certainly(p.units[k], "dataset") and not p.units[k + 1].func and p.units[k + 1].links:
        p.mention(p.units[k], "context")  # whose sales
        k += 1
    figure = p.units[k]
    if not figure.links or figure.func is not None or not (p.kinds.likely(figure, "dataset") or p.kinds.likely(figure, "measure")):
        return None
    mention = p.mention(figure, "aggregate")
    p.use(total, *units)
    p.frame.having.append(
        Condition("number", mention, MeasureItem("aggregate", "sum", mention, units=units), op=op, number=number, units=units)
    )
    p.reset_noun()
    return k + 1


def _close_comparison(p: Parse, i: int) -> int:
    """A comparison and its number are known: find what is compared, behind or ahead."""
    s = p.waiting
    units = p.take_pending()
    units += [v for v in p.units[max(0, i - 3) : i + 1] if _is_percent(v)]  # 0.5% is not 0.5
    number, op = s.number, s.compare_op or "="
    j, nxt = p.peek(i)
    if nxt is not None and nxt.text.lower() == "times" and (s.last is None or s.last.role != "related"):
        p.frame.unknown.append(nxt)
    ahead = _counts_ahead(p, i)
    counted = _counted(p, nxt) if nxt is not None and j == i else None
    if counted is not None:
        nxt, ahead = counted, True
        if not counted.links:
            p.frame.unknown.append(counted)
            return j + 1
    if nxt is not None and lasts(p, nxt, units):
        p.reset_noun()
        return j + 1
    step = p.units[i] if i < len(p.units) else None
    if step is not None and step is not nxt and step.soft and lasts(p, step, units):
        p.reset_noun()
        return i + 1
    summed = _bounded_sum(p, j, op, number, units) if nxt is not None and j - i <= 1 else None
    if summed is not None:
        return summed
    many = so_many_of_a_kind(p, j, op, number, units) if nxt is not None and j == i else None
    if many is not None:
        return many
    while nxt is not None and (nxt.text.lower() in UNIT_NOUNS or nxt.is_func("agg")) and not nxt.links:
        p.use(nxt)
        units.append(nxt)
        j, nxt = p.peek(j + 1)
    if nxt is not None and nxt.is_func("distinct"):
        p.frame.notes.append(DIFFERENT)
        j, nxt = p.peek(j + 1)
    if nxt is not None and nxt.text.lower() in ("in", "of", "as"):
        k, owner = p.peek(j + 1)
        if owner is not None and owner.links and p.kinds.likely(owner, "number") and not measured_before(p):
            j, nxt, i = k, owner, k - 1
    if nxt is not None and nxt.links and not (nxt.values and not nxt.links) and j - i <= 2 and (ahead or not measured_before(p)):
        target = p.mention(nxt, "condition")
        number_condition(p, target, op, number, units, ahead=True)
        p.reset_noun()
        return j + 1
    if s.last is not None:
        number_condition(p, s.last, op, number, units, ahead=False)
    else:
        p.frame.unknown.extend(units)
    p.reset_noun()
    return max(i, j) if nxt is None or nxt.text.lower() not in UNIT_NOUNS else j
