"""Alert rules: what is watched, and which of them is due. A scheduler leases due rules, so that each runs once at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.engine import Connection

from core.errors import Conflict
from core.ids import TenantId, UserId, new_id
from core.store import scope
from core.store.tables import alert_rules


@dataclass(frozen=True, slots=True)
class AlertRule:
    """`definition` in the form that anomaly's rules have; `next_run_at` None never runs by itself."""

    id: str
    tenant: TenantId
    name: str
    metric: str
    definition: Mapping[str, Any]
    enabled: bool
    created_by: UserId
    created_at: datetime
    updated_at: datetime
    last_run_at: datetime | None
    next_run_at: datetime | None
    last_error: str | None = None
    muted_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewAlertRule:
    name: str
    metric: str
    definition: Mapping[str, Any]
    created_by: UserId
    enabled: bool = True
    next_run_at: datetime | None = None


def create(connection: Connection, tenant: TenantId, new: NewAlertRule, *, now: datetime) -> AlertRule:
    """Raises: Conflict when the tenant has a rule of that name."""
    _check_name(connection, tenant, new.name, None)
    key = new_id("rul")
    values = _values(new) | {"id": key, "created_by": new.created_by, "created_at": now, "updated_at": now}
    scope.add(connection, alert_rules, tenant, values)
    return get(connection, tenant, key)


def get(connection: Connection, tenant: TenantId, key: str) -> AlertRule:
    """Raises: NotFound."""
    return _rule(scope.get(connection, alert_rules, tenant, "alert rule", key))


def list_all(connection: Connection, tenant: TenantId, *, after: str = "", limit: int = 100) -> tuple[AlertRule, ...]:
    """By name, those after `after`."""
    rows = scope.page(connection, alert_rules, tenant, alert_rules.c.name > after, order=[alert_rules.c.name], limit=limit)
    return tuple(map(_rule, rows))


def count(connection: Connection, tenant: TenantId) -> int:
    return int(connection.execute(select(func.count()).where(alert_rules.c.tenant_id == tenant)).scalar_one())


def replace(connection: Connection, tenant: TenantId, key: str, new: NewAlertRule, *, now: datetime) -> AlertRule:
    """Its author and time of making stay. Raises: NotFound; Conflict when another rule has that name."""
    get(connection, tenant, key)
    _check_name(connection, tenant, new.name, key)
    scope.change(connection, alert_rules, tenant, _values(new) | {"updated_at": now}, alert_rules.c.id == key)
    return get(connection, tenant, key)


def delete(connection: Connection, tenant: TenantId, key: str) -> None:
    """Its incidents stay. Raises: NotFound."""
    scope.remove(connection, alert_rules, tenant, "alert rule", key)


def lease_due(connection: Connection, owner: str, *, now: datetime, lease_for: timedelta, limit: int = 500) -> tuple[AlertRule, ...]:
    """Takes rules of all tenants that are due and that nobody holds; two schedulers never get the same one."""
    free = or_(alert_rules.c.lease_until.is_(None), alert_rules.c.lease_until < now)
    due = (alert_rules.c.enabled.is_(True), alert_rules.c.next_run_at <= now, free)
    chosen = select(alert_rules.c.id).where(*due).order_by(alert_rules.c.next_run_at).limit(limit).with_for_update(skip_locked=True)
    keys = list(connection.execute(chosen).scalars())
    if not keys:
        return ()
    connection.execute(update(alert_rules).where(alert_rules.c.id.in_(keys), *due).values(lease_owner=owner, lease_until=now + lease_for))
    mine = select(alert_rules).where(alert_rules.c.id.in_(keys), alert_rules.c.lease_owner == owner).order_by(alert_rules.c.next_run_at)
    return tuple(map(_rule, connection.execute(mine).mappings()))


def mute(connection: Connection, tenant: TenantId, key: str, until: datetime | None) -> AlertRule:
    """Nothing is sent until then; None undoes it. Raises: NotFound."""
    get(connection, tenant, key)
    scope.change(connection, alert_rules, tenant, {"muted_until": until}, alert_rules.c.id == key)
    return get(connection, tenant, key)


def lock(connection: Connection, tenant: TenantId, key: str) -> AlertRule | None:
    """The rule, held against other transactions until this one ends; None when it is gone."""
    statement = select(alert_rules).where(alert_rules.c.tenant_id == tenant, alert_rules.c.id == key).with_for_update()
    row = connection.execute(statement).mappings().first()
    return None if row is None else _rule(row)


def record_run(
    connection: Connection,
    tenant: TenantId,
    key: str,
    owner: str,
    *,
    next_run_at: datetime | None,
    now: datetime,
    error: str | None = None,
) -> bool:
    """Gives the lease back with the next time and why the run failed, if it did; False when it was lost."""
    values = {"last_run_at": now, "next_run_at": next_run_at, "lease_owner": None, "lease_until": None, "last_error": error}
    return scope.change(connection, alert_rules, tenant, values, alert_rules.c.id == key, alert_rules.c.lease_owner == owner) > 0


def _check_name(connection: Connection, tenant: TenantId, name: str, own: str | None) -> None:
    row = scope.by_name(connection, alert_rules, tenant, name)
    if row is not None and row["id"] != own:
        raise Conflict(f"There is an alert rule {name[:60]!r} already; give this one another name.", code="alert_rule_exists")


def _values(new: NewAlertRule) -> dict[str, Any]:
    return {
        "name": new.name[:200],
        "metric": new.metric,
        "definition": dict(new.definition),
        "enabled": new.enabled,
        "next_run_at": new.next_run_at,
    }


def _rule(row: scope.Row) -> AlertRule:
    return AlertRule(
        id=row["id"],
        tenant=row["tenant_id"],
        name=row["name"],
        metric=row["metric"],
        definition=row["definition"],
        enabled=row["enabled"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        last_run_at=row["last_run_at"],
        next_run_at=row["next_run_at"],
        last_error=row["last_error"],
        muted_until=row["muted_until"],
    )
