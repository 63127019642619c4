"""Keeps a lease alive from a thread while its job runs, and learns there whether the job should stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
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


class Heartbeat:
    """Renews `lease` until the block ends. `cancelled` and `lost` are events for the job to look at."""

    def __init__(self, store: Store, lease: Lease, clock: Clock, *, interrupt: Callable[[], None] | None = None) -> None:
        self.cancelled = threading.Event()
        self.lost = threading.Event()
        self._store, self._lease, self._clock, self._interrupt = store, lease, clock, interrupt
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"heartbeat-{lease.job}", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        renewed_s = time.monotonic()
        asked_s: float | None = None
        while not self._stop.wait(BEAT_S):
            try:
                with self._store.write() as connection:
                    beat = job_leases.heartbeat(connection, self._lease, now=self._clock.now(), lease_for=LEASE)
            except Exception as error:  # whatever it is, a beat that fails once must not end all beats
                if not isinstance(error, Unavailable):
                    log.exception("a heartbeat failed; the next one follows")
                if time.monotonic() - renewed_s > LEASE.total_seconds():
                    self.lost.set()
                continue
            renewed_s = time.monotonic()
            if not beat.holds:
                self.lost.set()
            if beat.cancel_requested:
                self.cancelled.set()
            if self.lost.is_set() or self.cancelled.is_set():
                asked_s = asked_s or renewed_s
                if self._interrupt is not None and renewed_s - asked_s > INTERRUPT_AFTER_S and not self._stop.is_set():
                    self._interrupt()
                    asked_s = renewed_s
