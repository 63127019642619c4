""" "Joined in 2023 vs 2024": two periods of one date that a verb names are held against each other."""

from __future__ import annotations

from nlq.composing.draft import Draft
from nlq.frame import MeasureItem
from semantic.expr import FieldRef


def hold_dates(draft: Draft) -> None:
    """Moves the condition on the date to the periods of the question; things that nothing else is asked of are counted."""
    f = draft.frame
    if f.compare != "vs" or len(f.times) != 1 or f.compare_values:
        return
    dated = [c for c in f.conditions if c.kind == "time" and c.mention is not None and not c.negate and not c.or_previous]
    target = draft.target(dated[0].mention) if len(dated) == 1 else None
    first = dated[0].time if dated else None
    if target is None or first is None or not draft.kinds.is_time(target) or target.dataset is None:
        return
    f.conditions = [c for c in f.conditions if c is not dated[0]]
    f.times = [first, *f.times]
    draft.held_date = FieldRef(dataset=target.dataset, field=target.field or "")
    thing = draft.target(f.outputs[0]) if len(f.outputs) == 1 and not f.measures else None
    if thing is not None and thing.kind == "dataset" and not (f.groups or f.rank_by or f.superlative):
        f.measures = [MeasureItem("count", None, f.outputs[0])]
        f.outputs = []
