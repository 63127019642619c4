"""Custom models on a real PostgreSQL: of many who promote at once one wins."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from core.errors import Conflict
from core.ids import TenantId, UserId
from core.store import Store, model_slots, model_versions, tenants
from core.store.migrate import migrate
from core.store.model_versions import NewVersion

pytestmark = pytest.mark.integration
ACME = TenantId("acme")
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def store(postgresql: Any) -> Iterator[Store]:
    opened = Store.open(postgresql.database(f"models_{secrets.token_hex(4)}"))
    migrate(opened.engine)
    with opened.write() as connection:
        tenants.create(connection, ACME, name="Acme", now=NOW)
    yield opened
    opened.close()


@pytest.mark.parametrize("has_row", [False, True], ids=["first promotion", "later one"])
def test_one_of_many_promotions_wins(has_row: bool, store: Store) -> None:
    new = NewVersion("acme.forecast.revenue.m", "forecast", "revenue", "a" * 64, 10, {"grains": ["day"]}, UserId("usr_ada"))
    with store.write() as connection:
        version = model_versions.create(connection, ACME, new, now=NOW)[0]
        seen = model_slots.get(connection, ACME, "forecast", "revenue")
        if has_row:
            seen = model_slots.put(connection, ACME, replace(seen, champion_id=None, promoted_at=NOW))

    def act(_: int) -> str:
        try:
            with store.write() as connection:
                model_slots.put(connection, ACME, replace(seen, champion_id=version.id, promoted_at=NOW))
            return "won"
        except Conflict as error:
            return error.code

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(act, range(8)))
    assert sorted(outcomes) == ["slot_changed"] * 7 + ["won"]
    with store.read() as connection:
        assert model_slots.get(connection, ACME, "forecast", "revenue").revision == seen.revision + 1
