"""What beat does for sources: due ones become jobs. Ticks that come late, twice or never change nothing."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress

from core.errors import UserError
from core.store import sources
from core.store.sources import Source
from workers.bootstrap import Services
from workers.principals import system_principal
from workers.queue import enqueue


def start_due_sources(services: Services) -> int:
    """Accepts one job per due source; how many. One that was missed many times comes once.

    Raises: Unavailable when the state store does not answer.
    """
    now = services.clock.now()
    with services.store.read() as connection:
        due = sources.due(connection, now=now)
    for source in due:
        _start(services, source, now)
    return len(due)


def _start(services: Services, source: Source, now: dt.datetime) -> None:
    """The job first, by a key that names the time, then the next time: whatever dies in between, the job is there once."""
    if source.next_run_at is None:
        return
    with suppress(UserError):  # such as a disabled tenant: nothing of it is tried again before its next time
        enqueue(
            services,
            "refresh_source",
            {"source": source.id},
            system_principal(source.tenant),
            f"source {source.id} {source.next_run_at:%Y%m%dT%H%M%S}",
        )
    with services.store.write() as connection:
        sources.schedule(connection, source, next_run_at=following(source, now))


def following(source: Source, now: dt.datetime) -> dt.datetime | None:
    """The next time on the source's own grid after `now`."""
    minutes = source.plan.get("every_minutes")
    if not minutes:
        return None
    step = dt.timedelta(minutes=int(minutes))
    start = source.next_run_at or now
    return start + step * (max(0, (now - start) // step) + 1)


def after_failure(source: Source, failures: int, now: dt.datetime) -> dt.datetime | None:
    """Tries again after 5, 10, 20 ... minutes, never later than planned; None for a source without a schedule."""
    if source.next_run_at is None:
        return None
    return min(source.next_run_at, now + dt.timedelta(minutes=5 * 2 ** min(failures, 10)))
