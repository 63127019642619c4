"""Boards in the state store on behalf of a caller. Plain functions that block: call them in a thread."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Literal

from sqlalchemy.engine import Connection

from api.boards import changes
from api.preconditions import etag_of, hold, refuse_changed
from api.services import Services
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.ids import new_id
from core.principal import Principal, Role
from core.store import audit, boards, roles
from core.store.audit import Happening
from core.store.boards import BoardComment, BoardLink, BoardVersion, Edit, StoredBoard
from semantic.query import SemanticQuery
from workers.boards.access import editable, may_see, owned, owns, seen
from workers.boards.content import Content, Pin

MAX_BOARDS = 1_000  # per company; as many as are listed at once
MAX_COMMENTS = 1_000  # per board
MAX_LINK_DAYS = 90


def content_of(board: StoredBoard | BoardVersion) -> Content:
    return Content.model_validate(board.content)


def load(services: Services, caller: Principal, key: str) -> StoredBoard:
    """Raises: NotFound."""
    with services.store.read() as connection:
        return seen(caller, boards.get(connection, caller.tenant, key))


def visible(services: Services, caller: Principal) -> list[StoredBoard]:
    with services.store.read() as connection:
        return [board for board in boards.list_all(connection, caller.tenant, limit=MAX_BOARDS) if may_see(caller, board)]


def create(services: Services, caller: Principal, title: str, description: str = "", pins: tuple[Pin, ...] = ()) -> StoredBoard:
    """Raises: Invalid when there are too many."""
    first = Content(title=title, description=description, pins=pins)
    with services.store.write() as connection:
        if len(boards.list_all(connection, caller.tenant, limit=MAX_BOARDS)) >= MAX_BOARDS:
            raise Invalid(f"There are {MAX_BOARDS:,} boards already; remove some first.", code="too_many_boards")
        edit = Edit(first.title, first.model_dump(mode="json"), "made the board", caller.user, 0)
        return boards.create(connection, caller.tenant, edit, now=services.clock.now())


def change(
    services: Services, caller: Principal, key: str, made: changes.AnyChange, *, on: int | None, expected: str | None = None
) -> StoredBoard:
    """on: the version that the caller saw, whose changes merge; None takes the current one. expected: an ETag, whose changes do not.

    Raises: NotFound; Forbidden; ChangedSince; Conflict when somebody else changed the same part since.
    """
    with services.store.write() as connection:
        hold(connection, expected, "boards", caller.tenant, key)
        board = editable(caller, boards.get(connection, caller.tenant, key))
        _refuse_changed(board, expected)
        current = content_of(board)
        if on is None or on == board.version:
            new = changes.applied(current, made)
        else:
            base = content_of(boards.version(connection, caller.tenant, key, on))
            new = changes.merged(base, current, made)
        if new == current:
            return board
        return _save(connection, services, caller, board, new, changes.said(made, current))


def restore(services: Services, caller: Principal, key: str, number: int, *, on: int) -> StoredBoard:
    """An older version becomes the newest one. Raises: NotFound; Forbidden; Conflict when the board has changed since `on`."""
    with services.store.write() as connection:
        board = editable(caller, boards.get(connection, caller.tenant, key))
        if on != board.version:
            raise Conflict("This board has changed since you looked; look at its history again.", code="board_changed")
        old = content_of(boards.version(connection, caller.tenant, key, number))
        if old == content_of(board):
            return board
        return _save(connection, services, caller, board, old, f"went back to version {number}")


def history(services: Services, caller: Principal, key: str, *, before: int | None = None, limit: int = 50) -> tuple[BoardVersion, ...]:
    with services.store.read() as connection:
        seen(caller, boards.get(connection, caller.tenant, key))
        return boards.versions(connection, caller.tenant, key, before=before, limit=limit)


def etag(board: StoredBoard) -> str:
    """Of its content and of who sees it."""
    return etag_of(board.id, board.version, dict(board.sharing))


def _refuse_changed(board: StoredBoard, expected: str | None) -> None:
    refuse_changed(expected, etag(board), {"version": board.version, "content": dict(board.content), "sharing": dict(board.sharing)})


def share(services: Services, caller: Principal, key: str, sharing: Mapping[str, str], expected: str | None = None) -> StoredBoard:
    """sharing: role -> see or edit. Raises: NotFound; Forbidden; ChangedSince; Invalid for a role or right that does not exist."""
    with services.store.write() as connection:
        known = {role.value for role in Role} | roles.by_name(connection, caller.tenant).keys()
        for role, right in sharing.items():
            if role not in known or right not in ("see", "edit"):
                raise Invalid(
                    f"Expected a role ({', '.join(sorted(known))}) and see or edit; found {role[:30]!r}: {right[:10]!r}.",
                    code="bad_sharing",
                )
        hold(connection, expected, "boards", caller.tenant, key)
        board = owned(caller, boards.get(connection, caller.tenant, key))
        _refuse_changed(board, expected)
        now = services.clock.now()
        audit.append(connection, caller.tenant, Happening(caller.user, "board.share", board.id, details={"with": dict(sharing)}), now=now)
        return boards.share(connection, caller.tenant, key, sharing, now=now)


def remove(services: Services, caller: Principal, key: str, expected: str | None = None) -> None:
    """Raises: NotFound; Forbidden; ChangedSince."""
    with services.store.write() as connection:
        hold(connection, expected, "boards", caller.tenant, key)
        _refuse_changed(owned(caller, boards.get(connection, caller.tenant, key)), expected)
        boards.remove(connection, caller.tenant, key, now=services.clock.now())


def comments(services: Services, caller: Principal, key: str) -> tuple[BoardComment, ...]:
    with services.store.read() as connection:
        seen(caller, boards.get(connection, caller.tenant, key))
        return boards.comments(connection, caller.tenant, key)


def comment(services: Services, caller: Principal, key: str, text: str, *, pin_id: str | None, point: str | None) -> BoardComment:
    """Who may see a board may comment. Raises: NotFound; Invalid."""
    if not text.strip():
        raise Invalid("The comment is empty.", code="empty_comment", path="/text")
    with services.store.write() as connection:
        board = seen(caller, boards.get(connection, caller.tenant, key))
        if pin_id is not None and content_of(board).pin(pin_id) is None:
            raise NotFound("This pin is no longer on the board.", code="unknown_pin")
        if len(boards.comments(connection, caller.tenant, key)) >= MAX_COMMENTS:
            raise Invalid(f"A board holds {MAX_COMMENTS:,} comments; remove old ones first.", code="too_many_comments")
        now = services.clock.now()
        made = BoardComment(new_id("cmt"), key, pin_id, (point or "")[:200] or None, text.strip()[:4_000], caller.user, now)
        return boards.comment(connection, caller.tenant, made)


def remove_comment(services: Services, caller: Principal, key: str, comment_id: str) -> None:
    """One's own, or any as the owner of the board. Raises: NotFound; Forbidden."""
    with services.store.write() as connection:
        board = seen(caller, boards.get(connection, caller.tenant, key))
        found = next((c for c in boards.comments(connection, caller.tenant, key) if c.id == comment_id), None)
        if found is None:
            raise NotFound("This comment is no longer there.", code="unknown_comment")
        if found.author != caller.user and not owns(caller, board):
            raise Forbidden("This is somebody else's comment.")
        boards.remove_comment(connection, caller.tenant, key, comment_id, now=services.clock.now())


