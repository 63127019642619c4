"""The one place where a statement on tenant data gets its tenant condition. Repositories build every statement here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Table, delete, insert, select, update
from sqlalchemy.engine import Connection, RowMapping

from core.errors import NotFound
from core.ids import TenantId

Row = RowMapping
Value = TypeVar("Value")


def as_value(kind: type[Value], row: Row) -> Value:
    """The frozen value of a row: each field from the column of its name, `tenant` from `tenant_id`."""
    names: Mapping[str, Any] = kind.__dataclass_fields__  # type: ignore[attr-defined]
    return kind(**{name: row["tenant_id" if name == "tenant" else name] for name in names})


def add(connection: Connection, table: Table, tenant: TenantId, values: Mapping[str, Any]) -> None:
    connection.execute(insert(table).values(**values, tenant_id=tenant))


def add_all(connection: Connection, table: Table, tenant: TenantId, rows: Sequence[Mapping[str, Any]]) -> None:
    """In one statement; all rows have the same columns."""
    if rows:
        connection.execute(insert(table), [{**row, "tenant_id": tenant} for row in rows])


def find(connection: Connection, table: Table, tenant: TenantId, *conditions: ColumnElement[bool]) -> Row | None:
    """The first matching row of this tenant, or None."""
    statement = select(table).where(table.c.tenant_id == tenant, *conditions).limit(1)
    return connection.execute(statement).mappings().first()


def get(connection: Connection, table: Table, tenant: TenantId, what: str, key: str) -> Row:
    """The row whose `id` is `key`.

    Raises: NotFound, also when the row belongs to another tenant.
    """
    row = find(connection, table, tenant, table.c.id == key)
    if row is None:
        raise NotFound(f"There is no {what} {key[:60]!r}.", code=f"unknown_{what.replace(' ', '_')}")
    return row


def by_name(connection: Connection, table: Table, tenant: TenantId, name: str) -> Row | None:
    return find(connection, table, tenant, table.c.name == name[:200])


def hold(connection: Connection, table: Table, tenant: TenantId, *conditions: ColumnElement[bool]) -> None:
    """Keeps other transactions from changing the matching rows until this one ends. On SQLite a writer is alone anyway."""
    if connection.dialect.name != "sqlite":
        connection.execute(select(table.c.id).where(table.c.tenant_id == tenant, *conditions).with_for_update())


def page(
    connection: Connection,
    table: Table,
    tenant: TenantId,
    *conditions: ColumnElement[bool],
    order: Sequence[ColumnElement[Any]],
    limit: int = 100,
) -> Sequence[Row]:
    """Up to `limit` rows (at most 1,000) of this tenant."""
    statement = select(table).where(table.c.tenant_id == tenant, *conditions).order_by(*order).limit(min(limit, 1000))
    return connection.execute(statement).mappings().all()


def page_by_name(connection: Connection, table: Table, tenant: TenantId, *, after: str, limit: int) -> Sequence[Row]:
    """By name, those after `after`."""
    return page(connection, table, tenant, table.c.name > after, order=[table.c.name], limit=limit)


def remove(connection: Connection, table: Table, tenant: TenantId, what: str, key: str) -> None:
    """Raises: NotFound."""
    get(connection, table, tenant, what, key)
    connection.execute(delete(table).where(table.c.tenant_id == tenant, table.c.id == key))


def change(connection: Connection, table: Table, tenant: TenantId, values: Mapping[str, Any], *conditions: ColumnElement[bool]) -> int:
    """Rows changed, all of this tenant."""
    result = connection.execute(update(table).where(table.c.tenant_id == tenant, *conditions).values(**values))
    return int(result.rowcount)
