"""A finished job's result with what people read: headline, sentences, chart and table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from insights.batch_view import batch_view, scores_view
from insights.explain_view import explain_view
from insights.forecast_view import explaining_charts, forecast_view
from insights.kept_texts import kept_retold
from insights.studies import View, detection_view

_VIEWS: Mapping[str, Callable[[Mapping[str, Any]], View]] = {
    "forecast": forecast_view,
    "forecast_batch": batch_view,
    "score_forecasts": scores_view,
    "detect": detection_view,
    "explain": explain_view,
}


def with_view(kind: str, result: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The result with `headline`, `narrative`, `chart`, small `charts` and `view_table` added where the kind has a view.

    Texts that are kept with it come as the reader writes numbers and dates.
    """
    if result is None:
        return None
    make = _VIEWS.get(kind)
    if make is None or make is explain_view:
        result = kept_retold(result)
    if make is None:
        return dict(result)
    view = make(result)
    said = {"headline": view.headline, "narrative": list(view.sentences), "chart": view.chart, "view_table": view.table or None}
    return {**result, **said, "charts": explaining_charts(result) if kind == "forecast" else []}
