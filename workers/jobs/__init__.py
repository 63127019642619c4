"""What each kind of job does: plain functions `run(context) -> result`, one module per kind, run by workers.run.

A kind's module is imported when its first job runs, so that a worker starts in a second and holds only the libraries it uses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.context import JobContext
from workers.run import JobFunction


def _diagnose(context: JobContext) -> Mapping[str, Any]:
    from workers.jobs import diagnose

    return diagnose.run(context)


def _forecast(context: JobContext) -> Mapping[str, Any]:
    from workers.jobs import forecast

    return forecast.run(context)


def _forecast_batch(context: JobContext) -> Mapping[str, Any]:
    from workers.jobs import forecast_batch

    return forecast_batch.run(context)


def _forecast_part(context: JobContext) -> Mapping[str, Any]:
    from workers.jobs import forecast_part

    return forecast_part.run(context)


def _score_forecasts(context: JobContext) -> Mapping[str, Any]:
    from workers.jobs import score_forecasts

    return score_forecasts.run(context)


def _detect(context: JobContext) -> Mapping[str, Any]:
    from workers.jobs import detect

    return detect.run(context)


def _explain(context: JobContext) -> Mapping[str, Any]:
    from workers.jobs import explain

    return explain.run(context)


def _evaluate_rules(context: JobContext) -> Mapping[str, Any]:
    from workers.jobs import evaluate_rules

    return evaluate_rules.run(context)


def _preview_rule(context: JobContext) -> Mapping[str, Any]:
    from workers.jobs import preview_rule

    return preview_rule.run(context)


def _scan(context: JobContext) -> Mapping[str, Any]:
    from workers.jobs import scan

    return scan.run(context)


def _digest(context: JobContext) -> Mapping[str, Any]:
    from workers.jobs import digest

    return digest.run(context)


def _rebuild_narrative(context: JobContext) -> Mapping[str, Any]:
    from workers.jobs import rebuild_narrative

    return rebuild_narrative.run(context)


def _infer_catalog(context: JobContext) -> Mapping[str, Any]:
    from workers.jobs import infer_catalog

    return infer_catalog.run(context)


def _load_file(context: JobContext) -> Mapping[str, Any]:
    from workers.jobs import load_file

    return load_file.run(context)


def _refresh_values(context: JobContext) -> Mapping[str, Any]:
    from workers.jobs import refresh_values

    return refresh_values.run(context)


def _refresh_source(context: JobContext) -> Mapping[str, Any]:
    from workers.jobs import refresh_source

    return refresh_source.run(context)


def _register_model(context: JobContext) -> Mapping[str, Any]:
    from workers.jobs import register_model

    return register_model.run(context)


def _shadow_models(context: JobContext) -> Mapping[str, Any]:
    from workers.jobs import shadow_models

    return shadow_models.run(context)


def _watch_models(context: JobContext) -> Mapping[str, Any]:
    from workers.jobs import watch_models

    return watch_models.run(context)


def _mirror_models(context: JobContext) -> Mapping[str, Any]:
    from workers.jobs import mirror_models

    return mirror_models.run(context)


def _evaluate_questions(context: JobContext) -> Mapping[str, Any]:
    from workers.jobs import evaluate_questions

    return evaluate_questions.run(context)


FUNCTIONS: Mapping[str, JobFunction] = {
    "diagnose": _diagnose,
    "forecast": _forecast,
    "forecast_batch": _forecast_batch,
    "forecast_part": _forecast_part,
    "score_forecasts": _score_forecasts,
    "detect": _detect,
    "explain": _explain,
    "evaluate_questions": _evaluate_questions,
    "evaluate_rules": _evaluate_rules,
    "preview_rule": _preview_rule,
    "scan": _scan,
    "digest": _digest,
    "rebuild_narrative": _rebuild_narrative,
    "infer_catalog": _infer_catalog,
    "load_file": _load_file,
    "refresh_values": _refresh_values,
    "refresh_source": _refresh_source,
    "register_model": _register_model,
    "shadow_models": _shadow_models,
    "watch_models": _watch_models,
    "mirror_models": _mirror_models,
}
