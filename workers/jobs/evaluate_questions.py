"""Runs the verified questions again and keeps what became of them."""

from __future__ import annotations

from typing import Any

from workers.context import JobContext
from workers.evaluation.run import evaluate, save
from workers.kinds import EvaluateQuestionsParams


def run(context: JobContext) -> dict[str, Any]:
    """{"evaluation", "catalog_version", "base_version", "questions", "regressions"}. Raises: NotFound; Unavailable."""
    params = EvaluateQuestionsParams.model_validate(context.job.params)
    report = evaluate(
        context.services, context.principal, version=params.version, base=params.base,
        progress=lambda done, total: context.progress("run questions", done, max(total, 1)),
    )  # fmt: skip
    saved = save(context.services, context.principal, report, context.job.id)
    return {
        "evaluation": saved.id, "catalog_version": report.version, "base_version": report.base, "questions": len(report.items),
        "regressions": report.regressions,
    }  # fmt: skip
