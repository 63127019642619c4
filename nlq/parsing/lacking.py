"""Without: fields that are missing, figures of nothing, amounts that are zero."""

from __future__ import annotations

from nlq.frame import Condition
from nlq.lexicon import Target
from nlq.linking import Link
from nlq.parsing.parse import Parse
from nlq.parsing.words import LACKING
from nlq.segment import Unit
from semantic.catalog.model import SimpleMetric


def lacking(p: Parse, i: int, u: Unit) -> int | None:
    """ "without an email": a field that is missing."""
    s = p.waiting
    if not s.negate or s.negate_unit is None or s.negate_unit.text.lower() not in LACKING:
        return None
    if p.kinds.likely(u, "dataset") or u.links[0].target.kind != "field":
        return None
    field = p.kinds.field(u.links[0].target)
    if p.kinds.likely(u, "measure") and (field is None or not p.kinds.certainly(u, "amount")):
        return None
    if field is not None and p.kinds.likely(u, "measure") and _of_their_events(p, u):
        return None
    if field is not None and p.kinds.likely(u, "measure") and not field.nullable:
        mention = p.mention(u, "condition")
        s.negate = False
        p.add_condition(Condition("number", mention, op="=", number=0.0, units=[s.negate_unit, u]))  # "orders with no shipping fee"
        s.negate_unit = None
        return i + 1
    mention = p.mention(u, "condition")
    s.negate = False
    p.add_condition(Condition("null", mention, units=[s.negate_unit, u]))
    s.negate_unit = None
    return i + 1


def _of_their_events(p: Parse, u: Unit) -> bool:
    """ "lawyers without hours this month": a number that their events keep, so that none is no such event."""
    home = u.links[0].target.dataset if p.kinds.certainly(u, "amount") else None
    things = {
        k.target.dataset for m in p.frame.mentions if m.role in ("output", "count") for k in m.links[:1] if k.target.kind == "dataset"
    }
    field = p.kinds.field(u.links[0].target)
    adds_up = field is not None and field.additive and home not in things
    return adds_up and any(r.from_dataset == home and r.to_dataset in things for r in p.kinds.catalog.relationships)


def none_of_a_figure(p: Parse, i: int, u: Unit) -> int | None:
    """ "products without sales", "customers with no revenue": no row of what the figure is made of."""
    s, target = p.waiting, u.links[0].target
    none = s.negate and s.negate_unit is not None and s.negate_unit.text.lower() in LACKING
    if not none or s.negate_unit is None or not (target.kind == "metric" or _of_their_events(p, u)):
        return None
    if p.kinds.likely(u, "dataset"):
        return None
    things = {k.target.dataset for m in p.frame.mentions if m.role in ("output", "count") for k in m.links if k.target.kind == "dataset"}
    made_of = [m.dataset for m in p.kinds.catalog.metrics if m.name == target.name and isinstance(m, SimpleMetric)]
    kept_of = [target.dataset] if target.kind == "field" and target.dataset is not None else []
    events = [*made_of, *kept_of, *(link.target.dataset for link in u.links if link.target.kind == "dataset")]
    event = next((e for e in events if any(r.from_dataset == e and r.to_dataset in things for r in p.kinds.catalog.relationships)), None)
    if event is None:
        return None
    mention = p.mention(u, "related")
    mention.links = (Link(Target("dataset", event, event), 0.9, False),)
    condition = Condition("related", mention, negate=True, units=[s.negate_unit, u])
    p.add_condition(condition)
    s.related, s.negate, s.negate_unit = condition, False, None
    p.reset_noun()
    return i + 1


def lacks_some(p: Parse, u: Unit) -> bool:
    """ "clients with no open matters": none of the rows of that state, where other rows than these are talked about."""
    s, target = p.waiting, u.links[0].target
    subject = next((m for m in p.frame.mentions if m.role in ("output", "count")), None)
    if not s.negate or s.negate_unit is None or s.negate_unit.text.lower() not in LACKING or subject is None or target.dataset is None:
        return False
    if (
        not subject.links
        or not p.kinds.likely(subject.unit, "dataset")
        or any(k.target.dataset == target.dataset for k in subject.links[:1])
    ):
        return False
    state = p.mention(u, "condition")
    state.links = (u.links[0],)
    rows = p.mention(u, "related")
    rows.links = (Link(Target("dataset", target.dataset, target.dataset), 1.0, True),)
    none = Condition("related", rows, negate=True, inner=[Condition("segment", state, units=[u])], units=[s.negate_unit, u])
    s.related = None
    p.add_condition(none)
    s.related, s.negate, s.negate_unit = none, False, None
    p.reset_noun()
    return True
