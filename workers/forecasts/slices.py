"""Which series a batch has, and how one task's share of them is asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import UserError
from semantic.catalog.model import Catalog
from semantic.expr import FieldRef, In, Predicate
from semantic.query import ByField, MetricRef, SemanticQuery
from workers.forecasts.data import SUM_TOLERANCE
from workers.forecasts.formula import formula_of
from workers.jobs.querying import Asking, run_query
from workers.jobs.series import TOTAL, segment_id, segment_values

NONE = "(none)"


@dataclass(frozen=True, slots=True)
class Sliced:
    """series: ids, the total first. adds_up: whether the segments' sum is the total, so that forecasts should agree as well."""

    series: tuple[str, ...]
    adds_up: bool


def series_of(context: Asking, catalog: Catalog, visible: Catalog, metric: str, segments: Sequence[FieldRef], most: int) -> Sliced:
    """A metric's total, then its segments from the largest to the smallest by its first part, at most `most`.

    Raises: UserError for what cannot be asked or forecast; Unavailable.
    """
    formula = formula_of(MetricRef(metric=metric), visible)
    if not segments:
        return Sliced((TOTAL,), adds_up=False)
    query = SemanticQuery(metrics=(formula.parts[0],), by=tuple(ByField(field=field) for field in segments))
    result = run_query(context, catalog, visible, query).result
    columns = [c for c in range(len(result.columns)) if result.columns[c].role in ("dimension", "key", "attribute")]
    measure = next(c for c in range(len(result.columns)) if result.columns[c].role == "measure")
    values = [segment_values(result.table.column(c).to_pylist()) for c in columns]
    total = run_query(context, catalog, visible, SemanticQuery(metrics=(formula.parts[0],))).result.rows()[0][0]
    sizes = [abs(float(v)) if v is not None else 0.0 for v in result.table.column(measure).to_pylist()]
    ids = [segment_id(found) for found in zip(*values, strict=True)]
    ranked = sorted(zip(ids, sizes, strict=True), key=lambda pair: (-pair[1], pair[0]))
    whole = abs(float(total)) if total is not None else 0.0
    adds_up = formula.is_plain and formula.adds_up and len(ranked) <= most and abs(sum(sizes) - whole) <= SUM_TOLERANCE * whole
    return Sliced((TOTAL, *(series_id for series_id, _ in ranked[:most])), adds_up)


def narrowing(series: Sequence[str], segments: Sequence[FieldRef]) -> Predicate | None:
    """A condition that these segments' rows satisfy (others may, too); None when none can be said."""
    firsts = {json.loads(series_id)[0] for series_id in series if series_id != TOTAL}
    if not segments or not firsts or NONE in firsts:
        return None
    return In(field=segments[0], values=tuple(sorted(firsts)))


def is_forecastable(metric: str, visible: Catalog) -> str | None:
    """Why a metric cannot be forecast, or None."""
    try:
        formula_of(MetricRef(metric=metric), visible)
    except UserError as error:
        return error.message
    return None
