"""Brings back what was lost: jobs whose worker vanished, and jobs whose message vanished. Safe to run anywhere, any number of times."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

from core.store import job_leases, job_turns
from core.store.job_leases import Unsent
from core.store.jobs import JobStatus
from workers.bootstrap import Services
from workers.broker import messages_waiting
from workers.holder import is_surely_dead
from workers.queue import send_again

MAX_LOSSES = 6
# A message may be lost with the worker or broker that had it, or wait behind others. Once a job waits so long, the broker is asked how many
# messages it has; only as many as are missing are sent again, so that a long line makes no second one.
OVERDUE_AFTER = timedelta(seconds=4)
OVERDUE_AFTER_RESTART = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Reaped:
    """Jobs taken back from vanished workers, and messages sent."""

    reclaimed: int
    sent: int


def reap(services: Services, *, after_restart: bool = False) -> Reaped:
    """Takes back what vanished workers held and sends missing messages.

    after_restart: messages that a killed worker had taken may be lost, so that waiting jobs are looked at sooner.
    Raises: Unavailable when the state store does not answer.
    """
    reclaimed = _reclaim(services)
    with services.store.read() as connection:
        overdue_after = OVERDUE_AFTER_RESTART if after_restart else OVERDUE_AFTER
        found = job_leases.unsent(connection, now=services.clock.now(), overdue_after=overdue_after)
    sent = 0
    for unsent in [one for one in found if one.sent_at is None] + _missing(services, [one for one in found if one.sent_at is not None]):
        done = send_again(services, unsent)
        if done is False:
            break  # the broker is away: no need to ask it again for each
        sent += done is True
    return Reaped(reclaimed=reclaimed, sent=sent)


def _reclaim(services: Services) -> int:
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
    return reclaimed


def _missing(services: Services, overdue: list[Unsent]) -> list[Unsent]:
    """Of each queue as many of the overdue as it has fewer messages than jobs that could start."""
    by_queue: defaultdict[str, list[Unsent]] = defaultdict(list)
    for one in overdue:
        by_queue[one.queue].append(one)
    missing: list[Unsent] = []
    for queue, waiting in by_queue.items():
        messages = messages_waiting(services.celery, queue)
        if messages is None:
            continue  # the broker is away
        with services.store.read() as connection:
            wanted = job_turns.startable(connection, queue, at_once=services.settings.jobs_at_once, now=services.clock.now())
        missing += waiting[: max(0, wanted - messages)]
    return missing
