"""Questions, edited queries, analyst SQL, suggestions, feedback and conversations."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool

from api import answering, schemas
from api.credentials import Caller
from api.learning import take_feedback
from api.leaving import until_gone
from api.paging import Cursor, PageSize
from api.services import services_of
from core.store import conversations, questions

router = APIRouter(prefix="/v1", tags=["ask"])
_WITHOUT_FIGURES = ("id", "question", "outcome", "intent", "query", "chips", "paraphrase", "confidence", "as_of")


@router.post("/ask", summary="Ask a question in plain English")
async def ask(request: Request, body: schemas.AskRequest, caller: Caller) -> schemas.Answer:
    """Answers with rows, chart and receipt; asks back with choices; refuses and says which words it does not know; or starts a job."""
    return await until_gone(request, answering.ask(services_of(request), caller, body))


@router.get("/ask/{question_id}", summary="A question that was asked")
async def asked(request: Request, question_id: str, caller: Caller) -> dict[str, Any]:
    """What was asked and what came of it, without the rows: POST its `query` to /v1/query to see them as of now.

    Others than the asker get no sentences with figures, which were made with the asker's rights.
    """
    services = services_of(request)

    def load() -> questions.Question:
        with services.store.read() as connection:
            return questions.get(connection, caller.tenant, question_id)

    found = await run_in_threadpool(load)
    answer = found.entry.answer
    if answer is not None and found.user != caller.user:
        answer = {name: answer[name] for name in _WITHOUT_FIGURES if name in answer}
    return {
        "id": found.id,
        "question": found.entry.text,
        "outcome": found.entry.outcome,
        "asked_at": found.created_at,
        "answer": answer,
    }


@router.post("/ask/{question_id}/feedback", status_code=201, summary="Say whether an answer was right")
async def feedback(request: Request, question_id: str, body: schemas.FeedbackRequest, caller: Caller) -> dict[str, Any]:
    """A right answer proposes its question as verified; a word with its meaning proposes a synonym. An analyst decides: /v1/proposals."""
    saved, proposed = await run_in_threadpool(
        lambda: take_feedback(
            services_of(request), caller, question_id, verdict=body.verdict, comment=body.comment, wrong=body.wrong, word=body.word,
            means=body.means, query=body.query,
        )
    )  # fmt: skip
    return {"question_id": saved.question_id, "verdict": saved.verdict, "comment": saved.comment, "proposals": [p.id for p in proposed]}


@router.get("/suggest", summary="Autocomplete while typing")
async def suggest(request: Request, caller: Caller, q: Annotated[str, Query(max_length=500)] = "") -> dict[str, Any]:
    services = services_of(request)
    visible = await run_in_threadpool(services.catalogs.visible, caller)
    found = visible.understander.suggest(q)
    return {"items": [{"text": s.text, "kind": s.kind, "label": s.label} for s in found]}


@router.post("/query", summary="Run a SemanticQuery")
async def query(request: Request, body: schemas.QueryRequest, caller: Caller) -> schemas.Answer:
    """The typed form of a question: what chips edit and programs send."""
    return await until_gone(request, answering.run(services_of(request), caller, body))


@router.post("/sql", summary="Run analyst SQL through the guard")
async def sql(request: Request, body: schemas.SqlRequest, caller: Caller) -> schemas.Answer:
    return await until_gone(request, answering.answer_sql(services_of(request), caller, body))


@router.get("/conversations", summary="Your conversations, latest first")
async def list_conversations(request: Request, caller: Caller, cursor: Cursor = None, limit: PageSize = 50) -> schemas.Page:
    services = services_of(request)

    def load() -> tuple[conversations.Conversation, ...]:
        with services.store.read() as connection:
            before = conversations.get(connection, caller.tenant, caller.user, cursor).updated_at if cursor else None
            return conversations.list_all(connection, caller.tenant, caller.user, before=before, limit=limit)

    found = await run_in_threadpool(load)
    items = [{"id": c.id, "title": c.title, "updated_at": c.updated_at} for c in found]
    return schemas.Page(items=items, next=found[-1].id if len(found) == limit else None)


@router.get("/conversations/{conversation_id}", summary="One conversation with its questions")
async def get_conversation(request: Request, conversation_id: str, caller: Caller) -> dict[str, Any]:
    services = services_of(request)

    def load() -> dict[str, Any]:
        with services.store.read() as connection:
            conversation = conversations.get(connection, caller.tenant, caller.user, conversation_id)
            turns = conversations.list_turns(connection, caller.tenant, caller.user, conversation_id)
            asked = [questions.get(connection, caller.tenant, turn.question_id) for turn in turns]
        items = [{"id": q.id, "question": q.entry.text, "outcome": q.entry.outcome, "answer": q.entry.answer} for q in asked]
        return {"id": conversation.id, "title": conversation.title, "turns": items}

    return await run_in_threadpool(load)


@router.delete("/conversations/{conversation_id}", status_code=204, summary="Forget a conversation")
async def delete_conversation(request: Request, conversation_id: str, caller: Caller) -> None:
    services = services_of(request)

    def delete() -> None:
        with services.store.write() as connection:
            conversations.delete(connection, caller.tenant, caller.user, conversation_id, now=services.clock.now())

    await run_in_threadpool(delete)
