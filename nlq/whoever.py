""" "Who has the highest salary", "who wrote the most papers": the persons behind what is ranked, or nobody that is known."""

from __future__ import annotations

from collections.abc import Sequence

from nlq.frame import Frame, MeasureItem, Mention, OrderItem
from nlq.kinds import Kinds
from nlq.lexicon import Target
from nlq.linking import Link
from nlq.segment import Unit
from semantic.catalog.infer.vocabulary import PERSON_PART
from semantic.catalog.model import DatasetKind

_COUNTED = ("most", "the most", "fewest", "the fewest", "least", "the least")


def settle_ranked_who(frame: Frame, units: Sequence[Unit], kinds: Kinds) -> None:
    """Puts the persons in the place of the figure alone, or of the things that they have the most of; unknown where they are not clear."""
    if frame.question_word != "who" or frame.groups or frame.rank_by or frame.orders or frame.grain:
        return
    figure = frame.measures[0] if len(frame.measures) == 1 else None
    if figure is not None and not frame.outputs and figure.kind == "aggregate" and figure.superlative in ("desc", "asc") and figure.mention:
        person = _persons(figure.mention, kinds)
        if person is None:
            frame.unknown.append(units[0])
            return
        frame.measures = []
        figure.aggregate = None
        frame.superlative = OrderItem(measure=figure, descending=figure.superlative == "desc")
        _ask_for(frame, person, figure.mention)
        return
    order = frame.superlative.measure if frame.superlative is not None else None
    if (
        order is not None
        and order.mention is not None
        and not frame.outputs
        and not frame.measures
        and kinds.certainly(order.mention.unit, "time")
    ):
        home = next(iter(_homes(order.mention)), None)
        own = home is not None and kinds.catalog.dataset(home).kind is not DatasetKind.FACT
        person = home if own else _persons(order.mention, kinds)
        if person is not None:  # "who joined most recently"
            _ask_for(frame, person, order.mention)
        return
    if order is None or order.mention is not None or (order.label or "") not in _COUNTED or len(frame.outputs) != 1 or frame.measures:
        return
    things = frame.outputs[0]
    if not kinds.likely(things.unit, "dataset") or any(kinds.has_names_of_persons(d) for d in _homes(things)):
        return
    person = _persons(things, kinds)
    if person is None:
        frame.unknown.append(units[0])
        return
    things.role = "count"
    things.links = tuple(k for k in things.links if k.target.kind == "dataset")
    if frame.superlative is not None:
        frame.superlative.measure = MeasureItem("count", None, things, units=order.units, superlative="desc")
    _ask_for(frame, person, things)


def _homes(mention: Mention) -> list[str]:
    top = mention.links[0].score if mention.links else 0.0
    return list(dict.fromkeys(k.target.dataset for k in mention.links if k.target.dataset is not None and k.score >= top - 0.06))


def _ask_for(frame: Frame, person: str, beside: Mention) -> None:
    someone = Mention(beside.unit, "output", (Link(Target("dataset", person, person), 0.95, True),), beside.sentence)
    frame.mentions.append(someone)
    frame.outputs = [someone]
    frame.singular = frame.limit is None


def _persons(mention: Mention, kinds: Kinds) -> str | None:
    """The only persons that the rows are, belong to, or are tied to by a table between; None where none or several are."""
    homes = _homes(mention)[:1]
    if not homes:
        return None
    home, links = homes[0], kinds.catalog.relationships
    people = {d.name for d in kinds.catalog.datasets if not d.hidden and _are_persons(d.name, kinds)}
    if home in people:
        return home
    direct = [r.to_dataset for r in links if r.from_dataset == home and r.to_dataset in people]
    if direct:
        return direct[0] if len(direct) == 1 else None
    between = {r.from_dataset for r in links if r.to_dataset == home}
    tied = [r.to_dataset for r in links if r.from_dataset in between and r.to_dataset in people]
    return tied[0] if len(tied) == 1 else None


def _are_persons(dataset: str, kinds: Kinds) -> bool:
    label = kinds.catalog.dataset(dataset).label.lower().split()
    return kinds.has_names_of_persons(dataset) or (bool(label) and label[-1] in PERSON_PART)
