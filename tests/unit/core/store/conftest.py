"""A migrated SQLite store in a file, with two tenants."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.ids import TenantId
from core.store import tenants
from core.store.migrate import migrate
from core.store.store import Store

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path}/state.db")
    migrate(opened.engine)
    with opened.write() as connection:
        tenants.create(connection, ACME, name="Acme", now=NOW)
        tenants.create(connection, GLOBEX, name="Globex", now=NOW)
    yield opened
    opened.close()
