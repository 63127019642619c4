"""Total, average, median, distinct: what is computed of the noun that follows."""

from __future__ import annotations

from nlq.frame import MeasureItem
from nlq.parsing.parse import Parse
from nlq.parsing.ranking import rank_with
from nlq.parsing.words import SENTENCE_END
from nlq.said_units import SPANS, kept_in, other_span
from nlq.segment import Unit
from nlq.text import is_plural, lemma
from semantic.catalog.model import CatalogField

UNSURE_OF_EACH = "of each row, or of what each thing adds up to"


def on_aggregate(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    p.stack_aggregate(i)
    _j, nxt = p.peek(i + 1)
    if u.text.lower() == "on average" and s.last_measure is not None and s.last_measure.aggregate == "avg":
        p.use(u)
        return i + 1
    if u.text.lower() == "on average" and s.last_measure is not None and s.last_measure.aggregate is None and p.frame.grain:
        s.last_measure.aggregate = "avg"  # "how many orders per day on average"
        p.frame.bucket, p.frame.grain = p.frame.grain, None
        p.use(u)
        return i + 1
    if u.text.lower() == "in total" and not (nxt is not None and _j == i + 1 and nxt.is_object and nxt.links):
        _bound_total(p)
        p.use(u)
        return i + 1
    if (nxt is None or nxt.text in SENTENCE_END) and s.last_measure is not None:
        averaged = u.func is not None and u.func.value == "avg" and s.last_measure.kind in ("count", "aggregate")
        if averaged and s.last_measure.aggregate is None:
            s.last_measure.aggregate = "avg"  # "number of orders per customer on average"
        elif averaged and s.last_measure.aggregate != "avg":
            p.frame.unknown.append(u)
        p.use(u)
        return i + 1
    shown = p.frame.outputs[0] if len(p.frame.outputs) == 1 and not p.frame.measures else None
    if u.text.lower() == "on average" and shown is not None and s.aggregate is None and _is_figure(p, shown.unit):
        p.retract(shown)  # "order value per customer on average"
        shown.role = "aggregate"
        p.add_measure(MeasureItem("aggregate", "avg", shown, units=[u]))
        return i + 1
    if _follows_noun(p, i, nxt) and s.last is not None and u.func is not None:
        mention = s.last
        p.retract(mention)
        mention.role = "aggregate"
        p.add_measure(MeasureItem("aggregate", u.func.value, mention, units=[u]))
        p.reset_noun()
        return i + 1
    if (u.func is not None and s.aggregate is None) or (u.func is not None and u.func.value != "sum"):
        s.aggregate = u.func.value
    s.pending_units.append(u)
    return i + 1


def _bound_total(p: Parse) -> None:
    """ "ads with more than 3000 clicks in total": the sum of each is bounded, not its single rows."""
    condition, mention = p.waiting.last_condition, p.waiting.last
    if condition is None or condition.kind != "number" or condition.mention is not mention or mention is None or condition.negate:
        return
    if condition not in p.frame.conditions or not p.kinds.certainly(mention.unit, "measure"):
        return
    p.frame.conditions.remove(condition)
    mention.role = "aggregate"
    condition.measure = MeasureItem("aggregate", "sum", mention, units=condition.units)
    p.frame.having.append(condition)
    p.waiting.last_condition = None


def _follows_noun(p: Parse, i: int, nxt: Unit | None) -> bool:
    """ "shipping fee average by country", "refund total last month": the number that stands right before it is meant."""
    s = p.waiting
    ends = nxt is None or nxt.text in SENTENCE_END or nxt.time is not None or nxt.is_func("by", "each", "grain", "prep", "cmp")
    before = p.before(i)
    if (
        not ends
        or before is None
        or s.last is None
        or s.last.unit is not before
        or s.last.role != "output"
        or s.aggregate is not None
        or s.count
    ):
        return False
    return _is_figure(p, before)


def _is_figure(p: Parse, u: Unit) -> bool:
    return p.kinds.likely(u, "metric") or p.kinds.likely(u, "measure")


def on_distinct(p: Parse, i: int, u: Unit) -> int:
    p.waiting.distinct = True
    if (not p.waiting.count and p.waiting.base_mode == "output") or "list" in u.text.lower():
        p.frame.distinct = True
    if "number" in u.text.lower():
        p.waiting.count = True
    p.waiting.pending_units.append(u)
    return i + 1


def whose_figure(p: Parse, i: int, u: Unit) -> bool:
    """Whether a thing only says whose figure is computed ("total store sales"); an average may then be of each thing or of each row."""
    s = p.waiting
    following = p.units[i + 1] if i + 1 < len(p.units) else None
    if (
        s.aggregate is None
        or s.count
        or s.also
        or s.mode in ("order", "rankby")
        or not p.kinds.certainly(u, "dataset")
        or (p.kinds.is_fact(u) and is_plural(u.text))  # "total orders revenue": two figures
    ):
        return False
    if following is None or not following.is_object or not following.links or following.values or following.func is not None:
        return False
    home = u.links[0].target.dataset
    figure = following.links[0].target
    events = figure.kind == "dataset" and p.kinds.is_fact(following)
    if not events and not (p.kinds.certainly(following, "measure") or p.kinds.certainly(following, "metric")):
        return False
    if figure.dataset != home and s.aggregate != "sum" and (events or figure.kind == "metric" or _adds_up(p, following)):
        p.frame.notes.append(UNSURE_OF_EACH)
    return True


def _adds_up(p: Parse, u: Unit) -> bool:
    field = p.kinds.field(u.links[0].target)
    return field is not None and field.additive


def _main_of(p: Parse, u: Unit) -> CatalogField | None:
    home = next((k.target.dataset for k in u.links[:1] if k.target.kind == "dataset"), None)
    return p.kinds.main_amount(home) if home is not None else None


def _so_many_per(p: Parse, i: int, u: Unit) -> bool:
    """ "average bids per listing": how many each has; of money ("average payments per member") how much is as likely."""
    per = p.units[i + 1] if i + 1 < len(p.units) else None
    thing = p.units[i + 2] if i + 2 < len(p.units) else None
    counted = p.waiting.aggregate == "avg" and not p.waiting.also and is_plural(u.text) and len(u.text.split()) == 1
    if not counted or per is None or thing is None or not per.text.lower().startswith(("per", "for each")):
        return False
    homes = {k.target.dataset for k in thing.links[:1] if k.target.kind == "dataset"}
    rows = next((k.target.dataset for k in u.links[:1] if k.target.kind == "dataset" and k.exact), None)
    if rows is None or not homes or set(u.keys) & _OF_MONEY or p.kinds.likely(u, "measure"):
        return False
    return any(r.from_dataset == rows and r.to_dataset in homes for r in p.kinds.catalog.relationships)


_OF_MONEY = frozenset(lemma(w) for w in ("sale", "payment", "cost", "expense", "earning", "revenue", "donation", "deposit", "premium"))


def aggregate_noun(p: Parse, i: int, u: Unit) -> int:
    s = p.waiting
    units = p.take_pending()
    mention = p.mention(u, "aggregate")
    before = p.units[i - 1] if i else None
    if before is not None and before.soft and other_span(before.text, p.kinds.field(u.links[0].target)):
        p.frame.unknown.append(before)  # "hours watched", where minutes are kept
    item = MeasureItem("aggregate", s.aggregate, mention, distinct=s.distinct, units=units)
    after, main = p.units[i + 1] if i + 1 < len(p.units) else None, _main_of(p, u)
    kept = kept_in(main) if main is not None else None
    if after is not None and after.soft and kept is not None and after.text.lower() in SPANS and not after.text.lower().startswith(kept):
        p.frame.unknown.append(after)  # "total call minutes", where seconds are kept
    if s.count and (p.kinds.certainly(u, "dataset") or (u.links[0].target.kind == "dataset" and u.links[0].exact)):
        item.kind = "count"
        item.aggregate = s.aggregate if s.aggregate != "sum" else None
        mention.role = "count"
    if item.kind == "aggregate" and _so_many_per(p, i, u):
        item.kind, mention.role = "count", "count"
    item.counted = s.count and item.kind == "aggregate"
    p.reset_noun()
    if s.mode == "rankby":
        rank_with(p, item)
        return i + 1
    mention.in_relative = s.relative
    p.add_measure(item)
    return i + 1
