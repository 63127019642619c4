"""What people ask of forecasts, on real parts: periods, sums, ratios, running buckets, goals, scenarios, clear errors."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from api.study_view import with_view
from core.clock import FixedClock
from core.ids import JobId
from core.store import catalogs, goals, jobs
from core.store.catalogs import NewCatalog
from core.store.goals import NewGoal
from core.store.jobs import Job, JobStatus
from semantic.catalog.model import Catalog, CumulativeMetric, RatioMetric, SimpleMetric
from semantic.query import AggregateKind
from workers.bootstrap import build_services
from workers.forecasts.goal_params import goal_params
from workers.jobs import FUNCTIONS
from workers.queue import enqueue
from workers.run import run_job

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(900)]

REGION = {"dataset": "sales", "field": "region"}
NOW = dt.datetime(2025, 9, 27, 9, 0, tzinfo=dt.UTC)  # the data end on 26 September 2025
QUARTER = {"window": {"kind": "calendar", "unit": "quarter", "offset": 1}}
THIS_QUARTER = {"window": {"kind": "calendar", "unit": "quarter", "offset": 0}}


@pytest.fixture
def today(world: Any) -> Iterator[Any]:
    """The world on the day after its data end, with more metrics and a driver table."""
    services = build_services(world.services.settings, FixedClock(NOW))
    with services.store.write() as connection:
        row = catalogs.current(connection, world.tenant)
        known = Catalog.model_validate(row.document)
        more = (
            SimpleMetric(name="sales_count", label="Sales", dataset="sales", aggregate=AggregateKind.COUNT),
            RatioMetric(name="per_sale", label="Revenue per sale", numerator="revenue", denominator="sales_count"),
            CumulativeMetric(name="to_date", label="Revenue to date", metric="revenue"),
        )
        document = known.model_copy(update={"metrics": (*known.metrics, *more)}).model_dump(mode="json", exclude={"version"})
        catalogs.append(connection, world.tenant, NewCatalog(document, world.analyst.user), now=NOW)
    yield type(
        "Today",
        (),
        {"services": services, "tenant": world.tenant, "analyst": world.analyst, "manager": world.manager, "database": world.database},
    )
    services.close()


def finished(today: Any, params: Mapping[str, Any], who: Any = None) -> Job:
    job = enqueue(today.services, "forecast", params, who or today.analyst)
    run_job(today.services, FUNCTIONS, today.tenant, job)
    with today.services.store.read() as connection:
        return jobs.get(connection, today.tenant, JobId(job))


def result(today: Any, params: Mapping[str, Any], who: Any = None) -> dict[str, Any]:
    job = finished(today, params, who)
    assert job.error is None
    return dict(job.result or {})


class TestPeriods:
    def test_next_quarter_by_region_adds_up_and_its_interval_is_one_of_the_sum(self, today: Any) -> None:
        found = result(today, {"metric": "revenue", "segments": [REGION], "period": QUARTER})
        total, *parts = found["period"]["series"]
        assert [p["label"] for p in parts] == ["EMEA", "APAC", "AMER"]
        assert sum(p["expected"] for p in parts) == pytest.approx(total["expected"], rel=1e-9)
        steps = [p for p in found["series"][0]["forecast"] if "2025-10-01" <= p["t"][:10] < "2026-01-01"]
        assert len(steps) == 92
        assert sum(p["mean"] for p in steps) == pytest.approx(total["expected"], rel=1e-9)
        summed_bounds = sum(p["upper_80"] - p["lower_80"] for p in steps)
        assert 0 < total["upper_80"] - total["lower_80"] < 0.9 * summed_bounds
        for step in range(10):  # parts and whole agree on every day as well
            days = [s["forecast"][step]["mean"] for s in found["series"]]
            assert sum(days[1:]) == pytest.approx(days[0], rel=1e-9)

    def test_a_running_period_counts_what_has_come(self, today: Any) -> None:
        found = result(today, {"metric": "revenue", "period": THIS_QUARTER})
        total = found["period"]["series"][0]
        sql = f"SELECT sum(amount) AS s FROM {today.database}.sales WHERE day >= '2025-07-01'"
        so_far = float(today.services.admin.query_arrow(sql).column(0)[0].as_py())
        assert total["known"] == pytest.approx(so_far)
        assert len([p for p in found["series"][0]["forecast"] if p["t"][:10] < "2025-10-01"]) == 4
        assert total["expected"] - total["known"] == pytest.approx(sum(p["mean"] for p in found["series"][0]["forecast"][:4]))
        assert total["upper_95"] - total["lower_95"] < 0.1 * total["expected"]

    def test_a_period_that_is_over_is_refused(self, today: Any) -> None:
        ended = finished(today, {"metric": "revenue", "period": {"window": {"kind": "calendar", "unit": "quarter", "offset": -1}}})
        assert dict(ended.error or {})["code"] == "period_over"

    def test_a_manager_sums_only_the_own_region(self, today: Any) -> None:
        everything = result(today, {"metric": "revenue", "segments": [REGION], "period": QUARTER})["period"]["series"]
        own = result(today, {"metric": "revenue", "period": QUARTER}, today.manager)["period"]["series"][0]
        emea = next(p for p in everything if p["label"] == "EMEA")
        assert own["expected"] == pytest.approx(emea["expected"], rel=0.02)
        assert own["expected"] < 0.7 * everything[0]["expected"]


class TestRatios:
    def test_a_ratio_is_forecast_as_its_parts_and_recombined(self, today: Any) -> None:
        found = result(today, {"metric": "per_sale", "segments": [REGION], "period": QUARTER})
        assert found["made_from"] == ["Revenue", "Sales"]
        history = [p["v"] for p in found["series"][0]["history"][-28:]]
        for point in found["series"][0]["forecast"][:28]:
            assert point["lower_95"] <= point["lower_80"] <= point["mean"] <= point["upper_80"] <= point["upper_95"]
            assert 0.7 * min(history) < point["lower_95"]
            assert point["upper_95"] < 1.5 * max(history)
        total = found["period"]["series"][0]
        assert np.mean(history) * 0.9 < total["expected"] < np.mean(history) * 1.1
        sql = f"SELECT count() AS n FROM {today.database}.querent_forecasts WHERE series_id LIKE 'part 0:%'"
        assert int(today.services.admin.query_arrow(sql).column(0)[0].as_py()) > 0

    def test_a_second_run_of_a_cut_off_ratio_says_the_same(self, today: Any) -> None:
        job = enqueue(today.services, "forecast", {"metric": "per_sale", "segments": [REGION], "horizon_steps": 7}, today.analyst)
        run_job(today.services, FUNCTIONS, today.tenant, job)
        with today.services.store.write() as connection:
            first = jobs.get(connection, today.tenant, job)
            connection.exec_driver_sql("UPDATE jobs SET status = 'PENDING', lease_owner = NULL WHERE id = ?", (job,))
        run_job(today.services, FUNCTIONS, today.tenant, job)
        with today.services.store.read() as connection:
            assert jobs.get(connection, today.tenant, job).result == first.result


class TestRunningBucket:
    def test_a_running_month_is_left_out_labelled_and_no_drop(self, today: Any) -> None:
        found = result(today, {"metric": "revenue", "segments": [REGION], "grain": "month", "horizon_steps": 3})
        total = found["series"][0]
        assert total["history"][-1]["t"][:7] == "2025-08"
        assert total["partial"] == {"t": "2025-09-01T00:00:00Z", "v": pytest.approx(total["partial"]["v"]), "until": "2025-09-26"}
        assert [p["t"][:7] for p in total["forecast"]] == ["2025-09", "2025-10", "2025-11"]
        assert total["forecast"][0]["mean"] > total["partial"]["v"]
        view = with_view("forecast", found) or {}
        lines = [v for v in view["chart"]["data"]["values"] if v["part"] in ("actual", "forecast") and v["series"] == "Total"]
        assert total["partial"]["v"] not in [v["v"] for v in lines]
        assert total["forecast"][0]["mean"] > 1.05 * total["partial"]["v"]
        assert any("is not over" in sentence for sentence in view["narrative"])
        assert view["view_table"]["rows"][0][1] == "Sep 2025 (running)"


class TestGoals:
    def test_probability_falls_with_the_target_and_agrees_with_the_interval(self, today: Any) -> None:
        expected = result(today, {"metric": "revenue", "period": QUARTER})["period"]["series"][0]
        chances = []
        for target in (expected["lower_95"] * 0.95, expected["expected"], expected["upper_80"], expected["upper_95"] * 1.1):
            goal = result(today, {"metric": "revenue", "period": QUARTER, "goal": {"target": target}})["goal"]
            chances.append(goal["probability"])
        assert chances == sorted(chances, reverse=True)
        assert chances[0] > 0.95
        assert 0.3 < chances[1] < 0.7
        assert 0.05 < chances[2] < 0.16
        assert chances[3] < 0.03

    def test_the_date_of_reaching_a_value_in_all_is_given_with_its_range(self, today: Any) -> None:
        sql = f"SELECT sum(amount) AS s FROM {today.database}.sales"
        so_far = float(today.services.admin.query_arrow(sql).column(0)[0].as_py())
        daily = so_far / 422
        goal = result(today, {"metric": "revenue", "goal": {"target": so_far + 60 * daily}, "running_total": True})["goal"]
        days = (dt.datetime.fromisoformat(goal["reached_at"].replace("Z", "+00:00")).date() - NOW.date()).days
        assert 45 <= days <= 65  # sales grow, so it takes fewer than 60 average days
        assert goal["earliest"] <= goal["reached_at"] <= goal["latest"]
        assert goal["now"] == pytest.approx(so_far)

    def test_a_stored_goal_keeps_its_status_for_those_who_see_the_same(self, today: Any) -> None:
        new = NewGoal("Autumn", "revenue", dt.date(2025, 7, 1), dt.date(2026, 1, 1), 1e5, "at_least", today.analyst.user)
        with today.services.store.write() as connection:
            goal = goals.create(connection, today.tenant, new, by=today.analyst.user, now=NOW)
        found = result(today, goal_params(goal))
        view = with_view("forecast", found) or {}
        assert view["chart"]["layer"][-1]["data"]["values"][0]["goal"] == 1e5
        assert view["headline"].startswith(("On track", "The goal of"))
        with today.services.store.read() as connection:
            assert goals.statuses(connection, today.tenant, {"all"})[goal.id, "all"].status["target"] == 1e5
            assert goals.statuses(connection, today.tenant, {"somebody who sees less"}) == {}
        result(today, goal_params(goal), today.manager)
        with today.services.store.read() as connection:
            assert goals.statuses(connection, today.tenant, {"all"})[goal.id, "all"].job_id == found_job(today, found)


def found_job(today: Any, found: dict[str, Any]) -> str:
    """The job of a result: the only one with its model version."""
    with today.services.store.read() as connection:
        return next(
            j.id for j in jobs.list_all(connection, today.tenant) if dict(j.result or {}).get("model_version") == found["model_version"]
        )


class TestScenarios:
    @pytest.fixture
    def driven(self, today: Any) -> Any:
        """Leads drive revenue by 2 each; noise drives nothing."""
        rng = np.random.default_rng(5)
        start = np.datetime64("2024-08-01")
        leads = 200 + 60 * rng.standard_normal(422)
        rows = {
            "day": pa.array((start + np.arange(422)).astype(object), type=pa.date32()),
            "region": ["EMEA"] * 422,
            "amount": 1000 + 2 * leads + rng.normal(0, 10, 422),
            "leads": leads,
            "noise": 50 + 5 * rng.standard_normal(422),
        }
        admin = today.services.admin
        admin.execute(f"DROP TABLE {today.database}.sales")
        admin.execute(
            f"CREATE TABLE {today.database}.sales (day Date, region String, amount Float64, leads Float64, noise Float64) "
            "ENGINE = MergeTree ORDER BY (region, day)"
        )
        admin.insert_arrow(today.database, "sales", pa.table(rows))
        with today.services.store.write() as connection:
            known = Catalog.model_validate(catalogs.current(connection, today.tenant).document)
            sales = known.dataset("sales")
            field = sales.field("amount")
            extra = tuple(field.model_copy(update={"name": n, "column": n, "label": n}) for n in ("leads", "noise"))
            made = tuple(
                SimpleMetric(name=n, label=n, dataset="sales", aggregate=AggregateKind.SUM, of=sales_field(n)) for n in ("leads", "noise")
            )
            changed = known.model_copy(
                update={"datasets": (sales.model_copy(update={"fields": (*sales.fields, *extra)}),), "metrics": (*known.metrics, *made)}
            )
            document = changed.model_dump(mode="json", exclude={"version"})
            catalogs.append(connection, today.tenant, NewCatalog(document, today.analyst.user), now=NOW)
        return today

    def test_a_driver_with_an_effect_moves_the_forecast_by_it(self, driven: Any) -> None:
        found = result(driven, {"metric": "revenue", "horizon_steps": 28, "scenario": {"driver": "leads", "change_percent": 10.0}})
        scenario = found["scenario"]
        assert scenario["difference"] == pytest.approx(28 * 200 * 0.1 * 2, rel=0.25)
        assert any("assumption" in note for note in scenario["notes"])
        assert (with_view("forecast", found) or {})["headline"].startswith("With leads 10% higher")

    @pytest.mark.parametrize(("driver", "code"), [("noise", "no_driver_effect"), ("revenue", "bad_driver"), ("weather", "unknown_metric")])
    def test_without_an_effect_it_is_refused_with_the_reason(self, driven: Any, driver: str, code: str) -> None:
        ended = finished(driven, {"metric": "revenue", "horizon_steps": 28, "scenario": {"driver": driver, "change_percent": 10.0}})
        assert (ended.status, dict(ended.error or {})["code"]) == (JobStatus.FAILED, code)


class TestErrors:
    @pytest.mark.parametrize(
        ("params", "code"),
        [
            ({"metric": "to_date"}, "not_forecastable"),
            ({"metric": "revenue", "grain": "year"}, "too_short"),
            ({"metric": "revenue", "segments": [{"dataset": "sales", "field": "town"}]}, "unknown_field"),
            ({"metric": "average_sale", "running_total": True, "goal": {"target": 5}}, None),
        ],
    )
    def test_what_cannot_be_forecast_says_why(self, today: Any, params: dict[str, Any], code: str | None) -> None:
        ended = finished(today, params)
        if code is None:  # an average is a sum by a count: it may be asked "in all"
            assert ended.status is JobStatus.DONE
        else:
            assert (ended.status, dict(ended.error or {})["code"]) == (JobStatus.FAILED, code)
            assert len(dict(ended.error or {})["message"]) > 30

    def test_a_new_region_is_forecast_as_its_share(self, today: Any) -> None:
        days = [dt.date(2025, 9, 20) + dt.timedelta(days=k) for k in range(7)]
        new = pa.table({"day": pa.array(days, type=pa.date32()), "region": ["LATAM"] * 7, "amount": [50.0, 55, 52, 51, 53, 54, 50]})
        today.services.admin.insert_arrow(today.database, "sales", new)
        found = result(today, {"metric": "revenue", "segments": [REGION], "horizon_steps": 14})
        young = next(s for s in found["series"] if s["label"] == "LATAM")
        assert young["model"] == "share of the total"
        assert "only 7 points" in young["fallback"]
        means = [p["mean"] for p in young["forecast"]]
        assert 30 < min(means) <= max(means) < 75, means
        totals = [sum(s["forecast"][k]["mean"] for s in found["series"][1:]) for k in range(14)]
        assert totals == pytest.approx([p["mean"] for p in found["series"][0]["forecast"]], rel=1e-9)


def sales_field(name: str) -> Any:
    from semantic.expr import FieldRef

    return FieldRef(dataset="sales", field=name)
