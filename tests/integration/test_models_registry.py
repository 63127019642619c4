"""The registry against a real MLflow on SQLite."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import Conflict, NotFound
from core.ids import TenantId
from models.lineage import Lineage
from models.names import ModelName
from models.registry import Registry, RunRecord

pytestmark = [pytest.mark.integration, pytest.mark.slow]
ACME, GLOBEX = TenantId("acme"), TenantId("globex")
LINEAGE = Lineage(query_hash="q1", catalog_version=3, data_version="d1", code_version="c1")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    root = tmp_path_factory.mktemp("mlruns")
    return Registry(f"sqlite:///{root}/mlflow.db", root)


def record(key: str, metric: str = "revenue", mase: float = 0.8, tenant: TenantId = ACME) -> RunRecord:
    return RunRecord(
        model=ModelName(tenant, "forecast", metric, "auto"),
        key=key,
        lineage=LINEAGE,
        params={"horizon_steps": 30, "grain": "day"},
        metrics={"mase": mase, "broken": float("nan")},
        files={"model/model.json": {"models": {"all": "ets"}}},
    )


class TestLogRun:
    def test_a_run_becomes_a_version_with_lineage_and_content(self, registry: Registry) -> None:
        version = registry.log_run(record("job_a"))
        assert (version.version, version.key) == (1, "job_a")
        assert version.lineage == {"query_hash": "q1", "catalog_version": "3", "data_version": "d1", "code_version": "c1"}
        assert registry.file(ACME, version, "model/model.json") == {"models": {"all": "ets"}}

    def test_the_same_key_again_makes_nothing_new(self, registry: Registry) -> None:
        first = registry.log_run(record("job_twice", "visits"))
        second = registry.log_run(record("job_twice", "visits", mase=0.1))
        assert first == second
        assert len(registry.versions(ACME, str(first.name))) == 1

    def test_an_unfinished_run_of_a_killed_process_is_replaced(self, registry: Registry) -> None:
        client = registry._client
        experiment = registry._experiment(ACME)
        client.create_run(experiment, tags={"querent.key": "job_killed"})
        version = registry.log_run(record("job_killed", "orders"))
        runs = client.search_runs([experiment], "tags.`querent.key` = 'job_killed'")
        assert [run.info.run_id for run in runs] == [version.run_id]
        assert runs[0].data.metrics == {"mase": 0.8}


class TestAliases:
    def test_promoting_keeps_the_former_champion_and_rollback_brings_it_back(self, registry: Registry) -> None:
        one, two = registry.log_run(record("job_p1", "margin")), registry.log_run(record("job_p2", "margin"))
        assert registry.champion(one.name) is None
        with pytest.raises(Conflict):
            registry.rollback(ACME, str(one.name))
        registry.promote(ACME, one)
        registry.promote(ACME, two)
        registry.promote(ACME, two)
        champion = registry.champion(one.name)
        assert champion is not None
        assert champion.version == two.version
        assert registry.rollback(ACME, str(one.name)).version == one.version


class TestTenants:
    def test_a_tenant_sees_only_its_own_models(self, registry: Registry) -> None:
        theirs = registry.log_run(record("job_g", tenant=GLOBEX))
        assert {name.tenant for name in registry.models(ACME)} == {ACME}
        for call in (
            lambda: registry.versions(ACME, str(theirs.name)),
            lambda: registry.promote(ACME, theirs),
            lambda: registry.file(ACME, theirs, "model/model.json"),
        ):
            with pytest.raises(NotFound):
                call()


def test_two_processes_may_make_the_schema_at_once(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from models.registry import Registry; "
        f"Registry('sqlite:///{tmp_path}/mlflow.db', Path('{tmp_path}')).ping()"
    )
    started = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [process.wait(timeout=120) for process in started] == [0, 0]
