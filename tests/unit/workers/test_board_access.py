"""Boards are seen by their owner, administrators, and the roles that they are shared with, built in or the company's own."""

from __future__ import annotations

import datetime as dt

import pytest

from core.errors import Forbidden, NotFound
from core.ids import TenantId, UserId
from core.principal import Principal, Role
from core.store.boards import StoredBoard
from workers.boards.access import editable, may_edit, may_see, seen

NOW = dt.datetime(2026, 5, 4, tzinfo=dt.UTC)
FIELDS = StoredBoard.__dataclass_fields__


def board(**sharing: str) -> StoredBoard:
    values = {
        "id": "brd_1", "tenant": TenantId("acme"), "owner": UserId("usr_owner"), "title": "B", "content": {}, "sharing": sharing,
        "version": 1, "changes": 1, "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    return StoredBoard(**{name: value for name, value in values.items() if name in FIELDS})


def caller(role: Role, *own: str, tenant: str = "acme") -> Principal:
    return Principal(TenantId(tenant), UserId("usr_2"), frozenset({role}), custom=frozenset(own))


def test_own_roles_see_and_edit_what_is_shared_with_them() -> None:
    shared = board(store_lead="edit", auditor="see", viewer="see")
    assert may_edit(caller(Role.MANAGER, "store_lead"), shared)
    assert may_see(caller(Role.MANAGER, "auditor"), shared)
    assert not may_edit(caller(Role.MANAGER, "auditor"), shared)
    assert may_see(caller(Role.VIEWER), shared)
    assert not may_see(caller(Role.MANAGER, "other"), shared)


def test_who_may_not_see_it_is_told_that_it_is_not_there() -> None:
    with pytest.raises(NotFound):
        seen(caller(Role.MANAGER), board(auditor="see"))
    with pytest.raises(NotFound):
        seen(caller(Role.ADMIN, tenant="globex"), board(auditor="see"))
    with pytest.raises(Forbidden):
        editable(caller(Role.MANAGER, "auditor"), board(auditor="see"))
