"""Jobs: the list, one job with its progress and result, cancel, try again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api.others_jobs import load, may_again, refuse_again, shown
from api.routes.jobs import placed
from api.web.incident_pages import people
from api.web.page_route import PageRoute
from api.web.rendering import page
from api.web.shell import Visitor, is_partial, visitor
from core.errors import UserError
from core.ids import JobId
from core.rights import Right, may
from core.store import job_events, jobs
from core.store.jobs import Job, JobStatus
from insights.wording import count, figure, percent
from nlq.understand import Understander
from workers.kinds import kind as kind_named
from workers.queue import cancel, enqueue

router = APIRouter(include_in_schema=False, route_class=PageRoute)
_TITLES: Mapping[str, str] = {
    "forecast": "Forecast", "forecast_batch": "Forecasts of many series", "forecast_part": "A batch's forecasts", "score_forecasts": "Forecasts scored",
    "detect": "Anything unusual", "explain": "What drove the change", "load_file": "Upload",
    "infer_catalog": "Catalog inference", "refresh_values": "Values of the catalog", "diagnose": "Diagnosis",
    "evaluate_rules": "Alert rules", "scan": "Anything one should know", "preview_rule": "Preview of an alert rule",
    "register_model": "Registration of a model", "shadow_models": "Shadow runs of models", "watch_models": "Watch over models",
    "mirror_models": "Models in MLflow",
}  # fmt: skip
_STATES: Mapping[str, tuple[str, JobStatus | None]] = {
    "": ("All", None), "running": ("Running", JobStatus.RUNNING), "pending": ("Waiting", JobStatus.PENDING),
    "failed": ("Failed", JobStatus.FAILED), "done": ("Done", JobStatus.DONE), "cancelled": ("Cancelled", JobStatus.CANCELLED),
}  # fmt: skip
_STEPS: Mapping[str, str] = {
    "fetch": "get the figures", "fit": "compare models", "write": "say what it means", "register": "keep the result", "plan": "choose the series",
    "score": "judge the figures", "explain": "look for reasons", "evaluate": "look at the rules", "scan": "look for what is unusual",
    "read file": "read the file", "infer catalog": "complete the catalog", "issue": "put it together", "infer": "find out what columns mean",
    "load": "load the rows", "copy": "copy the rows", "catalog": "update the catalog",
    "backtest": "compare on past data", "shadow": "run beside what serves",
}  # fmt: skip
LISTED = 50
EXAMPLES = 5  # questions about what was loaded


@dataclass(frozen=True, slots=True)
class JobRow:
    """who: empty for a page that shows one's own jobs only. again: whether the visitor may start it again."""

    title: str
    job: Job
    who: str
    took: str
    again: bool


def _took(job: Job, now: dt.datetime) -> str:
    if job.started_at is None:
        return ""
    seconds = ((job.finished_at or now) - job.started_at).total_seconds()
    return f"{figure(seconds, 1 if seconds < 10 else 0)} s" if seconds < 120 else f"{figure(seconds / 60)} min"


def _log(at: Visitor, job: Job) -> list[tuple[dt.datetime, str]]:
    """What happened to the job, in words."""
    with at.services.store.read() as connection:
        events = job_events.after(connection, at.caller.tenant, job.id, 0, limit=300)
    lines: list[tuple[dt.datetime, str]] = []
    steps = _steps(job)
    for event in events:
        data = event.data
        if event.kind == "note":
            text = str(data.get("message", ""))
        elif event.kind == "status":
            text = str(data.get("status", "")).capitalize() + (f": {data['message']}" if data.get("message") else "")
        else:
            done = f", {count(data['done'])} of {count(data['total'])}" if data.get("total") else ""
            step = str(data.get("step", ""))
            text = f"{steps.get(step, step).capitalize()}{done} ({percent(float(data.get('progress') or 0))})"
        if text and (not lines or lines[-1][1] != text):
            lines.append((event.at, text))
    return lines


def _steps(job: Job) -> dict[str, str]:
    """Its steps in order, each in words."""
    return {step: _STEPS.get(step, step) for step in kind_named(job.kind).steps}


def _labels(at: Visitor) -> Mapping[str, str]:
    """Of the metrics that the visitor sees."""
    try:
        return {m.name: m.label for m in at.services.catalogs.visible(at.caller).catalog.metrics}
    except UserError:
        return {}


def title(job: Job, labels: Mapping[str, str]) -> str:
    """What the job is about, in a few words. labels: of metrics."""
    name = _TITLES.get(job.kind, job.kind.replace("_", " ").capitalize())
    metric = str(job.params.get("metric") or "")
    about = job.params.get("original_name") or labels.get(metric, metric.replace("_", " "))
    return f"{name}: {about}" if about else name


