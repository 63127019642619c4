"""A tenant with real parts: state store, catalog, users, and fourteen months of daily sales by region in a real warehouse."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import SecretStr

from core.clock import SystemClock
from core.ids import JobId, TenantId, tenant_database
from core.principal import Principal, Role
from core.settings import Settings
from core.store import catalogs, jobs, tenants, users
from core.store.catalogs import NewCatalog
from core.store.users import NewUser
from semantic.catalog.model import Catalog, CatalogField, Dataset, FieldRole, FieldType, RowPolicy, SimpleMetric
from semantic.expr import FieldRef
from semantic.query import AggregateKind
from semantic.warehouse.admin import WarehouseAdmin
from workers.bootstrap import Services, build_services
from workers.queue import cancel, enqueue

START, DAYS = date(2024, 8, 1), 422
REPOSITORY = Path(__file__).parents[3]
REGIONS = ("EMEA", "APAC", "AMER")


@dataclass(frozen=True, slots=True)
class World:
    """Services of one installation with one tenant; `environment` starts processes on the same."""

    services: Services
    tenant: TenantId
    analyst: Principal
    manager: Principal
    environment: dict[str, str]

    @property
    def database(self) -> str:
        return tenant_database(self.tenant)


def sales(seed: int = 7) -> pa.Table:
    """day, region, amount: a weekly season, a trend, noise; AMER sells nothing on Sundays (no rows)."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for index in range(DAYS):
        day = START + timedelta(days=index)
        for size, region in zip((3.0, 2.0, 1.0), REGIONS, strict=True):
            if region == "AMER" and day.weekday() == 6:
                continue
            season = 1.0 + 0.4 * (day.weekday() < 5)
            rows.append({"day": day, "region": region, "amount": float(100 * size * season * (1 + index / 2000) + rng.normal(0, 5))})
    return pa.Table.from_pylist(rows, schema=pa.schema([("day", pa.date32()), ("region", pa.string()), ("amount", pa.float64())]))


def catalog(database: str) -> Catalog:
    fields = (
        CatalogField(name="day", column="day", type=FieldType.DATE, role=FieldRole.TIME, label="Day"),
        CatalogField(name="region", column="region", type=FieldType.STRING, role=FieldRole.CATEGORY, label="Region", values=REGIONS),
        CatalogField(name="amount", column="amount", type=FieldType.FLOAT, role=FieldRole.MEASURE, label="Amount"),
    )
    dataset = Dataset(name="sales", database=database, table="sales", label="Sales", time="day", fields=fields)
    amount = FieldRef(dataset="sales", field="amount")
    return Catalog(
        datasets=(dataset,),
        metrics=(
            SimpleMetric(name="revenue", label="Revenue", dataset="sales", aggregate=AggregateKind.SUM, of=amount, unit="EUR"),
            SimpleMetric(name="average_sale", label="Average sale", dataset="sales", aggregate=AggregateKind.AVG, of=amount),
        ),
        row_policies=(RowPolicy(name="own_regions", dataset="sales", roles=("manager",), field="region", attribute="regions"),),
    )


def _make_world(home: Path, url: str, reader: str, admin: str) -> World:
    environment = {
        "QUERENT_HOME": str(home),
        "QUERENT_MLFLOW_ROOT": str(home / "mlruns"),
        "QUERENT_WAREHOUSE_URL": url,
        "QUERENT_WAREHOUSE_PASSWORD": reader,
        "QUERENT_WAREHOUSE_ADMIN_PASSWORD": admin,
        "OMP_NUM_THREADS": "1",
    }
    settings = Settings(
        home=home,
        mlflow_root=home / "mlruns",
        warehouse_url=url,
        warehouse_password=SecretStr(reader),
        warehouse_admin_password=SecretStr(admin),
    )
    services = build_services(settings, SystemClock())
    services.migrate()
    tenant = TenantId(f"t{secrets.token_hex(5)}")
    now = datetime.now(UTC)
    with services.store.write() as connection:
        tenants.create(connection, tenant, name="Tenant", now=now)
        analyst = users.create(connection, tenant, NewUser("a@x.com", "A", frozenset({Role.ANALYST})), now=now)
        new = NewUser("m@x.com", "M", frozenset({Role.MANAGER}), attributes={"regions": ("EMEA",)})
        manager = users.create(connection, tenant, new, now=now)
        document = catalog(tenant_database(tenant)).model_dump(mode="json")
        catalogs.append(connection, tenant, NewCatalog(document, analyst.id), now=now)
    return World(services, tenant, analyst.principal(), manager.principal(), environment)


