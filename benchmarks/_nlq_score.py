"""The suite's own scorer, when it lies beside the suites; nothing otherwise."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def score_if_possible(suite: Path, cases: Sequence[Mapping[str, Any]], answers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """Shares right and wrong by `score.py` of the suite's parent folder; None when there is no scorer or no expected answer."""
    path = suite.resolve().parent / "score.py"
    if not path.exists() or not any("outcome" in c for c in cases):
        return None
    spec = importlib.util.spec_from_file_location("nlq_suite_score", path)
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    summary: dict[str, Any] = module.summary(cases, answers)["all"]
    return summary