@router.get("/jobs")
async def job_list(request: Request, before: str = "", state: str = "") -> Response:
    """The rows alone for htmx, which asks again while something runs."""
    at = await visitor(request, "jobs")
    sees_all = may(at.caller, Right.JOBS)
    chosen = state if state in _STATES else ""

    def read() -> tuple[Job, ...]:
        with at.services.store.read() as connection:
            found = jobs.list_all(
                connection, at.caller.tenant, user=None if sees_all else at.caller.user, status=_STATES[chosen][1],
                before_id=before[:64] or None, limit=LISTED,
            )  # fmt: skip
        return shown(at.services, at.caller, found)

    found = await run_in_threadpool(read)
    names = await run_in_threadpool(people, at) if sees_all else {}
    labels = await run_in_threadpool(_labels, at)
    return page(
        "job_rows.html" if is_partial(request) else "jobs.html",
        v=at,
        items=[
            JobRow(
                title(job, labels), job, names.get(job.user or "", ""), _took(job, at.services.clock.now()), may_again(at.caller, job.kind)
            )
            for job in found
        ],
        more=found[-1].id if len(found) == LISTED else None,
        everybody=sees_all,
        states={key: label for key, (label, _) in _STATES.items()},
        chosen=chosen,
        before=before[:64],
        busy=any(not job.status.is_final for job in found),
    )


@router.get("/jobs/{job_id}")
async def job_page(request: Request, job_id: str) -> Response:
    at = await visitor(request, "jobs")
    job = await run_in_threadpool(load, at.services, at.caller, job_id)
    return page("job.html" if is_partial(request) else "job_page.html", v=at, **await _shown(at, job))


@router.post("/jobs/{job_id}/cancel")
async def cancel_job(request: Request, job_id: str) -> Response:
    at = await visitor(request)
    await run_in_threadpool(load, at.services, at.caller, job_id, figures=False)
    await run_in_threadpool(cancel, at.services.core, at.caller.tenant, JobId(job_id))
    job = await run_in_threadpool(load, at.services, at.caller, job_id, figures=False)
    return await _after(request, at, job)


@router.post("/jobs/{job_id}/retry")
async def retry_job(request: Request, job_id: str) -> Response:
    """A new job with the same parameters; the old one stays as it is."""
    at = await visitor(request)
    old = await run_in_threadpool(load, at.services, at.caller, job_id)
    refuse_again(at.caller, old.kind)

    def start() -> Job:
        new = enqueue(at.services.core, old.kind, old.params, at.caller)
        with at.services.store.read() as connection:
            return jobs.get(connection, at.caller.tenant, new)

    return await _after(request, at, await run_in_threadpool(start))


async def _after(request: Request, at: Visitor, job: Job) -> Response:
    if not is_partial(request):
        return RedirectResponse(f"/jobs/{job.id}", status_code=303)
    return page("job.html", v=at, **await _shown(at, job))


async def _shown(at: Visitor, job: Job) -> dict[str, Any]:
    examples: list[str] = []
    if job.kind == "load_file" and job.result:
        made = [str(table["table"]) for table in job.result.get("tables") or []][:EXAMPLES]
        found = [await run_in_threadpool(_examples, at, table) for table in made]
        examples = [question for some in found for question in some[: EXAMPLES // len(found)]]
    return {
        "log": await run_in_threadpool(_log, at, job), "took": _took(job, at.services.clock.now()),
        "job": await run_in_threadpool(placed, at.services, job), "title": title(job, await run_in_threadpool(_labels, at)), "steps": _steps(job), "examples": examples,
        "cancelling": job.cancel_requested and not job.status.is_final, "again": may_again(at.caller, job.kind),
    }  # fmt: skip


def _examples(at: Visitor, dataset: str) -> list[str]:
    """Questions about the data that was just loaded: those that the parser itself answers from it."""
    try:
        visible = at.services.catalogs.visible(at.caller)
        known = next(d for d in visible.catalog.datasets if d.name == dataset or d.table == dataset)
    except (UserError, StopIteration):
        return []
    alone = visible.catalog.model_copy(update={
        "datasets": (known,), "relationships": (), "hierarchies": (), "verified": (), "glossary": (),
        "entities": tuple(e for e in visible.catalog.entities if e.dataset == known.name),
        "metrics": tuple(m for m in visible.catalog.metrics if m.type == "simple" and m.dataset == known.name),
        "segments": (), "row_policies": (), "column_rules": (),
    })  # fmt: skip
    # A file may end years ago: "this year" would find nothing in it.
    found = [text.removesuffix(" this year").removesuffix(" last quarter") for text in Understander(alone).examples()]
    candidates = [*found, f"how many {known.label} are there?"]
    now = at.services.clock.now()
    good = [q for q in dict.fromkeys(candidates) if visible.understander.understand(q, as_of=now).outcome == "answer"]
    return good[:EXAMPLES]
