"""A noun that nothing waits for: shown, or context of what is."""

from __future__ import annotations

from nlq.fillers import RELATING
from nlq.frame import Condition, MeasureItem, Mention
from nlq.parsing.negations import lacks_event
from nlq.parsing.parse import Parse
from nlq.segment import Unit


def plain_noun(p: Parse, i: int, u: Unit) -> int:
    """Settles a noun by its place: part of the noun before it, name of the field of a value, or a mention of its own."""
    s = p.waiting
    before = p.units[i - 1].text.lower() if i else ""
    if (p.kinds.likely(u, "dataset") or p.kinds.likely(u, "key")) and (before.split()[-1:] == ["all"] or before == "all the"):
        p.frame.all_rows = True
    if _completes_group(p, i):
        _replace_group(p, u)
        return i + 1
    if _count_by_date(p, i, u):
        return i + 1
    _demote_owner(p, i)
    if _names_value_field(p, i, u):
        p.mention(u, "condition")
        p.reset_noun()
        return i + 1
    if _after_condition(p, i) and _belongs_to_condition(p, u):
        p.reset_noun()
        return i + 1
    mention = _subject_or_context(p, i, u)
    if mention.role == "output":
        _show(p, u, mention)
    if s.distinct:
        p.frame.distinct = True
    if s.negate and not p.kinds.likely(u, "dataset"):
        p.frame.unknown.append(u)
        s.negate = False
    p.take_pending()
    p.reset_noun()
    s.passive = False
    return i + 1


def _completes_group(p: Parse, i: int) -> bool:
    """Whether the noun ends a grouping that began with the name of a thing ("per customer segment")."""
    last = p.waiting.last
    return (
        last is not None and p.follows_last(i) and last.role == "group" and last in p.frame.groups and p.kinds.likely(last.unit, "dataset")
    )


def _replace_group(p: Parse, u: Unit) -> None:
    last = p.waiting.last
    if last is not None:
        p.frame.groups.remove(last)
        last.role = "context"
    p.frame.groups.append(p.mention(u, "group"))
    p.reset_noun()


def _demote_owner(p: Parse, i: int) -> None:
    """Of "customer email" the thing is only context of the field."""
    last = p.waiting.last
    if p.units[i].text.lower() in RELATING or _did_the_most(p, i):
        return  # "teachers earn": a verb, whose thing stays what is asked for
    if last is None or not p.follows_last(i) or last.role not in ("output", "context") or not p.kinds.likely(last.unit, "dataset"):
        return
    p.retract(last)
    if last.role == "context":
        p.waiting.of_next = True
    last.role = "context"


def _done_to_figure(p: Parse, at: int, u: Unit) -> bool:
    """ "volume donated by blood type": a verb right behind the figure, whose day is the rows' own."""
    figure, home = p.frame.measures[-1].mention if p.frame.measures else None, u.links[0].target.dataset
    if figure is None or figure.unit is not p.units[at - 1] or not u.text.lower().endswith("ed") or home is None:
        return False
    own = p.kinds.catalog.dataset(home).time == u.links[0].target.field
    return own and any(k.target.dataset == home for k in figure.links[:1])


def _did_the_most(p: Parse, i: int) -> bool:
    """ "which hospital requested the most units": what they did, whose day nobody asks for."""
    after = p.units[i + 1] if i + 1 < len(p.units) else None
    told = (
        p.units[i].text.lower().endswith("ed")
        and p.kinds.certainly(p.units[i], "time")
        and p.frame.question_word in ("that", "who", "what")
    )
    return told and after is not None and after.is_func("super")


def _after_condition(p: Parse, i: int) -> bool:
    """Whether a condition stands right before position i, as an adjective of the noun."""
    last = p.waiting.last_condition
    return (
        last is not None and bool(last.units) and i > 0 and p.units[i - 1] is last.units[-1] and last.kind in ("value", "flag", "segment")
    )


def _belongs_to_condition(p: Parse, u: Unit) -> bool:
    """Whether the noun after a condition only says what the condition is about; it is then context."""
    condition = p.waiting.last_condition
    if condition is None:
        return False
    if _repeats_field(p, u, condition):
        mention = p.mention(u, "condition")
        condition.mention = condition.mention or mention
        return True
    if (p.frame.measures or p.frame.outputs) and p.kinds.likely(u, "dataset"):
        p.mention(u, "context").links = tuple(k for k in u.links if k.target.kind == "dataset") or u.links
        return True
    return False


