"""The question log: every question with its outcome, also when refused; and what people thought of the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy.engine import Connection

from core.ids import TenantId, UserId, new_id
from core.store import scope
from core.store.tables import feedback, questions

MAX_TEXT = 10_000
Outcome = Literal["answer", "clarify", "refuse", "define", "describe", "job", "error"]
Verdict = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class QuestionEntry:
    """What is logged. `reading` and `answer` as JSON (the answer without its rows); `error` as {code, message}; `ms` from text to outcome."""

    text: str
    outcome: Outcome
    ms: float
    reading: Mapping[str, Any] | None = None
    sql: str | None = None
    answer: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    rows_read: int | None = None
    catalog_version: int | None = None
    conversation_id: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    id: str
    tenant: TenantId
    user: UserId
    entry: QuestionEntry
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Feedback:
    question_id: str
    user: UserId
    verdict: Verdict
    comment: str
    correction: Mapping[str, Any] | None
    created_at: datetime


def log(connection: Connection, tenant: TenantId, user: UserId, entry: QuestionEntry, *, now: datetime) -> Question:
    """Appends one question; its text is cut at 10,000 characters."""
    made = make(tenant, user, entry, now=now)
    log_all(connection, tenant, [made])
    return made


def make(tenant: TenantId, user: UserId, entry: QuestionEntry, *, now: datetime) -> Question:
    """A question with an id of its own, not logged yet; its text is cut at 10,000 characters."""
    return Question(new_id("qst"), tenant, user, replace(entry, text=_storable(entry.text)), now)


def log_all(connection: Connection, tenant: TenantId, made: Sequence[Question]) -> None:
    rows = [_values(one.entry) | {"id": one.id, "user_id": one.user, "created_at": one.created_at} for one in made]
    scope.add_all(connection, questions, tenant, rows)


def get(connection: Connection, tenant: TenantId, key: str) -> Question:
    """Raises: NotFound."""
    return _question(scope.get(connection, questions, tenant, "question", key))


def list_all(
    connection: Connection, tenant: TenantId, *, user: UserId | None = None, before_id: str | None = None, limit: int = 50
) -> tuple[Question, ...]:
    """Newest first; `before_id` is the last id of the page before (ids sort by time)."""
    conditions = []
    if user is not None:
        conditions.append(questions.c.user_id == user)
    if before_id is not None:
        conditions.append(questions.c.id < before_id)
    return tuple(map(_question, scope.page(connection, questions, tenant, *conditions, order=[questions.c.id.desc()], limit=limit)))


def give_feedback(
    connection: Connection,
    tenant: TenantId,
    user: UserId,
    question_id: str,
    *,
    verdict: Verdict,
    now: datetime,
    comment: str = "",
    correction: Mapping[str, Any] | None = None,
) -> Feedback:
    """One verdict per user and question; a later one replaces it. Raises: NotFound."""
    get(connection, tenant, question_id)
    values = {"verdict": verdict, "comment": _storable(comment), "correction": correction, "created_at": now}
    mine = (feedback.c.question_id == question_id, feedback.c.user_id == user)
    if scope.change(connection, feedback, tenant, values, *mine) == 0:
        scope.add(connection, feedback, tenant, values | {"id": new_id("fbk"), "question_id": question_id, "user_id": user})
    return Feedback(question_id, user, verdict, str(values["comment"]), correction, now)


def list_feedback(connection: Connection, tenant: TenantId, question_id: str) -> tuple[Feedback, ...]:
    rows = scope.page(connection, feedback, tenant, feedback.c.question_id == question_id, order=[feedback.c.created_at])
    return tuple(
        Feedback(row["question_id"], row["user_id"], row["verdict"], row["comment"], row["correction"], row["created_at"]) for row in rows
    )


def _values(entry: QuestionEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in QuestionEntry.__dataclass_fields__}


def _storable(text: str) -> str:
    """PostgreSQL takes no NUL and no lone surrogates."""
    return text[:MAX_TEXT].replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _question(row: scope.Row) -> Question:
    entry = QuestionEntry(**{name: row[name] for name in QuestionEntry.__dataclass_fields__})
    return Question(row["id"], row["tenant_id"], row["user_id"], entry, row["created_at"])
