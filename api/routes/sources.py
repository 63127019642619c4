"""Sources: where a company's data comes from, refreshed by workers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api import schemas, sources
from api.credentials import Caller
from api.investigations import job_link
from api.paging import Cursor, PageSize
from api.preconditions import IfMatch, tagged
from api.services import services_of
from core.store import sources as kept
from workers.sources.spec import SourceBody

router = APIRouter(prefix="/v1/sources", tags=["sources"])


@router.get("", summary="Sources, by name")
async def list_sources(
    request: Request,
    caller: Caller,
    cursor: Annotated[str, Query(max_length=200)] = "",
    limit: PageSize = 100,
) -> schemas.Page:
    services = services_of(request)

    def read() -> schemas.Page:
        with services.store.read() as connection:
            found = kept.list_all(connection, caller.tenant, after=cursor, limit=limit)
        return schemas.Page(items=[sources.view(s) for s in found], next=found[-1].name if len(found) == limit else None)

    return await run_in_threadpool(read)


@router.post("", status_code=201, summary="Declare a source")
async def declare_source(request: Request, response: Response, body: SourceBody, caller: Caller) -> dict[str, Any]:
    """Secrets are stored encrypted and never shown. With `every_minutes` the first run starts within a minute; else run it."""
    services = services_of(request)
    made = await run_in_threadpool(sources.declare, services, caller, body)
    response.headers["Location"] = f"/v1/sources/{made.id}"
    return tagged(request, sources.etag(made), sources.view(made))


@router.post("/test", summary="The columns that a source would bring")
async def probe_new(request: Request, body: SourceBody, caller: Caller) -> dict[str, Any]:
    return {"columns": await run_in_threadpool(sources.probe, services_of(request), caller, body)}


@router.get("/{source_id}", summary="One source, its lineage and last run")
async def get_source(request: Request, source_id: str, caller: Caller) -> dict[str, Any]:
    services = services_of(request)
    found = await run_in_threadpool(sources.found, services, caller, source_id)
    return tagged(request, sources.etag(found), await run_in_threadpool(sources.load, services, caller, source_id))


@router.put("/{source_id}", summary="Change a source; secrets that are left out stay")
async def change_source(request: Request, source_id: str, body: SourceBody, caller: Caller, if_match: IfMatch = None) -> dict[str, Any]:
    made = await run_in_threadpool(sources.change, services_of(request), caller, source_id, body, expected=if_match)
    return tagged(request, sources.etag(made), sources.view(made))


@router.delete("/{source_id}", status_code=204, summary="Remove a source; its table stays")
async def remove_source(request: Request, source_id: str, caller: Caller, if_match: IfMatch = None) -> Response:
    await run_in_threadpool(sources.remove, services_of(request), caller, source_id, expected=if_match)
    return Response(status_code=204)


@router.post("/{source_id}/test", summary="Test a source's connection as it is")
async def probe_source(request: Request, source_id: str, caller: Caller) -> dict[str, Any]:
    services = services_of(request)
    body = await run_in_threadpool(sources.stored, services, caller, source_id)
    return {"columns": await run_in_threadpool(sources.probe, services, caller, body)}


@router.post("/{source_id}/run", status_code=202, summary="Refresh a source now")
async def run_source(request: Request, response: Response, source_id: str, caller: Caller, full: bool = False) -> schemas.JobLink:
    """`full` takes all rows anew, also of an incremental source."""
    job = await run_in_threadpool(lambda: sources.start(services_of(request), caller, source_id, full=full))
    link = job_link(job, "refresh_source")
    response.headers["Location"] = link.href
    return link


@router.get("/{source_id}/runs", summary="What its runs brought, newest first")
async def list_runs(
    request: Request,
    source_id: str,
    caller: Caller,
    cursor: Cursor = None,
    limit: PageSize = 50,
) -> schemas.Page:
    services = services_of(request)

    def read() -> schemas.Page:
        with services.store.read() as connection:
            found = kept.runs(connection, caller.tenant, source_id, before_id=cursor, limit=limit)
        return schemas.Page(items=[sources.run_view(r) for r in found], next=found[-1].id if len(found) == limit else None)

    return await run_in_threadpool(read)
