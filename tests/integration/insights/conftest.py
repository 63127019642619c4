"""The two demo companies in a real warehouse, and jobs run on them as of any day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from core.clock import FixedClock
from core.ids import TenantId
from core.settings import Settings
from core.store import jobs
from core.store.jobs import JobStatus, NewJob
from semantic.warehouse.admin import WarehouseAdmin
from tests.conftest import WarehouseEndpoint
from workers.bootstrap import build_services
from workers.demo.load import load_demo
from workers.demo.setup import ensure_people_and_catalogs
from workers.demo.span import Span
from workers.demo.world import WORLDS
from workers.jobs import FUNCTIONS
from workers.kinds import checked_params
from workers.kinds import kind as kind_named
from workers.principals import system_principal
from workers.run import run_job

ANCHOR = dt.date(2026, 11, 20)
Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory, warehouse_endpoint: WarehouseEndpoint, warehouse_admin: WarehouseAdmin) -> Iterator[Run]:
    """run(tenant, kind, params, on): the result of a job accepted at nine in the morning of the day `on`."""
    home = tmp_path_factory.mktemp("insights")
    settings = Settings(
        home=home, mlflow_root=home / "mlruns", environment="test", warehouse_url=warehouse_endpoint.url,
        warehouse_password=SecretStr(warehouse_endpoint.reader_token), warehouse_admin_password=SecretStr(warehouse_endpoint.token),
        _env_file=None,
    )  # type: ignore[call-arg]  # fmt: skip
    load_demo(warehouse_admin, tuple((world, Span.ending(ANCHOR)) for world in WORLDS))
    first = build_services(settings, FixedClock(dt.datetime.combine(ANCHOR, dt.time(9), dt.UTC)))
    first.migrate()
    ensure_people_and_catalogs(first.store, first.clock.now())
    first.close()

    def go(tenant: str, kind: str, params: dict[str, Any], on: dt.date = ANCHOR + dt.timedelta(days=1)) -> dict[str, Any]:
        services = build_services(settings, FixedClock(dt.datetime.combine(on, dt.time(9), dt.UTC)))
        try:
            who = system_principal(TenantId(tenant))
            new = NewJob(kind, kind_named(kind).queue, checked_params(kind, params))
            with services.store.write() as connection:
                job = jobs.create(connection, who.tenant, who.user, new, now=services.clock.now())
            status = run_job(services, FUNCTIONS, who.tenant, job.id)
            with services.store.read() as connection:
                done = jobs.get(connection, who.tenant, job.id)
            assert status is JobStatus.DONE, done.error
            return dict(done.result or {})
        finally:
            services.close()

    yield go
    warehouse_admin.execute("DROP DATABASE demo SYNC")
