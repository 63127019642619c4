"""Jobs: state, events as a resumable stream, cancel; and what starts forecasts, detections and explanations."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from api import schemas
from api.credentials import Caller, while_admitted
from api.heartbeats import next_heartbeat_s
from api.investigations import job_params
from api.others_jobs import load, shown
from api.paging import Cursor, PageSize
from api.services import Services, services_of
from api.study_view import with_view
from core.errors import Invalid
from core.ids import JobId
from core.principal import Principal
from core.rights import Right, may
from core.store import job_events, job_turns, jobs
from core.store.jobs import Job, JobStatus
from core.timeseries import Grain
from semantic.expr import FieldRef
from semantic.query import ByField, ByTime, MetricRef, SemanticQuery
from workers.queue import cancel, enqueue

router = APIRouter(prefix="/v1", tags=["jobs"])
IdempotencyKey = Annotated[str | None, Header(max_length=200)]


def view(job: Job, waiting_behind: int | None = None) -> schemas.JobView:
    return schemas.JobView(
        id=job.id, kind=job.kind, status=job.status.value, progress=round(job.progress, 4), step=job.step, attempts=job.attempts,
        params=dict(job.params), result=with_view(job.kind, job.result), error=dict(job.error) if job.error is not None else None,
        created_at=job.created_at, started_at=job.started_at, finished_at=job.finished_at,
        waiting_behind=waiting_behind,
    )  # fmt: skip


def placed(services: Services, job: Job) -> schemas.JobView:
    """The job with its place in its company's line."""
    if job.status is not JobStatus.PENDING:
        return view(job)
    with services.store.read() as connection:
        return view(job, job_turns.ahead(connection, job, now=services.clock.now()))


@router.get("/jobs", summary="Jobs, newest first")
async def list_jobs(
    request: Request,
    caller: Caller,
    kind: Annotated[str | None, Query(max_length=40)] = None,
    status: JobStatus | None = None,
    cursor: Cursor = None,
    limit: PageSize = 50,
) -> schemas.Page:
    services = services_of(request)

    def read() -> tuple[Job, ...]:
        user = None if may(caller, Right.JOBS) else caller.user
        with services.store.read() as connection:
            found = jobs.list_all(connection, caller.tenant, user=user, kind=kind, status=status, before_id=cursor, limit=limit)
        return shown(services, caller, found)

    found = await run_in_threadpool(read)
    items = [view(job).model_dump(mode="json", exclude={"result"}) for job in found]
    return schemas.Page(items=items, next=found[-1].id if len(found) == limit else None)


@router.get("/jobs/{job_id}", summary="One job")
async def get_job(request: Request, job_id: str, caller: Caller) -> schemas.JobView:
    services = services_of(request)
    return await run_in_threadpool(lambda: placed(services, load(services, caller, job_id)))


@router.post("/jobs/{job_id}/cancel", summary="Stop a job")
async def cancel_job(request: Request, job_id: str, caller: Caller) -> schemas.JobView:
    services = services_of(request)
    await run_in_threadpool(load, services, caller, job_id, figures=False)
    await run_in_threadpool(cancel, services.core, caller.tenant, JobId(job_id))
    return view(await run_in_threadpool(load, services, caller, job_id, figures=False))


