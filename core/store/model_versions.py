"""Versions of custom models: what was uploaded, what was found out about it, and how far its registration is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from core.errors import Conflict, NotFound
from core.ids import JobId, TenantId, UserId, new_id
from core.store import scope
from core.store.tables import model_versions


class VersionState(StrEnum):
    """checking: its registration runs. refused: with reasons. challenger: passed the gate. champion: serves. previous: served before.

    retired: was champion and is neither any more. withdrawn: its owner took it back.
    """

    CHECKING = "checking"
    REFUSED = "refused"
    CHALLENGER = "challenger"
    CHAMPION = "champion"
    PREVIOUS = "previous"
    RETIRED = "retired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """name: `<tenant>.<kind>.<metric or *>.<name>`. The reports are None until their step of the registration is done."""

    id: str
    tenant_id: TenantId
    name: str
    kind: str
    metric: str
    version: int
    state: VersionState
    reason: str
    sha256: str
    size_bytes: int
    card: Mapping[str, Any]
    conformance: Mapping[str, Any] | None
    backtest: Mapping[str, Any] | None
    verdict: Mapping[str, Any] | None
    shadow: Mapping[str, Any] | None
    lineage: Mapping[str, Any] | None
    run_id: str | None
    job_id: JobId | None
    created_by: UserId
    created_at: datetime
    updated_at: datetime

    def __str__(self) -> str:
        return f"{self.name}/{self.version}"


@dataclass(frozen=True, slots=True)
class NewVersion:
    name: str
    kind: str
    metric: str
    sha256: str
    size_bytes: int
    card: Mapping[str, Any]
    created_by: UserId


def create(connection: Connection, tenant: TenantId, new: NewVersion, *, now: datetime) -> tuple[StoredVersion, bool]:
    """The next version of that name, and whether it is new: the same content under the same name is the version it was.

    Raises: Conflict when the same content was refused or withdrawn before.
    """
    t = model_versions.c
    known = scope.page(connection, model_versions, tenant, t.name == new.name, t.sha256 == new.sha256, order=[t.version.desc()], limit=1)
    if known and known[0]["state"] not in (VersionState.REFUSED, VersionState.WITHDRAWN):
        return _stored(known[0]), False
    if known and known[0]["state"] == VersionState.WITHDRAWN:
        raise Conflict(f"Version {known[0]['version']} with exactly this content was withdrawn; change the model first.", code="withdrawn")
    last = connection.execute(select(func.max(t.version)).where(t.tenant_id == tenant, t.name == new.name)).scalar()
    values: dict[str, Any] = {field.name: getattr(new, field.name) for field in fields(new)}
    values |= {"id": new_id("mdl"), "version": int(last or 0) + 1, "state": VersionState.CHECKING, "reason": ""}
    scope.add(connection, model_versions, tenant, values | {"created_at": now, "updated_at": now})
    return get(connection, tenant, values["id"]), True


def get(connection: Connection, tenant: TenantId, key: str) -> StoredVersion:
    """Raises: NotFound, also for another tenant's."""
    return _stored(scope.get(connection, model_versions, tenant, "model version", key))


def named(connection: Connection, tenant: TenantId, name: str, version: int) -> StoredVersion:
    """Raises: NotFound, also for another tenant's."""
    row = scope.find(connection, model_versions, tenant, model_versions.c.name == name, model_versions.c.version == version)
    if row is None:
        raise NotFound(f"There is no model {name[:120]!r} with a version {version}.", code="unknown_version")
    return _stored(row)


def of_name(connection: Connection, tenant: TenantId, name: str) -> tuple[StoredVersion, ...]:
    """Newest first. Raises: NotFound."""
    t = model_versions.c
    rows = scope.page(connection, model_versions, tenant, t.name == name, order=[t.version.desc()], limit=1000)
    if not rows:
        raise NotFound(f"There is no model {name[:120]!r}.", code="unknown_model")
    return tuple(map(_stored, rows))


def list_all(connection: Connection, tenant: TenantId, *, state: VersionState | None = None) -> tuple[StoredVersion, ...]:
    """By name, newest version first; at most 1,000."""
    t = model_versions.c
    conditions = [] if state is None else [t.state == state]
    return tuple(map(_stored, scope.page(connection, model_versions, tenant, *conditions, order=[t.name, t.version.desc()], limit=1000)))


def update(connection: Connection, tenant: TenantId, key: str, values: Mapping[str, Any], *, now: datetime) -> None:
    """Raises: NotFound."""
    if scope.change(connection, model_versions, tenant, dict(values) | {"updated_at": now}, model_versions.c.id == key) == 0:
        get(connection, tenant, key)


def move(connection: Connection, tenant: TenantId, key: str, old: VersionState, new: VersionState, *, now: datetime) -> bool:
    """Whether it was in state `old` and now is in `new`."""
    t = model_versions.c
    return scope.change(connection, model_versions, tenant, {"state": new, "updated_at": now}, t.id == key, t.state == old) == 1


def _stored(row: scope.Row) -> StoredVersion:
    values = {field.name: row[field.name] for field in fields(StoredVersion)}
    return StoredVersion(**values | {"state": VersionState(values["state"])})
