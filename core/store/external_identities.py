"""Which user of a tenant a subject of an OpenID provider is."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.engine import Connection

from core.errors import Conflict
from core.ids import TenantId, UserId, new_id
from core.store import scope
from core.store.tables import external_identities


def user_of(connection: Connection, tenant: TenantId, issuer: str, subject: str) -> UserId | None:
    row = scope.find(
        connection, external_identities, tenant, external_identities.c.issuer == issuer, external_identities.c.subject == subject
    )
    return None if row is None else UserId(row["user_id"])


def link(connection: Connection, tenant: TenantId, issuer: str, subject: str, user: UserId, *, now: datetime) -> None:
    """Raises: Conflict when that subject is somebody's already."""
    if user_of(connection, tenant, issuer, subject[:255]) is not None:
        raise Conflict("Another person has that external id already.", code="user_exists")
    values = {"id": new_id("ext"), "issuer": issuer[:300], "subject": subject[:255], "user_id": user, "created_at": now}
    scope.add(connection, external_identities, tenant, values)
