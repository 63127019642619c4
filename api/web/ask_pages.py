"""Asking: home, answers, edits of their chips, drilling, why / forecast / unusual, feedback, files, history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api import answering, schemas
from api.investigations import measure_label
from api.learning import take_feedback
from api.leaving import until_gone
from api.web import edits, exports
from api.web.answer_view import view_of
from api.web.asking_stream import streamed, wants_steps
from api.web.drilling import drilled
from api.web.forms import fields
from api.web.home import keep_cards, welcome
from api.web.page_route import PageRoute
from api.web.rendering import page
from api.web.shell import Visitor, is_partial, visitor
from api.web.stored import Stored, again, find, result_of
from api.web.tables import table_view
from api.web.trail import longer
from core.errors import Invalid, NotFound
from core.store import conversations
from nlq.types import Intent
from semantic.catalog.model import Catalog, FieldRole
from semantic.query import SemanticQuery
from semantic.states import OutputColumn
from workers.boards import narrowing

router = APIRouter(include_in_schema=False, route_class=PageRoute)
_INTENTS = {"why": Intent.WHY, "forecast": Intent.FORECAST, "unusual": Intent.UNUSUAL}
MAX_MEANINGS = 300
_ASKED = {"why": "Why did {} change?", "forecast": "Forecast {}", "unusual": "Anything unusual in {}?"}


@router.get("/")
async def home(request: Request, q: str = "", choice: int | None = None, conversation: str | None = None) -> Response:
    at = await visitor(request, "ask")
    if q.strip():
        answer = await _ask(request, at, q, choice, conversation)
        return RedirectResponse(f"/answers/{answer.id}", status_code=303)
    return page("home.html", v=at, home=await welcome(request, at))


@router.post("/home/cards")
async def choose_cards(request: Request) -> Response:
    """Which metrics have a card, in which order."""
    at = await visitor(request)
    form = await fields(request)
    visible = await run_in_threadpool(at.services.catalogs.visible, at.caller)
    wanted = [] if form("act") == "usual" else [(form.whole(f"place_{name}", "The place", 99), name) for name in form.all("card")]
    await run_in_threadpool(keep_cards, at, visible.catalog, wanted)
    return RedirectResponse("/", status_code=303)


@router.get("/ask")
async def typed_address(request: Request, q: Annotated[str, Query(max_length=4_000)] = "") -> Response:
    """The form's address opened as a page: the question goes to where questions are asked."""
    await visitor(request)
    return RedirectResponse(f"/?q={quote(q)}" if q.strip() else "/", status_code=303)


@router.post("/ask")
async def ask(
    request: Request,
    q: Annotated[str, Form(max_length=4_000)] = "",
    choice: Annotated[int | None, Form()] = None,
    conversation: Annotated[str | None, Form(max_length=64)] = None,
) -> Response:
    """For htmx the answer alone, which then has an address of its own; as a stream with the steps before it."""
    at = await visitor(request, "ask")
    if not q.strip():
        raise Invalid("Type a question first.", code="empty_question")
    if wants_steps(request) and is_partial(request):

        async def work(told: answering.Told) -> Response:
            return await _given(request, at, await answering.ask(at.services, at.caller, _asked(q, choice, conversation), told))

        return streamed(request, work)
    return await _given(request, at, await _ask(request, at, q, choice, conversation))


@router.get("/answers/{key}")
async def answer_page(
    request: Request,
    key: str,
    page_number: Annotated[int, Query(alias="page")] = 1,
    sort: str = "",
    up: Annotated[str, Query(max_length=600)] = "",
) -> Response:
    """up: the answers that one drilled through, with commas between."""
    at = await visitor(request, "ask")
    stored = await find(at.services, at.caller, key)
    if stored.answer.intent == "sql":
        return RedirectResponse(f"/sql?from={key}", status_code=303)
    answer = await until_gone(request, again(at.services, at.caller, stored))
    shown = await view_of(at.services, at.caller, answer, up=up)
    if (page_number > 1 or sort) and answer.columns:
        _, result = await result_of(at.services, at.caller, stored)
        return page(
            "answer_page.html",
            v=at,
            a=shown,
            table=table_view(result.columns, result.rows(), stored.query, page=page_number, sort=sort, question=stored.answer.question),
        )
    return page("answer_page.html", v=at, a=shown, table=shown.table)


@router.get("/answers/{key}/table")
async def answer_table(request: Request, key: str, page_number: Annotated[int, Query(alias="page")] = 1, sort: str = "") -> Response:
    """One page of the rows, for htmx; without it the whole answer at that page."""
    at = await visitor(request)
    if not is_partial(request):
        return RedirectResponse(f"/answers/{key}?page={page_number}&sort={quote(sort[:6])}", status_code=303)
    stored = await find(at.services, at.caller, key)
    _, result = await until_gone(request, result_of(at.services, at.caller, stored))
    shown = table_view(result.columns, result.rows(), stored.query, page=page_number, sort=sort, question=stored.answer.question)
    return page("table.html", table=shown, key=key, truncated=result.truncated)


