"""What can only be said once the whole question is heard: which nouns are the subject, which are numbers in a list of numbers."""

from __future__ import annotations

from collections.abc import Sequence

from nlq.frame import Condition, Frame, MeasureItem, Mention
from nlq.kinds import Kinds
from nlq.lexicon import Target
from nlq.linking import Link
from nlq.parsing.words import TRADING
from nlq.segment import Unit


def settle_subject(frame: Frame, kinds: Kinds) -> None:
    """ "orders shipped in April": the noun that a condition leaned on is the subject when nothing else is asked for."""
    if frame.outputs or frame.measures or frame.groups or frame.rank_by or frame.list_verb or frame.question_word or frame.count_word_alone:
        return
    first = frame.mentions[0] if frame.mentions else None
    if first is not None and first.role == "context" and kinds.likely(first.unit, "dataset"):
        first.role = "output"
        frame.outputs.append(first)


def settle_sold(frame: Frame, kinds: Kinds) -> None:
    """ "guitars sold in 2025": so many of the events whose date the verb names, where only a value says of what."""
    asked = frame.outputs or frame.measures or frame.rank_by or frame.superlative or frame.list_verb or frame.question_word
    value = frame.conditions[0] if len(frame.conditions) > 1 and frame.conditions[0].kind == "value" else None
    done = next((c for c in frame.conditions if c.kind == "time" and c.mention is not None and not c.negate), None)
    if asked or value is None or value.negate or not value.values or done is None or done.mention is None or not done.mention.links:
        return
    said, home = done.mention.unit.text.lower(), done.mention.links[0].target.dataset
    named = all(kinds.is_name_of_thing(v.dataset, v.field) for v in value.values)
    if named and home is not None and said in TRADING and kinds.certainly(done.mention.unit, "time"):
        rows = Mention(done.mention.unit, "count", (Link(Target("dataset", home, home), 0.95, True),), done.mention.sentence)
        frame.mentions.append(rows)
        frame.measures.append(MeasureItem("count", None, rows))


def settle_share_of_kind(frame: Frame, kinds: Kinds) -> None:
    """ "paperless customers share by district": how many of them are of that kind, in each."""
    share = frame.transforms[0] if len(frame.transforms) == 1 and frame.transforms[0].kind == "share" else None
    whole = frame.outputs[0] if len(frame.outputs) == 1 and not (frame.measures or frame.rank_by or frame.superlative) else None
    if (
        share is None
        or share.measure is not None
        or whole is None
        or not (frame.groups or frame.grain)
        or not kinds.likely(whole.unit, "dataset")
    ):
        return
    told = [c for c in frame.conditions if c.kind in ("flag", "value", "segment") and c.units and c.units[-1].end == whole.unit.start]
    if len(told) != 1 or len(frame.conditions) != 1 or told[0].negate:
        return
    whole.role = "count"
    part = MeasureItem("count", None, whole, conditions=told)
    frame.outputs, frame.conditions, frame.transforms = [], [], []
    frame.measures.append(MeasureItem("percent", left=part, right=MeasureItem("count", None, whole), scale=100.0, units=share.units))


def settle_flagged(frame: Frame, kinds: Kinds) -> None:
    """ "key accounts by country": things that are called by a yes or no of theirs are those that have it."""
    called = frame.outputs[0] if len(frame.outputs) == 1 and not (frame.measures or frame.rank_by or frame.superlative) else None
    home = called.links[0].target.dataset if called is not None and called.links else None
    if called is None or home is None or not called.plural or called.unit.values or not kinds.certainly(called.unit, "flag"):
        return
    called.role = "condition"
    things = Mention(called.unit, "output", (Link(Target("dataset", home, home), 0.95, True),), called.sentence, plural=True)
    frame.mentions.append(things)
    frame.outputs = [things]
    frame.conditions.append(Condition("flag", called, units=[called.unit]))


def settle_theirs(frame: Frame, units: Sequence[Unit], kinds: Kinds) -> None:
    """ "clients onboarded in 2024 and their revenue": the things are shown, each with its figure."""
    theirs = any(u.text.lower() in ("and their", "and its", "with their") for u in units)
    first = frame.mentions[0] if frame.mentions else None
    plain = theirs and frame.outputs and not (frame.measures or frame.groups or frame.grain or frame.rank_by or frame.superlative)
    if first is None or not plain or first.role != "context" or not first.plural or not kinds.likely(first.unit, "dataset"):
        return
    if not all(kinds.certainly(m.unit, "measure") for m in frame.outputs):
        return
    own = any(k.target.dataset == first.links[0].target.dataset for m in frame.outputs for k in m.links[:1])
    first.role = "output" if own else "group"
    (frame.outputs if own else frame.groups).insert(0, first)


