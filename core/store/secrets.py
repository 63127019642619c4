"""Secrets made once, such as the key that signs cookies; every process then reads the same one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from core.store.credentials import make_token
from core.store.tables import secrets


def get_or_create(connection: Connection, name: str, *, now: datetime, make: Callable[[], str] = make_token) -> str:
    """The secret `name`; the first caller makes it, and when two do at once, one value wins. Needs a write transaction."""
    statement = select(secrets.c.value).where(secrets.c.name == name)
    found = connection.execute(statement).scalar()
    if found is not None:
        return str(found)
    try:
        with connection.begin_nested():
            connection.execute(insert(secrets).values(name=name, value=make(), created_at=now))
    except IntegrityError:
        pass  # another process made it between the two statements
    return str(connection.execute(statement).scalar_one())
