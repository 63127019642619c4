"""What happens by itself once a day."""

from __future__ import annotations

from core.store import catalogs, retention, tenants
from workers.bootstrap import Services
from workers.principals import system_principal
from workers.queue import enqueue


def start_daily(services: Services) -> int:
    """Removes what is kept no longer, and accepts today's jobs of every tenant with a catalog; asked again the same day it accepts nothing new.

    How many tenants have one.

    Raises: Unavailable when the state store does not answer.
    """
    day = services.clock.now().date().isoformat()
    with services.store.read() as connection:
        due = [t.id for t in tenants.list_all(connection) if not t.disabled and catalogs.current_version(connection, t.id)]
    with services.store.write() as connection:
        retention.prune(connection, now=services.clock.now())
    for tenant in due:
        enqueue(services, "refresh_values", {}, system_principal(tenant), f"daily-values-{day}")
    return len(due)
