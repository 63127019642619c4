"""Jobs: the list, one job with its progress and result, cancel, try again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api.routes.jobs import load, view
from api.web.page_route import PageRoute
from api.web.rendering import page
from api.web.shell import Visitor, is_partial, visitor
from core.errors import UserError
from core.ids import JobId
from core.principal import Role
from core.store import jobs
from core.store.jobs import Job
from nlq.understand import Understander
from workers.kinds import kind as kind_named
from workers.queue import cancel, enqueue

router = APIRouter(include_in_schema=False, route_class=PageRoute)
_TITLES: Mapping[str, str] = {
    "forecast": "Forecast", "detect": "Anything unusual", "explain": "What drove the change", "load_file": "Upload",
    "infer_catalog": "Catalog inference", "refresh_values": "Values of the catalog", "diagnose": "Diagnosis",
}  # fmt: skip
LISTED = 50


def title(job: Job) -> str:
    """What the job is about, in a few words."""
    name = _TITLES.get(job.kind, job.kind.replace("_", " ").capitalize())
    about = job.params.get("original_name") or (job.params.get("metric") or "").replace("_", " ")
    return f"{name}: {about}" if about else name


@router.get("/jobs")
async def job_list(request: Request, before: str = "") -> Response:
    at = await visitor(request, "jobs")
    sees_all = at.caller.has_role(Role.ADMIN, Role.ANALYST, Role.DATA_SCIENTIST)

    def read() -> tuple[Job, ...]:
        with at.services.store.read() as connection:
            return jobs.list_all(
                connection, at.caller.tenant, user=None if sees_all else at.caller.user, before_id=before[:64] or None, limit=LISTED
            )

    found = await run_in_threadpool(read)
    more = found[-1].id if len(found) == LISTED else None
    return page("jobs.html", v=at, items=[(title(job), job) for job in found], more=more, everybody=sees_all)


@router.get("/jobs/{job_id}")
async def job_page(request: Request, job_id: str) -> Response:
    at = await visitor(request, "jobs")
    job = await run_in_threadpool(load, at.services, at.caller, job_id)
    return page("job.html" if is_partial(request) else "job_page.html", v=at, **await _shown(at, job))


@router.post("/jobs/{job_id}/cancel")
async def cancel_job(request: Request, job_id: str) -> Response:
    at = await visitor(request)
    await run_in_threadpool(load, at.services, at.caller, job_id)
    job = await run_in_threadpool(cancel, at.services.core, at.caller.tenant, JobId(job_id))
    return await _after(request, at, job)


@router.post("/jobs/{job_id}/retry")
async def retry_job(request: Request, job_id: str) -> Response:
    """A new job with the same parameters; the old one stays as it is."""
    at = await visitor(request)
    old = await run_in_threadpool(load, at.services, at.caller, job_id)

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
        examples = await run_in_threadpool(_examples, at, str(job.params.get("dataset", "")))
    return {
        "job": view(job), "title": title(job), "steps": list(kind_named(job.kind).steps), "examples": examples,
        "cancelling": job.cancel_requested and not job.status.is_final,
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
    candidates = [*Understander(alone).examples(), f"how many {known.label} are there?"]
    now = at.services.clock.now()
    good = [q for q in dict.fromkeys(candidates) if visible.understander.understand(q, as_of=now).outcome == "answer"]
    return good[:5]
