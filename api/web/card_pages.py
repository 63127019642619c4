"""One metric card at a time, and what opens when a metric is chosen: its last twelve months."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api import answering, schemas
from api.goals import GoalCard, goal_cards
from api.leaving import until_gone
from api.web.cards import Card, card, card_query
from api.web.page_route import PageRoute
from api.web.rendering import page
from api.web.shell import Visitor, visitor
from core.errors import AppError, UserError
from semantic.catalog.model import Metric

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/cards/{metric}")
async def metric_card(request: Request, metric: str) -> Response:
    at = await visitor(request)
    visible = await run_in_threadpool(at.services.catalogs.visible, at.caller)
    known = visible.catalog.metric(metric)
    try:
        made = await until_gone(request, _card(at, known))
    except AppError as error:
        if not (isinstance(error, UserError) or error.retryable):
            raise
        return page("card.html", card=None, metric=known, why=error.message, goal=None, again=error.retryable)
    goal = await run_in_threadpool(_goal, at, known.name)
    return page("card.html", card=made, metric=known, why="No values yet.", goal=goal)


@router.post("/explore")
async def explore(request: Request) -> Response:
    """The metric by month; an answer like any other, to be edited from there."""
    at = await visitor(request)
    form = await request.form()
    visible = await run_in_threadpool(at.services.catalogs.visible, at.caller)
    known = visible.catalog.metric(str(form.get("metric", ""))[:128])
    made = await until_gone(request, _card(at, known))
    query = card_query(known.name, everything=made is None)
    body = schemas.QueryRequest(query=query, question=f"{known.label} by month")
    answer = await until_gone(request, answering.run(at.services, at.caller, body))
    return RedirectResponse(f"/answers/{answer.id}", status_code=303)


def _goal(at: Visitor, metric: str) -> GoalCard | None:
    """The goal on the whole metric that most needs attention."""
    return next((g for g in goal_cards(at.services, at.caller, limit=100) if g.metric == metric), None)


async def _card(at: Visitor, metric: Metric) -> Card | None:
    """From the last twelve months, else from the months that there are."""
    visible = await run_in_threadpool(at.services.catalogs.visible, at.caller)
    for everything in (False, True):
        query = card_query(metric.name, everything=everything)
        guarded = await run_in_threadpool(answering.guard, at.services, at.caller, visible, query, at.services.clock.now())
        result = await at.services.run_cached(at.caller, guarded)
        made = card(metric.name, metric.label, result.columns, result.rows(), certified=metric.certified)
        if made is not None:
            return made
    return None
