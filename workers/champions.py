"""Who forecasts or judges a metric: Querent's own models, or the custom model that was promoted for it."""

from __future__ import annotations

from core.ids import TenantId
from core.store import model_slots, model_versions
from core.store.model_versions import StoredVersion
from core.timeseries import Grain
from workers.bootstrap import Services


def champion_for(services: Services, tenant: TenantId, kind: str, metric: str | None, grain: Grain) -> StoredVersion | None:
    """The promoted custom version that serves `metric` at `grain`, or None: Querent's own models do.

    kind: "forecast" or "detect". metric: a declared metric; None (any other measure) is never served by a custom model.
    Raises: Unavailable when the state store does not answer.
    """
    if metric is None:
        return None
    with services.store.read() as connection:
        slot = model_slots.serving(connection, tenant, kind, metric)
        if slot is None or slot.champion_id is None:
            return None
        found = model_versions.get(connection, tenant, slot.champion_id)
    return found if grain.value in found.card.get("grains", ()) else None
