"""A tenant whose sales jump on promotions that come at no regular time, two data scientists, and packages of many kinds of models."""

from __future__ import annotations

import secrets
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
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
from core.store import catalogs, jobs, model_versions, tenants, users
from core.store.catalogs import NewCatalog
from core.store.jobs import Job
from core.store.model_versions import StoredVersion
from core.store.users import NewUser
from models.sdk.package import pack
from semantic.catalog.model import Catalog, CatalogField, Dataset, FieldRole, FieldType, SimpleMetric
from semantic.expr import FieldRef
from semantic.query import AggregateKind
from semantic.warehouse.admin import WarehouseAdmin
from workers.bootstrap import Services, build_services
from workers.custom.accept import accept
from workers.jobs import FUNCTIONS
from workers.run import run_job

DAYS = 700
PASSWORD = "a-long-password-1"
REGIONS = ("EMEA", "APAC")
CARD = """
name: {name}
kind: forecaster
owner: ada@example.com
description: made for a test
metric: revenue
grains: [day]
min_history: 60
horizon: 90
licence: MIT
entry: model:Model
signature:
  contract: 1
  inputs: {{history: [series_id, time, value], future: [series_id, time]}}
  output: [series_id, time, mean, lower_80, upper_80, lower_95, upper_95]
"""
GOOD = """
import json
import numpy as np
from models.sdk import Forecaster
from models.sdk.tables import forecast_table, per_series

class Model(Forecaster):
    def fit(self, history, context):
        promoted = set(json.loads((self.artifacts / "promotions.json").read_text()))
        self.on = lambda times: np.array([str(t)[:10] in promoted for t in times.astype("datetime64[D]")])
        self.season = context.season_steps
        self.fitted = {name: self.learn(times, values) for name, times, values in per_series(history, fill=True)}

    def learn(self, times, y):
        x = self.columns(times, times[0])
        ridge = np.eye(x.shape[1]) * 1e-3
        weights = np.linalg.solve(x.T @ x + ridge, x.T @ y)
        return times[0], weights, float(np.std(y - x @ weights))

    def columns(self, times, start):
        days = (times - start).astype("timedelta64[D]").astype(float)
        week = (times.astype("datetime64[D]").astype(int) + 3) % 7
        dummies = (week[:, None] == np.arange(7)).astype(float)
        on = self.on(times)[:, None].astype(float)
        return np.hstack([dummies, days[:, None] / 100, on])

    def predict(self, future):
        def ahead(name, times):
            start, weights, spread = self.fitted[name]
            mean = self.columns(times, start) @ weights
            return mean, np.full(len(mean), spread)
        return forecast_table(future, ahead)
"""


def promotions() -> tuple[np.ndarray, np.ndarray]:
    """(days, whether promoted): blocks of two to four days at random, about one day in eight; ending today, and a quarter ahead."""
    today = np.datetime64(datetime.now(UTC).date(), "D")
    days = today - DAYS + np.arange(DAYS + 120)
    rng = np.random.default_rng(11)
    on = np.zeros(len(days), dtype=bool)
    at = 5
    while at < len(days):
        length = int(rng.integers(2, 5))
        on[at : at + length] = True
        at += length + int(rng.integers(9, 31))
    return days, on


def sales() -> pa.Table:
    days, on = promotions()
    rng = np.random.default_rng(7)
    rows: list[dict[str, Any]] = []
    for index in range(DAYS):
        week = 1.0 + 0.3 * ((days[index].astype(int) + 3) % 7 < 5)
        for size, region in zip((2.0, 1.0), REGIONS, strict=True):
            amount = 100 * size * (week + index / 3000 + 0.8 * on[index]) + rng.normal(0, 4 * size)
            rows.append({"day": days[index].astype(object), "region": region, "amount": float(amount)})
    return pa.Table.from_pylist(rows, schema=pa.schema([("day", pa.date32()), ("region", pa.string()), ("amount", pa.float64())]))


CHANNELS = {"Web": 300, "App": 200, "Shop": 150, "Phone": 120, "Fair": 100, "Tender 1": 15, "Tender 2": 15, "Tender 3": 15, "Tender 4": 15}


def visits() -> pa.Table:
    """Sixty days by channel; a tender rarely brings ten times as many, which its name tells and a short past does not. Shop fell last week."""
    days, _ = promotions()
    rng = np.random.default_rng(3)
    rows: list[dict[str, Any]] = []
    for index in range(DAYS - 60, DAYS):
        for channel, size in CHANNELS.items():
            spike = 10.0 if channel.startswith("Tender") and rng.random() < 0.2 else 1.0
            fell = 0.4 if channel == "Shop" and index == DAYS - 1 else 1.0
            rows.append({"day": days[index].astype(object), "channel": channel, "seen": size * np.exp(rng.normal(0, 0.03)) * spike * fell})
    return pa.Table.from_pylist(rows, schema=pa.schema([("day", pa.date32()), ("channel", pa.string()), ("seen", pa.float64())]))


def catalog(database: str) -> Catalog:
    fields = (
        CatalogField(name="day", column="day", type=FieldType.DATE, role=FieldRole.TIME, label="Day"),
        CatalogField(name="region", column="region", type=FieldType.STRING, role=FieldRole.CATEGORY, label="Region", values=REGIONS),
        CatalogField(name="amount", column="amount", type=FieldType.FLOAT, role=FieldRole.MEASURE, label="Amount"),
    )
    dataset = Dataset(name="sales", database=database, table="sales", label="Sales", time="day", fields=fields)
    amount = FieldRef(dataset="sales", field="amount")
    metric = SimpleMetric(name="revenue", label="Revenue", dataset="sales", aggregate=AggregateKind.SUM, of=amount, unit="EUR")
    seen = (
        fields[0],
        CatalogField(
            name="channel", column="channel", type=FieldType.STRING, role=FieldRole.CATEGORY, label="Channel", values=tuple(CHANNELS)
        ),
        CatalogField(name="seen", column="seen", type=FieldType.FLOAT, role=FieldRole.MEASURE, label="Seen"),
    )
    by_channel = Dataset(name="visits", database=database, table="visits", label="Visits", time="day", fields=seen)
    count = FieldRef(dataset="visits", field="seen")
    visited = SimpleMetric(name="visits", label="Visits", dataset="visits", aggregate=AggregateKind.SUM, of=count)
    return Catalog(datasets=(dataset, by_channel), metrics=(metric, visited))


