"""Services on a migrated SQLite store with the tenant acme and one analyst; the broker is a spool folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.clock import SystemClock
from core.ids import TenantId
from core.principal import Role
from core.settings import Settings
from core.store import Store, tenants, users
from core.store.migrate import migrate
from core.store.users import NewUser, User
from workers.bootstrap import Services, build_services


@pytest.fixture(scope="session")
def migrated_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once; each test takes a copy."""
    home = tmp_path_factory.mktemp("home")
    store = Store.open(f"sqlite:///{home}/state.db")
    migrate(store.engine)
    with store.write() as connection:
        tenants.create(connection, TenantId("acme"), name="Acme", now=datetime.now(UTC))
        new = NewUser("ann@example.com", "Ann", frozenset({Role.ANALYST}))
        users.create(connection, TenantId("acme"), new, now=datetime.now(UTC))
    store.close()
    return home


@pytest.fixture
def services(migrated_home: Path, tmp_path: Path) -> Iterator[Services]:
    shutil.copytree(migrated_home, tmp_path / "home")
    made = build_services(Settings(home=tmp_path / "home", mlflow_root=tmp_path / "mlruns"), SystemClock())
    yield made
    made.close()


@pytest.fixture
def ann(services: Services) -> User:
    with services.store.read() as connection:
        found = users.by_email(connection, TenantId("acme"), "ann@example.com")
    assert found is not None
    return found
