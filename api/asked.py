"""The log of questions: every one, with its outcome, also when refused; and the conversation it belongs to."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy.engine import Connection

from api import schemas
from api.audit_trail import current_request_id
from api.metrics import QUESTIONS, UNDERSTANDING
from api.services import Services
from core.errors import AppError
from core.ids import tenant_database
from core.principal import Principal
from core.store import audit, conversations, questions, usage
from core.store.audit import Happening
from core.store.freshness import freshness
from nlq.types import DialogueState

_DIALOGUE = TypeAdapter(DialogueState)


class AskedLog:
    """One question of one caller on its way."""

    def __init__(self, services: Services, principal: Principal, request: schemas.AskRequest) -> None:
        self._services, self._principal, self._request = services, principal, request

    def dialogue(self) -> DialogueState | None:
        """The state of the conversation that the question continues. Raises: NotFound."""
        key = self._request.conversation_id
        if key is None:
            return None
        with self._services.store.read() as connection:
            conversation = conversations.get(connection, self._principal.tenant, self._principal.user, key)
        return _DIALOGUE.validate_python(conversation.state) if conversation.state else None

    def failed(self, error: AppError, ms: float) -> None:
        self._append(questions.QuestionEntry(self._request.question, "error", ms, error={"code": error.code, "message": error.message}))

    def finished(self, answer: schemas.Answer, dialogue: DialogueState | None) -> schemas.Answer:
        """Writes the question and its turn with the dialogue state after it; gives the answer its id and conversation."""
        tenant, user, now = self._principal.tenant, self._principal.user, self._services.clock.now()
        if answer.understanding_ms:
            UNDERSTANDING.observe(answer.understanding_ms / 1000)
        tables = self._own_tables(answer)
        with self._services.store.write() as connection:
            conversation = None if answer.intent == "sql" else self._conversation(connection, now)
            answer.conversation_id = conversation.id if conversation is not None else None
            if answer.receipt is not None:
                fresh = freshness(connection, tenant, tables, now=now)
                answer.receipt.freshness = [schemas.Freshness(**dataclasses.asdict(one)) for one in fresh]
            entry = self._entry(answer)
            answer.id = questions.log(connection, tenant, user, entry, now=now).id
            if conversation is not None:
                conversations.add_turn(connection, tenant, conversation, question_id=answer.id, state=_state(dialogue), now=now)
            self._account(connection, "data.query" if answer.receipt else "question.ask", answer.id, entry, len(answer.rows or ()))
        return answer

    def _own_tables(self, answer: schemas.Answer) -> frozenset[str]:
        """The tables behind the answer that Querent itself fills: those of the tenant's own database."""
        if answer.receipt is None:
            return frozenset()
        tenant = self._principal.tenant
        catalog, own = self._services.catalogs.full(tenant, answer.receipt.catalog_version), tenant_database(tenant)
        return frozenset(d.table for d in catalog.datasets if d.name in answer.receipt.datasets and d.database == own)

    def _conversation(self, connection: Connection, now: dt.datetime) -> conversations.Conversation:
        tenant, user, key = self._principal.tenant, self._principal.user, self._request.conversation_id
        if key is not None:
            return conversations.get(connection, tenant, user, key)
        return conversations.create(connection, tenant, user, title=self._request.question[:120], now=now)

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

    def _append(self, entry: questions.QuestionEntry) -> None:
        with self._services.store.write() as connection:
            logged = questions.log(connection, self._principal.tenant, self._principal.user, entry, now=self._services.clock.now())
            self._account(connection, "question.ask", logged.id, entry, 0)

    def _account(self, connection: Connection, action: str, target: str, entry: questions.QuestionEntry, rows: int) -> None:
        """Who asked, with what outcome, at what cost: in the audit log and in the tenant's use of the day."""
        tenant, user, now = self._principal.tenant, self._principal.user, self._services.clock.now()
        details = {"rows": rows, "rows_read": entry.rows_read or 0, "catalog_version": entry.catalog_version}
        outcome = "error" if entry.error else entry.outcome
        QUESTIONS.labels(outcome).inc()
        usage.add_all(connection, tenant, {(user, "queries"): 1, (user, "rows_read"): entry.rows_read or 0}, day=now.date())
        # Last: from here to the end of the transaction nobody else of the tenant can append.
        audit.append(connection, tenant, Happening(user, action, target, outcome, details, current_request_id()), now=now)


def _state(dialogue: DialogueState | None) -> dict[str, Any]:
    return {} if dialogue is None else dict(_DIALOGUE.dump_python(dialogue, mode="json"))