def links(services: Services, caller: Principal, key: str) -> tuple[BoardLink, ...]:
    with services.store.read() as connection:
        owned(caller, boards.get(connection, caller.tenant, key))
        return boards.links(connection, caller.tenant, key)


def add_link(services: Services, caller: Principal, key: str, days: int) -> BoardLink:
    """Raises: NotFound; Forbidden; Invalid."""
    if not 1 <= days <= MAX_LINK_DAYS:
        raise Invalid(f"A public link lives 1 to {MAX_LINK_DAYS} days; found {days}.", code="bad_expiry")
    now = services.clock.now()
    with services.store.write() as connection:
        owned(caller, boards.get(connection, caller.tenant, key))
        made = boards.add_link(connection, caller.tenant, key, caller.user, expires_at=now + dt.timedelta(days=days), now=now)
        audit.append(
            connection, caller.tenant, Happening(caller.user, "board.publish", key, details={"link": made.id, "days": days}), now=now
        )
    return made


def revoke_link(services: Services, caller: Principal, key: str, link: str) -> None:
    now = services.clock.now()
    with services.store.write() as connection:
        owned(caller, boards.get(connection, caller.tenant, key))
        boards.revoke_link(connection, caller.tenant, key, link, now=now)
        audit.append(connection, caller.tenant, Happening(caller.user, "board.unpublish", key, details={"link": link}), now=now)


def new_pin(title: str, query: SemanticQuery, *, width: Literal["third", "half", "full"] | None = None) -> Pin:
    """A single figure takes a third of the board, everything else half of it, unless said otherwise."""
    width = width or ("half" if query.by or query.fields else "third")
    return Pin(id=new_id("pin"), title=title.strip()[:300] or "Answer", query=query, width=width)


def _save(connection: Connection, services: Services, caller: Principal, board: StoredBoard, new: Content, what: str) -> StoredBoard:
    edit = Edit(new.title, new.model_dump(mode="json"), what, caller.user, board.version)
    return boards.edit(connection, board.tenant, board.id, edit, now=services.clock.now())
