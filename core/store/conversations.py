"""Conversations of one user, and their turns with the dialogue state after each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from core.errors import NotFound
from core.ids import TenantId, UserId, new_id
from core.store import scope
from core.store.tables import conversations, turns


@dataclass(frozen=True, slots=True)
class Conversation:
    """`state` is the dialogue state after the last turn, in the form that nlq writes."""

    id: str
    user: UserId
    title: str
    state: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Turn:
    id: str
    conversation_id: str
    number: int
    question_id: str
    state: Mapping[str, Any]
    created_at: datetime


def create(connection: Connection, tenant: TenantId, user: UserId, *, title: str, now: datetime) -> Conversation:
    made = make(user, title=title, now=now)
    scope.add(connection, conversations, tenant, _row(made))
    return made


def make(user: UserId, *, title: str, now: datetime) -> Conversation:
    """A conversation with an id of its own, not kept yet."""
    return Conversation(new_id("cnv"), user, title[:300], {}, now, now)


def begin(connection: Connection, tenant: TenantId, begun: Sequence[tuple[Conversation, str, Mapping[str, Any]]]) -> None:
    """Keeps conversations that were made, each with the question of its first turn and the dialogue state after it."""
    scope.add_all(connection, conversations, tenant, [_row(made) | {"state": dict(state)} for made, _, state in begun])
    scope.add_all(connection, turns, tenant, [_turn(made, question, 1, state, made.created_at) for made, question, state in begun])


def get(connection: Connection, tenant: TenantId, user: UserId, key: str) -> Conversation:
    """Raises: NotFound, also for another user's conversation."""
    condition = (conversations.c.id == key, conversations.c.user_id == user, conversations.c.deleted_at.is_(None))
    row = scope.find(connection, conversations, tenant, *condition)
    if row is None:
        raise _unknown(key)
    return _conversation(row)


def list_all(
    connection: Connection, tenant: TenantId, user: UserId, *, before: datetime | None = None, limit: int = 50
) -> tuple[Conversation, ...]:
    """Most recently used first."""
    conditions = [conversations.c.user_id == user, conversations.c.deleted_at.is_(None)]
    if before is not None:
        conditions.append(conversations.c.updated_at < before)
    order = [conversations.c.updated_at.desc(), conversations.c.id.desc()]
    return tuple(map(_conversation, scope.page(connection, conversations, tenant, *conditions, order=order, limit=limit)))


def add_turn(
    connection: Connection, tenant: TenantId, conversation: Conversation, *, question_id: str, state: Mapping[str, Any], now: datetime
) -> Turn:
    """Appends a turn; its state becomes the conversation's. Raises: NotFound when the conversation is gone."""
    # Touching the conversation first holds its row, so that two turns at once get two numbers.
    own = (conversations.c.id == conversation.id, conversations.c.user_id == conversation.user, conversations.c.deleted_at.is_(None))
    if not scope.change(connection, conversations, tenant, {"state": dict(state), "updated_at": now}, *own):
        raise _unknown(conversation.id)
    latest = select(func.max(turns.c.number)).where(turns.c.tenant_id == tenant, turns.c.conversation_id == conversation.id)
    row = _turn(conversation, question_id, (connection.execute(latest).scalar() or 0) + 1, state, now)
    scope.add(connection, turns, tenant, row)
    return Turn(**row)


def list_turns(connection: Connection, tenant: TenantId, user: UserId, key: str) -> tuple[Turn, ...]:
    """In order. Raises: NotFound."""
    get(connection, tenant, user, key)
    rows = scope.page(connection, turns, tenant, turns.c.conversation_id == key, order=[turns.c.number], limit=1000)
    return tuple(
        Turn(row["id"], row["conversation_id"], row["number"], row["question_id"], row["state"], row["created_at"]) for row in rows
    )


def delete(connection: Connection, tenant: TenantId, user: UserId, key: str, *, now: datetime) -> None:
    """Hides it from its user; the question log keeps its rows. Raises: NotFound."""
    get(connection, tenant, user, key)
    scope.change(connection, conversations, tenant, {"deleted_at": now}, conversations.c.id == key)


def _row(made: Conversation) -> dict[str, Any]:
    return {
        "id": made.id,
        "user_id": made.user,
        "title": made.title,
        "state": dict(made.state),
        "created_at": made.created_at,
        "updated_at": made.updated_at,
    }


def _turn(of: Conversation, question_id: str, number: int, state: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    return {
        "id": new_id("trn"),
        "conversation_id": of.id,
        "number": number,
        "question_id": question_id,
        "state": dict(state),
        "created_at": at,
    }


def _unknown(key: str) -> NotFound:
    return NotFound(f"There is no conversation {key[:60]!r}.", code="unknown_conversation")


def _conversation(row: scope.Row) -> Conversation:
    return Conversation(row["id"], row["user_id"], row["title"], row["state"], row["created_at"], row["updated_at"])
