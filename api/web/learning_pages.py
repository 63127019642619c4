"""What was learnt: proposals to decide, verified questions, and evaluations of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api import learning
from api.web.page_route import PageRoute
from api.web.rendering import page
from api.web.shell import Visitor, visitor
from core.errors import Forbidden, NotFound
from semantic.catalog.model import VerifiedQuestion
from workers.queue import enqueue

router = APIRouter(include_in_schema=False, route_class=PageRoute)
DECIDED_SHOWN = 20


@router.get("/evaluation")
async def evaluation_page(request: Request) -> Response:
    at = await _analyst(request)
    proposals = await run_in_threadpool(learning.list_proposals, at.services, at.caller)
    runs = await run_in_threadpool(learning.list_evaluations, at.services, at.caller.tenant)
    verified = await run_in_threadpool(_verified, at)
    return page(
        "evaluation.html", v=at, waiting=[p for p in proposals if p.status == "open"],
        decided=[p for p in proposals if p.status != "open"][:DECIDED_SHOWN], runs=runs, latest=runs[0] if runs else None, verified=verified,
    )  # fmt: skip


@router.get("/evaluation/{key}")
async def one_evaluation(request: Request, key: str) -> Response:
    at = await _analyst(request)
    found = await run_in_threadpool(learning.get_evaluation, at.services, at.caller.tenant, key)
    return page("evaluation_run.html", v=at, run=found)


@router.post("/evaluation/run")
async def run(request: Request) -> Response:
    at = await _analyst(request)
    job = await run_in_threadpool(enqueue, at.services.core, "evaluate_questions", {}, at.caller)
    return RedirectResponse(f"/jobs/{job}", status_code=303)


@router.post("/evaluation/proposals/{key}")
async def decide(request: Request, key: str, act: Annotated[str, Form(pattern="^(approve|reject)$")]) -> Response:
    at = await _analyst(request)
    await run_in_threadpool(learning.approve if act == "approve" else learning.reject, at.services, at.caller, key)
    return RedirectResponse("/evaluation", status_code=303)


@router.post("/evaluation/forget")
async def forget(request: Request, question: Annotated[str, Form(min_length=1, max_length=1_000)]) -> Response:
    at = await _analyst(request)
    await run_in_threadpool(learning.forget_question, at.services, at.caller, question)
    return RedirectResponse("/evaluation", status_code=303)


def _verified(at: Visitor) -> tuple[VerifiedQuestion, ...]:
    try:
        return at.services.catalogs.full(at.caller.tenant).verified
    except NotFound:
        return ()


async def _analyst(request: Request) -> Visitor:
    at = await visitor(request, "evaluation")
    if not at.is_analyst:
        raise Forbidden("Proposals and evaluations are for analysts.", code="role_missing")
    return at
