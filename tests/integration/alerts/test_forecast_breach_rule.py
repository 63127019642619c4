"""A rule over forecasts that a real job made before the fall: the fall leaves the band, the days before do not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.clock import FixedClock
from workers.alerts.preview import preview
from workers.alerts.rule import parse_rule
from workers.jobs import FUNCTIONS
from workers.principals import load_principal
from workers.queue import enqueue
from workers.run import run_job

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def test_yesterdays_fall_leaves_the_band_that_was_forecast_ten_days_ago(shop: Any) -> None:
    services, now = shop.services, datetime.now(UTC)
    ann = load_principal(services.store, shop.tenant, shop.ann.id)
    usual = services.clock
    services.clock = FixedClock(now - timedelta(days=10))
    job = enqueue(services, "forecast", {"metric": "revenue", "grain": "day", "horizon_steps": 14}, ann)
    run_job(services, FUNCTIONS, shop.tenant, job)
    services.clock = usual
    found = preview(services, ann, parse_rule({"metric": "revenue", "kind": "forecast_breach"}), now=now)
    yesterday = (now.date() - timedelta(days=1)).isoformat()
    assert [(e["start"][:10], e["direction"], e["kind"]) for e in found["events"]] == [(yesterday, "down", "forecast")]
    assert found["events"][0]["actual"] < 0.3 * found["events"][0]["expected"]
    late = parse_rule({"metric": "revenue", "kind": "forecast_breach", "segments": [{"dataset": "sales", "field": "region"}]})
    assert preview(services, ann, late, now=now)["fired"] == 1  # forecasts of the whole only: the regions are not judged
