"""Goals: a metric should reach a value within a period; how likely that is and when."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api import goals, schemas
from api.credentials import Caller
from api.goals import GoalBody, GoalView
from api.investigations import job_link
from api.paging import Cursor, PageSize
from api.preconditions import IfMatch, tagged
from api.services import services_of
from core.errors import Invalid

router = APIRouter(prefix="/v1", tags=["goals"])


@router.get("/goals", summary="Goals, newest first, with how they stand")
async def list_goals(
    request: Request,
    caller: Caller,
    metric: Annotated[str | None, Query(max_length=128)] = None,
    cursor: Cursor = None,
    limit: PageSize = 50,
) -> schemas.Page:
    found = await run_in_threadpool(goals.list_goals, services_of(request), caller, metric=metric, before_id=cursor, limit=limit)
    return schemas.Page(items=[g.model_dump(mode="json") for g in found], next=found[-1].id if len(found) == limit else None)


@router.post("/goals", status_code=201, summary="Set a goal")
async def create_goal(request: Request, response: Response, body: GoalBody, caller: Caller) -> GoalView:
    """Its forecast starts at once; `status` follows when that is done, and daily from then on."""
    made = await run_in_threadpool(goals.create_goal, services_of(request), caller, body)
    response.headers["Location"] = f"/v1/goals/{made.id}"
    return tagged(request, goals.etag(made), made)


@router.get("/goals/{goal_id}", summary="One goal")
async def get_goal(request: Request, goal_id: str, caller: Caller) -> GoalView:
    found = (await run_in_threadpool(goals.load_goal, services_of(request), caller, goal_id))[1]
    return tagged(request, goals.etag(found), found)


@router.put("/goals/{goal_id}", summary="Change a goal")
async def change_goal(request: Request, goal_id: str, body: GoalBody, caller: Caller, if_match: IfMatch = None) -> GoalView:
    made = await run_in_threadpool(goals.change_goal, services_of(request), caller, goal_id, body, expected=if_match)
    return tagged(request, goals.etag(made), made)


@router.delete("/goals/{goal_id}", status_code=204, summary="Delete a goal")
async def delete_goal(request: Request, goal_id: str, caller: Caller, if_match: IfMatch = None) -> Response:
    await run_in_threadpool(goals.delete_goal, services_of(request), caller, goal_id, expected=if_match)
    return Response(status_code=204)


@router.post("/goals/{goal_id}/refresh", status_code=202, summary="Look again how a goal stands")
async def refresh_goal(request: Request, response: Response, goal_id: str, caller: Caller) -> schemas.JobLink:
    services = services_of(request)

    def start() -> schemas.JobLink:
        row, _ = goals.load_goal(services, caller, goal_id)
        job = goals.refresh_goal(services, caller, row)
        if job is None:
            raise Invalid("The goal's period is over.", code="period_over")
        return job_link(job, "forecast")

    link = await run_in_threadpool(start)
    response.headers["Location"] = link.href
    return link
