"""The catalog: read, save with an expected version, history, diff, rollback; metrics; data uploads."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response, UploadFile
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from api import personal_data, schemas
from api.credentials import Caller
from api.definitions import formula
from api.learning import evaluate_later
from api.paging import NameCursor, PageSize, VersionCursor
from api.personal_data import DecisionsBody, PersonalField
from api.preconditions import IfMatch, refuse_changed
from api.rights import demand
from api.routes.jobs import IdempotencyKey, view
from api.services import Services, services_of
from core.errors import Invalid, NotFound, TooLarge
from core.ids import new_id
from core.principal import Principal
from core.private import private_folder
from core.rights import Right
from core.store import catalogs, datasets, jobs
from semantic.catalog.diff import diff
from semantic.catalog.model import Catalog
from semantic.catalog.versions import check
from semantic.catalog.yaml import dump_yaml, load_yaml
from workers.queue import enqueue

router = APIRouter(prefix="/v1", tags=["catalog"])
_CHUNK = 1024 * 1024
_NAME = re.compile(r"[^a-z0-9_]+")
_SUFFIXES = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".xlsx", ".csv.gz", ".jsonl.gz")

_AS_JSON_OR_YAML: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {"schema": {"type": "object"}} for kind in ("application/json", "application/yaml")}}
}


class CatalogText(schemas.In):
    """A whole catalog as YAML (or JSON, which is YAML). `expected_version` is the version that the edit was made from."""

    yaml: str = Field(min_length=1, max_length=5_000_000)
    expected_version: int | None = Field(default=None, ge=0, le=2**31 - 1)
    note: str = Field(default="", max_length=1_000)
    drop_rules: bool = Field(
        default=False, description="Take away rules and hidden parts that the catalog of now has and this one has not."
    )


@router.get("/catalog", summary="The catalog as you may see it", responses=_AS_JSON_OR_YAML)
async def get_catalog(
    request: Request, caller: Caller, format: Annotated[str, Query(pattern="^(json|yaml)$")] = "json", whole: bool = False
) -> Response:
    """`whole`: with the rules and what they hide, to be edited and put back; for those who may change the catalog."""
    services = services_of(request)
    if whole:
        demand(caller, Right.CATALOG, "The whole catalog is for those who may change it.")
        found = await run_in_threadpool(services.catalogs.full, caller.tenant)
    else:
        found = (await run_in_threadpool(services.catalogs.visible, caller)).catalog
    headers = {"ETag": f'"{found.version}"'}
    if format == "yaml":
        return Response(dump_yaml(found), media_type="application/yaml", headers=headers)
    return Response(found.model_dump_json(exclude_defaults=False), media_type="application/json", headers=headers)


@router.put("/catalog", summary="Validate and publish a new version")
async def put_catalog(request: Request, body: CatalogText, caller: Caller, if_match: IfMatch = None) -> dict[str, Any]:
    """If-Match takes the ETag of GET, which is the version in quotes; `expected_version` in the body says the same.

    What was read without `whole` has no rules: publishing it is refused (`rules_lost`) unless `drop_rules` says that it is meant.
    """
    services = services_of(request)

    def save() -> dict[str, Any]:
        catalog = checked(body.yaml)
        if not body.drop_rules:
            _refuse_lost(services, caller, catalog)
        new = catalogs.NewCatalog(
            document=catalog.model_dump(mode="json"), author=caller.user, note=body.note, expected_version=body.expected_version
        )
        with services.store.write() as connection:
            version = catalogs.current_version(connection, caller.tenant)
            refuse_changed(if_match, f'"{version}"' if version else None, {"version": version})
            if if_match is not None and new.expected_version is None:
                new = replace(new, expected_version=version)
            saved = catalogs.append(connection, caller.tenant, new, now=services.clock.now())
        evaluate_later(services, caller, saved.version)
        request.state.etag = f'"{saved.version}"'
        return {"version": saved.version, "note": saved.note, "created_at": saved.created_at}

    return await run_in_threadpool(save)


def _refuse_lost(services: Services, caller: Principal, new: Catalog) -> None:
    """Raises: Invalid when rules of now, or fields that the caller does not see, are not in `new`."""
    try:
        now, seen = services.catalogs.full(caller.tenant), services.catalogs.visible(caller).catalog
    except NotFound:
        return  # the first catalog
    shown = {(d.name, f.name) for d in seen.datasets for f in d.fields}
    kept = {(d.name, f.name) for d in new.datasets for f in d.fields}
    lost = [f"row policy {p.name}" for p in now.row_policies if p.name not in {q.name for q in new.row_policies}]
    rules = {(r.dataset, r.field, r.action) for r in new.column_rules}
    lost += [f"column rule on {r.dataset}.{r.field}" for r in now.column_rules if (r.dataset, r.field, r.action) not in rules]
    lost += [f"clearance of {c.role}" for c in now.clearances if c.role not in {d.role for d in new.clearances}]
    lost += [f"field {d.name}.{f.name}" for d in now.datasets for f in d.fields if (d.name, f.name) not in shown | kept]
    if lost:
        more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
        raise Invalid(
            f"This catalog leaves out what the one of now has: {', '.join(lost[:5])}{more}.",
            code="rules_lost",
            suggestions=("read it with whole=true, edit that", "send drop_rules: true when it is meant"),
        )


@router.post("/catalog/check", summary="Validate a catalog without saving it")
async def check_catalog(request: Request, body: CatalogText, caller: Caller) -> dict[str, Any]:
    services = services_of(request)

    def check() -> dict[str, Any]:
        catalog = checked(body.yaml)
        changes = [str(change) for change in diff(services.catalogs.full(caller.tenant), catalog)]
        return {"valid": True, "changes": changes}

    return await run_in_threadpool(check)


def checked(text: str) -> Catalog:
    """Raises: Invalid with the place and remedy of everything that is wrong."""
    catalog = load_yaml(text, source="catalog")
    check(catalog)
    return catalog


@router.get("/catalog/versions", summary="Versions, newest first")
async def versions(
    request: Request,
    caller: Caller,
    cursor: VersionCursor = None,
    limit: PageSize = 50,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1, deprecated=True, description="What `cursor` was called.")] = None,
) -> schemas.Page:
    services = services_of(request)

    def load() -> tuple[catalogs.CatalogNote, ...]:
        with services.store.read() as connection:
            return catalogs.history(connection, caller.tenant, before=cursor if cursor is not None else before, limit=limit)

    found = await run_in_threadpool(load)
    items = [
        {"version": n.version, "author": n.author, "note": n.note, "restored_from": n.restored_from, "created_at": n.created_at}
        for n in found
    ]
    return schemas.Page(items=items, next=str(found[-1].version) if len(found) == limit else None)


@router.get("/catalog/diff", summary="What changed between two versions")
async def catalog_diff(
    request: Request, caller: Caller, old: Annotated[int, Query(ge=1, le=2**31 - 1)], new: Annotated[int, Query(ge=1, le=2**31 - 1)]
) -> dict[str, Any]:
    book = services_of(request).catalogs

    def load() -> list[str]:
        return [str(change) for change in diff(book.full(caller.tenant, old), book.full(caller.tenant, new))]

    return {"old": old, "new": new, "changes": await run_in_threadpool(load)}


@router.post("/catalog/rollback", summary="Publish an old version again")
async def rollback(request: Request, caller: Caller, version: Annotated[int, Query(ge=1, le=2**31 - 1)]) -> dict[str, Any]:
    services = services_of(request)

    def act() -> catalogs.CatalogVersion:
        with services.store.write() as connection:
            restored = catalogs.rollback(connection, caller.tenant, version, author=caller.user, now=services.clock.now())
        evaluate_later(services, caller, restored.version)
        return restored

    saved = await run_in_threadpool(act)
    return {"version": saved.version, "restored_from": saved.restored_from}


@router.get("/catalog/personal-data", summary="Fields that seem to tell of persons")
async def list_personal(request: Request, caller: Caller) -> list[PersonalField]:
    """What inference found is first, with the data class that it proposes; above their clearance people see pseudonyms or nothing."""
    return await run_in_threadpool(personal_data.listed, services_of(request), caller)


@router.post("/catalog/personal-data", summary="Decide on fields that seem to tell of persons")
async def decide_personal(request: Request, body: DecisionsBody, caller: Caller) -> dict[str, int]:
    """Publishes a new version of the catalog."""
    return {"version": await run_in_threadpool(personal_data.decide, services_of(request), caller, body)}


@router.get("/metrics", summary="The metrics you may ask about")
async def metrics(request: Request, caller: Caller) -> dict[str, Any]:
    visible = await run_in_threadpool(services_of(request).catalogs.visible, caller)
    items = [
        {"name": m.name, "label": m.label, "description": m.description, "type": m.type, "unit": m.unit, "format": m.format,
         "synonyms": list(m.synonyms), "formula": formula(m, visible.catalog), "certified": m.certified}
        for m in visible.catalog.metrics if not m.hidden
    ]  # fmt: skip
    return {"items": items, "catalog_version": visible.catalog.version}


@router.get("/datasets", summary="Uploaded data")
async def list_datasets(request: Request, caller: Caller, cursor: NameCursor = None, limit: PageSize = 100) -> schemas.Page:
    services = services_of(request)

    def load() -> tuple[datasets.UploadedDataset, ...]:
        with services.store.read() as connection:
            return datasets.list_all(connection, caller.tenant, after=cursor or "", limit=limit)

    fields = (
        "id",
        "name",
        "table_name",
        "source",
        "status",
        "rows_loaded",
        "rows_rejected",
        "report",
        "job_id",
        "created_at",
        "updated_at",
    )
    found = await run_in_threadpool(load)
    items = [{name: getattr(d, name) for name in fields} for d in found]
    return schemas.Page(items=items, next=found[-1].name if len(found) == limit else None)


@router.post("/datasets", status_code=202, summary="Upload a file: CSV, JSON, JSONL, Parquet or Excel")
async def upload(
    request: Request,
    response: Response,
    caller: Caller,
    file: UploadFile,
    name: Annotated[str | None, Form(max_length=100)] = None,
    mode: Annotated[str, Form(pattern="^(replace|append)$")] = "replace",
    idempotency_key: IdempotencyKey = None,
) -> schemas.JobView:
    """The file is kept, then a job loads it: bad rows are set aside and reported, the catalog is inferred, and it can be asked at once."""
    services = services_of(request)
    original = file.filename or "data"
    suffix = next((s for s in sorted(_SUFFIXES, key=len, reverse=True) if original.lower().endswith(s)), None)
    if suffix is None:
        raise Invalid(f"Expected a file that ends in {', '.join(_SUFFIXES)}; found {original[-60:]!r}.", code="unknown_file_type")
    dataset = _NAME.sub("_", (name or original[: -len(suffix)]).lower()).strip("_")[:80]
    dataset = dataset if dataset and not dataset[0].isdigit() else f"data_{dataset}".rstrip("_")
    kept = f"{new_id('upl')}{suffix}"
    target = private_folder(services.uploads) / kept
    try:
        size = 0
        with target.open("xb") as sink:
            while chunk := await file.read(_CHUNK):
                size += len(chunk)
                if size > services.settings.max_upload_bytes:
                    raise TooLarge(f"At most {services.settings.max_upload_bytes:,} bytes can be uploaded; this file is larger.")
                await run_in_threadpool(sink.write, chunk)
        if size == 0:
            raise Invalid("The file is empty.", code="empty_file")
        params = {"upload": kept, "original_name": original[:400], "dataset": dataset, "mode": mode}
        job_id = await run_in_threadpool(enqueue, services.core, "load_file", params, caller, idempotency_key)
    except BaseException:  # also a state store that takes no job, and a client that leaves
        target.unlink(missing_ok=True)
        raise

    def load() -> jobs.Job:
        with services.store.read() as connection:
            return jobs.get(connection, caller.tenant, job_id)

    response.headers["Location"] = f"/v1/jobs/{job_id}"
    return view(await run_in_threadpool(load))
