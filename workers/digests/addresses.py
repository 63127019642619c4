"""Where a reader's issues go: their inbox always, and their own e-mail address."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.engine import Connection

from core.ids import TenantId, UserId, new_id
from core.store import channels, users
from core.store.channels import Channel, NewChannel

PERSONAL = "digests to "  # begins the names of channels to one person's own address


def mail_of(connection: Connection, tenant: TenantId, user: UserId, *, now: dt.datetime) -> Channel | None:
    """A channel to the user's own address, made when it is missing; None for a user without one.

    It is known by its content and not by its name alone, which anybody may have taken.
    """
    address = users.get(connection, tenant, user).email
    if "@" not in address:
        return None
    name = f"{PERSONAL}{user}"
    found = channels.by_name(connection, tenant, name)
    if found is not None and found.kind == "email" and found.created_by == user and list(found.config.get("to", ())) == [address]:
        return found
    if found is not None:
        name = f"{name} {new_id('ch')[-8:]}"
        known = [c for c in channels.list_all(connection, tenant, limit=1000) if c.created_by == user and c.kind == "email"]
        same = next((c for c in known if list(c.config.get("to", ())) == [address] and c.name.startswith(PERSONAL)), None)
        if same is not None:
            return same
    return channels.create(connection, tenant, NewChannel(name, "email", {"to": [address]}, None, user), now=now)
