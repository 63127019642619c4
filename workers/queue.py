"""Accepting and cancelling jobs. The row is written first; a message that cannot be sent now is sent later by the reaper."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from celery import Celery
from kombu.exceptions import ChannelError, OperationalError
from pydantic import BaseModel

from core.ids import JobId, TenantId
from core.principal import Principal
from core.store import job_leases, jobs, usage
from core.store.jobs import Job, JobStatus, NewJob
from core.tracing import carried
from workers.bootstrap import Services
from workers.broker import DELIVER_TASK, RUN_TASK
from workers.kinds import Kind, checked_params
from workers.kinds import kind as kind_named
from workers.principals import SYSTEM_USER

log = logging.getLogger(__name__)

HARD_LIMIT_MARGIN_S = 60  # after the soft limit a run may still write down what happened


def enqueue(
    services: Services, kind: str, params: Mapping[str, Any] | BaseModel, principal: Principal, idempotency_key: str | None = None
) -> JobId:
    """Accepts a job for `principal`; it will run once, also when broker or workers are away now.

    Raises: NotFound for an unknown kind; Invalid for bad parameters; RateLimited over the tenant's quota; Conflict when the idempotency key came with another request;
    Unavailable when the state store does not answer.
    """
    checked = checked_params(kind, params.model_dump() if isinstance(params, BaseModel) else params)
    new = NewJob(kind=kind, queue=kind_named(kind).queue, params=checked, idempotency_key=idempotency_key)
    own = principal.user == SYSTEM_USER  # schedules are not a user's doing
    if not own:
        services.quotas.refuse_over(principal.tenant, "jobs")
    with services.store.write() as connection:
        job = jobs.create(connection, principal.tenant, principal.user, new, now=services.clock.now())
        if not own:
            usage.add(connection, principal.tenant, principal.user, "jobs", 1, day=services.clock.now().date())
    if job.status is JobStatus.PENDING and job.attempts == 0:
        dispatch(services, job.tenant, job.id, job.kind, job.queue)
    return job.id


def cancel(services: Services, tenant: TenantId, job: JobId) -> Job:
    """Asks a job to stop; one that waits is cancelled at once, a finished one stays as it is. Raises: NotFound."""
    with services.store.write() as connection:
        return jobs.request_cancel(connection, tenant, job, now=services.clock.now())


def dispatch(services: Services, tenant: TenantId, job: JobId, kind: str, queue: str | None = None) -> bool:
    """Sends the message that makes a worker look at the job; whether the broker took it. Sending twice is harmless.

    queue: the job's own, when it is not its kind's.
    """
    if not _send(services.celery, tenant, job, kind_named(kind), queue):
        return False
    with services.store.write() as connection:
        job_leases.mark_sent(connection, tenant, job, now=services.clock.now())
    return True


def wake_sender(services: Services) -> None:
    """Asks for the outbox to be worked off now; when the broker is away, beat's next tick does it."""
    try:
        services.celery.send_task(DELIVER_TASK, queue="default", retry=False, expires=60)
    except (OSError, OperationalError, ChannelError) as error:
        log.warning("the broker took no message (%s); the outbox waits for the next tick", type(error).__name__)


def _send(app: Celery, tenant: TenantId, job: JobId, kind: Kind, queue: str | None) -> bool:
    soft_s = kind.soft_limit_s
    try:
        app.send_task(
            RUN_TASK,
            args=[tenant, job],
            headers=carried(),
            queue=queue or kind.queue,
            retry=False,
            soft_time_limit=soft_s,
            time_limit=soft_s + HARD_LIMIT_MARGIN_S,
        )
    except (OSError, OperationalError, ChannelError) as error:
        log.warning("job %s: the broker took no message (%s); the reaper will send it", job, type(error).__name__)
        return False
    return True
