"""A better model passes the gate, is promoted by a second person, serves, is watched, and is rolled back."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from core.errors import Conflict, Forbidden, NotFound
from core.ids import TenantId
from core.principal import Principal, Role
from core.store import audit, jobs, model_log, model_runs, model_slots, model_versions
from core.store.model_runs import NewRun
from workers.champions import champion_for
from workers.custom.accept import accept
from workers.custom.promotion import OWN, promote, rollback, withdraw
from workers.jobs import FUNCTIONS
from workers.queue import enqueue
from workers.run import run_job

pytestmark = [pytest.mark.integration, pytest.mark.slow]
ASKED = {"metric": "revenue", "grain": "day", "horizon_steps": 14}


@pytest.fixture(scope="module")
def better(models_world: Any) -> Any:
    """A model that knows when promotions are, through the whole registration."""
    return models_world.register(models_world.good())


def forecast(world: Any) -> dict[str, Any]:
    """A forecast job by a worker of the heavy queue, and by one of the sandbox's when it is sent on."""
    job = enqueue(world.services, "forecast", ASKED, world.analyst)
    done = world.run(job, queue="heavy")
    if done.status.value == "PENDING":
        assert done.queue == "sandbox"
        done = world.run(job, queue="sandbox")
    assert done.status.value == "DONE", done.error
    return dict(done.result)


def means(result: dict[str, Any]) -> list[float]:
    return [point["mean"] for point in result["series"][0]["forecast"]]


class TestRegistration:
    def test_a_model_that_knows_promotions_becomes_challenger(self, better: Any) -> None:
        assert better.state == "challenger", better.reason
        assert better.verdict["passed"]
        assert better.conformance["passed"]

    def test_every_criterion_says_what_was_required_and_found(self, better: Any) -> None:
        assert len(better.verdict["criteria"]) == 9
        assert all(item["required"] and item["found"] for item in better.verdict["criteria"])

    def test_candidate_champion_and_naive_are_compared_on_the_same_folds(self, better: Any) -> None:
        run = better.backtest["runs"][0]
        assert len(run["folds"]) == len(run["by_fold"]) == len(run["plot"]["folds"]) >= 6
        assert run["champion"] == OWN
        assert {len(fold[name]) for fold in run["plot"]["folds"] for name in ("actual", "candidate", "champion", "naive")} == {28}

    def test_its_lineage_leads_to_code_query_catalog_and_data(self, better: Any) -> None:
        lineage = better.lineage
        assert lineage["package_sha256"] == better.sha256
        assert lineage["query_hash"]
        assert lineage["catalog_version"] == 1
        assert lineage["data_version"]
        assert better.run_id

    def test_mlflow_has_the_version_its_package_and_the_alias(self, models_world: Any, better: Any) -> None:
        from models.names import parse_model_name

        registry = models_world.services.registry
        found = registry.versions(models_world.tenant, better.name)[0]
        assert found.run_id == better.run_id
        assert found.aliases == ("challenger",)
        assert registry.champion(parse_model_name(models_world.tenant, better.name)) is None

    def test_a_worker_elsewhere_fetches_the_package_from_mlflow(self, models_world: Any, better: Any, tmp_path: Any) -> None:
        from models.sdk.package import digest
        from workers.packages import PackageFiles

        fetched = PackageFiles(tmp_path, models_world.services.registry).packed(better)
        assert digest(fetched) == better.sha256

    def test_a_shadow_run_waits_for_its_actual_values(self, models_world: Any, better: Any) -> None:
        with models_world.services.store.read() as connection:
            runs = model_runs.of_version(connection, models_world.tenant, better.id)
        assert [run.role for run in runs] == ["shadow"]
        assert len(runs[0].points["custom"]) == len(runs[0].points["own"]) == 28

    def test_the_same_content_again_is_the_same_version(self, models_world: Any, better: Any) -> None:
        again = models_world.accept(models_world.good())
        assert again.id == better.id

    def test_analysts_do_not_register(self, models_world: Any) -> None:
        with pytest.raises(Forbidden):
            accept(models_world.services, models_world.analyst, models_world.good("mine"))


