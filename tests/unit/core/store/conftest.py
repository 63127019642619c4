"""A migrated SQLite store in a file, with the tenants acme and globex."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.ids import TenantId
from core.store import Store, tenants
from core.store.migrate import migrate


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once; each test takes a copy."""
    path = tmp_path_factory.mktemp("state") / "state.db"
    store = Store.open(f"sqlite:///{path}")
    migrate(store.engine)
    with store.write() as connection:
        for name in ("acme", "globex"):
            tenants.create(connection, TenantId(name), name=name.title(), now=datetime(2026, 3, 1, 12, 0, tzinfo=UTC))
    store.close()
    return path


@pytest.fixture
def store(migrated_file: Path, tmp_path: Path) -> Iterator[Store]:
    shutil.copy(migrated_file, tmp_path / "state.db")
    opened = Store.open(f"sqlite:///{tmp_path}/state.db")
    yield opened
    opened.close()
