"""How fresh the tables of a tenant's own database are: when they were loaded or refreshed, and whether their source is behind."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, select
from sqlalchemy.engine import Connection

from core.ids import TenantId
from core.store.tables import datasets, sources

LATE_AFTER_RUNS = 2


@dataclass(frozen=True, slots=True)
class Freshness:
    """source: its name, None for an uploaded file. late: its runs fail, or it missed two of them; never of a source that is switched off."""

    table: str
    refreshed_at: datetime
    source: str | None
    late: bool


def freshness(connection: Connection, tenant: TenantId, tables: Collection[str], *, now: datetime) -> tuple[Freshness, ...]:
    """Of those tables that Querent itself fills, by name; nothing is known here of tables that others fill."""
    if not tables:
        return ()
    joined = datasets.outerjoin(sources, and_(sources.c.tenant_id == datasets.c.tenant_id, sources.c.table_name == datasets.c.table_name))
    wanted = (
        select(
            datasets.c.table_name,
            datasets.c.updated_at,
            sources.c.name,
            sources.c.plan,
            sources.c.failures,
            sources.c.refreshed_at,
            sources.c.enabled,
        )
        .select_from(joined)
        .where(datasets.c.tenant_id == tenant, datasets.c.table_name.in_(tuple(tables)), datasets.c.status == "ready")
        .order_by(datasets.c.table_name)
    )
    found = []
    for table, loaded_at, source, plan, failures, refreshed_at, enabled in connection.execute(wanted):
        at = refreshed_at or loaded_at
        every = timedelta(minutes=int((plan or {}).get("every_minutes") or 0))
        behind = bool(failures) or (bool(every) and now - at > LATE_AFTER_RUNS * every)
        found.append(Freshness(table, at, source, bool(enabled) and behind))
    return tuple(found)
