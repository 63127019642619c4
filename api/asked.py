"""The log of questions: every one, with its outcome, also when refused; and the conversation it belongs to."""

from __future__ import annotations

import dataclasses
from typing import Any

from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool

from api import schemas
from api.audit_trail import current_request_id
from api.metrics import QUESTIONS, UNDERSTANDING
from api.services import Services
from core.errors import AppError, InternalError
from core.ids import tenant_database
from core.principal import Principal
from core.store import audit, conversations, questions
from core.store.asked import Asked, Turn
from core.store.audit import Happening
from core.store.conversations import Conversation
from core.store.freshness import freshness
from nlq.types import DialogueState

_DIALOGUE = TypeAdapter(DialogueState)


class AskedLog:
    """One question of one caller on its way."""

    def __init__(self, services: Services, principal: Principal, request: schemas.AskRequest) -> None:
        self._services, self._principal, self._request = services, principal, request
        self._conversation: Conversation | None = None  # that the question continues
        self._asked: Asked | None = None
        self._answer: schemas.Answer | None = None
        self._error: AppError | None = None

    def dialogue(self) -> DialogueState | None:
        """The state of the conversation that the question continues. Raises: NotFound."""
        key = self._request.conversation_id
        if key is None:
            return None
        with self._services.store.read() as connection:
            self._conversation = conversations.get(connection, self._principal.tenant, self._principal.user, key)
        state = self._conversation.state
        return _DIALOGUE.validate_python(state) if state else None

    def failed(self, error: AppError, ms: float) -> None:
        """Takes note; `kept` writes it and raises the error."""
        entry = questions.QuestionEntry(self._request.question, "error", ms, error={"code": error.code, "message": error.message})
        self._error, self._asked = error, self._made(entry, "question.ask", 0, None)

    async def finished(self, answer: schemas.Answer, dialogue: DialogueState | None) -> None:
        """Takes note of the answer and of the dialogue state after it; gives the answer its id and conversation. `kept` writes it."""
        if answer.understanding_ms:
            UNDERSTANDING.observe(answer.understanding_ms / 1000)
        tables = self._own_tables(answer)
        if answer.receipt is not None and tables:
            answer.receipt.freshness = await run_in_threadpool(self._freshness, tables)
        turn = None if answer.intent == "sql" else self._turn(dialogue)
        answer.conversation_id = None if turn is None else turn.conversation.id
        entry = self._entry(answer)
        self._answer, self._asked = (
            answer,
            self._made(entry, "data.query" if answer.receipt else "question.ask", len(answer.rows or ()), turn),
        )
        answer.id = self._asked.question.id

    async def kept(self) -> schemas.Answer:
        """The answer, once it is written; meanwhile the caller should hold nothing that others wait for.

        Raises: what went wrong with the question; NotFound when its conversation is gone; Unavailable.
        """
        if self._asked is None:
            raise InternalError("a question ended without an outcome")
        happening = audit.told(self._asked.happening)  # here, as others of the tenant may write it
        await self._services.asked.add(self._principal.tenant, dataclasses.replace(self._asked, happening=happening))
        if self._answer is None:
            raise self._error or InternalError("a question ended without an outcome")
        return self._answer

    def _freshness(self, tables: frozenset[str]) -> list[schemas.Freshness]:
        with self._services.store.read() as connection:
            found = freshness(connection, self._principal.tenant, tables, now=self._services.clock.now())
        return [schemas.Freshness(**dataclasses.asdict(one)) for one in found]

    def _own_tables(self, answer: schemas.Answer) -> frozenset[str]:
        """The tables behind the answer that Querent itself fills: those of the tenant's own database."""
        if answer.receipt is None:
            return frozenset()
        tenant = self._principal.tenant
        catalog, own = self._services.catalogs.full(tenant, answer.receipt.catalog_version), tenant_database(tenant)
        return frozenset(d.table for d in catalog.datasets if d.name in answer.receipt.datasets and d.database == own)

    def _turn(self, dialogue: DialogueState | None) -> Turn:
        begins = self._conversation is None
        title, now = self._request.question[:120], self._services.clock.now()
        return Turn(self._conversation or conversations.make(self._principal.user, title=title, now=now), begins, _state(dialogue))

    def _entry(self, answer: schemas.Answer) -> questions.QuestionEntry:
        receipt = answer.receipt
        reading = {"query": answer.query, "chips": [c.model_dump() for c in answer.chips], "confidence": answer.confidence}
        return questions.QuestionEntry(
            text=self._request.question,
            outcome=answer.outcome,
            ms=answer.ms,
            reading=reading if answer.query else None,
            sql=receipt.sql if receipt else None,
            answer=answer.model_dump(mode="json", exclude={"rows", "chart"}),
            rows_read=receipt.rows_read if receipt else None,
            catalog_version=receipt.catalog_version if receipt else None,
            conversation_id=answer.conversation_id,
        )

    def _made(self, entry: questions.QuestionEntry, action: str, rows: int, turn: Turn | None) -> Asked:
        """With who asked, with what outcome, at what cost: for the audit log and the tenant's use of the day."""
        user = self._principal.user
        question = questions.make(self._principal.tenant, user, entry, now=self._services.clock.now())
        details = {"rows": rows, "rows_read": entry.rows_read or 0, "catalog_version": entry.catalog_version}
        outcome = "error" if entry.error else entry.outcome
        QUESTIONS.labels(outcome).inc()
        happening = Happening(user, action, question.id, outcome, details, current_request_id())
        return Asked(question, happening, {"queries": 1, "rows_read": entry.rows_read or 0}, turn)


def _state(dialogue: DialogueState | None) -> dict[str, Any]:
    return {} if dialogue is None else dict(_DIALOGUE.dump_python(dialogue, mode="json"))