@dataclass(frozen=True, slots=True)
class World:
    """ada registers, ben promotes; `environment` starts processes on the same installation."""

    services: Services
    tenant: TenantId
    ada: Principal
    ben: Principal
    analyst: Principal
    environment: Mapping[str, str]
    folder: Path
    card: str = CARD

    def sales(self) -> pa.Table:
        return sales()

    def promotions(self) -> tuple[np.ndarray, np.ndarray]:
        return promotions()

    def package(
        self, name: str, source: str, artifacts: Mapping[str, bytes] | None = None, card: str = CARD, *, plain: bool = False
    ) -> Path:
        """A zip where uploads wait. plain: the card is complete."""
        place = self.folder / secrets.token_hex(4)
        for part in ("source", "artifacts"):
            (place / part).mkdir(parents=True)
        (place / "model.yaml").write_text(card if plain else card.format(name=name))
        (place / "source" / "model.py").write_text(textwrap.dedent(source))
        for file, content in (artifacts or {}).items():
            (place / "artifacts" / file).write_bytes(content)
        draft = self.services.uploads / f"{secrets.token_hex(6)}.zip"
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(pack(place))
        return draft

    def good(self, name: str = "promotions") -> Path:
        import json

        days, on = promotions()
        known = json.dumps([str(day) for day in days[on]]).encode()
        return self.package(name, GOOD, {"promotions.json": known})

    def accept(self, draft: Path) -> StoredVersion:
        return accept(self.services, self.ada, draft)

    def run(self, job: str | None, queue: str = "sandbox") -> Job:
        """Runs a job here, as a worker of that queue would."""
        assert job is not None
        run_job(self.services, FUNCTIONS, self.tenant, JobId(job), queue=queue)
        with self.services.store.read() as connection:
            return jobs.get(connection, self.tenant, JobId(job))

    def register(self, draft: Path) -> StoredVersion:
        version = self.accept(draft)
        job = self.run(version.job_id)
        assert job.status.value == "DONE", job.error
        return self.version(version.id)

    def version(self, key: str) -> StoredVersion:
        with self.services.store.read() as connection:
            return model_versions.get(connection, self.tenant, key)


@pytest.fixture(scope="module")
def models_world(tmp_path_factory: pytest.TempPathFactory, warehouse_endpoint: Any, warehouse_admin: WarehouseAdmin) -> Iterator[World]:
    tmp_path = tmp_path_factory.mktemp("models")
    home = tmp_path / "home"
    environment = {
        "QUERENT_HOME": str(home),
        "QUERENT_MLFLOW_ROOT": str(home / "mlruns"),
        "QUERENT_WAREHOUSE_URL": warehouse_endpoint.url,
        "QUERENT_WAREHOUSE_PASSWORD": warehouse_endpoint.reader_token,
        "QUERENT_WAREHOUSE_ADMIN_PASSWORD": warehouse_endpoint.token,
        "OMP_NUM_THREADS": "1",
    }
    settings = Settings(
        home=home,
        mlflow_root=home / "mlruns",
        warehouse_url=warehouse_endpoint.url,
        warehouse_password=SecretStr(warehouse_endpoint.reader_token),
        warehouse_admin_password=SecretStr(warehouse_endpoint.token),
    )
    services = build_services(settings, SystemClock())
    services.migrate()
    tenant = TenantId(f"t{secrets.token_hex(5)}")
    now = datetime.now(UTC)
    with services.store.write() as connection:
        tenants.create(connection, tenant, name="Tenant", now=now)
        ada = users.create(connection, tenant, NewUser("ada@x.com", "Ada", frozenset({Role.DATA_SCIENTIST}), PASSWORD), now=now)
        ben = users.create(connection, tenant, NewUser("ben@x.com", "Ben", frozenset({Role.DATA_SCIENTIST}), PASSWORD), now=now)
        analyst = users.create(connection, tenant, NewUser("ann@x.com", "Ann", frozenset({Role.ANALYST}), PASSWORD), now=now)
        document = catalog(tenant_database(tenant)).model_dump(mode="json")
        catalogs.append(connection, tenant, NewCatalog(document, analyst.id), now=now)
    database = tenant_database(tenant)
    warehouse_admin.execute(f"CREATE DATABASE IF NOT EXISTS {database}")
    columns = "day Date, region String, amount Float64"
    warehouse_admin.execute(f"CREATE TABLE {database}.sales ({columns}) ENGINE = MergeTree ORDER BY (region, day)")
    warehouse_admin.insert_arrow(database, "sales", sales())
    warehouse_admin.execute(
        f"CREATE TABLE {database}.visits (day Date, channel String, seen Float64) ENGINE = MergeTree ORDER BY (channel, day)"
    )
    warehouse_admin.insert_arrow(database, "visits", visits())
    yield World(services, tenant, ada.principal(), ben.principal(), analyst.principal(), environment, tmp_path / "packages")
    warehouse_admin.execute(f"DROP DATABASE {database} SYNC")
    services.close()
