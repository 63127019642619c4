"""How the results of a forecast batch and of scoring read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from insights.studies import View
from insights.wording import count, figure


def batch_view(result: Mapping[str, Any]) -> View:
    """How many series, which were fitted again, and how each metric did."""
    series, fitted, carried = (int(result.get(name, 0)) for name in ("series", "fitted", "carried"))
    head = f"{count(series)} series were forecast in {count(int(result.get('tasks', 0)))} tasks: {count(fitted)} fitted, {count(carried)} carried on."
    sentences = []
    if result.get("fallbacks"):
        sentences.append(f"{count(int(result['fallbacks']))} had to do with a simpler model; the run's table of errors says why.")
    sentences += [f"{name} was left out: {reason}" for name, reason in (result.get("skipped") or {}).items()]
    sentences += [f"A task of {f['metric']} failed: {f['error'].get('message', 'unknown')}" for f in result.get("failed", ())]
    rows = [
        [
            m["metric"], *(count(m[name]) for name in ("series", "fitted", "carried", "fallbacks")),
            "–" if m.get("mase_median") is None else figure(m["mase_median"], 2), "yes" if m.get("adds_up") else "–", m["model_version"],
        ]
        for m in result.get("metrics", ())
    ]  # fmt: skip
    columns = ["metric", "series", "fitted", "carried on", "simpler", "median MASE", "segments add up", "champion"]
    return View(head, tuple(sentences), None, {"columns": columns, "rows": rows} if rows else {})


def scores_view(result: Mapping[str, Any]) -> View:
    """How many forecasts could be compared with what came."""
    scored, waiting = int(result.get("scored", 0)), int(result.get("waiting", 0))
    head = f"{count(scored)} {'forecast was' if scored == 1 else 'forecasts were'} scored; {count(waiting)} wait for their first value."
    return View(head, tuple(f"{count(number)} could not be scored ({reason})." for reason, number in (result.get("skipped") or {}).items()))
