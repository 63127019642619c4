"""Digests: who reads what and when. Their issues, one per reader and slot whatever runs twice, and which message carries which issue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import delete as delete_from
from sqlalchemy import or_, select, update
from sqlalchemy.engine import Connection

from core.errors import NotFound
from core.ids import TenantId, UserId, new_id
from core.store import deliveries, scope
from core.store.deliveries import NewDelivery
from core.store.tables import digest_deliveries, digest_issues, digest_readers, digests

IssueStatus = Literal["issued", "quiet"]


@dataclass(frozen=True, slots=True)
class NewDigest:
    """definition: what is looked at and when, checked above this floor."""

    name: str
    owner: UserId
    team: str | None
    definition: Mapping[str, Any]
    enabled: bool
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Digest:
    id: str
    tenant: TenantId
    asked: NewDigest
    last_error: str | None
    lease_owner: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class NewIssue:
    """slot: which of the digest's times it is for. quiet: there was nothing worth saying."""

    digest_id: str
    reader: UserId
    slot: str
    status: IssueStatus
    title: str
    body: Mapping[str, Any]
    job_id: str | None = None


@dataclass(frozen=True, slots=True)
class Issue:
    id: str
    tenant: TenantId
    made: NewIssue
    created_at: datetime


def create(connection: Connection, tenant: TenantId, new: NewDigest, readers: Sequence[UserId], *, now: datetime) -> Digest:
    key = new_id("dig")
    scope.add(connection, digests, tenant, _values(new) | {"id": key, "created_at": now, "updated_at": now})
    set_readers(connection, tenant, key, readers, now=now)
    return get(connection, tenant, key)


def get(connection: Connection, tenant: TenantId, key: str) -> Digest:
    """Raises: NotFound."""
    return _digest(scope.get(connection, digests, tenant, "digest", key))


def list_all(connection: Connection, tenant: TenantId, *, before_id: str | None = None, limit: int = 100) -> tuple[Digest, ...]:
    """Newest first."""
    conditions = [digests.c.id < before_id] if before_id is not None else []
    return tuple(map(_digest, scope.page(connection, digests, tenant, *conditions, order=[digests.c.id.desc()], limit=limit)))


def change(connection: Connection, tenant: TenantId, key: str, new: NewDigest, *, now: datetime) -> Digest:
    """Raises: NotFound."""
    get(connection, tenant, key)
    values = _values(new) | {"updated_at": now, "last_error": None, "lease_owner": None, "lease_until": None}
    scope.change(connection, digests, tenant, values, digests.c.id == key)
    return get(connection, tenant, key)


def delete(connection: Connection, tenant: TenantId, key: str) -> None:
    """With its issues. Raises: NotFound."""
    scope.remove(connection, digests, tenant, "digest", key)


def readers(connection: Connection, tenant: TenantId, key: str) -> dict[UserId, bool]:
    """Everyone who was put on the digest, and whether they still want it."""
    rows = scope.page(connection, digest_readers, tenant, digest_readers.c.digest_id == key, order=[digest_readers.c.id], limit=1000)
    return {UserId(row["user_id"]): bool(row["subscribed"]) for row in rows}


def set_readers(connection: Connection, tenant: TenantId, key: str, users: Sequence[UserId], *, now: datetime) -> None:
    """These and no others; who unsubscribed stays so: only they can undo it."""
    known = readers(connection, tenant, key)
    gone = [user for user in known if user not in users]
    if gone:
        connection.execute(
            delete_from(digest_readers).where(
                digest_readers.c.tenant_id == tenant,
                digest_readers.c.digest_id == key,
                digest_readers.c.user_id.in_(gone),
                digest_readers.c.subscribed.is_(True),
            )
        )
    for user in dict.fromkeys(users):
        if user not in known:
            values = {"id": new_id("drd"), "digest_id": key, "user_id": user, "subscribed": True, "changed_at": now}
            scope.add(connection, digest_readers, tenant, values)


def subscribe(connection: Connection, tenant: TenantId, key: str, user: UserId, wanted: bool, *, now: datetime) -> None:
    """Raises: NotFound for somebody who is not on the digest."""
    same = (digest_readers.c.digest_id == key, digest_readers.c.user_id == user)
    if not scope.change(connection, digest_readers, tenant, {"subscribed": wanted, "changed_at": now}, *same):
        raise NotFound("You are not a reader of this digest.", code="not_a_reader")


