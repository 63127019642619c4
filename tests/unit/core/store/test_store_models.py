"""Versions, slots, log and runs of custom models: another tenant's are not there, slots change by optimistic lock, the log only grows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from core.errors import Conflict, NotFound
from core.ids import TenantId, UserId
from core.store import Store, audit, model_log, model_runs, model_slots, model_versions
from core.store.model_log import Deed
from core.store.model_runs import NewRun
from core.store.model_versions import NewVersion, StoredVersion, VersionState

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NAME = "acme.forecast.revenue.m"


def new(sha: str = "a" * 64, name: str = NAME) -> NewVersion:
    return NewVersion(name, "forecast", "revenue", sha, 10, {"grains": ["day"]}, UserId("usr_ada"))


def made(connection: Connection, sha: str = "a" * 64) -> StoredVersion:
    return model_versions.create(connection, ACME, new(sha), now=NOW)[0]


class TestVersions:
    def test_count_up_per_name(self, store: Store) -> None:
        with store.write() as connection:
            assert [made(connection, sha * 64).version for sha in "abc"] == [1, 2, 3]
            other = model_versions.create(connection, ACME, new("a" * 64, "acme.forecast.revenue.other"), now=NOW)[0]
        assert other.version == 1
        assert other.state is VersionState.CHECKING

    def test_the_same_content_is_the_same_version(self, store: Store) -> None:
        with store.write() as connection:
            first = made(connection)
            again, is_new = model_versions.create(connection, ACME, new(), now=NOW)
        assert (again.id, is_new) == (first.id, False)

    def test_refused_content_may_be_tried_again(self, store: Store) -> None:
        with store.write() as connection:
            first = made(connection)
            assert model_versions.move(connection, ACME, first.id, VersionState.CHECKING, VersionState.REFUSED, now=NOW)
            again, is_new = model_versions.create(connection, ACME, new(), now=NOW)
        assert (again.version, is_new) == (2, True)

    def test_withdrawn_content_may_not(self, store: Store) -> None:
        with store.write() as connection:
            first = made(connection)
            model_versions.update(connection, ACME, first.id, {"state": VersionState.WITHDRAWN}, now=NOW)
            with pytest.raises(Conflict):
                model_versions.create(connection, ACME, new(), now=NOW)

    def test_a_state_moves_once(self, store: Store) -> None:
        with store.write() as connection:
            first = made(connection)
            moves = [
                model_versions.move(connection, ACME, first.id, VersionState.CHECKING, VersionState.CHALLENGER, now=NOW) for _ in range(2)
            ]
        assert moves == [True, False]

    @pytest.mark.parametrize(
        "look",
        [
            lambda c, v: model_versions.get(c, GLOBEX, v.id),
            lambda c, v: model_versions.named(c, GLOBEX, NAME, 1),
            lambda c, v: model_versions.of_name(c, GLOBEX, NAME),
            lambda c, v: model_versions.update(c, GLOBEX, v.id, {"reason": "x"}, now=NOW),
        ],
    )
    def test_another_tenants_are_not_there(self, look: Callable[[Any, Any], Any], store: Store) -> None:
        with store.write() as connection:
            version = made(connection)
            with pytest.raises(NotFound):
                look(connection, version)
            assert model_versions.list_all(connection, GLOBEX) == ()
            assert not model_versions.move(connection, GLOBEX, version.id, VersionState.CHECKING, VersionState.REFUSED, now=NOW)


class TestSlots:
    def test_without_a_row_nobody_custom_serves(self, store: Store) -> None:
        with store.read() as connection:
            assert model_slots.get(connection, ACME, "forecast", "revenue").revision == 0
            assert model_slots.serving(connection, ACME, "forecast", "revenue") is None

    def test_a_metrics_own_slot_goes_before_that_of_all(self, store: Store) -> None:
        with store.write() as connection:
            one, other = made(connection), made(connection, "b" * 64)
            for metric, version in (("*", one), ("revenue", other)):
                empty = model_slots.get(connection, ACME, "forecast", metric)
                model_slots.put(connection, ACME, replace(empty, champion_id=version.id, promoted_at=NOW))
            own = model_slots.serving(connection, ACME, "forecast", "revenue")
            every = model_slots.serving(connection, ACME, "forecast", "orders")
        assert own is not None
        assert own.champion_id == other.id
        assert every is not None
        assert every.champion_id == one.id

    def test_of_two_changes_to_what_both_saw_one_wins(self, store: Store) -> None:
        with store.write() as connection:
            version = made(connection)
            seen = model_slots.get(connection, ACME, "forecast", "revenue")
            first = model_slots.put(connection, ACME, replace(seen, champion_id=version.id, promoted_at=NOW))
            assert first.revision == 1
            with pytest.raises(Conflict) as caught:
                model_slots.put(connection, ACME, replace(seen, champion_id=None, promoted_at=NOW))
            assert caught.value.code == "slot_changed"
            second = model_slots.put(connection, ACME, replace(first, champion_id=None))
            with pytest.raises(Conflict):
                model_slots.put(connection, ACME, first)
        assert second.revision == 2

    def test_another_tenants_slot_is_another(self, store: Store) -> None:
        with store.write() as connection:
            version = made(connection)
            seen = model_slots.get(connection, ACME, "forecast", "revenue")
            model_slots.put(connection, ACME, replace(seen, champion_id=version.id, promoted_at=NOW))
            assert model_slots.serving(connection, GLOBEX, "forecast", "revenue") is None
            assert model_slots.list_all(connection, GLOBEX) == ()


class TestLog:
    def test_is_read_newest_first_and_stands_in_the_audit_chain(self, store: Store) -> None:
        with store.write() as connection:
            for action in ("registered", "challenger", "promoted"):
                model_log.append(connection, ACME, Deed(NAME, 1, "usr_ada", action, {"why": action}), now=NOW)  # type: ignore[arg-type]
        with store.read() as connection:
            assert [entry.action for entry in model_log.read(connection, ACME, name=NAME)] == ["promoted", "challenger", "registered"]
            assert model_log.read(connection, GLOBEX) == ()
            assert [entry.action for entry in audit.read(connection, ACME)][:1] == ["model.promoted"]
            assert audit.first_broken(connection, ACME) is None

    def test_offers_no_way_to_change_it(self) -> None:
        offered = {name for name in vars(model_log) if callable(getattr(model_log, name)) and not name.startswith("_")}
        assert not offered & {"update", "change", "delete", "remove", "replace"}


class TestRuns:
    def test_one_per_version_role_metric_and_job(self, store: Store) -> None:
        with store.write() as connection:
            version = made(connection)
            run = NewRun(version.id, "shadow", "revenue", "day", "job_1", {"t": []})
            for item in (run, run, replace(run, job_id="job_2")):
                model_runs.put(connection, ACME, item, now=NOW)
            found = model_runs.of_version(connection, ACME, version.id)
            assert len(found) == 2
            assert model_runs.of_version(connection, GLOBEX, version.id) == ()
            model_runs.score(connection, ACME, found[0].id, {"custom": 1.0, "own": 2.0, "points": 5}, now=NOW)
            assert model_runs.of_version(connection, ACME, version.id)[0].score is not None