def _subject_or_context(p: Parse, i: int, u: Unit) -> Mention:
    """The mention of the noun, with its part: shown, or after "of" and "in" the context of what is."""
    s = p.waiting
    after_of, prep, holder = s.of_next, s.prep_next, s.last
    counted = p.kinds.likely(u, "metric") and not p.frame.measures and not p.frame.outputs
    leading = prep and not after_of and not p.frame.limit_asked
    context = p.kinds.likely(u, "dataset") and not counted and (after_of or prep) and (p.frame.mentions or p.frame.measures or leading)
    context = context and not (s.top and p.frame.top_asked and not p.kinds.likely(u, "metric"))  # "revenue of the top 10 customers"
    _, following = p.peek(i + 1)
    mention = p.mention(u, "context" if context else "output")
    mention.sole = (
        not (following is not None and following.is_func("relative", "neg", "have"))
        and not p.frame.question_word
        and s.base_mode == "head"
        and len(p.frame.mentions) == 1
    )
    if prep and p.frame.measures + p.frame.outputs and p.kinds.certainly(u, "metric") and not after_of:
        p.frame.unknown.append(u)
    if after_of and holder is not None:
        holder.after_of = mention
    return mention


def _show(p: Parse, u: Unit, mention: Mention) -> None:
    """Shows the noun; a date in a clause is an event that happened or not ("orders shipped", "that were never picked up")."""
    s = p.waiting
    words = u.text.lower()
    in_clause = s.passive or s.relative or s.negate
    at = p.units.index(u) if p.kinds.certainly(u, "time") else 0
    if at and not in_clause and (_did_the_most(p, at) or _done_to_figure(p, at, u)):
        mention.role, mention.explained = "context", True
        return
    if p.kinds.certainly(u, "time"):
        dated = {"date", "time", "timestamp", "day"} & set(words.split())
        exact = bool(u.links) and u.links[0].exact
        before = p.units[p.units.index(u) - 1] if p.frame.mentions[:-1] else None
        if before is not None and before.text.lower() == "still":
            p.frame.unknown.append(before)  # still there is not the same as was once
        if not mention.plural and not in_clause and p.frame.mentions[:-1] and not dated and s.base_mode == "head" and not exact:
            mention.role = "context"
            return
        if s.negate and lacks_event(p, u):
            return
        state = (
            s.passive and before is not None and before.text.lower().split()[-1] in ("is", "are", "was", "were")
        )  # "that are out of service"
        if in_clause and (state or words.endswith(("ed", "up", "en", "t"))) and "date" not in words:
            mention.role = "condition"
            p.add_condition(Condition("null", mention, negate=not s.negate, units=[u]))
            if s.negate and s.negate_unit is not None:
                p.use(s.negate_unit)
            s.negate = False
            return
    p.frame.outputs.append(mention)


def _count_by_date(p: Parse, i: int, u: Unit) -> bool:
    """ "members enrolled per month", "bills paid by quarter": the rows are counted, and split by the date that the verb names."""
    s, rows = p.waiting, p.waiting.last
    after = p.units[i + 1] if i + 1 < len(p.units) else None
    if rows is None or rows.role != "output" or not p.follows_last(i) or p.frame.measures or s.passive or s.relative or s.negate:
        return False
    if (
        after is None
        or not after.is_func("grain")
        or not u.text.lower().endswith(("ed", "paid", "drawn"))
        or not p.kinds.certainly(u, "time")
    ):
        return False
    if not any(k.target.kind == "dataset" and k.target.dataset == u.links[0].target.dataset for k in rows.links[:1]):
        return False
    p.retract(rows)
    rows.role = "count"
    p.add_measure(MeasureItem("count", None, rows))
    date = p.mention(u, "output")
    p.frame.outputs.append(date)
    p.add_condition(Condition("null", date, negate=True, units=[u]))
    p.reset_noun()
    return True


def _names_value_field(p: Parse, i: int, u: Unit) -> bool:
    """Whether a noun only says what kind of thing the single value before it is ("the Music category", "EMEA region")."""
    last = p.waiting.last_condition
    if last is None or last.kind != "value" or last.more_values or not last.units or not i or p.units[i - 1] is not last.units[-1]:
        return False
    fields = {(v.dataset, v.field) for v in last.values}
    return any(k.target.kind == "field" and (k.target.dataset, k.target.field) in fields for k in u.links[:4])


def _repeats_field(p: Parse, u: Unit, condition: Condition) -> bool:
    """ "the Audio category", "EMEA region": the noun only says which field the value before it belongs to."""
    fields = {(v.dataset, v.field) for v in condition.values}
    top = u.links[0].score if u.links else 0.0
    return any(k.target.kind == "field" and (k.target.dataset, k.target.field) in fields for k in u.links if k.score >= top - 0.03)
