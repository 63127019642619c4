"""Custom models: the list, one model with its versions, cards, checks, backtests and log; register, promote, roll back, withdraw."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api.model_views import brief, listed, log_of, people_of, slots_of, version_of, versions_of, whole
from api.routes.models import keep_upload
from api.web.model_chart import backtest_chart
from api.web.page_route import PageRoute
from api.web.rendering import page
from api.web.shell import Visitor, visitor
from core.errors import Forbidden
from core.rights import Right, may
from models.names import parse_model_name
from workers.custom.accept import MAX_PACKAGE_BYTES, accept, require_registrar
from workers.custom.promotion import promote, rollback, withdraw

TOTAL = "total"  # as series are called by workers.jobs.series

router = APIRouter(include_in_schema=False, route_class=PageRoute)
TONES = {"champion": "good", "challenger": "good", "refused": "bad", "checking": "", "previous": "", "retired": "", "withdrawn": ""}
_DIFFED = ("metric", "grains", "min_history", "horizon", "licence", "entry", "seed", "format", "requirements", "description", "owner")


async def modeller(request: Request) -> Visitor:
    at = await visitor(request, "models")
    if not may(at.caller, Right.MODELS_READ):
        raise Forbidden("Models are for data scientists, analysts and admins.")
    return at


@router.get("/models")
async def model_list(request: Request) -> Response:
    at = await modeller(request)
    items = await run_in_threadpool(listed, at.services, at.caller.tenant)
    serving = await run_in_threadpool(slots_of, at.services, at.caller.tenant)
    return page(
        "models.html", v=at, items=items, serving=serving, may_register=may(at.caller, Right.MODELS), limit=MAX_PACKAGE_BYTES, tones=TONES
    )


@router.post("/models")
async def register(request: Request, file: UploadFile) -> Response:
    at = await modeller(request)
    require_registrar(at.caller)
    draft = await keep_upload(at.services, file)
    version = await run_in_threadpool(accept, at.services.core, at.caller, draft)
    return RedirectResponse(f"/jobs/{version.job_id}", status_code=303)


@router.get("/models/{name}")
async def model_page(request: Request, name: str, version: int | None = None) -> Response:
    at = await modeller(request)
    return page("model.html", v=at, **await run_in_threadpool(_shown, at, name, version))


@router.post("/models/{name}/promote")
async def promote_page(
    request: Request,
    name: str,
    version: Annotated[int, Form(ge=1)],
    revision: Annotated[int, Form(ge=0)],
    note: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    at = await modeller(request)

    def act() -> None:
        parse_model_name(at.caller.tenant, name)
        promote(at.services.core, at.caller, name, version, note=note, expected_revision=revision)

    await run_in_threadpool(act)
    return RedirectResponse(f"/models/{name}?version={version}", status_code=303)


@router.post("/models/{name}/rollback")
async def rollback_page(request: Request, name: str, reason: Annotated[str, Form(max_length=1000)] = "") -> Response:
    at = await modeller(request)

    def act() -> None:
        parse_model_name(at.caller.tenant, name)
        rollback(at.services.core, at.caller, name, reason=reason)

    await run_in_threadpool(act)
    return RedirectResponse(f"/models/{name}", status_code=303)


@router.post("/models/{name}/withdraw")
async def withdraw_page(request: Request, name: str, version: Annotated[int, Form(ge=1)]) -> Response:
    at = await modeller(request)

    def act() -> None:
        parse_model_name(at.caller.tenant, name)
        withdraw(at.services.core, at.caller, name, version)

    await run_in_threadpool(act)
    return RedirectResponse(f"/models/{name}?version={version}", status_code=303)


def _shown(at: Visitor, name: str, number: int | None) -> dict[str, Any]:
    tenant = at.caller.tenant
    versions = versions_of(at.services, tenant, name)
    chosen = version_of(at.services, tenant, name, number) if number is not None else versions[0]
    shown = whole(at.services, chosen)
    runs = list((chosen.backtest or {}).get("runs", []))
    before = next((other for other in versions if other.version < chosen.version), None)
    return {
        "m": shown,
        "versions": [brief(version) for version in versions],
        "people": people_of(at.services, tenant, [version.created_by for version in versions]),
        "runs": [
            {**run, "chart": backtest_chart(run), "series": [{**s, "label": _label(s["series_id"])} for s in run.get("series", ())]}
            for run in runs
        ],
        "changes": _changes(before.card, chosen.card) if before else [],
        "before": before.version if before else None,
        "log": log_of(at.services, tenant, name),
        "may": may(at.caller, Right.MODELS),
        "own": chosen.created_by == at.caller.user,
        "tones": TONES,
    }


def _changes(old: Any, new: Any) -> list[tuple[str, str, str]]:
    """(field, before, now) of what the cards say differently."""
    return [(name.replace("_", " "), _said(old.get(name)), _said(new.get(name))) for name in _DIFFED if old.get(name) != new.get(name)]


def _label(series_id: str) -> str:
    """A segment's values are kept as a JSON list."""
    if series_id == TOTAL:
        return "All together"
    try:
        values = json.loads(series_id)
    except ValueError:
        return series_id
    return _said(values)


def _said(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
