"""What each reader said of facts: the last word per topic, which can be taken back. And registered versions of what is behind the words."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete as delete_from
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from core.ids import TenantId, UserId, new_id
from core.store import scope
from core.store.tables import fact_votes, word_versions


@dataclass(frozen=True, slots=True)
class FactVote:
    """topic: kind, metric, segment and names of the fact, hashed. verdict: useful, not_useful or mute. about: the sentence, for showing."""

    topic: str
    kind: str
    metric: str
    verdict: str
    insight_id: str
    about: str
    at: datetime | None = None  # None before it is kept


def put(connection: Connection, tenant: TenantId, user: UserId, vote: FactVote, *, now: datetime) -> None:
    """Replaces what the user said of the topic before."""
    retract(connection, tenant, user, vote.topic)
    values = {name: getattr(vote, name) for name in FactVote.__dataclass_fields__}
    scope.add(connection, fact_votes, tenant, values | {"id": new_id("vote"), "user_id": user, "at": now})


def retract(connection: Connection, tenant: TenantId, user: UserId, topic: str) -> bool:
    """Whether there was something to take back."""
    mine = (fact_votes.c.tenant_id == tenant, fact_votes.c.user_id == user, fact_votes.c.topic == topic)
    return connection.execute(delete_from(fact_votes).where(*mine)).rowcount > 0


def list_all(connection: Connection, tenant: TenantId, user: UserId) -> tuple[FactVote, ...]:
    """The user's, newest first, at most 1,000."""
    rows = scope.page(connection, fact_votes, tenant, fact_votes.c.user_id == user, order=[fact_votes.c.at.desc()], limit=1000)
    return tuple(scope.as_value(FactVote, row) for row in rows)


def word_version(connection: Connection, tenant: TenantId, fingerprint: str) -> str | None:
    """The registered version of these words, if they were registered."""
    row = scope.find(connection, word_versions, tenant, word_versions.c.fingerprint == fingerprint)
    return str(row["version"]) if row is not None else None


def put_word_version(connection: Connection, tenant: TenantId, fingerprint: str, version: str, *, now: datetime) -> None:
    """Once; a second time, also at the same moment, changes nothing."""
    if word_version(connection, tenant, fingerprint) is None:
        values = {"id": new_id("wrd"), "fingerprint": fingerprint, "version": version, "created_at": now}
        with suppress(IntegrityError), connection.begin_nested():
            scope.add(connection, word_versions, tenant, values)
