"""What a person prefers, such as the cards of their home page: small JSON values by name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from core.ids import TenantId, UserId, new_id
from core.store import scope
from core.store.tables import preferences


def get(connection: Connection, tenant: TenantId, user: UserId, name: str) -> Any:
    """None when nothing was chosen."""
    row = scope.find(connection, preferences, tenant, preferences.c.user_id == user, preferences.c.name == name)
    return None if row is None else row["value"]


def put(connection: Connection, tenant: TenantId, user: UserId, name: str, value: Any, *, now: datetime) -> None:
    mine = (preferences.c.user_id == user, preferences.c.name == name)
    if not scope.change(connection, preferences, tenant, {"value": value, "updated_at": now}, *mine):
        scope.add(connection, preferences, tenant, {"id": new_id("prf"), "user_id": user, "name": name, "value": value, "updated_at": now})