@router.get("/jobs/{job_id}/events", summary="A job's progress as server-sent events", response_class=StreamingResponse)
async def events(
    request: Request,
    job_id: str,
    caller: Caller,
    last_event_id: Annotated[int, Header(ge=0, le=2**31 - 1)] = 0,
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
) -> StreamingResponse:
    """Each event has an id; a client that comes back with Last-Event-ID goes on after it. Ends after the final status."""
    services = services_of(request)
    await run_in_threadpool(load, services, caller, job_id)
    stream = _stream(services, caller, JobId(job_id), max(last_event_id, after))
    followed = while_admitted(request, stream, lambda now: load(services, now, job_id))
    return StreamingResponse(followed, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _stream(services: Services, caller: Principal, job_id: JobId, after: int) -> AsyncGenerator[str, None]:
    yield "retry: 1000\n\n"
    while True:
        found, job, newest = await run_in_threadpool(_since, services, caller, job_id, after)
        for event in found:
            after = event.sequence
            yield f"id: {event.sequence}\nevent: {event.kind}\ndata: {json.dumps(dict(event.data), default=str)}\n\n"
        if found:
            continue
        if job.status.is_final:
            yield f"event: end\ndata: {json.dumps({'status': job.status.value})}\n\n"
            return
        while await services.job_watch.other_than(newest, job_id, next_heartbeat_s()) is None:
            yield ": still here\n\n"


def _since(services: Services, caller: Principal, job_id: JobId, after: int) -> tuple[tuple[job_events.JobEvent, ...], Job, int]:
    """Events after that one, the job, and the number of its newest event."""
    with services.store.read() as connection:
        found, job = job_events.after(connection, caller.tenant, job_id, after), jobs.get(connection, caller.tenant, job_id)
        return found, job, job_events.latest(connection, [job_id])[job_id]


@router.post("/detections", status_code=202, summary="Find what was unusual in a metric's history")
async def detection(
    request: Request, response: Response, body: schemas.DetectRequest, caller: Caller, idempotency_key: IdempotencyKey = None
) -> schemas.JobView:
    more = {} if body.sensitivity is None else {"false_alarms_per_year": body.sensitivity}
    query = series_query(body.metric, body.by, body.grain)
    return await _start(request, response, caller, "detect", query, idempotency_key, more=more)


@router.post("/insights", status_code=202, summary="Explain why a metric changed")
async def insight(
    request: Request, response: Response, body: schemas.ExplainRequest, caller: Caller, idempotency_key: IdempotencyKey = None
) -> schemas.JobView:
    return await _start(
        request, response, caller, "explain", body.query or SemanticQuery(metrics=(MetricRef(metric=body.metric),)), idempotency_key
    )


@router.post("/insights/scan", status_code=202, summary="Anything one should know of the last complete period")
async def scan(
    request: Request, response: Response, body: schemas.ScanRequest, caller: Caller, idempotency_key: IdempotencyKey = None
) -> schemas.JobView:
    services = services_of(request)

    def start() -> Job:
        catalog = services.catalogs.visible(caller).catalog
        for name in body.metrics:
            catalog.metric(name)
        job_id = enqueue(services.core, "scan", body.model_dump(mode="json"), caller, idempotency_key)
        with services.store.read() as connection:
            return jobs.get(connection, caller.tenant, job_id)

    job = await run_in_threadpool(start)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return view(job)


async def _start(
    request: Request,
    response: Response,
    caller: Principal,
    kind: str,
    query: SemanticQuery,
    key: str | None,
    *,
    horizon_steps: int | None = None,
    more: Mapping[str, object] | None = None,
) -> schemas.JobView:
    services = services_of(request)

    def start() -> Job:
        catalog = services.catalogs.visible(caller).catalog
        params = {**job_params(kind, query, catalog, horizon_steps), **(more or {})}
        job_id = enqueue(services.core, kind, params, caller, key)
        with services.store.read() as connection:
            return jobs.get(connection, caller.tenant, job_id)

    job = await run_in_threadpool(start)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return view(job)


def series_query(metric: str, by: str | None, grain: str) -> SemanticQuery:
    groups: list[ByField | ByTime] = [ByTime(grain=Grain(grain))]
    if by is not None:
        dataset, dot, field = by.partition(".")
        if not dot:
            raise Invalid(f"`by` must be dataset.field; found {by[:60]!r}.", code="bad_field", path="/by")
        groups.insert(0, ByField(field=FieldRef(dataset=dataset, field=field)))
    return SemanticQuery(metrics=(MetricRef(metric=metric),), by=tuple(groups))
