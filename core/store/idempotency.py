"""The first answer to a request that carries an Idempotency-Key, for whoever sends it again within a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from core.errors import Conflict
from core.store.tables import idempotent_answers

KEPT = timedelta(days=1)
ABANDONED_AFTER = timedelta(minutes=5)  # a process that was killed meanwhile never wrote its answer


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    status: int
    content_type: str
    location: str
    body: bytes


def begin(connection: Connection, key_hash: str, request_hash: str, *, now: datetime) -> KeptAnswer | None:
    """None when the request is new and now ours to do; the answer when it was done before.

    key_hash: of the caller's credential and the key together. Raises: Conflict when the key came with another request, or is being worked on.
    """
    table = idempotent_answers
    connection.execute(delete(table).where(table.c.key_hash == key_hash, table.c.created_at < now - KEPT))
    unfinished = table.c.status.is_(None) & (table.c.created_at < now - ABANDONED_AFTER)
    connection.execute(delete(table).where(table.c.key_hash == key_hash, unfinished))
    try:
        with connection.begin_nested():
            values = {"key_hash": key_hash, "request_hash": request_hash, "status": None, "content_type": "", "location": "", "body": None}
            connection.execute(insert(table).values(**values, created_at=now))
        return None
    except IntegrityError:
        row = connection.execute(select(table).where(table.c.key_hash == key_hash)).mappings().one()
    if row["request_hash"] != request_hash:
        raise Conflict("This Idempotency-Key came with another request; use a new key for a new request.", code="idempotency_key_reused")
    if row["status"] is None:
        raise Conflict(
            "The first request with this Idempotency-Key is still being worked on; try again in a moment.",
            code="in_progress",
            retryable=True,
        )
    return KeptAnswer(row["status"], row["content_type"], row["location"], bytes(row["body"] or b""))


def finish(connection: Connection, key_hash: str, answer: KeptAnswer) -> None:
    values = {"status": answer.status, "content_type": answer.content_type, "location": answer.location, "body": answer.body}
    connection.execute(update(idempotent_answers).where(idempotent_answers.c.key_hash == key_hash).values(**values))


def forget(connection: Connection, key_hash: str) -> None:
    """After an answer that trying again may change, so that it can be tried again."""
    connection.execute(delete(idempotent_answers).where(idempotent_answers.c.key_hash == key_hash))


def prune(connection: Connection, *, now: datetime) -> int:
    return int(connection.execute(delete(idempotent_answers).where(idempotent_answers.c.created_at < now - KEPT)).rowcount)
