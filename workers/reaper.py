"""Brings back what was lost: jobs whose worker vanished, and jobs whose message vanished. Safe to run anywhere, any number of times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from core.store import job_leases
from core.store.jobs import JobStatus
from workers.bootstrap import Services
from workers.holder import is_surely_dead
from workers.queue import dispatch

MAX_LOSSES = 6
# A message may be lost with the worker or broker that had it, or wait long behind others, which nobody can tell apart. The first is sent again
# soon, as somebody waits for it (a job twice in line runs once); growing waits keep resends of a long queue few (at most one per job and hour).
RESEND_AFTER = tuple(timedelta(seconds=s) for s in (4, 60, 300, 900, 3600))


@dataclass(frozen=True, slots=True)
class Reaped:
    """Jobs taken back from vanished workers, and messages sent."""

    reclaimed: int
    sent: int


def reap(services: Services, *, after_restart: bool = False) -> Reaped:
    """Takes back what vanished workers held and sends missing messages.

    after_restart: messages that a killed worker had taken may be lost, so that waiting jobs are sent again without delay.
    Raises: Unavailable when the state store does not answer.
    """
    now = services.clock.now()
    with services.store.read() as connection:
        lost = [
            job
            for job in job_leases.running(connection)
            if (job.lease_until is not None and job.lease_until < now) or is_surely_dead(job.lease_owner or "")
        ]
    reclaimed = 0
    for job in lost:
        with services.store.write() as connection:
            status = job_leases.reclaim(connection, job, max_losses=MAX_LOSSES, now=now)
        reclaimed += status is JobStatus.PENDING
    waits = (timedelta(seconds=2), *RESEND_AFTER[1:]) if after_restart else RESEND_AFTER
    with services.store.read() as connection:
        unsent = job_leases.unsent(connection, now=services.clock.now(), resend_after=waits)
    sent = 0
    for job_unsent in unsent:
        if not dispatch(services, job_unsent.tenant, job_unsent.job, job_unsent.kind, job_unsent.queue):
            break  # the broker is away: no need to ask it again for each
        sent += 1
    return Reaped(reclaimed=reclaimed, sent=sent)
