"""Upload data, and what was uploaded before."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api.routes.catalog import upload
from api.web.page_route import PageRoute
from api.web.rendering import page
from api.web.shell import Visitor, visitor
from core.errors import Forbidden
from core.rights import Right, may
from core.store import datasets

router = APIRouter(include_in_schema=False, route_class=PageRoute)


async def analyst(request: Request) -> Visitor:
    at = await visitor(request, "data")
    if not may(at.caller, Right.DATA):
        raise Forbidden("Uploading data is for analysts and admins; ask one of them to load it.")
    return at


@router.get("/data")
async def data_page(request: Request) -> Response:
    at = await analyst(request)

    def load() -> tuple[datasets.UploadedDataset, ...]:
        with at.services.store.read() as connection:
            return datasets.list_all(connection, at.caller.tenant)

    limit = at.services.settings.max_upload_bytes
    return page("data.html", v=at, items=await run_in_threadpool(load), limit=limit)


@router.post("/data")
async def upload_page(
    request: Request,
    file: UploadFile,
    name: Annotated[str, Form(max_length=100)] = "",
    mode: Annotated[str, Form(pattern="^(replace|append)$")] = "replace",
) -> Response:
    """The upload without JavaScript; with it the page sends to /v1/datasets and shows progress."""
    at = await analyst(request)
    job = await upload(request, Response(), at.caller, file, name or None, mode, None)
    return RedirectResponse(f"/jobs/{job.id}", status_code=303)
