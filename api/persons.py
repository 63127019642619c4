"""What the state store holds of one person, table by table: what an export gives, what erasing takes away, and what stays without a name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from sqlalchemy import JSON, ColumnElement, String, Table, Text, cast, func, or_, select
from sqlalchemy.engine import Connection

from core.ids import TenantId, UserId
from core.store import channels
from core.store.tables import metadata

Fate = Literal["erase", "keep"]
# Every column that may hold a user's id. Erased: what is about the person and nobody else (turns and feedback go with their questions and
# conversations). Kept: what others work with or the law asks for; there the id leads to nobody any more.
COLUMNS: Mapping[str, Mapping[str, Fate]] = {
    "users": {"id": "keep"},  # emptied by users.forget_person
    "api_keys": {"user_id": "erase"},
    "sessions": {"user_id": "erase"},
    "second_factors": {"user_id": "erase"},
    "external_identities": {"user_id": "erase"},
    "directory_members": {"user_id": "erase"},
    "preferences": {"user_id": "erase"},
    "conversations": {"user_id": "erase"},
    "questions": {"user_id": "erase"},
    "feedback": {"user_id": "erase"},
    "fact_votes": {"user_id": "erase"},
    "insights": {"created_by": "erase"},
    "inbox": {"user_id": "erase"},
    "subscriptions": {"user_id": "erase"},
    "deliveries": {"user_id": "erase"},
    "digest_readers": {"user_id": "erase"},
    "digest_issues": {"reader": "erase"},
    "channels": {"created_by": "keep"},  # but for one's own inbox and address
    "alert_rules": {"created_by": "keep"},
    "incident_events": {"actor": "keep"},
    "incidents": {"assignee": "keep"},
    "audit_log": {"actor": "keep"},
    "board_comments": {"author": "keep"},
    "board_links": {"created_by": "keep"},
    "board_versions": {"author": "keep"},
    "boards": {"owner": "keep"},
    "catalogs": {"author": "keep"},
    "datasets": {"created_by": "keep"},
    "detections": {"created_by": "keep"},
    "digests": {"owner": "keep"},
    "evaluations": {"created_by": "keep"},
    "forecasts": {"created_by": "keep"},
    "goals": {"owner": "keep", "created_by": "keep"},
    "job_turns": {"user_id": "erase"},
    "jobs": {"user_id": "keep"},
    "model_log": {"actor": "keep"},
    "model_slots": {"promoted_by": "keep"},
    "model_versions": {"created_by": "keep"},
    "proposals": {"proposed_by": "keep", "decided_by": "keep"},
    "roles": {"created_by": "keep"},
    "sources": {"created_by": "keep"},
    "usage": {"user_id": "keep"},
}
_SECRET_COLUMNS = {"password_hash", "secret_hash", "token_hash", "sealed", "recovery"}
MOST_ROWS = 100_000  # of one table in an export


def rows_of(connection: Connection, tenant: TenantId, user: UserId) -> Iterable[tuple[str, list[dict[str, Any]]]]:
    """(table, rows) of a person, without what they could sign in with; turns of conversations too."""
    for name, columns in sorted(COLUMNS.items()):
        table = metadata.tables[name]
        mine = or_(*(table.c[column] == user for column in columns))
        if rows := _read(connection, table, tenant, mine):
            yield name, rows
    conversations, turns = metadata.tables["conversations"], metadata.tables["turns"]
    own = select(conversations.c.id).where(conversations.c.tenant_id == tenant, conversations.c.user_id == user)
    if rows := _read(connection, turns, tenant, turns.c.conversation_id.in_(own)):
        yield "turns", rows


def erase_rows(connection: Connection, tenant: TenantId, user: UserId, email: str) -> None:
    """Removes what is the person's alone, and their address from what others use."""
    for name, columns in COLUMNS.items():
        table = metadata.tables[name]
        for column, fate in columns.items():
            if fate == "erase":
                connection.execute(table.delete().where(table.c.tenant_id == tenant, table.c[column] == user))
    kept, after = metadata.tables["channels"], ""
    while page := channels.list_all(connection, tenant, after=after, limit=1000):
        after = page[-1].name
        for channel in page:
            to = channel.config.get("to")
            others = [address for address in to if str(address).lower() != email] if isinstance(to, list | tuple) else None
            if channel.config.get("user") == user or others == []:
                connection.execute(kept.delete().where(kept.c.tenant_id == tenant, kept.c.id == channel.id))
            elif others is not None and len(others) < len(to or ()):
                config = {**channel.config, "to": others}
                connection.execute(kept.update().where(kept.c.tenant_id == tenant, kept.c.id == channel.id).values(config=config))


def still_named(connection: Connection, tenant: TenantId, email: str) -> dict[str, int]:
    """Rows by table in whose texts the address still stands, but for the audit log, which is never changed."""
    found: dict[str, int] = {}
    for name, table in sorted(metadata.tables.items()):
        if "tenant_id" not in table.c or name == "audit_log":
            continue
        texts = [cast(c, Text) for c in table.c if isinstance(c.type, String | Text | JSON)]
        said = or_(*(func.lower(text).contains(email, autoescape=True) for text in texts))
        count = connection.execute(select(func.count()).select_from(table).where(table.c.tenant_id == tenant, said)).scalar_one()
        if count:
            found[name] = int(count)
    return found


def _read(connection: Connection, table: Table, tenant: TenantId, mine: ColumnElement[bool]) -> list[dict[str, Any]]:
    statement = select(table).where(table.c.tenant_id == tenant, mine).limit(MOST_ROWS)
    return [{k: v for k, v in row.items() if k not in _SECRET_COLUMNS} for row in connection.execute(statement).mappings()]
