"""A day that is in the warehouse twice: the alert says so, whatever its figures; a day of twice the sales is a rise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.store import alert_rules, catalogs
from core.store.catalogs import NewCatalog
from workers.jobs import FUNCTIONS
from workers.principals import load_principal
from workers.queue import enqueue
from workers.run import run_job

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def test_the_title_tells_a_double_load_from_a_rise(shop: Any) -> None:
    services, now = shop.services, datetime.now(UTC)
    ann = load_principal(services.store, shop.tenant, shop.ann.id)
    document = services.catalog(shop.tenant).model_dump(mode="json")
    document["datasets"][0]["primary_key"] = ["region", "day"]
    with services.store.write() as connection:
        catalogs.append(connection, shop.tenant, NewCatalog(document, shop.ann.id), now=now)

    def titles(name: str) -> list[str]:
        rule = shop.call(
            "POST", "/v1/alert-rules", {"name": name, "definition": {"kind": "threshold", "metric": "revenue", "upper": 900}}, 201
        )
        with services.store.write() as connection:
            alert_rules.lease_due(connection, "me", now=now + timedelta(seconds=5), lease_for=timedelta(hours=1), limit=100)
        run_job(services, FUNCTIONS, shop.tenant, enqueue(services, "evaluate_rules", {"rules": [rule["id"]], "owner": "me"}, ann))
        found = [i["id"] for i in shop.call("GET", "/v1/incidents")["items"] if i["rule_id"] == rule["id"]]
        return [shop.call("GET", f"/v1/incidents/{key}")["title"] for key in found]

    shop.load(2.0)
    assert ["above its limit" in title for title in titles("a rise")] == [True]
    shop.load(1.0)
    yesterday = (now - timedelta(days=1)).date()
    shop.admin.execute(f"INSERT INTO {shop.database}.sales SELECT * FROM {shop.database}.sales WHERE day = '{yesterday}'")
    assert ["rows look loaded twice" in title for title in titles("a double load")] == [True]
