"""What is not kept for ever: progress of jobs long finished, sessions long ended. The question log and the audit log are not touched here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from core.store import idempotency, job_turns
from core.store.tables import job_events, jobs, sessions

PROGRESS_KEPT = timedelta(days=7)
SESSIONS_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Pruned:
    progress_events: int
    sessions: int


def prune(connection: Connection, *, now: datetime) -> Pruned:
    """Removes, for all tenants, progress events of jobs finished 7 days ago (their status events stay) and sessions ended 30 days ago."""
    finished = select(jobs.c.id).where(jobs.c.finished_at < now - PROGRESS_KEPT)
    events = connection.execute(delete(job_events).where(job_events.c.kind == "progress", job_events.c.job_id.in_(finished)))
    ended = connection.execute(delete(sessions).where(sessions.c.expires_at < now - SESSIONS_KEPT))
    idempotency.prune(connection, now=now)
    job_turns.prune(connection, now=now)
    return Pruned(int(events.rowcount), int(ended.rowcount))
