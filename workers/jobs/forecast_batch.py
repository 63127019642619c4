"""Forecasts many series: plans the tasks, works on them beside other workers until all are done, then names each metric's champion.

Tasks are jobs of their own (`forecast_part`). A batch that was cut off finds its tasks again by its checkpoint and their idempotency keys.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from core.errors import Cancelled, NotEnoughData, UserError
from core.ids import JobId
from core.store import job_turns, jobs
from core.store.jobs import Job, JobStatus
from models.lineage import Lineage, code_version
from models.registry import RunRecord
from semantic.catalog.model import Catalog
from semantic.catalog.visible import visible_to
from workers.champions import SANDBOX_QUEUE, champion_for
from workers.context import BelongsElsewhere, GivesWay, JobContext
from workers.forecasts.batch_sums import sum_up
from workers.forecasts.slices import Sliced, is_forecastable, series_of
from workers.jobs.forecast_part import run as run_task
from workers.jobs.naming import model_name
from workers.jobs.series import TOTAL
from workers.kinds import ForecastBatchParams, ForecastPartParams, SeriesParams
from workers.queue import cancel, enqueue
from workers.run import run_job

POLL_S = 0.5
MAX_SERIES = 50_000
_TASKS = {"forecast_part": run_task}
_CODE = ("forecasting", "workers.forecasts")


def run(context: JobContext) -> dict[str, Any]:
    """{"series", "fitted", "carried", "metrics": [{"metric", "series", ..., "model_version"}], "failed": [...], "skipped": {...}, "seconds"}.

    Raises: UserError when nothing can be forecast; Cancelled; Unavailable.
    """
    params = ForecastBatchParams.model_validate(context.job.params)
    tasks, skipped, summed = _planned(context, params)
    _stay_where_models_may_run(context, params, tasks)
    started_s = time.monotonic()
    try:
        done = _work(context, tasks)
    except Cancelled:
        for task in tasks:
            cancel(context.services, context.tenant, task)
        raise
    context.progress("register", 0, 1)
    added = {metric: sum_up(context, metric, *_written(done, metric, params)) for metric in summed}
    metrics = [
        _champion(context, params, metric, found) | {"adds_up": added.get(metric, False)} for metric, found in _by_metric(done).items()
    ]
    failed = [
        {"metric": job.params["metric"], "job": job.id, "error": dict(job.error or {})} for job in done if job.status is not JobStatus.DONE
    ]
    if failed and not metrics:
        if any(job.status is JobStatus.CANCELLED for job in done):  # its tasks may hear of it first
            raise Cancelled("The job was cancelled by its user.")
        raise UserError(
            f"No series could be forecast: {failed[0]['error'].get('message', 'unknown')}", code="nothing_to_forecast", status=422
        )
    return {
        "series": sum(m["series"] for m in metrics),
        "fitted": sum(m["fitted"] for m in metrics),
        "carried": sum(m["carried"] for m in metrics),
        "fallbacks": sum(m["fallbacks"] for m in metrics),
        "tasks": len(tasks),
        "metrics": metrics,
        "failed": failed,
        "skipped": skipped,
        "grain": params.grain.value,
        "horizon_steps": params.horizon_steps,
        "seconds": round(time.monotonic() - started_s, 1),
    }


def _stay_where_models_may_run(context: JobContext, params: ForecastBatchParams, tasks: tuple[JobId, ...]) -> None:
    """A batch that a custom model takes part in goes on with a worker that may run one, so that it can do any of its tasks itself."""
    if context.queue == SANDBOX_QUEUE:
        return
    metrics = {str(_read(context, task).params["metric"]) for task in tasks}
    if any(champion_for(context.services, context.tenant, "forecast", metric, params.grain) for metric in sorted(metrics)):
        raise BelongsElsewhere(SANDBOX_QUEUE)


def _written(done: list[Job], metric: str, params: ForecastBatchParams) -> tuple[list[JobId], dict[str, dict[str, str]]]:
    """The tasks of a metric, and each series' segment values."""
    tasks = [job for job in done if job.params["metric"] == metric and job.status is JobStatus.DONE]
    ids = [i for job in tasks for i in job.params["series"] if i != TOTAL]
    names = [str(field) for field in params.segments]
    return [job.id for job in tasks], {i: dict(zip(names, json.loads(i), strict=True)) for i in ids}


