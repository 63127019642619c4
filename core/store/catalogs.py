"""Catalog versions: append-only. A rollback writes an old document as a new version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from core.errors import Conflict, NotFound
from core.ids import TenantId, UserId, new_id
from core.store import scope
from core.store.tables import catalogs


@dataclass(frozen=True, slots=True)
class CatalogVersion:
    """`document` is the catalog as JSON (semantic.catalog reads it); `restored_from` is the version that a rollback copied."""

    tenant: TenantId
    version: int
    document: Mapping[str, Any]
    author: UserId
    note: str
    restored_from: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewCatalog:
    """`expected_version`: the version the edit was made from (0 for the first); None takes whatever is current."""

    document: Mapping[str, Any]
    author: UserId
    note: str = ""
    expected_version: int | None = None
    restored_from: int | None = None


def append(connection: Connection, tenant: TenantId, new: NewCatalog, *, now: datetime) -> CatalogVersion:
    """Raises: Conflict when another version came in between."""
    current = current_version(connection, tenant)
    if new.expected_version is not None and new.expected_version != current:
        raise _conflict(new.expected_version, current)
    values = {
        "id": new_id("cat"),
        "version": current + 1,
        "document": dict(new.document),
        "author": new.author,
        "note": new.note,
        "restored_from": new.restored_from,
        "created_at": now,
    }
    try:
        with connection.begin_nested():
            scope.add(connection, catalogs, tenant, values)
    except IntegrityError as error:
        raise _conflict(current, current + 1) from error
    return get(connection, tenant, current + 1)


def rollback(connection: Connection, tenant: TenantId, version: int, *, author: UserId, now: datetime) -> CatalogVersion:
    """Version `version`'s document as a new version. Raises: NotFound."""
    old = get(connection, tenant, version)
    new = NewCatalog(document=old.document, author=author, note=f"Rollback to version {version}", restored_from=version)
    return append(connection, tenant, new, now=now)


def current_version(connection: Connection, tenant: TenantId) -> int:
    """0 when there is none."""
    statement = select(func.max(catalogs.c.version)).where(catalogs.c.tenant_id == tenant)
    return connection.execute(statement).scalar() or 0


def current(connection: Connection, tenant: TenantId) -> CatalogVersion:
    """Raises: NotFound when the tenant has no catalog."""
    version = current_version(connection, tenant)
    if version == 0:
        raise NotFound("This tenant has no catalog yet; run `querent catalog infer` or load data first.", code="no_catalog")
    return get(connection, tenant, version)


def get(connection: Connection, tenant: TenantId, version: int) -> CatalogVersion:
    """Raises: NotFound."""
    row = scope.find(connection, catalogs, tenant, catalogs.c.version == version)
    if row is None:
        raise NotFound(f"There is no catalog version {version}.", code="unknown_catalog_version")
    return CatalogVersion(
        tenant=row["tenant_id"],
        version=row["version"],
        document=row["document"],
        author=row["author"],
        note=row["note"],
        restored_from=row["restored_from"],
        created_at=row["created_at"],
    )


@dataclass(frozen=True, slots=True)
class CatalogNote:
    """A version without its document, for listings."""

    version: int
    author: UserId
    note: str
    restored_from: int | None
    created_at: datetime


def history(connection: Connection, tenant: TenantId, *, before: int | None = None, limit: int = 50) -> tuple[CatalogNote, ...]:
    """Newest first."""
    columns = (catalogs.c.version, catalogs.c.author, catalogs.c.note, catalogs.c.restored_from, catalogs.c.created_at)
    statement = select(*columns).where(catalogs.c.tenant_id == tenant).order_by(catalogs.c.version.desc()).limit(min(limit, 1000))
    if before is not None:
        statement = statement.where(catalogs.c.version < before)
    return tuple(CatalogNote(**row) for row in connection.execute(statement).mappings())


def _conflict(expected: int, current: int) -> Conflict:
    return Conflict(
        f"The catalog changed meanwhile: the edit was made from version {expected}, the current one is {current}. "
        "Load the current version, apply the edit again and save.",
        code="catalog_changed",
    )
