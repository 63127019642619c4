"""A share that nothing splits: the part that the conditions make of the whole."""

from __future__ import annotations

from nlq.composing.draft import Draft
from nlq.frame import MeasureItem
from semantic.catalog.model import RatioMetric, SimpleMetric
from semantic.query import AggregateKind, MetricRef

_PARTS = ("value", "flag", "segment", "related", "number", "text", "null")


def settle_share(draft: Draft, measures: list[MeasureItem]) -> None:
    """ "EMEA revenue as a percentage of total revenue": with no groups, the total is the one without the condition. Changes `measures`."""
    f = draft.frame
    shares = [t for t in f.transforms if t.kind == "share"]
    rate = _rate_of(draft, measures) if shares and f.groups else None
    if rate is not None:
        measures[0] = MeasureItem("given", given=MetricRef(metric=rate), units=measures[0].units)
        f.measures, f.transforms = measures, [t for t in f.transforms if t not in shares]
        return
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


def _rate_of(draft: Draft, measures: list[MeasureItem]) -> str | None:
    """ "percentage of cancelled orders by channel": in each channel, where the catalog has their rate."""
    target = draft.target(measures[0].mention) if len(measures) == 1 and measures[0].aggregate is None else None
    if target is None or target.kind != "metric":
        return None
    part = draft.catalog.metric(target.name)
    if not isinstance(part, SimpleMetric) or part.where is None or part.aggregate is not AggregateKind.COUNT:
        return None
    ratios = [m for m in draft.catalog.metrics if isinstance(m, RatioMetric) and m.numerator == target.name and m.format == "percent"]
    wholes = [(m, draft.catalog.metric(m.denominator)) for m in ratios]
    found = [m for m, w in wholes if isinstance(w, SimpleMetric) and w.dataset == part.dataset and w.where is None]
    if len(found) == 1 and measures[0].mention is not None:
        draft.explained.add(id(measures[0].mention))
        return found[0].name
    return None
