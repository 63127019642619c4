"""The time window and what it is compared with."""

from __future__ import annotations

import re

from nlq.composing.draft import Draft
from nlq.predicates import Unbuildable
from semantic.expr import FieldRef, Unit
from semantic.query import ComparePeriod, TimeWindow

_OPENING = re.compile(r"^(?:(?:and|but|also|or|then|now|what about|how about)\s+)+(?=\S)", re.IGNORECASE)
"""What opens an afterthought and is no part of a period's name."""


def has_time(draft: Draft, dataset: str) -> bool:
    found = draft.catalog.dataset(dataset)
    return found.time is not None


def build_window(draft: Draft, base: str | None, *, rows: bool) -> TimeWindow | None:
    f = draft.frame
    if not f.times or draft.window_done:
        return None
    phrase = f.times[0]
    field_ref = draft.held_date
    if field_ref is None and base is not None:
        dataset = draft.catalog.dataset(base)
        if dataset.time is None:
            field_ref = foreign_time(draft, base)
            if field_ref is None:
                raise Unbuildable("a time window without a time field")
    return TimeWindow(window=phrase.window, field=field_ref, label=_OPENING.sub("", phrase.label))


def foreign_time(draft: Draft, base: str) -> FieldRef | None:
    for dataset in sorted(draft.catalog.datasets, key=lambda d: draft.graph.distance(base, d.name)):
        if dataset.time is not None and draft.graph.points_to(base, dataset.name):
            return FieldRef(dataset=dataset.name, field=dataset.time)
    return None


def build_compare(draft: Draft) -> ComparePeriod | None:
    f = draft.frame
    if f.compare == "same_period_last_year":
        return ComparePeriod(to="same_period_last_year")
    if f.compare == "previous_period":
        return ComparePeriod(to="previous_period")
    if f.compare is not None and f.compare.endswith("_before"):
        return ComparePeriod(to="offset", unit=Unit(f.compare.removesuffix("_before")), count=1)
    if f.compare == "vs" and len(f.times) >= 2:
        return ComparePeriod(to="window", window=f.times[1].window)
    return None
