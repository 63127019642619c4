"""Accepting and cancelling jobs. The row is written first; a message that cannot be sent now is sent later by the reaper.

A message tells the workers of a queue that it has one job more; whose turn it is they find out when they are free (core/store/job_turns.py).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from kombu.exceptions import ChannelError, OperationalError
from pydantic import BaseModel

from core.ids import JobId, TenantId
from core.principal import Principal
from core.store import job_leases, jobs, usage
from core.store.job_leases import Unsent
from core.store.jobs import Job, JobStatus, NewJob
from core.tracing import carried
from workers.bootstrap import Services
from workers.broker import DELIVER_TASK, RUN_TASK, TICKS
from workers.kinds import KINDS, checked_params
from workers.kinds import kind as kind_named
from workers.principals import SYSTEM_USER

log = logging.getLogger(__name__)

# Each run watches its own kind's limit (workers/heartbeat.py). Celery ends a process that cannot, and knows only the queue.
_HARD_LIMIT_S = 600 + max(kind.soft_limit_s for kind in KINDS.values())


def enqueue(
    services: Services, kind: str, params: Mapping[str, Any] | BaseModel, principal: Principal, idempotency_key: str | None = None
) -> JobId:
    """Accepts a job for `principal`; it will run once, also when broker or workers are away now.

    Raises: NotFound for an unknown kind; Invalid for bad parameters; RateLimited over the tenant's quota; Conflict when the idempotency key came with another request;
    Unavailable when the state store does not answer.
    """
    checked = checked_params(kind, params.model_dump() if isinstance(params, BaseModel) else params)
    new = NewJob(kind, kind_named(kind).queue, checked, idempotency_key, carried().get("traceparent"))
    own = principal.user == SYSTEM_USER  # schedules are not a user's doing
    if not own:
        services.quotas.refuse_over(principal.tenant, "jobs")
    with services.store.write() as connection:
        job = jobs.create(connection, principal.tenant, principal.user, new, now=services.clock.now())
        if not own:
            usage.add(connection, principal.tenant, principal.user, "jobs", 1, day=services.clock.now().date())
    if job.status is JobStatus.PENDING and job.attempts == 0:
        dispatch(services, job.tenant, job.id, job.queue)
    return job.id


def cancel(services: Services, tenant: TenantId, job: JobId) -> Job:
    """Asks a job to stop; one that waits is cancelled at once, a finished one stays as it is. Raises: NotFound."""
    with services.store.write() as connection:
        return jobs.request_cancel(connection, tenant, job, now=services.clock.now())


def dispatch(services: Services, tenant: TenantId, job: JobId, queue: str) -> bool:
    """Sends the message that makes a worker of `queue` look for work; whether the broker took it. Sending twice is harmless."""
    if not _send(services, tenant, job, queue):
        return False
    with services.store.write() as connection:
        job_leases.mark_sent(connection, tenant, job, now=services.clock.now())
    return True


def send_again(services: Services, unsent: Unsent) -> bool | None:
    """Sends a message that is missing: True; False when the broker did not take it; None when it needs none any more."""
    with services.store.write() as connection:
        if not job_leases.take_sending(connection, unsent, now=services.clock.now()):
            return None
    if _send(services, unsent.tenant, unsent.job, unsent.queue):
        return True
    with services.store.write() as connection:
        job_leases.mark_unsent(connection, unsent.tenant, unsent.job)
    return False


def wake_sender(services: Services) -> None:
    """Asks for the outbox to be worked off now; when the broker is away, beat's next tick does it."""
    try:
        services.celery.send_task(DELIVER_TASK, queue=TICKS, retry=False, expires=60)
    except (OSError, OperationalError, ChannelError) as error:
        log.warning("the broker took no message (%s); the outbox waits for the next tick", type(error).__name__)


def _send(services: Services, tenant: TenantId, job: JobId, queue: str) -> bool:
    try:
        services.celery.send_task(RUN_TASK, args=[tenant, job], queue=queue, retry=False, time_limit=_HARD_LIMIT_S)
    except (OSError, OperationalError, ChannelError) as error:
        log.warning("job %s: the broker took no message (%s); the reaper will send it", job, type(error).__name__)
        return False
    return True
