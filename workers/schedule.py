"""What happens by itself once a day."""

from __future__ import annotations

from core.store import catalogs, tenants
from workers.bootstrap import Services
from workers.principals import system_principal
from workers.queue import enqueue


def start_daily(services: Services) -> int:
    """Accepts today's jobs of every tenant with a catalog; asked again the same day it accepts nothing new. How many tenants.

    Raises: Unavailable when the state store does not answer.
    """
    day = services.clock.now().date().isoformat()
    with services.store.read() as connection:
        due = [t.id for t in tenants.list_all(connection) if not t.disabled and catalogs.current_version(connection, t.id)]
    for tenant in due:
        enqueue(services, "refresh_values", {}, system_principal(tenant), f"daily-values-{day}")
    return len(due)
