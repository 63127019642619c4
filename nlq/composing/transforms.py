"""Running totals, shares, growth: what is laid over the aggregated result."""

from __future__ import annotations

from collections.abc import Sequence

from core.timeseries import Grain
from nlq.changes import runs_past
from nlq.composing.amounts import same_measure
from nlq.composing.draft import Draft
from nlq.composing.time_groups import auto_grain
from nlq.frame import MeasureItem
from nlq.predicates import Unbuildable
from semantic.query import ByTime, GroupBy, Measure, Transform

_ALONG = ("running_total", "moving_average", "moving_sum")


def within_periods(transform: Transform, by: Sequence[GroupBy]) -> Transform:
    """Along time a share is of its period: "share of orders by device by month" adds up to 100 % in each month."""
    times = tuple(n for n, b in enumerate(by) if isinstance(b, ByTime))
    split = transform.kind == "share" and times and len(by) > len(times)
    return transform.model_copy(update={"per": times if split else ()}) if transform.kind == "share" else transform


def build_transforms(draft: Draft, built: Sequence[tuple[MeasureItem, Measure]], by: list[GroupBy]) -> tuple[Transform, ...]:
    out: list[Transform] = []
    for item in draft.frame.transforms:
        index = 0
        if item.measure is not None:
            index = next((n for n, (m, _) in enumerate(built) if same_measure(draft, m, item.measure)), 0)
        kind = item.kind
        timed = any(isinstance(b, ByTime) for b in by)
        if kind == "share" and not by and built[0][0].given is None:
            raise Unbuildable("a share of what is not split into parts")
        if kind in ("growth", "difference", "running_total", "moving_average", "moving_sum") and not timed:
            grain = item.grain or (auto_grain([t.window for t in draft.frame.times]) if draft.frame.times and kind in _ALONG else "month")
            by.append(
                ByTime(
                    grain=Grain(grain),
                    fill=kind in ("growth", "difference") and not runs_past(draft.frame, draft.as_of, draft.catalog.calendar),
                )
            )
        if kind == "moving_average" and item.size is None:
            item.size = 3
        new = within_periods(Transform(kind=kind, metric=index, size=item.size), by)
        if new not in out:
            out.append(new)
    return tuple(out)
