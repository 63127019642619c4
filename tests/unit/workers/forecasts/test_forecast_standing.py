"""Batches of forecasts that go on by themselves."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from core.clock import FixedClock
from core.ids import TenantId
from core.principal import Principal
from core.store import jobs, scope, users
from core.store.jobs import Job, JobStatus
from core.store.tables import jobs as jobs_table
from workers.bootstrap import Services, build_services
from workers.forecasts.standing import is_repeat, repeats
from workers.queue import enqueue
from workers.schedule import repeat_batches

ACME = TenantId("acme")
NOW = dt.datetime(2026, 3, 2, 4, 0, tzinfo=dt.UTC)


@pytest.fixture
def asked(services: Services, ann: Any) -> Job:
    """Ann's batch of yesterday, done."""
    yesterday = build_services(services.settings, FixedClock(NOW - dt.timedelta(days=1)))
    job = enqueue(yesterday, "forecast_batch", {"metrics": ["revenue"]}, Principal(ACME, ann.id, ann.roles))
    yesterday.close()
    return finish(services, job)


def finish(services: Services, job: str, status: JobStatus = JobStatus.DONE) -> Job:
    with services.store.write() as connection:
        scope.change(connection, jobs_table, ACME, {"status": status}, jobs_table.c.id == job)
        return jobs.get(connection, ACME, job)  # type: ignore[arg-type]


def due(*batches: Job, days_later: int = 0, days: int = 90) -> int:
    return len(repeats(batches, NOW + dt.timedelta(days=days_later), days))


class TestRepeats:
    def test_one_that_was_made_is_due_when_a_bucket_has_passed(self, asked: Job) -> None:
        assert due(asked) == 1
        assert due(replace(asked, created_at=NOW)) == 0
        weekly = replace(asked, params={**asked.params, "grain": "week"})
        assert (due(weekly), due(weekly, days_later=6)) == (0, 1)

    def test_it_stands_only_as_long_as_the_setting_says(self, asked: Job) -> None:
        assert (due(asked, days=0), due(asked, days_later=88), due(asked, days_later=90)) == (0, 1, 0)

    def test_a_repeat_is_no_ones_asking_and_cancelling_it_stops_the_rest(self, asked: Job) -> None:
        repeat = replace(asked, idempotency_key=repeats([asked], NOW, 90)[0].key, created_at=NOW)
        assert is_repeat(repeat)
        assert due(repeat, asked, days_later=1) == 1
        assert due(replace(repeat, created_at=NOW + dt.timedelta(days=200)), asked, days_later=201) == 0
        assert due(replace(repeat, cancel_requested=True, status=JobStatus.CANCELLED), asked, days_later=1) == 0

    def test_one_under_way_or_never_made_is_left_alone(self, asked: Job) -> None:
        assert due(replace(asked, status=JobStatus.RUNNING)) == 0
        assert due(replace(asked, status=JobStatus.FAILED)) == 0


class TestSchedule:
    def test_is_accepted_once_a_day_with_its_users_rights_and_not_when_they_left(self, services: Services, ann: Any, asked: Job) -> None:
        today = build_services(services.settings, FixedClock(NOW))
        assert repeat_batches(today, ACME) == 1
        assert repeat_batches(today, ACME) == 0
        with services.store.write() as connection:
            latest = jobs.list_all(connection, ACME, kind="forecast_batch")[0]
            users.set_disabled(connection, ACME, ann.id, True)
        assert (latest.user, latest.params, is_repeat(latest)) == (ann.id, asked.params, True)
        finish(services, latest.id)
        tomorrow = build_services(services.settings, FixedClock(NOW + dt.timedelta(days=1)))
        assert repeat_batches(tomorrow, ACME) == 0
        today.close()
        tomorrow.close()
