"""Answers that were given before: found again by id, and computed anew with the reader's own rights."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from api import schemas
from api.answering import Moment, answer_query, guard
from api.catalogs import VisibleCatalog
from api.services import Services
from core.errors import Forbidden, NotFound
from core.principal import Principal
from core.store import conversations, questions
from semantic.query import SemanticQuery
from semantic.states import ResultTable


@dataclass(frozen=True, slots=True)
class Stored:
    """`answer` has no rows. `is_mine`: the reader asked it, so that its sentences and its conversation may be shown."""

    question: questions.Question
    answer: schemas.Answer
    is_mine: bool

    @property
    def query(self) -> SemanticQuery:
        """Raises: NotFound when the answer was not made by a query."""
        if self.answer.query is None or self.answer.intent == "sql":
            raise NotFound("There is no query behind this answer; ask the question again.", code="no_query")
        return SemanticQuery.model_validate(self.answer.query)

    @property
    def conversation(self) -> str | None:
        return self.answer.conversation_id if self.is_mine else None


async def find(services: Services, caller: Principal, key: str) -> Stored:
    """Raises: NotFound."""

    def load() -> questions.Question:
        with services.store.read() as connection:
            return questions.get(connection, caller.tenant, key)

    found = await run_in_threadpool(load)
    if found.entry.answer is None:
        raise NotFound("This question had no answer; ask it again.", code="no_answer")
    answer = schemas.Answer.model_validate(found.entry.answer)
    answer.id = found.id
    return Stored(found, answer, found.user == caller.user)


async def again(services: Services, caller: Principal, stored: Stored) -> schemas.Answer:
    """The answer as of now: rows are read anew, with the reader's own rights. Raises: UserError, Unavailable."""
    old = stored.answer
    if old.intent == "sql":
        raise NotFound("This was SQL; run it on the SQL page.", code="no_query")
    if old.outcome != "answer" or old.query is None:
        if not stored.is_mine:
            raise Forbidden("Only the person who asked this can open it; ask it yourself.", code="not_yours")
        return old
    visible = await run_in_threadpool(services.catalogs.visible, caller)
    new = await answer_query(services, caller, visible, stored.query, Moment.of(services, None), is_logged=False)
    new.id, new.question, new.intent = old.id, old.question, old.intent
    new.chips, new.confidence, new.paraphrase, new.unknown = old.chips, old.confidence, old.paraphrase, old.unknown
    new.conversation_id = stored.conversation
    new.suggestions = old.suggestions if stored.is_mine else []
    return new


async def result_of(services: Services, caller: Principal, stored: Stored) -> tuple[VisibleCatalog, ResultTable]:
    """All rows (to the caller's cap), for paging and files. Raises: UserError, Unavailable."""
    visible = await run_in_threadpool(services.catalogs.visible, caller)
    guarded = await run_in_threadpool(guard, services, caller, visible, stored.query, services.clock.now())
    return visible, await services.run_cached(caller, guarded)


async def earlier_turns(services: Services, caller: Principal, answer: schemas.Answer) -> list[questions.Question]:
    """What was asked before in the same conversation, oldest first."""
    key = answer.conversation_id
    if key is None:
        return []

    def load() -> list[questions.Question]:
        with services.store.read() as connection:
            turns = conversations.list_turns(connection, caller.tenant, caller.user, key)
            ids = [turn.question_id for turn in turns]
            before = ids[: ids.index(answer.id)] if answer.id in ids else ids
            return [questions.get(connection, caller.tenant, one) for one in before[-8:]]

    return await run_in_threadpool(load)
