"""Analyst SQL: run through the guard, with the reason when it is refused."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from api import answering, schemas
from api.leaving import until_gone
from api.web.page_route import PageRoute
from api.web.rendering import page
from api.web.shell import Visitor, is_partial, problem_of, visitor
from api.web.stored import find
from api.web.tables import output_columns, table_view
from core.errors import AppError, Forbidden
from core.rights import Right, may

router = APIRouter(include_in_schema=False, route_class=PageRoute)


async def analyst(request: Request) -> Visitor:
    at = await visitor(request, "sql")
    if not may(at.caller, Right.SQL):
        raise Forbidden("SQL is for analysts and admins. Ask your question in words instead.", suggestions=("Go to Ask",))
    return at


@router.get("/sql")
async def sql_page(request: Request, key: Annotated[str, Query(alias="from", max_length=64)] = "") -> Response:
    at = await analyst(request)
    text = ""
    if key:
        stored = await find(at.services, at.caller, key)
        text = stored.question.entry.text
    return page("sql.html", v=at, sql=text, answer=None, table=None, problem=None, tables=await run_in_threadpool(_tables, at))


@router.post("/sql")
async def run_sql(request: Request, sql: Annotated[str, Form(max_length=100_000)] = "") -> Response:
    at = await analyst(request)
    answer, table, problem = None, None, None
    status = 200
    try:
        body = schemas.SqlRequest.model_construct(sql=sql or " ", parameters={})
        answer = await until_gone(request, answering.answer_sql(at.services, at.caller, body))
        table = table_view(output_columns(answer), answer.rows, total=min(answer.row_count, len(answer.rows)))
    except AppError as error:
        problem, status = problem_of(request, error), error.status
    if is_partial(request):
        return page("sql_result.html", status, sql=sql, answer=answer, table=table, problem=problem)
    return page("sql.html", status, v=at, sql=sql, answer=answer, table=table, problem=problem, tables=await run_in_threadpool(_tables, at))


def _tables(at: Visitor) -> list[tuple[str, list[str]]]:
    """Tables that may be read, with their columns."""
    try:
        catalog = at.services.catalogs.visible(at.caller).catalog
    except AppError:
        return []
    return [
        (f"{d.database}.{d.table}", [f.column for f in d.fields if f.column and not f.hidden]) for d in catalog.datasets if not d.hidden
    ]
