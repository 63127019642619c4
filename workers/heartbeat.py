"""Keeps a lease alive from a thread while its job runs, and learns there whether the job should stop."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType

from core.clock import Clock
from core.errors import Unavailable
from core.store import job_leases
from core.store.job_leases import Lease
from core.store.store import Store

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)  # library calls may hold the interpreter for seconds; six missed beats are a dead worker
BEAT_S = 3.0
INTERRUPT_AFTER_S = 10.0  # a job that ignores a cancel for so long is interrupted
HARD_LIMIT_MARGIN_S = 60.0  # after its limit a run may still write down what happened


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run that does not end by itself is ended: `interrupt` raises in the thread that runs it, `kill` ends the whole process."""

    interrupt: Callable[[], None]
    kill: Callable[[], None]


class Heartbeat:
    """Renews `lease` until the block ends. `cancelled` and `lost` are events for the job to look at.

    A run that ignores either for ten seconds, or goes on after `limit_s`, is interrupted; one that even that does not end is told to
    `too_long` a minute after its limit, and its process killed.
    """

    def __init__(
        self,
        store: Store,
        lease: Lease,
        clock: Clock,
        *,
        ending: Ending | None = None,
        limit_s: float = math.inf,
        too_long: Callable[[], object] = lambda: None,
    ) -> None:
        self.cancelled = threading.Event()
        self.lost = threading.Event()
        self._store, self._lease, self._clock = store, lease, clock
        self._ending, self._limit_s, self._too_long = ending, limit_s, too_long
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"heartbeat-{lease.job}", daemon=True)
        self._renewed_s = 0.0

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        started_s = self._renewed_s = time.monotonic()
        asked_s: float | None = None
        while not self._stop.wait(BEAT_S):
            self._beat()
            now_s = time.monotonic()
            if self._ending is None:
                continue
            if now_s - started_s > self._limit_s + HARD_LIMIT_MARGIN_S and not self._stop.is_set():
                self._kill(self._ending)
            if asked_s is None and now_s - started_s > self._limit_s:
                asked_s = -math.inf
            elif asked_s is None and (self.lost.is_set() or self.cancelled.is_set()):
                asked_s = now_s
            if asked_s is not None and now_s - asked_s > INTERRUPT_AFTER_S and not self._stop.is_set():
                self._ending.interrupt()
                asked_s = now_s

    def _beat(self) -> None:
        try:
            with self._store.write() as connection:
                beat = job_leases.heartbeat(connection, self._lease, now=self._clock.now(), lease_for=LEASE)
        except Exception as error:  # whatever it is, a beat that fails once must not end all beats
            if not isinstance(error, Unavailable):
                log.exception("a heartbeat failed; the next one follows")
            if time.monotonic() - self._renewed_s > LEASE.total_seconds():
                self.lost.set()
            return
        self._renewed_s = time.monotonic()
        if not beat.holds:
            self.lost.set()
        if beat.cancel_requested:
            self.cancelled.set()

    def _kill(self, ending: Ending) -> None:
        log.error("job %s goes on a minute after its time limit; its process is ended", self._lease.job)
        try:
            self._too_long()
        except Exception:  # the state store is away: whoever reaps finds the process gone
            log.exception("the time limit of job %s could not be written down", self._lease.job)
        ending.kill()
