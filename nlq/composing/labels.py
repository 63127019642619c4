"""A label that several tables have, where the question holds the tables against each other by it."""

from __future__ import annotations

from nlq.composing.draft import Draft
from nlq.predicates import Unbuildable
from nlq.text import keys_of
from semantic.catalog.model import FieldRole


def refuse_shared_label(draft: Draft) -> None:
    """ "countries with both a depot and a client": rows that share nothing but the label cannot be joined by it. Raises: Unbuildable."""
    shown = [t for m in draft.frame.outputs if (t := draft.target(m)) is not None]
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
