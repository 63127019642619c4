"""Goals, fits and scores in the state store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from core.errors import NotFound
from core.ids import JobId, TenantId, UserId
from core.store import forecast_records, goals
from core.store.forecast_records import Fit, Score
from core.store.goals import GoalStatus, NewGoal

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ACME, GLOBEX, ANN = TenantId("acme"), TenantId("globex"), UserId("usr_ann")
GOAL = NewGoal("Revenue", "revenue", date(2026, 1, 1), date(2027, 1, 1), 6e7, "at_least", ANN, {"kind": "in"})


@pytest.fixture
def connection(store: Any) -> Any:
    with store.write() as opened:
        yield opened


class TestGoals:
    def test_a_goal_belongs_to_its_tenant_and_comes_back_as_it_was(self, connection: Any) -> None:
        made = goals.create(connection, ACME, GOAL, by=ANN, now=NOW)
        assert goals.get(connection, ACME, made.id).asked == GOAL
        assert goals.list_all(connection, ACME, metric="revenue", on=date(2026, 12, 31)) == (made,)
        assert goals.list_all(connection, ACME, on=date(2027, 1, 1)) == ()
        with pytest.raises(NotFound):
            goals.get(connection, GLOBEX, made.id)
        with pytest.raises(NotFound):
            goals.delete(connection, GLOBEX, made.id)

    def test_statuses_are_kept_by_visibility_and_never_replaced_by_older_ones(self, connection: Any) -> None:
        made = goals.create(connection, ACME, GOAL, by=ANN, now=NOW)
        for visibility, p, days in (("all", 0.5, 1), ("all", 0.9, 0), ("emea", 0.1, 0)):
            status = GoalStatus(made.id, visibility, {"probability": p}, JobId("job_1"), NOW + timedelta(days=days))
            goals.put_status(connection, ACME, status)
        assert goals.statuses(connection, ACME, {"all"})[made.id, "all"].status == {"probability": 0.5}
        assert goals.statuses(connection, ACME, ["emea"])[made.id, "emea"].status == {"probability": 0.1}
        changed = goals.change(connection, ACME, made.id, replace(GOAL, target=1.0), now=NOW)
        assert changed.asked.target == 1.0
        assert goals.statuses(connection, ACME, ["all"]) == {}

    def test_a_status_of_a_deleted_goal_is_dropped(self, connection: Any) -> None:
        made = goals.create(connection, ACME, GOAL, by=ANN, now=NOW)
        goals.delete(connection, ACME, made.id)
        goals.put_status(connection, ACME, GoalStatus(made.id, "all", {}, JobId("job_1"), NOW))
        assert goals.statuses(connection, ACME, ["all"]) == {}


class TestRecords:
    def test_fits_are_replaced_by_series(self, connection: Any) -> None:
        fit = Fit("k1", "revenue", JobId("job_1"), "total", "h", NOW, NOW, "theta", 0.9, None, 1, 0, NOW)
        forecast_records.put_fits(connection, ACME, "s", [fit, replace(fit, series_key="k2")])
        forecast_records.put_fits(connection, ACME, "s", [replace(fit, fits=2, job_id=JobId("job_2"))])
        found = forecast_records.fits(connection, ACME, "s")
        assert (found["k1"].fits, found["k1"].job_id, found["k2"].fits) == (2, "job_2", 1)
        assert forecast_records.fits(connection, GLOBEX, "s") == {}

    def test_a_score_grows_with_its_forecast(self, connection: Any) -> None:
        score = Score(
            "fct_1", JobId("job_1"), "revenue", "key", "day", "all", None, 1, 5, 0.1, 0.2, 0.0, 0.8, 1.0, {}, False, NOW, NOW, NOW
        )
        forecast_records.put_score(connection, ACME, score)
        forecast_records.put_score(connection, ACME, replace(score, points=14, complete=True))
        assert [s.score.points for s in forecast_records.scores(connection, ACME, measure_key="key", visibility="all")] == [14]
        assert forecast_records.scores(connection, ACME, visibility="emea") == ()
        assert forecast_records.complete_ids(connection, ACME, ["fct_1", "fct_2"]) == {"fct_1"}