def _load_sales(world: World, admin: WarehouseAdmin) -> None:
    admin.execute(f"CREATE DATABASE IF NOT EXISTS {world.database}")
    admin.execute(
        f"CREATE TABLE {world.database}.sales (day Date, region String, amount Float64) ENGINE = MergeTree ORDER BY (region, day)"
    )
    admin.insert_arrow(world.database, "sales", sales())


@pytest.fixture
def world(tmp_path: Path, warehouse_endpoint: Any, warehouse_admin: WarehouseAdmin) -> Iterator[World]:
    made = _make_world(tmp_path / "home", warehouse_endpoint.url, warehouse_endpoint.reader_token, warehouse_endpoint.token)
    _load_sales(made, warehouse_admin)
    yield made
    warehouse_admin.execute(f"DROP DATABASE {made.database} SYNC")
    made.services.close()


@pytest.fixture
def make_world() -> Callable[..., World]:
    """(home, warehouse url, reader's token, admin's token) -> World, without its warehouse tables."""
    return _make_world


@pytest.fixture
def load_sales() -> Callable[..., None]:
    """Makes and fills a world's tables: (world, admin)."""
    return _load_sales


class Processes:
    """Starts processes on a world, each in a group of its own, and ends them all."""

    def __init__(self, environment: dict[str, str], logs: Path) -> None:
        self._environment, self._logs = environment, logs
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
        with (self._logs / f"process-{len(self._started)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=REPOSITORY,
                env={**os.environ, **self._environment, **more},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def worker(self, *arguments: str) -> subprocess.Popen[bytes]:
        return self.start("workers", "worker", *arguments)

    def end(self) -> None:
        for process in self._started:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            process.wait(timeout=30)


@pytest.fixture
def make_processes(tmp_path: Path) -> Iterator[Callable[[dict[str, str]], Processes]]:
    """environment -> Processes; all are ended after the test."""
    made: list[Processes] = []

    def make(environment: dict[str, str]) -> Processes:
        made.append(Processes(environment, tmp_path))
        return made[-1]

    yield make
    for processes in made:
        processes.end()


@pytest.fixture
def processes(world: World, make_processes: Callable[[dict[str, str]], Processes]) -> Processes:
    return make_processes(world.environment)


@pytest.fixture
def flooded() -> Callable[..., None]:
    """Puts 300 jobs of one company in line and one of another, and sees that the one waits for a job or two only: (world, services)."""
    return _flooded


def _flooded(world: World, services: Services) -> None:
    now = datetime.now(UTC)
    other = TenantId(f"t{secrets.token_hex(5)}")
    with services.store.write() as connection:
        tenants.create(connection, other, name="Other", now=now)
        bob = users.create(connection, other, NewUser("b@x.com", "B", frozenset({Role.ANALYST})), now=now).principal()
    flood = [enqueue(services, "diagnose", {"hold_s": 0.3}, world.analyst) for _ in range(300)]
    until(lambda: _ended(services, world.tenant, flood) >= 2)
    before = _ended(services, world.tenant, flood)
    one = enqueue(services, "diagnose", {"hold_s": 0}, bob)
    until(lambda: _ended(services, other, [one]) == 1)
    assert _ended(services, world.tenant, flood) - before <= 4  # those that ran, and those that ended until we looked
    for job in flood:
        cancel(services, world.tenant, job)
    until(lambda: _ended(services, world.tenant, flood) == 300)
    with services.store.read() as connection:
        assert all(jobs.get(connection, world.tenant, job).attempts <= 1 for job in flood)


def until(condition: Callable[[], bool], within_s: float = 40) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.02)


def _ended(services: Services, tenant: TenantId, which: list[JobId]) -> int:
    with services.store.read() as connection:
        return sum(job.status.is_final for job in jobs.list_all(connection, tenant, limit=1000) if job.id in set(which))