class TestPromotion:
    def test_the_one_who_registered_may_not(self, models_world: Any, better: Any) -> None:
        with pytest.raises(Conflict) as caught:
            promote(models_world.services, models_world.ada, better.name, better.version)
        assert caught.value.code == "same_person"
        assert caught.value.status == 409

    def test_nobody_is_not_a_person(self, models_world: Any, better: Any) -> None:
        from workers.principals import system_principal

        with pytest.raises(Forbidden):
            promote(models_world.services, system_principal(models_world.tenant), better.name, better.version)

    def test_another_tenants_model_is_not_there(self, models_world: Any, better: Any) -> None:
        stranger = Principal(TenantId("other"), models_world.ben.user, frozenset({Role.ADMIN}))
        with pytest.raises(NotFound):
            promote(models_world.services, stranger, better.name, better.version)

    def test_promote_serve_and_roll_back(self, models_world: Any, better: Any) -> None:
        """The whole way: former forecasts, custom ones that say who spoke, and the former ones again."""
        services, tenant = models_world.services, models_world.tenant
        former = forecast(models_world)
        assert "promotions" not in former["series"][0]["model"]
        promote(services, models_world.ben, better.name, better.version, note="knows our promotions")
        from core.timeseries import Grain

        assert str(champion_for(services, tenant, "forecast", "revenue", Grain.DAY)) == f"{better.name}/1"
        custom = forecast(models_world)
        assert custom["series"][0]["model"] == custom["model_version"] == f"{better.name}/1"
        assert not np.allclose(means(custom), means(former), rtol=0.01)

        began_s = time.perf_counter()
        assert rollback(services, models_world.ada, better.name, reason="only a try") == OWN
        assert time.perf_counter() - began_s < 2.0
        again = forecast(models_world)
        assert again["series"][0]["model"] == former["series"][0]["model"]
        assert means(again) == pytest.approx(means(former))

        with services.store.read() as connection:
            log = model_log.read(connection, tenant, name=better.name)
            assert [entry.action for entry in reversed(log)][-2:] == ["promoted", "rolled back"]
            promoted = next(entry for entry in log if entry.action == "promoted")
            assert promoted.actor == models_world.ben.user
            assert promoted.evidence["verdict"]["passed"]
            assert promoted.evidence["instead_of"] == OWN
            assert audit.first_broken(connection, tenant) is None

    def test_mlflows_aliases_follow(self, models_world: Any, better: Any) -> None:
        services, tenant = models_world.services, models_world.tenant
        promote(services, models_world.ben, better.name, better.version)
        job = enqueue(services, "mirror_models", {}, models_world.ben)
        assert models_world.run(job, queue="models").status.value == "DONE"
        assert services.registry.versions(tenant, better.name)[0].aliases == ("champion",)
        rollback(services, models_world.ben, better.name)

    def test_two_at_once_one_wins_the_other_is_told(self, models_world: Any, better: Any) -> None:
        services = models_world.services
        with services.store.read() as connection:
            revision = model_slots.get(connection, models_world.tenant, "forecast", "revenue").revision
        outcomes: list[str] = []

        def act() -> None:
            try:
                promote(services, models_world.ben, better.name, better.version, expected_revision=revision)
                outcomes.append("won")
            except Conflict as error:
                outcomes.append(error.code)

        threads = [threading.Thread(target=act) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcomes.count("won") == 1
        assert set(outcomes) - {"won"} <= {"slot_changed", "already_champion"}
        rollback(services, models_world.ben, better.name)

    def test_the_champion_cannot_be_withdrawn(self, models_world: Any, better: Any) -> None:
        services = models_world.services
        promote(services, models_world.ben, better.name, better.version)
        with pytest.raises(Conflict):
            withdraw(services, models_world.ben, better.name, better.version)
        rollback(services, models_world.ben, better.name)

    def test_automatic_forecasts_leave_the_promoted_model_in_place(self, models_world: Any, better: Any) -> None:
        services, tenant = models_world.services, models_world.tenant
        promote(services, models_world.ben, better.name, better.version)
        params = {**ASKED, "grain": "month", "horizon_steps": 2}  # a grain that the model does not serve
        done = models_world.run(enqueue(services, "forecast", params, models_world.analyst), queue="heavy")
        assert done.status.value == "DONE", done.error
        with services.store.read() as connection:
            assert model_slots.get(connection, tenant, "forecast", "revenue").champion_id == better.id
        assert forecast(models_world)["series"][0]["model"] == f"{better.name}/1"
        rollback(services, models_world.ben, better.name)


class TestServing:
    def test_batches_are_served_too(self, models_world: Any, better: Any) -> None:
        services = models_world.services
        promote(services, models_world.ben, better.name, better.version)
        params = {"metrics": ["revenue"], "grain": "day", "horizon_steps": 14}
        job = enqueue(services, "forecast_batch", params, models_world.analyst)
        assert models_world.run(job, queue="heavy").queue == "sandbox"
        done = models_world.run(job, queue="sandbox")
        assert done.status.value == "DONE", done.error
        with services.store.read() as connection:
            part = next(j for j in jobs.list_all(connection, models_world.tenant, kind="forecast_part") if j.params["batch"] == job)
        assert set(part.result["models"].values()) == {f"{better.name}/1"}
        rollback(services, models_world.ben, better.name)

    def test_what_it_cannot_serve_our_own_model_does_and_says_so(self, models_world: Any, better: Any) -> None:
        promote(models_world.services, models_world.ben, better.name, better.version)
        job = enqueue(models_world.services, "forecast", {**ASKED, "horizon_steps": 91}, models_world.analyst)
        models_world.run(job, queue="heavy")
        done = models_world.run(job, queue="sandbox")
        assert done.status.value == "DONE", done.error
        total = done.result["series"][0]
        assert "at most 90 steps" in total["fallback"]
        assert better.name not in total["model"]
        rollback(models_world.services, models_world.ben, better.name)

    def test_a_package_that_was_changed_is_not_run(self, models_world: Any, better: Any) -> None:
        from workers.packages import PackageFiles

        place = PackageFiles(models_world.services.settings.home, models_world.services.registry).place(models_world.tenant, better.sha256)
        held = place.read_bytes()
        promote(models_world.services, models_world.ben, better.name, better.version)
        place.unlink()
        place.write_bytes(held + b"more")
        result = forecast(models_world)
        assert "is not what was registered" in result["series"][0]["fallback"]
        place.write_bytes(held)
        assert forecast(models_world)["series"][0]["model"] == f"{better.name}/1"
        rollback(models_world.services, models_world.ben, better.name)


class TestWatch:
    def test_a_champion_that_does_worse_live_is_rolled_back(self, models_world: Any, better: Any) -> None:
        services, tenant = models_world.services, models_world.tenant
        promote(services, models_world.ben, better.name, better.version)
        now = services.clock.now()
        days = [(now.date() - timedelta(days=k)).isoformat() for k in range(9, 1, -1)]
        points = {"t": [f"{day}T00:00:00.000" for day in days], "custom": [9000.0] * 8, "own": [420.0] * 8, "scale": 50.0}
        with services.store.write() as connection:
            model_runs.put(connection, tenant, NewRun(better.id, "champion", "revenue", "day", "job_x", points), now=now)
        done = models_world.run(enqueue(services, "watch_models", {}, models_world.ben), queue="default")
        assert done.status.value == "DONE", done.error
        assert done.result["rolled_back"] == 1
        with services.store.read() as connection:
            assert model_slots.get(connection, tenant, "forecast", "revenue").champion_id is None
            last = model_log.read(connection, tenant, name=better.name, limit=1)[0]
        assert last.action == "rolled back by watch"
        assert last.evidence["live"]["custom"] > last.evidence["live"]["own"]
        assert models_world.version(better.id).state == model_versions.VersionState.RETIRED

    def test_one_that_does_as_well_stays(self, models_world: Any) -> None:
        services, tenant = models_world.services, models_world.tenant
        version = models_world.register(models_world.good("second"))
        assert version.state == "challenger", version.reason
        promote(services, models_world.ben, version.name, version.version)
        done = models_world.run(enqueue(services, "watch_models", {}, models_world.ben), queue="default")
        assert done.result["rolled_back"] == 0
        with services.store.read() as connection:
            assert model_slots.get(connection, tenant, "forecast", "revenue").champion_id == version.id
        rollback(services, models_world.ben, version.name)


class TestWithdrawal:
    def test_a_withdrawn_version_does_not_come_again(self, models_world: Any) -> None:
        version = models_world.accept(models_world.good("third"))
        withdraw(models_world.services, models_world.ada, version.name, version.version)
        run_job(models_world.services, FUNCTIONS, models_world.tenant, version.job_id, queue="sandbox")
        assert models_world.version(version.id).state == "withdrawn"
        with pytest.raises(Conflict):
            models_world.accept(models_world.good("third"))