@router.post("/answers/{key}/refine")
async def refine(request: Request, key: str) -> Response:
    """An edited chip: the changed query runs as it is, without understanding words again."""
    at = await visitor(request, "ask")
    stored = await find(at.services, at.caller, key)
    form = await request.form()
    values = {name: str(value) for name, value in form.items()}
    visible = await run_in_threadpool(at.services.catalogs.visible, at.caller)
    query = _edited(stored.query, values, [str(v) for v in form.getlist("values")], visible.catalog)
    return await _given(request, at, await _run(request, at, stored, query))


@router.post("/answers/{key}/drill")
async def drill(
    request: Request, key: str, mark: Annotated[list[str], Form(max_length=4)], up: Annotated[str, Form(max_length=600)] = ""
) -> Response:
    """Down into one or more values (`group:value`)."""
    at = await visitor(request, "ask")
    stored = await find(at.services, at.caller, key)
    visible = await run_in_threadpool(at.services.catalogs.visible, at.caller)
    marks = {int(index): value for index, _, value in (m.partition(":") for m in mark) if index.isdecimal() and len(index) < 5}
    if not marks or max(marks) >= len(stored.query.by):
        raise Invalid("Point at a bar, a point or a cell to drill into.", code="bad_drill")
    query = drilled(stored.query, marks, visible.catalog)
    return await _given(request, at, await _run(request, at, stored, query), up=longer(up, key))


@router.post("/answers/{key}/investigate")
async def investigate(request: Request, key: str, kind: Annotated[str, Form(pattern="^(why|forecast|unusual)$")]) -> Response:
    at = await visitor(request, "ask")
    stored = await find(at.services, at.caller, key)
    visible = await run_in_threadpool(at.services.catalogs.visible, at.caller)
    question = _ASKED[kind].format(measure_label(stored.query, visible.catalog))
    body = schemas.QueryRequest(query=stored.query, question=question, conversation_id=stored.conversation)
    answer = await answering.investigate(at.services, at.caller, body, _INTENTS[kind])
    return await _given(request, at, answer)


