"""Forecasts are held against what came."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from api.study_view import with_view
from core.clock import FixedClock
from core.ids import JobId
from core.store import forecast_records, goals, jobs
from core.store.goals import NewGoal
from core.store.jobs import Job
from workers.bootstrap import Services, build_services
from workers.jobs import FUNCTIONS
from workers.queue import enqueue
from workers.run import run_job
from workers.schedule import tend_forecasts

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(900)]

REGION = {"dataset": "sales", "field": "region"}


@pytest.fixture
def on(world: Any) -> Iterator[Any]:
    """day -> Services on the morning of that day."""
    made: list[Services] = []

    def services(day: str) -> Services:
        clock = FixedClock(dt.datetime.fromisoformat(f"{day}T08:00:00+00:00"))
        made.append(build_services(world.services.settings, clock))
        return made[-1]

    yield services
    for one in made:
        one.close()


def finished(world: Any, services: Services, kind: str, params: dict[str, Any], who: Any = None) -> Job:
    job = enqueue(services, kind, params, who or world.analyst)
    run_job(services, FUNCTIONS, world.tenant, job)
    with services.store.read() as connection:
        found = jobs.get(connection, world.tenant, JobId(job))
    assert found.error is None
    return found


def scores(world: Any, **wanted: Any) -> list[forecast_records.Score]:
    with world.services.store.read() as connection:
        return [s.score for s in forecast_records.scores(connection, world.tenant, **wanted)]


class TestScores:
    def test_a_forecast_is_scored_as_far_as_its_days_have_come_and_then_to_its_end(self, world: Any, on: Any) -> None:
        asked = {"metric": "revenue", "segments": [REGION], "horizon_steps": 14}
        made = finished(world, on("2025-09-01"), "forecast", asked)
        assert finished(world, on("2025-09-01"), "score_forecasts", {}).result == {"looked_at": 1, "scored": 0, "waiting": 1, "skipped": {}}
        result = dict(finished(world, on("2025-09-06"), "score_forecasts", {}).result or {})
        assert (result["looked_at"], result["scored"]) == (1, 1)
        (partly,) = scores(world)
        assert (partly.points, partly.series_count, partly.complete) == (5 * 4, 4, False)
        finished(world, on("2025-09-20"), "score_forecasts", {})
        (whole,) = scores(world)
        assert (whole.points, whole.complete, whole.job_id) == (14 * 4, True, made.id)
        assert whole.error is not None
        assert whole.naive_error is not None
        assert 0 < whole.error < 0.05  # noise is about 1 % of the total
        assert 0.5 <= (whole.coverage_80 or 0) <= 1
        assert (whole.coverage_95 or 0) >= (whole.coverage_80 or 0)
        assert dict(finished(world, on("2025-09-21"), "score_forecasts", {}).result or {})["looked_at"] == 0
        version = world.services.registry.versions(world.tenant, f"{world.tenant}.forecast.revenue.auto")[0]
        run = world.services.registry._client.get_run(version.run_id)
        assert run.data.metrics["live_error"] == pytest.approx(whole.error)

    def test_the_next_forecast_says_how_the_last_ones_did(self, world: Any, on: Any) -> None:
        asked = {"metric": "revenue", "horizon_steps": 7}
        for day in ("2025-08-20", "2025-08-28"):
            finished(world, on(day), "forecast", asked)
        finished(world, on("2025-09-20"), "score_forecasts", {})
        found = dict(finished(world, on("2025-09-20"), "forecast", asked).result or {})
        assert found["live"]["forecasts"] == 2
        assert found["live"]["points"] == 14
        sentence = next(s for s in (with_view("forecast", found) or {})["narrative"] if s.startswith("Live"))
        assert sentence.startswith("Live, the last 2 forecasts of this were off by")
        assert "80% band held" in sentence
        other = dict(finished(world, on("2025-09-20"), "forecast", asked | {"grain": "week"}).result or {})
        assert other["live"] is None

    def test_what_one_may_not_see_is_not_told_by_its_errors(self, world: Any, on: Any) -> None:
        finished(world, on("2025-08-20"), "forecast", {"metric": "revenue", "horizon_steps": 7})
        finished(world, on("2025-08-20"), "forecast", {"metric": "revenue", "horizon_steps": 7}, world.manager)
        finished(world, on("2025-09-20"), "score_forecasts", {})
        assert len(scores(world)) == 2
        assert len(scores(world, visibility="all")) == 1
        found = dict(finished(world, on("2025-09-20"), "forecast", {"metric": "revenue", "horizon_steps": 7}, world.manager).result or {})
        assert found["live"]["forecasts"] == 1

    def test_a_forecast_whose_user_left_is_skipped_and_the_others_are_scored(self, world: Any, on: Any) -> None:
        from core.store import users

        finished(world, on("2025-08-20"), "forecast", {"metric": "revenue", "horizon_steps": 7}, world.manager)
        finished(world, on("2025-08-20"), "forecast", {"metric": "revenue", "horizon_steps": 7})
        with world.services.store.write() as connection:
            users.set_disabled(connection, world.tenant, world.manager.user, True)
        result = dict(finished(world, on("2025-09-20"), "score_forecasts", {}).result or {})
        assert (result["scored"], result["skipped"]) == (1, {"user_disabled": 1})

    def test_a_month_is_not_scored_before_it_is_over(self, world: Any, on: Any) -> None:
        finished(world, on("2025-09-02"), "forecast", {"metric": "revenue", "grain": "month", "horizon_steps": 2})
        assert dict(finished(world, on("2025-09-20"), "score_forecasts", {}).result or {})["waiting"] == 1
        assert scores(world) == []


class TestDaily:
    def test_scores_and_goals_are_looked_at_once_a_day(self, world: Any, on: Any) -> None:
        services = on("2025-09-20")
        new = NewGoal("Q3", "revenue", dt.date(2025, 7, 1), dt.date(2025, 10, 1), 5e4, "at_least", world.analyst.user)
        over = NewGoal("Q2", "revenue", dt.date(2025, 4, 1), dt.date(2025, 7, 1), 5e4, "at_least", world.analyst.user)
        with services.store.write() as connection:
            running = goals.create(connection, world.tenant, new, by=world.analyst.user, now=services.clock.now())
            goals.create(connection, world.tenant, over, by=world.analyst.user, now=services.clock.now())
        for _ in range(2):
            tend_forecasts(services, world.tenant, "2025-09-20")
        with services.store.read() as connection:
            waiting = jobs.list_all(connection, world.tenant)
        assert sorted(job.kind for job in waiting) == ["forecast", "score_forecasts"]
        job = next(job for job in waiting if job.kind == "forecast")
        assert job.user == world.analyst.user
        run_job(services, FUNCTIONS, world.tenant, job.id)
        with services.store.read() as connection:
            status = goals.statuses(connection, world.tenant, {"all"})
        assert list(status) == [(running.id, "all")]
        assert 0 < status[running.id, "all"].status["probability"] <= 1