def settle_doers(frame: Frame, kinds: Kinds) -> None:
    """ "who ordered yesterday": the persons whose events these are, not the events."""
    plain = not (frame.measures or frame.groups or frame.rank_by or frame.superlative or frame.moved or frame.having)
    if frame.question_word != "who" or len(frame.outputs) != 1 or not plain:
        return
    said = frame.outputs[0]
    link = said.links[0] if said.links else None
    event = link.target.dataset if link is not None and (link.target.kind == "dataset" or kinds.is_time(link.target)) else None
    found = {r.to_dataset for r in kinds.catalog.relationships if r.from_dataset == event and kinds.has_names_of_persons(r.to_dataset)}
    if event is None or len(found) != 1 or kinds.has_names_of_persons(event):
        return
    person = Mention(said.unit, "output", (Link(Target("dataset", next(iter(found)), next(iter(found))), 0.95, True),), said.sentence)
    said.role, said.links = "related", (Link(Target("dataset", event, event), 0.9, False),)
    frame.mentions.append(person)
    frame.outputs = [person]
    own = [c for c in frame.conditions if c.kind in ("value", "flag", "number", "time")]
    related = Condition("related", said, inner=own, units=[said.unit])
    frame.conditions = [*(c for c in frame.conditions if c not in own), related]


def settle_so_often(frame: Frame) -> None:
    """ "patients admitted more than 5 times, and the number of admissions": the same count, held against the number."""
    for condition in [c for c in frame.conditions if c.kind == "related" and c.number is not None and not c.inner and not c.negate]:
        events = {k.target.dataset for k in condition.mention.links} if condition.mention is not None else set()
        counts = [m for m in frame.measures if m.kind == "count" and m.mention is not None and not m.conditions]
        same = next((m for m in counts if m.mention is not None and {k.target.dataset for k in m.mention.links[:1]} <= events), None)
        if same is not None and condition.mention is not None:
            condition.mention.explained = True
            frame.conditions.remove(condition)
            frame.having.append(Condition("number", same.mention, same, op=condition.op, number=condition.number, units=condition.units))


def settle_who(frame: Frame, kinds: Kinds) -> None:
    """ "who was hired most recently", "who earns the most": the persons that the ranked number belongs to are asked for."""
    item = frame.superlative.measure if frame.superlative is not None else None
    if frame.question_word != "who" or frame.outputs or frame.groups or item is None or item.mention is None:
        return
    owners = dict.fromkeys(k.target.dataset for k in item.mention.links if k.target.kind == "field" and k.target.dataset is not None)
    links = tuple(Link(Target("dataset", d, d), 0.95, True) for d in owners if d is not None and kinds.is_person(d))
    if links:
        someone = Mention(item.mention.unit, "output", links, item.mention.sentence)
        frame.mentions.append(someone)
        frame.outputs.append(someone)


def settle_listed(frame: Frame, units: Sequence[Unit], kinds: Kinds) -> None:
    """ "revenue and orders": a plural thing in one list with a measure is a number too."""
    measured = {id(m) for m in frame.mentions if m.role == "aggregate" or (m in frame.outputs and kinds.certainly(m.unit, "metric"))}
    measured |= {id(item.mention) for item in frame.measures if item.mention is not None}
    places = {id(m.unit): m for m in frame.mentions}
    for mention in frame.outputs if not frame.list_verb else ():
        following = next((m for m in frame.outputs if kinds.is_fact(mention.unit) and _listed_before(m, units, places) is mention), None)
        if following is not None and mention.plural and not following.owner and kinds.likely(following.unit, "measure"):
            mention.beside = True
    for mention in frame.outputs:
        if mention.plural and not mention.owner and id(mention) not in measured and kinds.likely(mention.unit, "dataset"):
            neighbour = _listed_before(mention, units, places)
            mention.beside = mention.beside or (neighbour is not None and id(neighbour) in measured)


def _listed_before(mention: Mention, units: Sequence[Unit], places: dict[int, Mention]) -> Mention | None:
    """The mention that stands before this one in the same list ("a, b and c"), or None."""
    at = next((n for n, u in enumerate(units) if u is mention.unit), 0) - 1
    joined = False
    while at >= 0:
        unit = units[at]
        found = places.get(id(unit))
        if found is not None:
            return found if joined else None
        if unit.is_func("and", "comma"):
            joined = True
        elif not unit.soft or unit.is_func("relative", "output", "prep", "pronoun"):
            return None
        at -= 1
    return None


def settle_busiest(frame: Frame, kinds: Kinds) -> None:
    """ "busiest hour for orders": the events named beside a superlative over periods are what is counted."""
    superlative = frame.superlative
    if (
        not (frame.asks_period or frame.cycle)
        or superlative is None
        or superlative.measure is None
        or superlative.measure.mention is not None
    ):
        return
    figures = [m for m in frame.outputs if kinds.likely(m.unit, "metric")]
    if len(figures) == 1 and not frame.measures and not frame.rank_by:  # "busiest weekday for sessions"
        figures[0].role = "aggregate"
        frame.outputs = [m for m in frame.outputs if m is not figures[0]]
        superlative.measure = MeasureItem("aggregate", None, figures[0])
        return
    named = [m for m in frame.mentions if m.role in ("output", "context") and kinds.likely(m.unit, "dataset")]
    if len(named) == 1 and not frame.measures and not frame.rank_by:
        named[0].role = "count"
        frame.outputs = [m for m in frame.outputs if m is not named[0]]
        superlative.measure = MeasureItem("count", None, named[0])
