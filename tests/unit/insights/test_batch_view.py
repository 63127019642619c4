"""How batches and scoring read."""

from __future__ import annotations

from insights.batch_view import batch_view, scores_view


def test_a_batch_says_what_was_fitted_and_what_was_left_out() -> None:
    metric = {"metric": "revenue", "series": 46, "fitted": 4, "carried": 42, "fallbacks": 1, "mase_median": 0.81, "adds_up": True,
              "model_version": "acme.forecast.revenue.auto/3"}  # fmt: skip
    result = {
        "series": 46,
        "fitted": 4,
        "carried": 42,
        "fallbacks": 1,
        "tasks": 3,
        "metrics": [metric],
        "skipped": {"ytd": "It is a running total."},
    }
    view = batch_view(result)
    assert view.headline == "46 series were forecast in 3 tasks: 4 fitted, 42 carried on."
    assert "ytd was left out: It is a running total." in view.sentences
    assert view.table["rows"][0][5:] == ["0.81", "yes", "acme.forecast.revenue.auto/3"]


def test_scores() -> None:
    view = scores_view({"scored": 1, "waiting": 2, "skipped": {"user_gone": 3}})
    assert view.headline == "1 forecast was scored; 2 wait for their first value."
    assert view.sentences == ("3 could not be scored (user_gone).",)
