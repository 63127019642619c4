"""What a job's function gets: its parameters, the services, and ways to say how far it is."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.errors import Cancelled, InternalError
from core.ids import JobId, TenantId
from core.principal import Principal
from core.store import job_leases
from core.store.job_leases import Lease, Progress
from core.store.jobs import Job
from workers.bootstrap import Services
from workers.heartbeat import Heartbeat

REPORT_EVERY_S = 0.25  # progress within a step is written at most this often


class LeaseLost(InternalError):
    """Another worker has the job now; this run must stop and may change nothing more."""

    code = "lease_lost"
    retryable = True


class BelongsElsewhere(InternalError):
    """The job needs what only workers of `queue` may do; it is put back and sent there."""

    code = "belongs_elsewhere"

    def __init__(self, queue: str) -> None:
        self.told = f"It goes on with a worker of queue {queue}."
        super().__init__(self.told)
        self.queue = queue


class GivesWay(InternalError):
    """The job did a part and others wait; it is put back into its queue and goes on from its checkpoint when its turn comes again."""

    code = "gives_way"
    told = "It goes on when others had their turn."

    def __init__(self, queue: str) -> None:
        super().__init__(self.told)
        self.queue = queue


@dataclass(slots=True)
class JobContext:
    """`steps` maps each step's name to its share of the whole (they add up to 1), in order.

    queue: whose message brought the job here; empty when it was called directly.
    """

    job: Job
    principal: Principal
    services: Services
    lease: Lease
    heartbeat: Heartbeat
    steps: Mapping[str, float]
    queue: str = ""
    _reported_s: float = field(default=0.0, init=False)
    _step: str = field(default="", init=False)

    @property
    def tenant(self) -> TenantId:
        return self.job.tenant

    @property
    def job_id(self) -> JobId:
        return self.job.id

    @property
    def as_of(self) -> datetime:
        """The job's own present: when it was accepted, so that a second run sees the same time."""
        return self.job.created_at

    def check_cancelled(self) -> None:
        """Raises: Cancelled when its user asked to stop; LeaseLost when the job is no longer ours."""
        if self.heartbeat.lost.is_set():
            raise LeaseLost("the lease on the job was lost")
        if self.heartbeat.cancelled.is_set():
            raise Cancelled("The job was cancelled by its user.")

    def progress(self, step: str, done: float = 0, total: float = 1) -> None:
        """Tells followers that `done` of `total` of `step` is reached, and stops here when the job was cancelled.

        Raises: Cancelled; LeaseLost; KeyError for a step that the kind did not declare.
        """
        self.check_cancelled()
        now_s = time.monotonic()
        if step == self._step and done < total and now_s - self._reported_s < REPORT_EVERY_S:
            return
        self._step, self._reported_s = step, now_s
        report = Progress(step=step, progress=self._share(step, done, total), done=done, total=total)
        with self.services.store.write() as connection:
            held = job_leases.report(connection, self.lease, report, now=self.services.clock.now())
        if not held:
            raise LeaseLost("the lease on the job was lost")

    def save_checkpoint(self, checkpoint: Mapping[str, Any]) -> None:
        """Keeps what a restarted run goes on from (`job.checkpoint`). Raises: LeaseLost."""
        with self.services.store.write() as connection:
            held = job_leases.save_checkpoint(connection, self.lease, checkpoint, now=self.services.clock.now())
        if not held:
            raise LeaseLost("the lease on the job was lost")

    def _share(self, step: str, done: float, total: float) -> float:
        names = list(self.steps)
        before = sum(self.steps[name] for name in names[: names.index(step)]) if step in self.steps else None
        if before is None:
            raise KeyError(f"step {step!r} is not among {names}")
        return before + self.steps[step] * (done / total if total > 0 else 1.0)
