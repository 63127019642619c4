"""What happens by itself once a day."""

from __future__ import annotations

import logging
from dataclasses import replace

from core.errors import Forbidden, RateLimited
from core.ids import TenantId
from core.store import catalogs, goals, jobs, model_versions, retention, tenants
from core.store.model_versions import VersionState
from workers.bootstrap import Services
from workers.custom.accept import settle, start
from workers.forecasts.goal_params import goal_params
from workers.forecasts.standing import repeats
from workers.principals import load_principal, system_principal
from workers.queue import enqueue

log = logging.getLogger(__name__)
MAX_BATCHES = 1_000
"""Of a tenant's batches, the newest so many are looked at."""


def tend_models(services: Services, tenant: TenantId, day: str) -> None:
    """Has custom models tried and watched, where the tenant has any. Raises: Unavailable."""
    with services.store.read() as connection:
        found = model_versions.list_all(connection, tenant)
    for version in found:
        if version.state is VersionState.CHECKING:
            settle(
                services,
                start(services, replace(system_principal(tenant), user=version.created_by), version) if version.job_id is None else version,
            )
    if any(version.state in (VersionState.CHALLENGER, VersionState.CHAMPION) for version in found):
        enqueue(services, "shadow_models", {}, system_principal(tenant), f"daily-shadow-{day}")
        enqueue(services, "watch_models", {}, system_principal(tenant), f"daily-watch-{day}")


def tend_forecasts(services: Services, tenant: TenantId, day: str) -> None:
    """Has stored forecasts scored, each running goal looked at with its owner's rights, and standing batches made. Raises: Unavailable."""
    enqueue(services, "score_forecasts", {}, system_principal(tenant), f"daily-scores-{day}")
    with services.store.read() as connection:
        running = goals.list_all(connection, tenant, on=services.clock.now().date(), limit=1000)
    for goal in running:
        owner = replace(system_principal(tenant), user=goal.asked.owner)  # the job reads the owner's rights itself when it starts
        enqueue(services, "forecast", goal_params(goal), owner, f"daily-goal-{goal.id}-{goal.updated_at:%Y%m%dT%H%M%S}-{day}")
    repeat_batches(services, tenant)


def repeat_batches(services: Services, tenant: TenantId) -> int:
    """Accepts the standing batches of forecasts that are due; how many. One whose user left or whose tenant's quota is used up waits for another day.

    Raises: Unavailable.
    """
    with services.store.read() as connection:
        known = jobs.list_all(connection, tenant, kind="forecast_batch", limit=MAX_BATCHES)
    accepted = 0
    for repeat in repeats(known, services.clock.now(), services.settings.standing_forecast_days):
        try:
            owner = load_principal(services.store, tenant, repeat.asked.user)
            enqueue(services, "forecast_batch", repeat.asked.params, owner, repeat.key)
        except (Forbidden, RateLimited) as error:
            log.warning("standing batch %s of tenant %s is not made today: %s", repeat.asked.id, tenant, error.code)
        else:
            accepted += 1
    return accepted


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
        tend_models(services, tenant, day)
        tend_forecasts(services, tenant, day)
    return len(due)
