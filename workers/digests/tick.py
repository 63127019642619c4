"""What beat does for digests: due ones become a job per reader. Ticks that come late, twice or never change nothing."""

from __future__ import annotations

import datetime as dt

from core.errors import AppError, Forbidden, UserError
from core.store import digests
from core.store.digests import Digest
from workers.bootstrap import Services
from workers.digests.definition import next_time, parse_definition, slot_of
from workers.holder import holder_name
from workers.principals import load_principal
from workers.queue import enqueue

LEASE = dt.timedelta(minutes=10)
BATCH = 100
TRY_AGAIN = dt.timedelta(hours=6)  # a digest that cannot be read any more


def start_due_digests(services: Services) -> int:
    """Accepts one job per subscribed reader of each due digest; how many. A digest missed many times comes once.

    Raises: Unavailable when the state store does not answer.
    """
    owner = holder_name()
    started = 0
    while True:
        with services.store.write() as connection:
            due = digests.lease_due(connection, owner, now=services.clock.now(), lease_for=LEASE, limit=BATCH)
        if not due:
            return started
        for digest in due:
            started += _start(services, digest)


def _start(services: Services, digest: Digest) -> int:
    now = services.clock.now()
    due_at = digest.asked.next_at or now
    try:
        definition = parse_definition(digest.asked.definition)
        zone = services.catalog(digest.tenant).calendar.time_zone
        slot, following = slot_of(definition, zone, due_at), next_time(definition, zone, now)
    except UserError as error:
        with services.store.write() as connection:
            digests.done(connection, digest, next_at=now + TRY_AGAIN, error=error.message)
        return 0
    with services.store.read() as connection:
        wanted = [user for user, subscribed in digests.readers(connection, digest.tenant, digest.id).items() if subscribed]
    count = 0
    problem: AppError | None = None
    for user in wanted:
        try:
            principal = load_principal(services.store, digest.tenant, user)
        except Forbidden as error:  # who has left gets nothing
            problem = error
            continue
        enqueue(services, "digest", {"digest": digest.id, "slot": slot}, principal, f"digest {digest.id} {slot}")
        count += 1
    with services.store.write() as connection:
        digests.done(connection, digest, next_at=following, error=problem.message if problem is not None else None)
    return count
