"""A label that several tables have, where the question holds the tables against each other by it."""

from __future__ import annotations

from nlq.composing.draft import Draft
from nlq.predicates import Unbuildable
from nlq.text import keys_of
from semantic.catalog.model import FieldRole


def refuse_shared_label(draft: Draft) -> None:
    """ "countries with both a depot and a client": rows that share nothing but the label cannot be joined by it. Raises: Unbuildable."""
    shown = [t for m in draft.frame.outputs if (t := draft.target(m)) is not None]
    groups = [t for m in draft.frame.groups if (t := draft.target(m)) is not None]
    if shown and not draft.frame.measures and all(t in groups and t.kind == "field" for t in shown):
        raise Unbuildable("a label by itself")  # "bookings by channel", where all that is called so is the booking channel
    _refuse_figure_of_figure(draft)
    for target in shown:
        field = draft.kinds.field(target)
        if field is None or field.role is not FieldRole.CATEGORY:
            continue
        for condition in draft.frame.conditions:
            other = draft.target(condition.mention) if condition.kind == "related" else None
            if other is None or other.kind != "dataset" or other.dataset in (None, target.dataset):
                continue
            thing = draft.catalog.dataset(other.dataset or "")
            if any(f.role is FieldRole.CATEGORY and keys_of(f.label)[-1:] == keys_of(field.label)[-1:] for f in thing.fields):
                home = draft.catalog.dataset(target.dataset or "")
                raise Unbuildable(
                    f"{home.label} and {thing.label} share only the label {field.label}, by which they cannot be held against each other yet."
                )


def _refuse_figure_of_figure(draft: Draft) -> None:
    """ "cost of scrap", two figures of which neither is a part of the other: what one makes of the other is not known. Raises: Unbuildable."""
    measured = [m.mention for m in draft.frame.measures if m.kind == "aggregate" and m.mention is not None]
    figures = {id(m): m for m in (*measured, *draft.frame.outputs)}
    for mention in figures.values():
        other = figures.get(id(mention.after_of))
        if other is None or other.unit.start > mention.unit.end + 2:
            continue
        first, second = draft.target(mention), draft.target(other)
        if first is not None and second is not None and first != second and all(draft.kinds.is_amount(t) for t in (first, second)):
            raise Unbuildable(f"{draft.kinds.label(first)} of {draft.kinds.label(second)} is not known.")