@router.post("/answers/{key}/feedback")
async def feedback(
    request: Request,
    key: str,
    verdict: Annotated[str, Form(pattern="^(up|down)$")],
    comment: Annotated[str, Form(max_length=4_000)] = "",
    word: Annotated[str, Form(max_length=80)] = "",
    means: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    at = await visitor(request)
    await run_in_threadpool(
        lambda: take_feedback(at.services, at.caller, key, verdict=verdict, comment=comment, word=word if means else "", means=means)
    )
    if not is_partial(request):
        return RedirectResponse(f"/answers/{key}", status_code=303)
    return page("feedback.html", key=key, verdict=verdict, commented=bool(comment or word), meanings=await _meanings(at, verdict))


@router.get("/answers/{key}/export.{kind}")
async def export(request: Request, key: str, kind: str) -> Response:
    """The rows as csv, xlsx, json or parquet (all of them, up to the caller's cap), or the chart as png, svg or pdf."""
    at = await visitor(request)
    if kind not in exports.MEDIA_TYPES:
        raise NotFound(f"There is no export as {kind[:10]!r}.", code="unknown_export", suggestions=list(exports.MEDIA_TYPES))
    stored = await find(at.services, at.caller, key)
    if kind in exports.IMAGES:
        answer = await until_gone(request, again(at.services, at.caller, stored))
        if answer.chart is None:
            raise NotFound("This answer has no chart; take the figures as CSV.", code="no_chart")
        body = await run_in_threadpool(exports.as_image, answer.chart, kind)
    else:
        _, result = await until_gone(request, result_of(at.services, at.caller, stored))
        rows = result.rows()
        if kind == "csv":
            body = await run_in_threadpool(exports.as_csv, result.columns, rows)
        elif kind == "parquet":
            body = await run_in_threadpool(exports.as_parquet, result.columns, result.table)
        elif kind == "json":
            body = await run_in_threadpool(exports.as_json, result.columns, rows)
        else:
            notes = [("Asked", stored.question.created_at.isoformat()), ("Rows", str(len(rows)))]
            body = await run_in_threadpool(_workbook, result.columns, rows, stored.answer.question, notes)
    return Response(
        body, media_type=exports.MEDIA_TYPES[kind], headers={"Content-Disposition": f'attachment; filename="querent-answer.{kind}"'}
    )


@router.get("/history")
async def history(request: Request) -> Response:
    at = await visitor(request, "history")

    def load() -> tuple[conversations.Conversation, ...]:
        with at.services.store.read() as connection:
            return conversations.list_all(connection, at.caller.tenant, at.caller.user, limit=100)

    return page("history.html", v=at, items=await run_in_threadpool(load))


@router.get("/conversations/{key}")
async def conversation_page(request: Request, key: str) -> Response:
    """Leads to the last answer of the conversation, which shows what came before it."""
    at = await visitor(request, "ask")

    def last() -> str:
        with at.services.store.read() as connection:
            conversations.get(connection, at.caller.tenant, at.caller.user, key)
            turns = conversations.list_turns(connection, at.caller.tenant, at.caller.user, key)
        if not turns:
            raise NotFound("This conversation is empty.", code="empty_conversation")
        return str(turns[-1].question_id)

    return RedirectResponse(f"/answers/{await run_in_threadpool(last)}", status_code=303)


@router.post("/conversations/{key}/delete")
async def forget(request: Request, key: str) -> Response:
    at = await visitor(request)

    def delete() -> None:
        with at.services.store.write() as connection:
            conversations.delete(connection, at.caller.tenant, at.caller.user, key, now=at.services.clock.now())

    await run_in_threadpool(delete)
    return HTMLResponse("") if is_partial(request) else RedirectResponse("/history", status_code=303)


async def _meanings(at: Visitor, verdict: str) -> list[tuple[str, str]]:
    """What a word can be said to mean: (reference, label) of metrics and groupings, for the form that asks what was wrong."""
    if verdict != "down":
        return []
    catalog = (await run_in_threadpool(at.services.catalogs.visible, at.caller)).catalog
    found = [(f"metric:{m.name}", m.label) for m in catalog.metrics if not m.hidden]
    found += [(f"entity:{e.name}", e.plural or e.label) for e in catalog.entities]
    found += [
        (f"field:{d.name}.{f.name}", f"{f.label} ({d.label})")
        for d in catalog.datasets
        if not d.hidden
        for f in d.fields
        if not f.hidden and f.role in (FieldRole.CATEGORY, FieldRole.NAME, FieldRole.MEASURE, FieldRole.TIME, FieldRole.FLAG)
    ]
    return found[:MAX_MEANINGS]


async def _ask(request: Request, at: Visitor, question: str, choice: int | None, conversation: str | None) -> schemas.Answer:
    return await until_gone(request, answering.ask(at.services, at.caller, _asked(question, choice, conversation)))


def _asked(question: str, choice: int | None, conversation: str | None) -> schemas.AskRequest:
    return schemas.AskRequest(
        question=question[:4_000], choice=choice if choice is None or 0 <= choice <= 9 else 9, conversation_id=conversation or None
    )


async def _run(request: Request, at: Visitor, stored: Stored, query: SemanticQuery) -> schemas.Answer:
    body = schemas.QueryRequest(query=query, conversation_id=stored.conversation)
    return await until_gone(request, answering.run(at.services, at.caller, body))


async def _given(request: Request, at: Visitor, answer: schemas.Answer, *, up: str = "") -> Response:
    """The new answer in place with its own address for htmx; else a redirect to it."""
    there = f"/answers/{answer.id}" + (f"?up={quote(up, safe=',')}" if up else "")
    if not is_partial(request):
        return RedirectResponse(there, status_code=303)
    shown = await view_of(at.services, at.caller, answer, up=up)
    made = page("answer.html", a=shown, table=shown.table)
    made.headers["HX-Push-Url"] = there
    return made


def _edited(query: SemanticQuery, form: dict[str, str], values: list[str], catalog: Catalog) -> SemanticQuery:
    op, path, value = form.get("op", ""), form.get("path", ""), form.get("value", "")
    if op == "remove":
        return edits.removed(query, path)
    if op == "metric":
        return edits.with_metric(query, path, value, catalog)
    if op == "group":
        return edits.with_group(query, path, value, catalog)
    if op == "period":
        return narrowing.with_period(query, value)
    if op == "dates":
        return edits.with_dates(query, form.get("first", ""), form.get("last", ""))
    if op == "compare":
        return edits.with_compare(query, value)
    if op == "limit":
        return edits.with_limit(query, value)
    if op == "direction":
        return edits.turned(query, path)
    if op == "values":
        return edits.with_values(query, path, values, catalog)
    if op == "filter":
        return narrowing.with_filter(query, form.get("field", ""), form.get("match", "is"), value, catalog)
    raise Invalid(f"There is no edit {op[:20]!r}.", code="bad_edit")


def _workbook(columns: Sequence[OutputColumn], rows: exports.Rows, title: str, notes: list[tuple[str, str]]) -> bytes:
    return exports.as_excel(columns, rows, title=title, notes=notes)
