"""Sign-in failures per account: after ten in a row the account rests, longer each time. The account need not exist, so nothing is told by it."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import RowMapping, delete, insert, select, update
from sqlalchemy.engine import Connection

from core.errors import RateLimited
from core.store.tables import sign_in_failures

ALLOWED = 10
FORGOTTEN_AFTER = timedelta(hours=24)
FIRST_REST = timedelta(minutes=1)
LONGEST_REST = timedelta(hours=1)


def refuse_locked(connection: Connection, email: str, *, now: datetime) -> None:
    """Raises: RateLimited while the account rests."""
    row = _row(connection, email)
    if row is not None and row["locked_until"] is not None and row["locked_until"] > now:
        minutes = max(1, round((row["locked_until"] - now).total_seconds() / 60))
        raise RateLimited(
            f"Too many failed sign-ins; try again in {minutes} minute{'s' if minutes > 1 else ''}, or ask an administrator for a new password.",
            code="account_locked",
        )


def failed(connection: Connection, email: str, *, now: datetime) -> None:
    """Counts one failure; the tenth locks for a minute, each further one for twice as long, at most an hour."""
    row = _row(connection, email)
    fresh = row is None or row["last_at"] < now - FORGOTTEN_AFTER
    failures = 1 if fresh or row is None else int(row["failures"]) + 1
    over = failures - ALLOWED
    rest = None if over < 0 else now + min(LONGEST_REST, FIRST_REST * 2 ** min(over, 10))
    values = {"failures": failures, "last_at": now, "locked_until": rest}
    if row is None:
        connection.execute(insert(sign_in_failures).values(account=_account(email), **values))
    else:
        connection.execute(update(sign_in_failures).where(sign_in_failures.c.account == _account(email)).values(**values))


def forget(connection: Connection, email: str) -> None:
    """After a sign-in that worked, or a new password."""
    connection.execute(delete(sign_in_failures).where(sign_in_failures.c.account == _account(email)))


def _row(connection: Connection, email: str) -> RowMapping | None:
    return connection.execute(select(sign_in_failures).where(sign_in_failures.c.account == _account(email))).mappings().first()


def _account(email: str) -> str:
    return hashlib.sha256(email.strip().lower()[:320].encode()).hexdigest()
