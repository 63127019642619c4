"""One clock for all processes of an installation: that of its PostgreSQL, as machines' own clocks differ."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import text

from core.clock import Clock
from core.errors import AppError
from core.store.store import Store

LOOKED_AGAIN_S = 60.0
UNSEEN = timedelta(seconds=0.5)  # what asking takes; clocks that are so near are left alone
TOLD = timedelta(seconds=5)
log = logging.getLogger(__name__)


class SharedClock:
    """This machine's clock and what it is wrong by. Leases, schedules and sessions are compared between machines: a worker ten minutes behind would
    start no job for ten minutes, and one ahead take others' jobs from them.

    The first call asks the state store, later ones have it asked beside them once a minute; one that does not answer changes nothing.
    """

    def __init__(self, store: Store, local: Clock, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._store, self._local, self._now_s = store, local, now_s
        self._ahead = timedelta()
        self._next_s: float | None = None

    def now(self) -> datetime:
        asked_s = self._now_s()
        if self._next_s is None or asked_s >= self._next_s:
            first, self._next_s = self._next_s is None, asked_s + LOOKED_AGAIN_S
            if first:
                self.look()
            else:
                threading.Thread(target=self.look, name="shared clock", daemon=True).start()
        return self._local.now() + self._ahead

    def look(self) -> timedelta:
        """How far the state store's clock is ahead of this machine's."""
        try:
            with self._store.glance() as connection:
                connection.execute(text("SELECT 1"))  # what it takes to connect says nothing of the time
                began = self._local.now()
                theirs: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
                took = self._local.now() - began
        except AppError:
            return self._ahead
        ahead = theirs - (began + took / 2)
        ahead = timedelta() if abs(ahead) <= UNSEEN + took else ahead
        if abs(ahead - self._ahead) > TOLD:
            log.warning("this machine's clock is %.0f s from the state store's, whose time is taken", -ahead.total_seconds())
        self._ahead = ahead
        return ahead
