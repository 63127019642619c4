"""The plan of a query for rows of an entity."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import Invalid
from semantic.catalog.model import FieldRole, FieldType
from semantic.expr import FieldRef
from semantic.query import SemanticQuery
from semantic.resolve.aggregation import window_of
from semantic.resolve.binder import Binder
from semantic.resolve.groups import no_time
from semantic.resolve.names import Names
from semantic.resolve.times import inside, time_of
from semantic.resolve.types import Listing, RowColumn
from semantic.resolve.walk import all_of, refs
from semantic.states import WindowUsed


@dataclass(frozen=True, slots=True)
class PlannedRows:
    plan: Listing
    windows: tuple[WindowUsed, ...]


def plan_listing(query: SemanticQuery, binder: Binder) -> PlannedRows:
    """Raises: UserErrors of names, paths and types; Invalid `fan_out` for fields of a to-many dataset without `expand`."""
    base = str(query.rows_of)
    dataset = binder.catalog.dataset(base)
    names = Names()
    columns = []
    joined: set[tuple[str, ...]] = set()
    for output in query.fields:
        bound = binder.expr(output.expr, base)
        for ref in refs(bound):
            steps = binder.graph.steps(ref.via)
            many = [ref.via[: i + 1] for i, step in enumerate(steps) if not step.to_one]
            if many and not query.expand:
                raise Invalid(
                    f"{ref.dataset}.{ref.field} has many values for one row of {base!r}. "
                    "Set expand for one output row per related row, or show an aggregate of it.",
                    code="fan_out",
                    suggestions=("expand", f"aggregate {ref.dataset}.{ref.field}"),
                )
            joined.update(many)
        columns.append(_column(output.expr, output.alias, bound, binder, names))
    if len({path[0] for path in joined}) > 1 and len({p for p in joined if not any(q != p and q[: len(p)] == p for q in joined)}) > 1:
        raise Invalid(
            f"Fields of two unrelated to-many datasets of {base!r} would pair every row of one with every row of the other. List them apart.",
            code="fan_out",
        )
    scoped = binder.joining(frozenset(joined)) if joined else binder
    where = scoped.predicate(query.where, base) if query.where is not None else None
    windows: tuple[WindowUsed, ...] = ()
    bounds = window_of(query, binder)
    if bounds is not None:
        time = (query.time.field if query.time is not None else None) or time_of(binder, base, None)
        if time is None:
            raise no_time(base, "limited to a time window")
        where = all_of(where, scoped.predicate(inside(time, bounds), base))
        windows = (
            WindowUsed(
                bounds.label, bounds.start, bounds.end, f"{time.dataset}.{time.field}", bounds.includes_current, bounds.current_is_partial
            ),
        )
    ties = tuple(
        FieldRef.model_construct(dataset=base, field=name) for name in dataset.primary_key if dataset.field(name).expression is None
    )
    return PlannedRows(Listing(base, tuple(columns), where, ties), windows)


def _column(expr: object, alias: str | None, bound: object, binder: Binder, names: Names) -> RowColumn:
    kind = binder.type_of(bound) or FieldType.STRING  # type: ignore[arg-type]
    if not isinstance(expr, FieldRef):
        return RowColumn(names.take(alias or "value"), alias or "Value", bound, kind, "attribute")  # type: ignore[arg-type]
    field = binder.catalog.field(expr)
    is_time = kind in (FieldType.DATE, FieldType.DATETIME)
    return RowColumn(
        names.take(alias or field.name),
        alias or field.label,
        bound,  # type: ignore[arg-type]
        kind,
        "time" if is_time else "key" if field.role is FieldRole.KEY else "dimension" if field.role is FieldRole.CATEGORY else "attribute",
        f"field:{expr.dataset}.{expr.field}",
        field.unit,
        field.format,
    )
