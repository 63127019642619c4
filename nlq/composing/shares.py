"""A share that nothing splits: the part that the conditions make of the whole."""

from __future__ import annotations

from nlq.composing.draft import Draft
from nlq.frame import MeasureItem

_PARTS = ("value", "flag", "segment", "related", "number", "text", "null")


def settle_share(draft: Draft, measures: list[MeasureItem]) -> None:
    """ "EMEA revenue as a percentage of total revenue": with no groups, the total is the one without the condition. Changes `measures`."""
    f = draft.frame
    shares = [t for t in f.transforms if t.kind == "share"]
    if not shares or f.groups or f.outputs or f.cycle or f.compare_values or len(measures) != 1:
        return
    things = draft.target(measures[0].mention)
    if measures[0].kind not in ("count", "aggregate") or things is None:
        return
    if things.kind == "dataset" and not f.grain:
        draft.relations.move_window(things.dataset or "")
    parts = [c for c in f.conditions if c.kind in _PARTS]
    if not parts:
        return
    if len(parts) > 1 or f.grain:
        draft.guess(0.45, "which condition is the part and which the whole")
    whole, part = measures[0], measures[0].copied()
    part.conditions = [*part.conditions, *parts]
    measures[0] = MeasureItem("percent", left=part, right=whole, scale=100.0, units=whole.units)
    f.measures = measures
    f.conditions = [c for c in f.conditions if c not in parts]
    f.transforms = [t for t in f.transforms if t not in shares]
