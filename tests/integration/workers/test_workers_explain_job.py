"""Explain jobs on a real warehouse: the planted drop is told with its driver, and the figures add up to hand-written SQL."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from core.ids import JobId
from core.principal import Principal
from core.store import findings, jobs
from core.store.findings import InsightEntry
from core.store.jobs import Job, JobStatus
from insights.explain_view import explain_view
from workers.jobs import FUNCTIONS
from workers.queue import enqueue
from workers.run import run_job

pytestmark = [pytest.mark.integration, pytest.mark.slow]
JUNE = {"window": {"kind": "absolute", "start": "2025-06-01", "end": "2025-07-01"}}


@pytest.fixture
def drop(world: Any) -> None:
    """APAC sells half in June 2025."""
    world.services.admin.execute(
        f"ALTER TABLE {world.database}.sales UPDATE amount = amount / 2 WHERE region = 'APAC' AND toYYYYMM(day) = 202506",
        settings={"mutations_sync": 2},
    )


def explain(world: Any, params: dict[str, Any], who: Principal | None = None) -> Job:
    job: JobId = enqueue(world.services, "explain", params, who or world.analyst)
    run_job(world.services, FUNCTIONS, world.tenant, job)
    with world.services.store.read() as connection:
        return jobs.get(connection, world.tenant, job)


def total(world: Any, month: int, region: str | None = None) -> float:
    where = f"toYYYYMM(day) = {month}" + (f" AND region = '{region}'" if region else "")
    found = world.services.admin.query_arrow(f"SELECT sum(amount) AS s FROM {world.database}.sales WHERE {where}")
    return float(found.column(0)[0].as_py())


@pytest.mark.usefixtures("drop")
class TestExplain:
    def test_a_drop_is_told_with_its_driver_and_right_figures(self, world: Any) -> None:
        done = explain(world, {"metric": "revenue", "time": JUNE})
        assert done.error is None
        result = dict(done.result or {})
        change = result["change"]
        assert change["after"] == pytest.approx(total(world, 202506))
        assert change["before"] == pytest.approx(total(world, 202505))
        (region,) = result["dimensions"]
        first = region["drivers"][0]
        assert (region["dimension"], first["segment"]) == ("Region", "APAC")
        assert first["difference"] == pytest.approx(total(world, 202506, "APAC") - total(world, 202505, "APAC"))
        assert result["headline"].startswith("Revenue fell ")
        assert "Jun 2025" in result["headline"]
        assert "May 2025" in result["headline"]
        assert "APAC" in result["narrative"][0]
        view = explain_view(result)
        assert view.table["rows"][0][1] == "APAC"
        assert view.chart is not None
        with world.services.store.read() as connection:
            stored = findings.get(connection, world.tenant, InsightEntry, done.id)
        assert isinstance(stored.entry, InsightEntry)
        assert stored.entry.headline == result["headline"]

    def test_without_a_time_the_latest_complete_period_with_data_is_taken(self, world: Any) -> None:
        done = explain(world, {"metric": "revenue"})
        assert done.error is None
        periods = dict(done.result or {})["periods"]
        assert periods["after"]["start"].startswith("2025-08-01")  # the data end within September
        assert periods["before"]["start"].startswith("2025-07-01")

    @pytest.mark.parametrize("grain", ["day", "week", "month", "quarter", "year"])
    def test_every_grain_has_a_last_period(self, world: Any, grain: str) -> None:
        done = explain(world, {"metric": "revenue", "grain": grain})
        assert done.error is None

    def test_an_average_is_split_into_mix_and_rate_that_sum_to_its_change(self, world: Any) -> None:
        result = dict(explain(world, {"metric": "average_sale", "time": JUNE}).result or {})
        assert (result["kind"], result["change"]["additive"]) == ("rate", False)
        (split,) = result["mix"]
        assert split["rate_effect"] + split["mix_effect"] == pytest.approx(result["change"]["difference"])
        assert result["causes"][0]["segment"] == "APAC"

    def test_every_fact_leads_to_the_query_that_made_it(self, world: Any) -> None:
        result = dict(explain(world, {"metric": "revenue", "time": JUNE}).result or {})
        assert all("SELECT" in result["receipts"][place]["sql"] for fact in result["told"] for place in fact["receipts"])
        assert all(fact["receipts"] for fact in result["told"])
        assert len(result["receipts"]) <= 8

    def test_a_second_time_is_told_from_the_first_until_the_data_change(self, world: Any) -> None:
        first, second = (dict(explain(world, {"metric": "revenue", "time": JUNE}).result or {}) for _ in range(2))
        assert (first.get("cached"), second["cached"]) == (None, True)
        assert second["insight_id"] == first["insight_id"]
        world.services.admin.execute(f"INSERT INTO {world.database}.sales SELECT * FROM {world.database}.sales LIMIT 1")
        assert "cached" not in dict(explain(world, {"metric": "revenue", "time": JUNE}).result or {})

    def test_a_small_budget_leaves_what_was_found_and_names_the_rest(self, world: Any) -> None:
        with world.services.store.write() as connection:
            connection.execute(text("UPDATE tenants SET settings = :to"), {"to": '{"insights": {"max_queries": 4}}'})
        result = dict(explain(world, {"metric": "average_sale"}).result or {})
        assert len(result["receipts"]) == 4
        assert any(note.startswith("Not looked at, for this run's budget is spent: ") for note in result["narrative"])

    def test_data_that_begin_inside_the_compared_period_are_said_so(self, world: Any) -> None:
        year = {"window": {"kind": "absolute", "start": "2025-01-01", "end": "2025-07-01"}}
        result = dict(explain(world, {"metric": "revenue", "time": year}).result or {})
        assert any("begin inside the period" in note for note in result["narrative"])
        assert not any(
            "begin inside" in note for note in dict(explain(world, {"metric": "revenue", "time": JUNE}).result or {})["narrative"]
        )

    def test_a_scan_runs_in_few_queries(self, world: Any) -> None:
        job = enqueue(world.services, "scan", {"metrics": ["revenue"], "grain": "month"}, world.analyst)
        run_job(world.services, FUNCTIONS, world.tenant, job)
        with world.services.store.read() as connection:
            done = jobs.get(connection, world.tenant, job)
        assert done.error is None
        result = dict(done.result or {})
        assert result["metrics"] == ["revenue"]
        assert len(result["receipts"]) <= 5

    def test_a_manager_is_told_of_the_own_region_only(self, world: Any) -> None:
        result = dict(explain(world, {"metric": "revenue", "time": JUNE}, world.manager).result or {})
        assert "APAC" not in str(result)
        assert result["change"]["after"] == pytest.approx(total(world, 202506, "EMEA"))

    def test_a_period_without_data_is_said_so(self, world: Any) -> None:
        early = {"window": {"kind": "absolute", "start": "2024-08-01", "end": "2024-09-01"}}
        done = explain(world, {"metric": "revenue", "time": early})
        assert (done.status, dict(done.error or {})["code"]) == (JobStatus.FAILED, "no_rows")
