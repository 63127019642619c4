"""Proposals that came of feedback, verified questions, evaluations: for analysts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from api import learning, schemas
from api.credentials import Caller
from api.others_jobs import load
from api.paging import Cursor, PageSize
from api.routes.jobs import IdempotencyKey, view
from api.services import services_of
from core.store.evaluations import Evaluation
from core.store.proposals import Proposal, ProposalStatus
from semantic.query import SemanticQuery
from workers.queue import enqueue

router = APIRouter(prefix="/v1", tags=["learning"])


class DecisionBody(schemas.In):
    note: str = Field(default="", max_length=1_000)


class VerifiedBody(schemas.In):
    """A question and the query that answers it; the same words replace what was verified before."""

    question: str = Field(min_length=1, max_length=1_000)
    query: SemanticQuery
    note: str = Field(default="", max_length=1_000)


class EvaluationBody(schemas.In):
    """Which catalog version (default: the current one) against which (default: that of the last evaluation, else the one before)."""

    version: int | None = Field(default=None, ge=1, le=2**31 - 1)
    base: int | None = Field(default=None, ge=1, le=2**31 - 1)


def proposal(p: Proposal) -> dict[str, Any]:
    return {
        "id": p.id, "kind": p.kind, "summary": p.summary, "payload": dict(p.payload), "status": p.status, "voices": p.voices,
        "question_id": p.question_id, "note": p.note, "catalog_version": p.catalog_version, "created_at": p.created_at, "decided_at": p.decided_at,
    }  # fmt: skip


def evaluation(e: Evaluation, *, whole: bool) -> dict[str, Any]:
    brief = {
        "id": e.id, "job_id": e.job_id, "catalog_version": e.catalog_version, "base_version": e.base_version, "questions": e.questions,
        "regressions": e.regressions, "created_at": e.created_at,
    }  # fmt: skip
    return {**brief, "report": dict(e.report)} if whole else brief


@router.get("/proposals", summary="What feedback proposes for the catalog, newest first")
async def list_proposals(request: Request, caller: Caller, status: ProposalStatus | None = None, cursor: Cursor = None) -> schemas.Page:
    found = await run_in_threadpool(learning.list_proposals, services_of(request), caller, status, cursor)
    return schemas.Page(items=[proposal(p) for p in found], next=found[-1].id if len(found) == 100 else None)


@router.post("/proposals/{key}/approve", summary="Publish a catalog version with the proposal in it")
async def approve(request: Request, key: str, caller: Caller, body: DecisionBody | None = None) -> dict[str, Any]:
    """The verified questions are run again afterwards; see /v1/evaluations."""
    note = body.note if body else ""
    return proposal(await run_in_threadpool(lambda: learning.approve(services_of(request), caller, key, note=note)))


@router.post("/proposals/{key}/reject", summary="Decline a proposal; it does not come back")
async def reject(request: Request, key: str, caller: Caller, body: DecisionBody | None = None) -> dict[str, Any]:
    note = body.note if body else ""
    return proposal(await run_in_threadpool(lambda: learning.reject(services_of(request), caller, key, note=note)))


@router.get("/verified", summary="Verified questions")
async def list_verified(request: Request, caller: Caller) -> dict[str, Any]:
    catalog = await run_in_threadpool(services_of(request).catalogs.full, caller.tenant)
    return {"items": [v.model_dump(mode="json", exclude_none=True) for v in catalog.verified], "catalog_version": catalog.version}


@router.post("/verified", status_code=201, summary="Verify a question")
async def verify(request: Request, caller: Caller, body: VerifiedBody) -> dict[str, Any]:
    services = services_of(request)
    saved = await run_in_threadpool(lambda: learning.verify_question(services, caller, body.question, body.query, note=body.note))
    return {"question": body.question, "catalog_version": saved.version}


@router.delete("/verified", summary="Take a question off the verified ones")
async def forget(request: Request, caller: Caller, question: Annotated[str, Query(min_length=1, max_length=1_000)]) -> dict[str, Any]:
    saved = await run_in_threadpool(lambda: learning.forget_question(services_of(request), caller, question))
    return {"question": question, "catalog_version": saved.version}


@router.post("/evaluations", status_code=202, summary="Run the verified questions again and compare")
async def evaluate(
    request: Request, response: Response, caller: Caller, body: EvaluationBody | None = None, idempotency_key: IdempotencyKey = None
) -> schemas.JobView:
    services = services_of(request)
    params = (body or EvaluationBody()).model_dump()
    job_id = await run_in_threadpool(enqueue, services.core, "evaluate_questions", params, caller, idempotency_key)
    response.headers["Location"] = f"/v1/jobs/{job_id}"
    return view(await run_in_threadpool(load, services, caller, job_id))


@router.get("/evaluations", summary="Evaluations, newest first")
async def list_evaluations(request: Request, caller: Caller, cursor: Cursor = None, limit: PageSize = 50) -> schemas.Page:
    found = await run_in_threadpool(lambda: learning.list_evaluations(services_of(request), caller.tenant, before_id=cursor, limit=limit))
    return schemas.Page(items=[evaluation(e, whole=False) for e in found], next=found[-1].id if len(found) == limit else None)


@router.get("/evaluations/{key}", summary="One evaluation, question by question")
async def get_evaluation(request: Request, key: str, caller: Caller) -> dict[str, Any]:
    return evaluation(await run_in_threadpool(learning.get_evaluation, services_of(request), caller.tenant, key), whole=True)
