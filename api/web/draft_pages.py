"""The catalog's editor beside its text: checks as one types, questions against the draft, models of other tools."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from api import draft
from api.routes.catalog import checked
from api.web.catalog_pages import changes_of, current, edit_page_of, editor
from api.web.page_route import PageRoute
from api.web.rendering import page
from api.web.shell import is_partial, problem_of
from api.web.tables import table_view
from core.errors import AppError, Invalid, TooLarge

router = APIRouter(include_in_schema=False, route_class=PageRoute)
Text = Annotated[str, Form(max_length=5_000_000)]


@router.post("/catalog/edit/typed")
async def as_typed(request: Request, yaml: Text) -> Response:
    """One line about the text as it stands; an error is part of the answer and not the answer's failure."""
    at = await editor(request)
    try:
        changes = await run_in_threadpool(changes_of, at, yaml.replace("\r\n", "\n"))
    except AppError as error:
        problem = problem_of(request, error)
        where = re.search(r"\bline (\d{1,6})\b", str(problem["detail"]))
        return page("catalog_typed.html", problem=problem, changes=[], line=where[1] if where else "")
    return page("catalog_typed.html", problem=None, changes=changes)


@router.post("/catalog/edit/try")
async def try_question(
    request: Request, yaml: Text, question: Annotated[str, Form(max_length=4_000)] = "", version: Annotated[int, Form(ge=0)] = 0
) -> Response:
    at = await editor(request)
    text = yaml.replace("\r\n", "\n")
    found = table = problem = None
    try:
        if not question.strip():
            raise Invalid("Type a question to try.", code="no_question")
        async with at.services.turns.turn(at.caller.tenant):
            found = await run_in_threadpool(lambda: draft.tried(at.services, at.caller, checked(text), question))
        table = table_view(found.columns, found.rows, total=found.row_count)
    except AppError as error:
        problem = problem_of(request, error)
    if is_partial(request):
        return page("catalog_tried.html", found=found, table=table, problem=problem)
    return await edit_page_of(at, text=text, version=version, tried=(found, table, problem), question=question)


@router.post("/catalog/edit/import")
async def bring_in(request: Request, files: list[UploadFile], form: Annotated[str, Form(max_length=20)]) -> Response:
    """Fills the editor; nothing is published by it."""
    at = await editor(request)
    if len(files) > draft.MAX_FILES:
        raise TooLarge(f"At most {draft.MAX_FILES} files at once; found {len(files)}.", code="too_many_files")
    documents: dict[str, str] = {}
    left = draft.MAX_BYTES
    for file in files:
        if not file.filename:
            continue
        body = await file.read(left + 1)
        left -= len(body)
        if left < 0:
            raise TooLarge(f"The files have more than {draft.MAX_BYTES // 1_000_000} MB together.", code="too_large")
        try:
            documents[file.filename] = body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Invalid(f"{file.filename[:80]!r} is not a text file.", code="not_text") from error
    text, version = await run_in_threadpool(current, at)
    try:
        text, lost = await run_in_threadpool(draft.imported, at.services, at.caller, form, documents)
    except AppError as error:
        return await edit_page_of(at, text=text, version=version, problem=dict(problem_of(request, error)), status=error.status)
    return await edit_page_of(at, text=text, version=version, carried=(len(documents), lost))
