"""Custom models: register, look at, promote, roll back, withdraw."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from api import schemas
from api.credentials import Caller
from api.model_views import brief, listed, log_of, slots_of, version_of, versions_of, whole
from api.paging import Cursor, PageSize, cut
from api.services import Services, services_of
from core.errors import TooLarge
from core.ids import new_id
from core.private import private_folder
from core.store.model_versions import StoredVersion
from models.names import parse_model_name
from workers.custom.accept import MAX_PACKAGE_BYTES, accept, require_registrar
from workers.custom.promotion import promote, rollback, withdraw

VersionNumber = Annotated[int, Field(ge=1, le=2**31 - 1)]
router = APIRouter(prefix="/v1/models", tags=["models"])
_CHUNK = 1 << 20


class PromoteBody(BaseModel):
    """revision: of the slot as you saw it (`revision` of a version); when somebody changed it since, nothing is done and you are told."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"note": "Knows our promotions.", "revision": 0}]})
    note: str = Field(default="", max_length=1000)
    revision: int | None = Field(default=None, ge=0, le=2**31 - 1)


class ReasonBody(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "Missed the summer sale."}]})
    reason: str = Field(default="", max_length=1000)


@router.get("", summary="Custom models, and which metrics they serve")
async def list_models(request: Request, caller: Caller) -> dict[str, Any]:
    services = services_of(request)
    items = await run_in_threadpool(listed, services, caller.tenant)
    return {"items": items, "serving": await run_in_threadpool(slots_of, services, caller.tenant)}


@router.post("", status_code=202, summary="Register a model: a package, as `querent models check` accepts it")
async def register(
    request: Request,
    response: Response,
    caller: Caller,
    file: UploadFile,
    sha256: Annotated[str | None, Form(pattern="^[0-9a-fA-F]{64}$")] = None,
) -> dict[str, Any]:
    """Nothing of it runs here. Its job checks it behind walls, compares it on real data and makes it a challenger, or refuses with reasons."""
    require_registrar(caller)
    services = services_of(request)
    draft = await keep_upload(services, file)
    version = await run_in_threadpool(lambda: accept(services.core, caller, draft, expected_sha256=sha256))
    response.headers["Location"] = f"/v1/jobs/{version.job_id}"
    return brief(version)


@router.get("/{name}", summary="A model's versions, newest first")
async def get_model(request: Request, name: str, caller: Caller, cursor: Cursor = None, limit: PageSize = 200) -> schemas.Page:
    services = services_of(request)
    found = await run_in_threadpool(versions_of, services, caller.tenant, name)
    return cut(found, lambda version: f"{version.version:09d}", brief, cursor=cursor, limit=limit, newest_first=True)


@router.get("/{name}/log", summary="Who did what to a model, with the evidence of that moment; newest first")
async def get_log(request: Request, name: str, caller: Caller, cursor: Cursor = None, limit: PageSize = 50) -> schemas.Page:
    services = services_of(request)
    items = await run_in_threadpool(lambda: log_of(services, caller.tenant, name, before_id=cursor, limit=limit))
    return schemas.Page(items=items, next=items[-1]["id"] if len(items) == limit else None)


@router.get("/{name}/versions/{version}", summary="One version: card, checks, backtest, gate, lineage, live error")
async def get_version(request: Request, name: str, version: VersionNumber, caller: Caller) -> dict[str, Any]:
    services = services_of(request)

    def read() -> dict[str, Any]:
        return whole(services, version_of(services, caller.tenant, name, version))

    return await run_in_threadpool(read)


@router.post("/{name}/versions/{version}/promote", summary="Make a challenger the champion; a second person must do it")
async def promote_version(request: Request, name: str, version: int, body: PromoteBody, caller: Caller) -> dict[str, Any]:
    services = services_of(request)

    def act() -> StoredVersion:
        parse_model_name(caller.tenant, name)
        return promote(services.core, caller, name, version, note=body.note, expected_revision=body.revision)

    return brief(await run_in_threadpool(act))


@router.post("/{name}/rollback", summary="Bring back what served before")
async def rollback_model(request: Request, name: str, body: ReasonBody, caller: Caller) -> dict[str, str]:
    """`serving`: who serves now."""
    services = services_of(request)

    def act() -> str:
        parse_model_name(caller.tenant, name)
        return rollback(services.core, caller, name, reason=body.reason)

    return {"serving": await run_in_threadpool(act)}


@router.delete("/{name}/versions/{version}", summary="Withdraw a version for good; its record stays")
async def withdraw_version(request: Request, name: str, version: VersionNumber, caller: Caller) -> dict[str, Any]:
    services = services_of(request)

    def act() -> StoredVersion:
        parse_model_name(caller.tenant, name)
        return withdraw(services.core, caller, name, version)

    return brief(await run_in_threadpool(act))


async def keep_upload(services: Services, file: UploadFile) -> Path:
    """The upload as a file that waits to be looked at. Raises: TooLarge."""
    draft = private_folder(services.uploads) / f"{new_id('mod')}.zip"
    size = 0
    try:
        with draft.open("xb") as sink:
            while chunk := await file.read(_CHUNK):
                size += len(chunk)
                if size > MAX_PACKAGE_BYTES:
                    raise TooLarge(f"A package has at most {MAX_PACKAGE_BYTES:,} bytes; this one is larger.", code="package_too_large")
                await run_in_threadpool(sink.write, chunk)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return draft
