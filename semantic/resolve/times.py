"""Which time field a block uses, and the absolute window it covers."""

from __future__ import annotations

from core.errors import Invalid
from semantic.catalog.model import DatasetKind, FieldType
from semantic.expr import Absolute, FieldRef, InWindow
from semantic.resolve.binder import Binder
from semantic.windows import Bounds


def time_of(binder: Binder, dataset: str, chosen: FieldRef | None) -> FieldRef | None:
    """The time field of `dataset`, with its path: the chosen one, its own, or that of the one nearest fact it belongs to (an order line's order).

    Bind it where it is used: it may be computed from other fields.

    Raises: Invalid `ambiguous_time` when several facts are equally near.
    """
    if chosen is not None:
        return _pathed(binder, chosen, dataset)
    own = binder.catalog.dataset(dataset)
    if own.time is not None:
        return _pathed(binder, FieldRef(dataset=dataset, field=own.time), dataset)
    return _inherited(binder, dataset)


def _pathed(binder: Binder, ref: FieldRef, dataset: str) -> FieldRef | None:
    bound = binder.expr(ref, dataset)
    if isinstance(bound, FieldRef):
        return bound
    if binder.type_of(bound) not in (FieldType.DATE, FieldType.DATETIME):
        return None
    path = tuple(step.name for step in binder.path(dataset, ref.dataset, ref.via))
    return FieldRef.model_construct(dataset=ref.dataset, field=ref.field, via=path)


def _inherited(binder: Binder, dataset: str) -> FieldRef | None:
    nearest: dict[str, tuple[str, ...]] = {}
    distance = 0
    for candidate in binder.catalog.datasets:
        if candidate.time is None or candidate.kind not in (DatasetKind.FACT, DatasetKind.SNAPSHOT) or candidate.name == dataset:
            continue
        try:
            path = binder.graph.path(dataset, candidate.name)
        except Invalid:
            continue
        if not path or not all(step.to_one for step in path):
            continue
        if not nearest or len(path) < distance:
            nearest, distance = {}, len(path)
        if len(path) == distance:
            nearest[candidate.name] = tuple(step.name for step in path)
    if len(nearest) > 1:
        raise Invalid(
            f"Rows of {dataset!r} have no time field of their own and belong to several facts that have one: {', '.join(nearest)}. Name the field.",
            code="ambiguous_time",
            suggestions=[f"{name}.{binder.catalog.dataset(name).time}" for name in nearest],
        )
    for name in nearest:
        return _pathed(binder, FieldRef(dataset=name, field=str(binder.catalog.dataset(name).time)), dataset)
    return None


def inside(time: FieldRef, bounds: Bounds) -> InWindow:
    """The predicate that a row's time lies in [start, end)."""
    return InWindow.model_construct(field=time, window=Absolute.model_construct(start=bounds.start, end=bounds.end), negate=False)