def lease_due(connection: Connection, owner: str, *, now: datetime, lease_for: timedelta, limit: int = 100) -> tuple[Digest, ...]:
    """Takes digests of all tenants whose time has come and that nobody holds."""
    free = or_(digests.c.lease_until.is_(None), digests.c.lease_until < now)
    due = (digests.c.enabled.is_(True), digests.c.next_at <= now, free)
    chosen = select(digests.c.id).where(*due).order_by(digests.c.next_at).limit(limit).with_for_update(skip_locked=True)
    keys = list(connection.execute(chosen).scalars())
    if not keys:
        return ()
    connection.execute(update(digests).where(digests.c.id.in_(keys), *due).values(lease_owner=owner, lease_until=now + lease_for))
    mine = select(digests).where(digests.c.id.in_(keys), digests.c.lease_owner == owner).order_by(digests.c.next_at)
    return tuple(map(_digest, connection.execute(mine).mappings()))


def done(connection: Connection, digest: Digest, *, next_at: datetime | None, error: str | None = None) -> bool:
    """Gives the lease back; False when it was lost or the digest changed meanwhile."""
    values = {"next_at": next_at, "lease_owner": None, "lease_until": None, "last_error": error[:500] if error else None}
    mine = (digests.c.id == digest.id, digests.c.lease_owner == digest.lease_owner)
    return scope.change(connection, digests, digest.tenant, values, *mine) > 0


def put_issue(connection: Connection, tenant: TenantId, new: NewIssue, *, now: datetime) -> Issue | None:
    """The new issue; None when this reader has one for this slot already."""
    same = (digest_issues.c.digest_id == new.digest_id, digest_issues.c.reader == new.reader, digest_issues.c.slot == new.slot)
    if scope.find(connection, digest_issues, tenant, *same) is not None:
        return None
    key = new_id("iss")
    values = {name: getattr(new, name) for name in NewIssue.__dataclass_fields__} | {"title": new.title[:300]}
    scope.add(connection, digest_issues, tenant, values | {"id": key, "created_at": now})
    return issue(connection, tenant, key)


def issue(connection: Connection, tenant: TenantId, key: str) -> Issue:
    """Raises: NotFound."""
    return _issue(scope.get(connection, digest_issues, tenant, "digest issue", key))


def issues(
    connection: Connection,
    tenant: TenantId,
    reader: UserId,
    *,
    digest_id: str | None = None,
    status: IssueStatus | None = None,
    before_id: str | None = None,
    limit: int = 50,
) -> tuple[Issue, ...]:
    """One reader's, newest first."""
    conditions = [digest_issues.c.reader == reader]
    for column, wanted in (("digest_id", digest_id), ("status", status)):
        if wanted is not None:
            conditions.append(digest_issues.c[column] == wanted)
    if before_id is not None:
        conditions.append(digest_issues.c.id < before_id)
    rows = scope.page(connection, digest_issues, tenant, *conditions, order=[digest_issues.c.id.desc()], limit=limit)
    return tuple(map(_issue, rows))


def post(connection: Connection, tenant: TenantId, sent: Issue, channel_id: str, *, now: datetime) -> str | None:
    """Puts the issue into the outbox for one channel; None when it is there already."""
    same = (digest_deliveries.c.issue_id == sent.id, digest_deliveries.c.channel_id == channel_id)
    if scope.find(connection, digest_deliveries, tenant, *same) is not None:
        return None
    made = deliveries.put(connection, tenant, NewDelivery(channel_id, sent.made.reader, "digest", now), now=now)
    if made is None:
        return None
    scope.add(connection, digest_deliveries, tenant, {"delivery_id": made.id, "issue_id": sent.id, "channel_id": channel_id})
    return made.id


def issue_of(connection: Connection, tenant: TenantId, delivery_id: str) -> Issue | None:
    """The issue that a message of the outbox carries."""
    row = scope.find(connection, digest_deliveries, tenant, digest_deliveries.c.delivery_id == delivery_id)
    return issue(connection, tenant, row["issue_id"]) if row is not None else None


def _values(new: NewDigest) -> dict[str, Any]:
    return {name: getattr(new, name) for name in NewDigest.__dataclass_fields__}


def _digest(row: scope.Row) -> Digest:
    asked = NewDigest(**{name: row[name] for name in NewDigest.__dataclass_fields__})
    return Digest(row["id"], row["tenant_id"], asked, row["last_error"], row["lease_owner"], row["created_at"], row["updated_at"])


def _issue(row: scope.Row) -> Issue:
    made = NewIssue(**{name: row[name] for name in NewIssue.__dataclass_fields__})
    return Issue(row["id"], row["tenant_id"], made, row["created_at"])
