"""Stored values: conditions on the field that holds them."""

from __future__ import annotations

from dataclasses import replace

from nlq.frame import Condition, MeasureItem, Mention, OrderItem
from nlq.lexicon import Target
from nlq.linking import Link
from nlq.parsing.literals import bind_literal
from nlq.parsing.parse import Parse
from nlq.parsing.words import ARRIVING, LEAVING, PARTICIPLES, SENTENCE_END
from nlq.segment import Unit


def on_quoted(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    j, nxt = p.peek(i + 1)
    if nxt is not None and nxt.text.lower() in ("in", "in the", "within"):
        k, owner = p.peek(j + 1)
        if owner is not None and owner.is_func("pronoun"):
            k, owner = p.peek(k + 1)
        if owner is not None and owner.links and not p.kinds.certainly(owner, "dataset") and not p.kinds.likely(owner, "time"):
            mention = p.mention(owner, "condition")
            p.add_condition(Condition("text", mention, literal=u.text, match="contains", negate=s.negate, units=[u]))
            s.negate = False
            return k + 1
    if u.values:
        return on_value(p, i, u)
    if s.part is not None:
        person = p.mention(u, "condition")
        person.links, s.part = (s.part,), None
        p.add_condition(Condition("value", person, literal=u.text, negate=s.negate, units=[u]))
        return i + 1
    if s.last is not None:
        bind_literal(p, u, s.last)
        return i + 1
    if nxt is not None and nxt.links:
        mention = p.mention(nxt, "condition")
        p.add_condition(Condition("value", mention, literal=u.text, negate=s.negate, units=[u]))
        return j + 1
    p.frame.unknown.append(u)
    return i + 1


def _only_of(u: Unit, thing: Mention) -> bool:
    """Whether the thing has such a value, and nothing of it is called so."""
    homes = {k.target.dataset for k in thing.links if k.target.kind == "dataset"}
    return any(v.dataset in homes for v in u.values) and not any(k.target.dataset in homes for k in u.links[:3])


def _plays_a_part(p: Parse, u: Unit) -> bool:
    keys = {(k.target.dataset, k.target.field) for k in u.links[:1] if k.target.kind == "field"}
    return any(r.role and (r.from_dataset, r.from_fields[0]) in keys for r in p.kinds.catalog.relationships)


def is_value(p: Parse, i: int, u: Unit) -> bool:
    s = p.waiting
    if not u.values or (u.links and i and p.units[i - 1].text.lower().endswith("their") and _plays_a_part(p, u)):
        return False  # "employees and their managers": who plays the part, and not a job of that name
    if (
        u.text.lower() in PARTICIPLES
        and p.frame.mentions
        and i + 2 < len(p.units)
        and p.units[i + 1].text.lower() == "by"
        and p.units[i + 2].values
    ):
        return False  # "paid by Visa"
    if _of_others(p, i, u):
        return False
    if not u.links:
        return True
    if _tells_when(p, i, u):
        return False
    value, link = u.values[0].score, u.links[0].score
    if value >= 0.95 and _held_against_value(p, i, u):
        return True  # "email vs paid search", where something else is called email
    if s.last is not None and p.follows_last(i) and _names_field(p, u, s.last):
        return True  # "status open"
    if (
        s.negate
        and s.negate_unit is not None
        and "never" in s.negate_unit.text.lower()
        and p.kinds.is_time(u.links[0].target)
        and link >= 0.9
    ):
        return False  # "never paid": no date of payment
    if value >= 0.95 and s.last is not None and p.follows_last(i) and _only_of(u, s.last):
        return True  # "orders cancelled", where something else has a date of that name
    if u.quoted:
        return value >= link
    _, nxt = p.peek(i + 1)
    around = [x for x in (s.last.unit if s.last is not None else None, nxt) if x is not None]
    things = {k.target.dataset for x in around for k in x.links[:3] if k.target.dataset}
    if any(p.kinds.is_flag(k.target) and k.score >= 0.95 and k.target.dataset in things for k in u.links[:3]):
        return False
    before = p.before(i)
    if value >= 0.95 and link < 0.9:
        after_count = before is not None and before.is_func("count", "each", "by", "agg")
        return not (after_count and not (nxt is not None and (nxt.links or (nxt.values and p.units[i + 1] is nxt))))
    if value < 0.95:
        return False
    premodifier = nxt is not None and bool(nxt.links) and i + 1 < len(p.units) and p.units[i + 1] is nxt
    if premodifier and nxt is not None:
        owners = {link.target.dataset for link in nxt.links[:3]}
        own = any(v.dataset in owners and v.score >= 1.0 for v in u.values) and p.kinds.certainly(nxt, "dataset")
        if own and not u.links[0].exact and not owners & {k.target.dataset for k in u.links[:3]}:
            return True  # "billing complaints", a kind of theirs, beside bills
        if p.kinds.likely(nxt, "measure") and _personal(p, u):
            return True  # "email revenue": the channel of that name, rather than each person's address
        return any(v.dataset in owners for v in u.values) and not p.kinds.likely(u, "dataset")
    owners = {k.target.dataset for k in s.last.links[:3]} if s.last is not None else set()
    if any(k.target.dataset in owners and k.exact for k in u.links[:3]) and not any(v.dataset in owners for v in u.values):
        return False
    after_place = before is not None and before.is_func("prep", "neg", "cmp", "have", "relative")
    return after_place and not p.kinds.likely(u, "dataset") and not p.kinds.likely(u, "measure")


def _personal(p: Parse, u: Unit) -> bool:
    return any(k.target.kind == "field" and bool(p.kinds.catalog.field(k.target.ref).pii) for k in u.links[:1])


def _tells_when(p: Parse, i: int, u: Unit) -> bool:
    """ "booked last quarter", "ended before March", "have not delivered any parcel": the date of that name, not the status that rows have now."""
    homes = {v.dataset for v in u.values}
    homes |= (
        {k.target.dataset or "" for k in p.waiting.last.links[:2] if k.target.kind == "dataset"} if p.waiting.last is not None else set()
    )
    done = i > 1 and p.units[i - 1].text.lower() in _ACTORS and p.units[i - 2].is_func("have")  # "how many did we open this year"
    if not (done or u.text.lower().endswith("ed")) or not any(
        p.kinds.is_time(k.target) and k.target.dataset in homes and k.score >= 0.6 for k in u.links
    ):
        return False
    after = [v for v in p.units[i + 1 : i + 4] if not (v.soft and v.func is None)][:2]
    if p.waiting.negate:
        return len(p.units) > i + 2 and p.units[i + 1].text.lower() in ("any", "a", "an") and bool(p.units[i + 2].links)
    return bool(after) and (
        after[0].time is not None
        or after[0].is_func("grain")
        or (after[0].is_func("cmp", "prep") and len(after) > 1 and after[1].time is not None)
    )


def _of_others(p: Parse, i: int, u: Unit) -> bool:
    """ "new buyers per quarter", where only listings have a condition that is called new."""
    following = p.units[i + 1] if i + 1 < len(p.units) else None
    if u.text.lower() != "new" or following is None or not p.kinds.is_dated(following):
        return False
    homes = {k.target.dataset for k in following.links[:1] if k.target.kind == "dataset" and k.exact}
    return bool(homes) and not any(v.dataset in homes for v in u.values)


_ACTORS = frozenset("we they you i".split())


def _held_against_value(p: Parse, i: int, u: Unit) -> bool:
    """Whether "vs" joins the unit with a value of a field that has it too."""
    fields = {(v.dataset, v.field) for v in u.values}
    after, before = p.units[i + 1 : i + 3], p.units[max(0, i - 2) : i]
    others = [
        *(after[1:] if after and after[0].is_func("compare") else ()),
        *(before[:1] if before and before[-1].is_func("compare") else ()),
    ]
    return any((v.dataset, v.field) in fields for other in others for v in other.values)


def on_value(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    owner: Mention | None = None
    if s.last is not None and p.binds_literal(i):
        fits = _fitting(p, u, s.last)
        if fits:
            owner = s.last
            if owner.role in ("output", "focus") and _names_field(p, u, owner):
                p.retract(owner)
                owner.role = "condition"
    last = s.last_condition
    if (
        last is not None
        and last.kind == "value"
        and last.values
        and _listed_with(p, i, last)
        and not _same_field(p, u, last)
        and not s.both
        and _in_or_list(p, i)
    ):
        s.or_next = True
    if (
        last is not None
        and last.kind == "value"
        and last.values
        and _listed_with(p, i, last)
        and _same_field(p, u, last)
        and not s.both
        and _direction(p, i) in ("", last.hint)
    ):
        last.more_values.append(u.values)
        last.units.append(u)
        last.all_of = last.all_of or (i > 0 and any(v.is_func("and") for v in p.units[max(0, i - 2) : i]) and not s.comparing)
        if s.comparing or (i and p.units[i - 1].is_func("compare")):
            p.frame.compare_values.append(last)
        s.or_next = False
        p.use(u)
        return i + 1
    counted = _value_as_noun(p, i, u)
    if counted is not None:
        return counted
    if _narrows_lacking(p, i, u):
        # "never took sick leave": the leave is lacking, not the sickness.
        s.held.append(Condition("value", None, values=u.values, units=[u]))
        p.use(u)
        return i + 1
    condition = Condition("value", owner, values=u.values, negate=s.negate, units=[u], both=s.both)
    condition.hint = _direction(p, i)
    if s.part is not None:
        condition.hint, s.part = f"@{s.part.target.via[0]}", None
    if u.quoted:
        condition.literal = u.text
    s.negate = False
    p.add_condition(condition)
    return i + 1


def _direction(p: Parse, i: int) -> str:
    """ "from" or "to" when the words before a value say on which end of a way it lies."""
    words = [v.text.lower() for v in p.units[max(0, i - 3) : i] if not v.is_func("of")]
    if not words:
        return ""
    said = next((w for w in reversed(words[-2:]) if w in LEAVING | ARRIVING), "")
    if said:
        return "from" if said in LEAVING else "to"
    if words[-1] == "for" and p.waiting.last_condition is not None and p.waiting.last_condition.hint == "from":
        return "to"  # "leaving Germany for Italy"
    return {"from": "from", "to": "to", "into": "to"}.get(words[-1], "")


def _value_as_noun(p: Parse, i: int, u: Unit) -> int | None:
    """ "number of admins", "total deposits": rows that have this value, counted, or their amount."""
    s = p.waiting
    if s.negate or not (s.count or s.aggregate in ("sum", "avg", "max", "min", "median")) or not u.text.lower().endswith("s") or u.quoted:
        return None
    if s.last is not None and s.last.sentence == s.sentence and p.follows_last(i):
        return None
    _, following = p.peek(i + 1)
    if following is not None and (following.links or following.values or following.is_func("and", "or", "comma")):
        return None
    rows = _rows_of(p, i, u)
    if rows is not None:
        return rows
    units = p.take_pending()
    condition = Condition("value", None, values=u.values, units=[u])
    kind = "count" if s.count and s.aggregate is None else "of_value"
    item = MeasureItem(kind, s.aggregate, None, distinct=s.distinct, conditions=[condition], units=[*units, u])  # type: ignore[arg-type]
    superlative = s.superlative
    p.reset_noun()
    p.use(u)
    if superlative is not None:
        p.frame.superlative = OrderItem(measure=item, descending=superlative in ("desc", "latest"))
        p.frame.singular = p.frame.limit is None
    elif s.mode == "rankby":
        p.frame.rank_by.append(item)
    else:
        p.add_measure(item)
    return i + 1


def _rows_of(p: Parse, i: int, u: Unit) -> int | None:
    """ "how many deposits used a card": the rows of that kind, of which more is said."""
    homes = {v.dataset for v in u.values}
    _, following = p.peek(i + 1, skip_soft=False)
    said_of = (
        following is not None and (following.soft or following.is_func("relative", "have", "neg")) and following.text not in SENTENCE_END
    )
    if not said_of or len(homes) != 1 or not p.waiting.count or p.waiting.aggregate is not None or p.waiting.superlative is not None:
        return None
    home = next(iter(homes))
    p.frame.conditions.append(Condition("value", None, values=u.values, units=[u]))
    p.units = [*p.units[: i + 1], replace(u, links=(Link(Target("dataset", home, home), 1.0, True),), values=()), *p.units[i + 1 :]]
    return i + 1


def _narrows_lacking(p: Parse, i: int, u: Unit) -> bool:
    """Whether the value is an adjective of the thing that is said to be lacking ("without cancelled orders", "never took sick leave")."""
    s = p.waiting
    if not s.negate or s.negate_unit is None or not p.frame.mentions:
        return False
    word = s.negate_unit.text.lower()
    if word in ("not", "excluding", "except", "exclude", "other than", "except for", "non", "non -", "is not", "are not", "not in"):
        return False
    following = p.units[i + 1] if i + 1 < len(p.units) else None
    if following is None or not following.links or not p.kinds.likely(following, "dataset"):
        return False
    subject = {k.target.dataset for k in p.frame.mentions[0].links[:1]}
    things = {k.target.dataset for k in following.links if k.target.kind == "dataset"}
    return not (things & subject) and any(v.dataset in things for v in u.values)


def _names_field(p: Parse, u: Unit, mention: Mention) -> bool:
    """Whether the mention names the very field of the value ("status pending"), and no thing or metric."""
    top = mention.links[0].score if mention.links else 0.0
    near = [link.target for link in mention.links if link.score >= top - 0.06]
    if any(t.kind in ("dataset", "metric") for t in near):
        return False
    fields = {(v.dataset, v.field) for v in u.values}
    return any(t.kind == "field" and (t.dataset, t.field) in fields for t in near)


def _fitting(p: Parse, u: Unit, mention: Mention) -> bool:
    for value in u.values:
        for link in mention.links[:6]:
            if link.target.kind == "field" and (link.target.dataset, link.target.field) == (value.dataset, value.field):
                return True
            if link.target.kind == "dataset" and link.target.dataset == value.dataset:
                return True
    return False


def _listed_with(p: Parse, i: int, last: Condition) -> bool:
    if not last.units:
        return False
    j = i - 1
    while j >= 0:
        v = p.units[j]
        if v is last.units[-1]:
            return True
        if not (v.is_func("and", "or", "comma", "compare") or v.text.lower() in ("the", "in", "for") or v.soft):
            return False
        j -= 1
    return False


def _in_or_list(p: Parse, i: int) -> bool:
    """Whether the list that position i is in ends with "or"."""
    for v in p.units[max(0, i - 1) : i + 10]:
        if v.is_func("or"):
            return True
        if v.text in SENTENCE_END or v.is_func("close", "and"):
            return False
    return False


def _same_field(p: Parse, u: Unit, last: Condition) -> bool:
    fields = {(v.dataset, v.field) for v in last.values}
    return any((v.dataset, v.field) in fields for v in u.values)
