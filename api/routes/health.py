"""Whether the process lives, whether it can serve, and its numbers."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool

from api.services import services_of
from core.errors import AppError

router = APIRouter(tags=["operations"])


@router.get("/healthz", summary="The process answers")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/readyz", summary="The process and what it needs answer")
async def readyz(request: Request) -> JSONResponse:
    """Says of each part whether it answers; 503 when one does not."""
    services = services_of(request)
    parts: dict[str, str] = {}
    for name in ("state", "warehouse"):
        try:
            await (run_in_threadpool(services.store.ping) if name == "state" else services.core.warehouse.ping())
            parts[name] = "ok"
        except AppError as error:
            parts[name] = error.code
    ready = all(state == "ok" for state in parts.values())
    return JSONResponse({"status": "ok" if ready else "unavailable", "parts": parts}, status_code=200 if ready else 503)


@router.get("/metrics", summary="Prometheus metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """This process's counters, and the state of jobs and messages of the whole installation."""
    services = services_of(request)
    text = await run_in_threadpool(lambda: generate_latest() + generate_latest(services.state_metrics))
    return Response(text, media_type=CONTENT_TYPE_LATEST)