def _planned(context: JobContext, params: ForecastBatchParams) -> tuple[tuple[JobId, ...], dict[str, str], list[str]]:
    """The tasks' ids, in order, why metrics were left out, and whose segments add up; planned once, however often the batch is cut off."""
    known = context.job.checkpoint
    if known.get("tasks"):
        return tuple(JobId(task) for task in known["tasks"]), dict(known["skipped"]), list(known.get("summed", ()))
    catalog = context.services.catalog(context.tenant)
    visible = visible_to(catalog, context.principal)
    names = list(dict.fromkeys(params.metrics)) or [m.name for m in visible.metrics if m.certified and not m.hidden]
    skipped: dict[str, str] = {}
    planned: list[tuple[str, ForecastPartParams]] = []
    summed: list[str] = []
    total = 0
    for number, name in enumerate(names):
        context.progress("plan", number, len(names))
        found = _series(context, params, catalog, visible, name, skipped)
        series = found.series
        summed += [name] if found.adds_up else []
        total += len(series)
        if total > MAX_SERIES:
            raise UserError(
                f"A batch has at most {MAX_SERIES:,} series; take fewer metrics or segments.", code="too_many_series", status=422
            )
        for start in range(0, len(series), params.batch_series):
            part = ForecastPartParams(
                batch=context.job_id,
                metric=name,
                segments=params.segments,
                series=series[start : start + params.batch_series],
                grain=params.grain,
                horizon_steps=params.horizon_steps,
                refit_steps=params.refit_steps,
            )
            planned.append((f"{context.job_id}:{name}:{start}", part))
    if not planned:
        why = "; ".join(f"{name}: {reason}" for name, reason in list(skipped.items())[:3])
        raise UserError(
            f"There is nothing to forecast. {why or 'Name metrics, or certify some in the catalog.'}",
            code="nothing_to_forecast",
            status=422,
        )
    tasks = [enqueue(context.services, "forecast_part", part, context.principal, key) for key, part in planned]
    context.save_checkpoint({"tasks": list(tasks), "skipped": skipped, "summed": summed})
    return tuple(tasks), skipped, summed


def _series(
    context: JobContext, params: ForecastBatchParams, catalog: Catalog, visible: Catalog, name: str, skipped: dict[str, str]
) -> Sliced:
    visible.metric(name)  # an unknown metric fails the batch; one that cannot be split or forecast is left out
    reason = is_forecastable(name, visible)
    if reason is None:
        try:
            return series_of(context, catalog, visible, name, params.segments, params.max_series)
        except NotEnoughData as error:
            reason = error.message
        except UserError as error:
            reason = error.message
    skipped[name] = reason
    return Sliced((), adds_up=False)


def _work(context: JobContext, tasks: tuple[JobId, ...]) -> list[Job]:
    """Does tasks that nobody has begun, waits for those that others do. Raises: Cancelled; LeaseLost; Unavailable; GivesWay."""
    while True:
        found = [_read(context, task) for task in tasks]
        weights = [len(job.params["series"]) for job in found]
        done = sum(w * (1.0 if job.status.is_final else job.progress) for w, job in zip(weights, found, strict=True))
        context.progress("fit", min(done, sum(weights)), sum(weights))
        if all(job.status.is_final for job in found):
            return found
        now = context.services.clock.now()
        free = [job for job in found if job.status is JobStatus.PENDING and job.not_before <= now]
        waiting = next((job for job in free if job.queue != SANDBOX_QUEUE or context.queue == SANDBOX_QUEUE), None)
        if waiting is None or run_job(context.services, _TASKS, context.tenant, waiting.id, queue=context.queue) is None:
            time.sleep(POLL_S)
        elif _others_wait(context):
            raise GivesWay(context.job.queue)


def _others_wait(context: JobContext) -> bool:
    with context.services.store.read() as connection:
        return job_turns.others_wait(connection, context.job, now=context.services.clock.now())


def _read(context: JobContext, task: JobId) -> Job:
    with context.services.store.read() as connection:
        return jobs.get(connection, context.tenant, task)


def _by_metric(done: list[Job]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for job in done:
        if job.status is JobStatus.DONE and job.result is not None:
            found.setdefault(str(job.params["metric"]), []).append(job.result)
    return found


def _champion(context: JobContext, params: ForecastBatchParams, metric: str, parts: list[Mapping[str, Any]]) -> dict[str, Any]:
    """The metric's version over all its tasks, made champion."""
    receipt = parts[0]["receipt"]
    medians = [(p["mase_median"], p["series"]) for p in parts if p["mase_median"] is not None]
    counts = {name: sum(int(p[name]) for p in parts) for name in ("series", "fitted", "carried", "fallbacks")}
    metrics = {name: float(count) for name, count in counts.items()}
    if medians:
        metrics["mase_median"] = float(np.average([m for m, _ in medians], weights=[n for _, n in medians]))
    record = RunRecord(
        model=model_name(context.tenant, "forecast", SeriesParams(metric=metric)),
        key=f"{context.job_id}.{metric}",
        lineage=Lineage(receipt["query_hash"], receipt["catalog_version"], receipt["data_version"], code_version(_CODE)),
        params={"batch": context.job_id, "grain": params.grain.value, "horizon_steps": params.horizon_steps, "tasks": len(parts)},
        metrics=metrics,
        files={
            "model/model.json": {
                "kind": "forecast",
                "params": params.model_dump(mode="json"),
                "runs": [p["run_id"] for p in parts],
                "models": {i: model for p in parts for i, model in p["models"].items()},
            }
        },
    )
    version = context.services.registry.log_run(record)
    context.services.registry.promote(context.tenant, version)
    return {"metric": metric, **counts, "mase_median": metrics.get("mase_median"), "model_version": str(version)}
