"""Boards: their content with every version, sharing by role, comments, and links for people without an account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from core.errors import Conflict, NotFound
from core.ids import TenantId, UserId, new_id
from core.store import scope
from core.store.tables import board_comments, board_links, board_versions, boards


@dataclass(frozen=True, slots=True)
class StoredBoard:
    """sharing: role -> "see" or "edit". version: of the content. changes: of anything that a reader could see."""

    id: str
    tenant: TenantId
    owner: UserId
    title: str
    content: Mapping[str, Any]
    sharing: Mapping[str, str]
    version: int
    changes: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class BoardVersion:
    version: int
    content: Mapping[str, Any]
    author: UserId
    said: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class BoardComment:
    """pin_id None: about the board. point: which value of the chart, as its axis says it."""

    id: str
    board_id: str
    pin_id: str | None
    point: str | None
    text: str
    author: UserId
    created_at: datetime


@dataclass(frozen=True, slots=True)
class BoardLink:
    id: str
    board_id: str
    created_by: UserId
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Edit:
    """A new content and what was done, in words; `on`: the version it was made from."""

    title: str
    content: Mapping[str, Any]
    said: str
    author: UserId
    on: int


def create(connection: Connection, tenant: TenantId, first: Edit, *, now: datetime) -> StoredBoard:
    key = new_id("brd")
    values = {
        "id": key, "owner": first.author, "title": first.title, "content": dict(first.content), "sharing": {}, "version": 1, "changes": 1,
        "created_at": now, "updated_at": now,
    }  # fmt: skip
    scope.add(connection, boards, tenant, values)
    _keep(connection, tenant, key, 1, first, now)
    return get(connection, tenant, key)


def get(connection: Connection, tenant: TenantId, key: str) -> StoredBoard:
    """Raises: NotFound, also for a removed board."""
    row = scope.find(connection, boards, tenant, boards.c.id == key, boards.c.removed_at.is_(None))
    if row is None:
        raise NotFound(f"There is no board {key[:60]!r}.", code="unknown_board")
    return _board(row)


def changes(connection: Connection, tenant: TenantId, key: str) -> int:
    """How often anything changed that a reader could see. Raises: NotFound."""
    found = connection.execute(
        select(boards.c.changes).where(boards.c.tenant_id == tenant, boards.c.id == key, boards.c.removed_at.is_(None))
    ).scalar()
    if found is None:
        raise NotFound(f"There is no board {key[:60]!r}.", code="unknown_board")
    return int(found)


def list_all(connection: Connection, tenant: TenantId, *, limit: int = 500) -> tuple[StoredBoard, ...]:
    """Latest change first."""
    rows = scope.page(connection, boards, tenant, boards.c.removed_at.is_(None), order=[boards.c.updated_at.desc()], limit=limit)
    return tuple(map(_board, rows))


def edit(connection: Connection, tenant: TenantId, key: str, made: Edit, *, now: datetime) -> StoredBoard:
    """The next version. Raises: NotFound; Conflict when `made.on` is no longer the current version."""
    values = {
        "title": made.title, "content": dict(made.content), "version": made.on + 1, "changes": boards.c.changes + 1, "updated_at": now,
    }  # fmt: skip
    current = (boards.c.id == key, boards.c.version == made.on, boards.c.removed_at.is_(None))
    if not scope.change(connection, boards, tenant, values, *current):
        get(connection, tenant, key)
        raise Conflict("Somebody changed this board in the same moment. Try again.", code="board_changed")
    _keep(connection, tenant, key, made.on + 1, made, now)
    return get(connection, tenant, key)


def share(connection: Connection, tenant: TenantId, key: str, sharing: Mapping[str, str], *, now: datetime) -> StoredBoard:
    """Raises: NotFound."""
    get(connection, tenant, key)
    scope.change(
        connection, boards, tenant, {"sharing": dict(sharing), "changes": boards.c.changes + 1, "updated_at": now}, boards.c.id == key
    )
    return get(connection, tenant, key)


def unshare(connection: Connection, tenant: TenantId, role: str) -> int:
    """Takes the role out of the sharing of every board, so that a later role of that name does not find it there; how many there were."""
    rows = connection.execute(select(boards.c.id, boards.c.sharing).where(boards.c.tenant_id == tenant)).all()
    named = {row.id: {name: right for name, right in row.sharing.items() if name != role} for row in rows if role in row.sharing}
    for key, left in named.items():
        scope.change(connection, boards, tenant, {"sharing": left, "changes": boards.c.changes + 1}, boards.c.id == key)
    return len(named)


def remove(connection: Connection, tenant: TenantId, key: str, *, now: datetime) -> None:
    """Raises: NotFound."""
    get(connection, tenant, key)
    scope.change(connection, boards, tenant, {"removed_at": now, "changes": boards.c.changes + 1}, boards.c.id == key)


def versions(connection: Connection, tenant: TenantId, key: str, *, before: int | None = None, limit: int = 50) -> tuple[BoardVersion, ...]:
    """Latest first; before: the version that the page before ended with."""
    c = board_versions.c
    conditions = [c.board_id == key] + ([c.version < before] if before is not None else [])
    rows = scope.page(connection, board_versions, tenant, *conditions, order=[c.version.desc()], limit=limit)
    return tuple(map(_version, rows))


def version(connection: Connection, tenant: TenantId, key: str, number: int) -> BoardVersion:
    """Raises: NotFound."""
    row = scope.find(connection, board_versions, tenant, board_versions.c.board_id == key, board_versions.c.version == number)
    if row is None:
        raise NotFound(f"This board has no version {number}.", code="unknown_board_version")
    return _version(row)


def comment(connection: Connection, tenant: TenantId, made: BoardComment) -> BoardComment:
    """Raises: NotFound."""
    get(connection, tenant, made.board_id)
    names = ("id", "board_id", "pin_id", "point", "text", "author", "created_at")
    scope.add(connection, board_comments, tenant, {name: getattr(made, name) for name in names})
    _touch(connection, tenant, made.board_id)
    return made


def comments(connection: Connection, tenant: TenantId, key: str) -> tuple[BoardComment, ...]:
    """Oldest first."""
    c = board_comments.c
    rows = scope.page(connection, board_comments, tenant, c.board_id == key, c.removed_at.is_(None), order=[c.created_at, c.id], limit=1000)
    return tuple(scope.as_value(BoardComment, row) for row in rows)


def remove_comment(connection: Connection, tenant: TenantId, key: str, comment_id: str, *, now: datetime) -> None:
    c = board_comments.c
    scope.change(connection, board_comments, tenant, {"removed_at": now}, c.board_id == key, c.id == comment_id)
    _touch(connection, tenant, key)


def add_link(connection: Connection, tenant: TenantId, key: str, by: UserId, *, expires_at: datetime, now: datetime) -> BoardLink:
    """Raises: NotFound."""
    get(connection, tenant, key)
    made = new_id("lnk")
    scope.add(connection, board_links, tenant, {"id": made, "board_id": key, "created_by": by, "created_at": now, "expires_at": expires_at})
    return link(connection, tenant, made)


def link(connection: Connection, tenant: TenantId, key: str) -> BoardLink:
    """Raises: NotFound."""
    return _link(scope.get(connection, board_links, tenant, "link", key))


def links(connection: Connection, tenant: TenantId, board: str) -> tuple[BoardLink, ...]:
    """Those that were not revoked, latest first."""
    c = board_links.c
    rows = scope.page(connection, board_links, tenant, c.board_id == board, c.revoked_at.is_(None), order=[c.created_at.desc()])
    return tuple(map(_link, rows))


def revoke_link(connection: Connection, tenant: TenantId, board: str, key: str, *, now: datetime) -> None:
    c = board_links.c
    scope.change(connection, board_links, tenant, {"revoked_at": now}, c.board_id == board, c.id == key)


def _touch(connection: Connection, tenant: TenantId, key: str) -> None:
    connection.execute(update(boards).where(boards.c.tenant_id == tenant, boards.c.id == key).values(changes=boards.c.changes + 1))


def _keep(connection: Connection, tenant: TenantId, key: str, number: int, made: Edit, now: datetime) -> None:
    values = {
        "id": new_id("brv"), "board_id": key, "version": number, "content": dict(made.content), "author": made.author,
        "said": made.said[:300], "created_at": now,
    }  # fmt: skip
    scope.add(connection, board_versions, tenant, values)


def _board(row: scope.Row) -> StoredBoard:
    return scope.as_value(StoredBoard, row)


def _version(row: scope.Row) -> BoardVersion:
    return scope.as_value(BoardVersion, row)


def _link(row: scope.Row) -> BoardLink:
    return scope.as_value(BoardLink, row)
