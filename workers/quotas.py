"""How much a tenant may use in a day: questions and queries, rows read, jobs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from core.clock import Clock
from core.errors import RateLimited
from core.ids import TenantId
from core.principal import Principal
from core.settings import Settings
from core.store import tenants, usage
from core.store.store import Store

_REMEMBERED_S = 30.0
_TOGETHER: Mapping[usage.Kind, tuple[usage.Kind, ...]] = {
    "queries": ("queries", "rows_read"),
    "rows_read": ("rows_read",),
    "jobs": ("jobs",),
    "llm_calls": ("llm_calls",),
}


def bounds_of(own: Mapping[str, Any], settings: Settings) -> dict[usage.Kind, int]:
    """Per day, by kind: a tenant's own quotas (`{"queries_per_day": 10000}`), else the installation's; 0 has no limit."""
    return {kind: int(own.get(f"{kind}_per_day", getattr(settings, f"{kind}_per_day"))) for kind in usage.KINDS}


class Quotas:
    """The bounds are the tenant's own (its settings, `quotas: {"queries_per_day": 10000}`), else the installation's; 0 has no limit."""

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        self._store, self._settings, self._clock = store, settings, clock
        self._known: dict[TenantId, tuple[float, dict[usage.Kind, int]]] = {}

    def refuse_over(self, tenant: TenantId, kind: usage.Kind) -> None:
        """Raises: RateLimited when the tenant used up what it may use of `kind` today (UTC)."""
        bounds = {one: bound for one, bound in self._bounds(tenant).items() if one in _TOGETHER[kind] and bound}
        if not bounds:
            return
        day = self._clock.now().date()
        with self._store.read() as connection:
            used = {one: usage.total(connection, tenant, one, day=day) for one in bounds}
        for one, amount in used.items():
            if amount >= bounds[one]:
                raise RateLimited(
                    f"Your company used up its {one.replace('_', ' ')} of today ({amount:,} of {bounds[one]:,}). "
                    "They start anew at midnight UTC; an administrator can raise the quota.",
                    code="quota_used_up",
                )

    def count(self, principal: Principal, *, queries: int = 1, rows_read: int = 0) -> None:
        """Adds to what the caller used today."""
        if not queries and not rows_read:
            return
        day = self._clock.now().date()
        with self._store.write() as connection:
            usage.add(connection, principal.tenant, principal.user, "queries", queries, day=day)
            usage.add(connection, principal.tenant, principal.user, "rows_read", rows_read, day=day)

    def _bounds(self, tenant: TenantId) -> dict[usage.Kind, int]:
        known = self._known.get(tenant)
        if known is not None and time.monotonic() - known[0] < _REMEMBERED_S:
            return known[1]
        with self._store.read() as connection:
            own = tenants.get(connection, tenant).settings.get("quotas", {}) if tenants.exists(connection, tenant) else {}
        bounds = bounds_of(own, self._settings)
        self._known[tenant] = (time.monotonic(), bounds)
        return bounds
