""" "Tallest", "highest": the number that makes one rank first."""

from __future__ import annotations

from dataclasses import replace

from nlq.adjectives import ADJECTIVES
from nlq.composing.draft import Draft
from nlq.composing.shape import focus_dataset
from nlq.frame import MeasureItem, Mention, OrderItem
from nlq.lexicon import Target
from nlq.predicates import Unbuildable
from nlq.text import words_of
from nlq.worth import worth_of
from semantic.catalog.model import FieldRole, FieldType
from semantic.query import Aggregate, AggregateKind

# Adjectives that go by what a thing is worth, where the catalog says it.
_WORTH = frozenset(("biggest", "largest", "greatest", "highest", "smallest", "lowest", "priciest", "most valuable", "most expensive"))
# Words of labels that say what a number is measured in.
_UNITS = frozenset(
    "km kms miles mile feet ft m metres meters inches kg tons tonnes lb lbs hours hour hrs minutes minute mins min seconds secs days nights years weeks pages mph".split()
)
# Words for what has not ended, which lasts until now.
_STILL = frozenset("open active current running ongoing pending unresolved outstanding unfinished live".split())
# Words that judge: without a rating, what makes one better is not said.
_JUDGING = frozenset(("best", "worst"))


def _adjective_field(draft: Draft, word: str, dataset: str) -> Target | None:
    """The number that an adjective measures ("tallest": height), or the dataset's only number."""
    found = draft.catalog.dataset(dataset)
    numbers = [f for f in found.fields if f.role is FieldRole.MEASURE and not f.hidden]
    wanted = ADJECTIVES.get(word.split()[-1] if word.split()[0] not in ("most", "least") else " ".join(word.split()[1:2]), ())
    for key in wanted:
        for candidate in numbers:
            if key in candidate.label.lower().split() or any(key in s.lower().split() for s in candidate.synonyms):
                return Target("field", f"{dataset}.{candidate.name}", dataset, candidate.name)
    if len(numbers) == 1 and (not _measures_one_thing(word) or _UNITS & {*words_of(numbers[0].label), (numbers[0].unit or "").lower()}):
        return Target("field", f"{dataset}.{numbers[0].name}", dataset, numbers[0].name)
    return None


def _measures_one_thing(word: str) -> bool:
    """Whether an adjective goes by its own kind of number: the longest outage is not the one that affected most."""
    return word.split()[-1] in ADJECTIVES and word.split()[-1] not in _WORTH | _JUDGING


def _lasting(draft: Draft, item: MeasureItem, dataset: str) -> MeasureItem | None:
    """ "longest outage": from the first to the last of exactly two dates, where no number says how long."""
    dates = draft.kinds.ends(dataset) if item.label in ("longest", "shortest") else None
    if dates is None:
        return None
    start, end = Mention(draft.frame.outputs[0].unit, "start", ()), Mention(draft.frame.outputs[0].unit, "end", ())
    for mention, name in zip((start, end), dates, strict=True):
        draft.settle(mention, Target("field", f"{dataset}.{name}", dataset, name))
    field = draft.catalog.dataset(dataset).field(dates[1])
    if field.nullable and any(set(u.text.lower().split()) & _STILL for c in draft.frame.conditions for u in c.units):
        return MeasureItem("duration", start=start, end=None, unit="day", units=item.units)  # "longest open request": it has not ended
    clock = all(draft.catalog.dataset(dataset).field(n).type is FieldType.DATETIME for n in dates)
    return MeasureItem("duration", start=start, end=end, unit="minute" if clock else "day", exact=clock, units=item.units)


def _rating(draft: Draft, dataset: str) -> Target | None:
    """The rating of things: their own, or that of the one kind of events that rates them."""
    homes = [d for d in draft.catalog.datasets if d.name == dataset or draft.graph.points_to(d.name, dataset)]
    found = [
        Target("field", f"{d.name}.{f.name}", d.name, f.name)
        for d in homes
        for f in d.fields
        if f.role is FieldRole.MEASURE and not f.hidden and set(f.label.lower().split()) & {"rating", "stars", "score"}
    ]
    own = [t for t in found if t.dataset == dataset]
    named = [t for t in found if "rating" in t.name]
    best = own or named or found
    return best[0] if len(best) == 1 else None


def settle_highest(draft: Draft, measures: list[MeasureItem]) -> list[MeasureItem]:
    """ "highest revenue by region": the groups from the highest on. A metric that nothing splits is one number, and has no highest.

    Raises: Unbuildable.
    """
    f, out = draft.frame, []
    for item in measures:
        target = draft.target(item.mention)
        extreme = item.superlative in ("desc", "asc") and item.aggregate in ("max", "min")
        ranked = f.superlative is not None or f.rank_by or f.orders or f.bucket is not None  # "lowest daily revenue": of the days
        if not extreme or target is None or target.kind != "metric" or ranked:
            out.append(item)
            continue
        if not (f.groups or f.grain or f.cycle):
            raise Unbuildable("One number has no highest and no lowest: say what is ranked by it, such as “by month”.")
        plain = replace(item, aggregate=None, superlative=None)
        f.orders = [*f.orders, OrderItem(measure=plain, descending=item.superlative == "desc")]
        out.append(plain)
    return out


def settle_adjective(draft: Draft) -> None:
    """ "highest mountains": find the number that makes one higher."""
    superlative = draft.frame.superlative
    if (
        superlative is None
        or superlative.measure is None
        or superlative.measure.kind != "aggregate"
        or superlative.measure.mention is not None
        or superlative.measure.label == "time"
    ):
        return
    focus = focus_dataset(draft)
    if focus is None:
        raise Unbuildable("nothing to rank")
    target = next(
        (
            t
            for o in draft.frame.orders
            if (t := draft.target(o.mention)) is not None and t.kind == "field" and t.dataset == focus and draft.kinds.is_number(t)
        ),
        None,
    )
    label = superlative.measure.label or ""
    several = bool(draft.frame.outputs) and draft.frame.outputs[-1].plural
    if several and label.rpartition(" ")[2] in ADJECTIVES and not draft.frame.orders:
        draft.frame.limit = draft.frame.limit or 10  # "longest films"
    rated = label.endswith("rated") or label in _JUDGING
    worth = worth_of(draft.catalog, focus) if target is None and label in _WORTH else None
    if worth is not None:
        given = Aggregate(aggregate=AggregateKind.SUM, dataset=worth.dataset, of=worth.of, where=worth.where)
        superlative.measure = MeasureItem("given", given=given, units=superlative.measure.units)
        draft.frame.limit = draft.frame.limit if draft.frame.singular else draft.frame.limit or 10
        return
    target = target or (_rating(draft, focus) if rated else _adjective_field(draft, label, focus))
    lasting = _lasting(draft, superlative.measure, focus) if target is None else None
    if lasting is not None:
        superlative.measure = lasting
        return
    if target is None:
        raise Unbuildable("which number ranks is unclear")
    mention = Mention(draft.frame.outputs[0].unit, "aggregate", ())
    draft.settle(mention, target)
    draft.parts.append(mention)
    kind = "avg" if rated and target.dataset != focus else None
    superlative.measure = MeasureItem("aggregate", kind, mention, units=superlative.measure.units)
