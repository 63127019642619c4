"""Every event that was planted in the demo is found, with its true driver first; what was expected is no news."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tests.integration.insights.conftest import ANCHOR, Run
from workers.demo.answer_key import PlantedEvent, answer_key
from workers.demo.world import WORLDS

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(1500)]  # four years of two companies are made first
DAY = dt.timedelta(days=1)
COMPANIES = [pytest.param(world, id=world.tenant) for world in WORLDS]
NEWS = {"unusual_value", "record", "level_shift", "new_trend", "streak", "outlier_segment", "concentration", "doubled_data", "missing_data"}


def event(world: Any, kind: str) -> PlantedEvent:
    return next(e for e in answer_key(world, ANCHOR) if e.kind == kind)


def time(start: dt.date, end: dt.date) -> dict[str, Any]:
    return {"window": {"kind": "absolute", "start": start.isoformat(), "end": end.isoformat()}}


def next_month(day: dt.date) -> dt.date:
    return (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)


@pytest.mark.parametrize("world", COMPANIES)
class TestAnswerKey:
    def test_an_outage_of_one_day_is_told_by_the_scan_of_its_month(self, world: Any, run: Run) -> None:
        planted = event(world, "checkout_outage")
        told = run(world.tenant, "scan", {"grain": "month"}, next_month(planted.start) + DAY)["told"]
        odd = [f for f in told if f["kind"] == "unusual_value" and f["period"]["start"].startswith(planted.start.isoformat())]
        assert odd
        assert odd[0]["quantity"]["name"] in planted.metrics
        assert odd[0]["impact"] < 0
        assert odd[0]["scope"] == {}

    def test_an_outage_of_one_day_is_named_in_the_explanation_of_its_month(self, world: Any, run: Run) -> None:
        planted = event(world, "checkout_outage")
        month = planted.start.replace(day=1)
        result = run(world.tenant, "explain", {"metric": "revenue", "time": time(month, next_month(month))})
        (day,) = [f for f in result["told"] if f["kind"] == "dated_part" and f["period"]["start"][:7] == str(month)[:7]]
        assert day["period"]["start"].startswith(planted.start.isoformat())
        assert day["values"]["effect"] < 0
        assert result["receipts"][day["receipts"][0]]["sql"]

    def test_an_outage_is_orders_that_fell_everywhere_and_not_visits(self, world: Any, run: Run) -> None:
        planted = event(world, "checkout_outage")
        result = run(world.tenant, "explain", {"metric": "conversion_rate", "time": time(planted.start, planted.start + DAY)})
        parts = [f for f in result["told"] if f["kind"] == "part"]
        assert parts[0]["names"] == ["orders"]
        assert result["causes"] == []
        assert "no_driver" in {f["kind"] for f in result["told"]}

    def test_a_stock_out_has_its_category_and_region_first(self, world: Any, run: Run) -> None:
        planted = event(world, "stock_out")
        result = run(world.tenant, "explain", {"metric": "revenue", "time": time(planted.start, planted.end + DAY)})
        assert result["causes"][0]["scope"] == planted.scope
        assert "accounts for" in result["narrative"][0]

    def test_a_mix_shift_is_told_as_mix_and_as_a_reversal(self, world: Any, run: Run) -> None:
        planted = event(world, "mix_shift")
        result = run(world.tenant, "explain", {"metric": "conversion_rate", "time": time(planted.start, next_month(planted.start))})
        told = {f["kind"]: f for f in result["told"]}
        assert {"reversal", "mix_rate", "share_shift"} <= set(told)
        assert told["share_shift"]["scope"] == planted.scope
        assert told["mix_rate"]["values"]["mix"] < 0 < told["mix_rate"]["values"]["rate"]
        whole = told["mix_rate"]["values"]["mix"] + told["mix_rate"]["values"]["rate"]
        assert whole == pytest.approx(result["change"]["difference"])

    def test_a_new_channel_is_named_first(self, world: Any, run: Run) -> None:
        planted = event(world, "new_channel")
        result = run(world.tenant, "explain", {"metric": "sessions", "time": time(planted.start, planted.start + 60 * DAY)})
        assert result["causes"][0]["scope"] == planted.scope
        assert result["causes"][0]["difference"] > 0

    def test_a_price_rise_is_the_rate_of_its_category_and_not_the_mix(self, world: Any, run: Run) -> None:
        """By the explanation where it weighs enough in the average, else by the scan: of the segments it is the one that stands out."""
        planted = event(world, "price_rise")
        params = {"metric": "average_price", "time": time(planted.start, next_month(planted.start))}
        causes = run(world.tenant, "explain", params)["causes"]
        scan = run(world.tenant, "scan", {"grain": "month", "metrics": ["average_price"]}, next_month(planted.start) + DAY)
        rises = [f["scope"] for f in scan["told"] if f["kind"] == "outlier_segment" and f["impact"] > 0]
        assert [c["scope"] for c in causes[:1] if c["difference"] > 0] + rises[:1]
        assert all(scope == planted.scope for scope in [*(c["scope"] for c in causes[:1]), *rises[:1]])

    def test_a_late_load_is_late_data_and_no_fall(self, world: Any, run: Run) -> None:
        planted = event(world, "late_load")
        told = run(world.tenant, "scan", {"grain": "day"}, ANCHOR + DAY)["told"]
        assert (told[0]["kind"], told[0]["scope"], told[0]["quantity"]["name"]) == ("late_data", planted.scope, "sessions")
        assert not [f for f in told if f["kind"] in NEWS]

    def test_a_late_load_is_no_fall_of_the_running_week_either(self, world: Any, run: Run) -> None:
        planted = event(world, "late_load")
        week = {"window": {"kind": "calendar", "unit": "week", "offset": 0}}
        told = run(world.tenant, "scan", {"grain": "week", "period": week, "metrics": ["sessions"]}, ANCHOR + DAY)["told"]
        assert [(f["kind"], f["scope"]) for f in told] == [("late_data", planted.scope)]

    def test_black_friday_is_expected_and_no_news(self, world: Any, run: Run) -> None:
        friday = max(e.start for e in answer_key(world, ANCHOR) if e.kind == "holiday")
        told = run(world.tenant, "scan", {"grain": "day"}, friday + DAY)["told"]
        assert {f["kind"] for f in told} <= {"season_note", "event_effect"}
        assert {"season_note", "event_effect"} & {f["kind"] for f in told}
