"""The alert tables on PostgreSQL: what is written comes back, and what many do at once happens once."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.ids import TenantId, UserId
from core.store import Store, alert_rules, channels, deliveries, incident_events, incidents, subscriptions, tenants
from core.store.alert_rules import NewAlertRule
from core.store.channels import NewChannel
from core.store.deliveries import NewDelivery
from core.store.incident_events import NewEvent
from core.store.incidents import Finding, Handling
from core.store.migrate import migrate
from core.store.subscriptions import NewSubscription

pytestmark = pytest.mark.integration
ACME, GLOBEX, ANN = TenantId("acme"), TenantId("globex"), UserId("usr_ann")
NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LEASE = timedelta(minutes=5)
AT_ONCE = 6
_number = itertools.count()


@pytest.fixture
def store(postgresql: Any) -> Iterator[Store]:
    opened = Store.open(postgresql.database(f"alerts_{next(_number)}"))
    migrate(opened.engine)
    with opened.write() as connection:
        for tenant in (ACME, GLOBEX):
            tenants.create(connection, tenant, name=str(tenant), now=NOW)
    yield opened
    opened.close()


def at_once(act: Callable[[int], Any]) -> list[Any]:
    """What AT_ONCE threads return that begin together."""
    gate, results = threading.Barrier(AT_ONCE), []

    def run(number: int) -> None:
        gate.wait()
        results.append(act(number))

    threads = [threading.Thread(target=run, args=(n,)) for n in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def channel(store: Store, tenant: TenantId, name: str = "box") -> str:
    with store.write() as connection:
        return channels.create(connection, tenant, NewChannel(name, "inbox", {"user": "usr_ann"}, None, ANN), now=NOW).id


def finding(key: str = "r/value/down/2026-02-28", rule: str | None = None) -> Finding:
    return Finding(key, "revenue", "total", "value", "down", 50.0, -1200.0, NOW, None, NOW, {"expected": 10, "unit": "€"}, rule_id=rule)


class TestAlertTables:
    def test_rules_incidents_events_subscriptions_and_messages_come_back_as_written(self, store: Store) -> None:
        box = channel(store, ACME)
        with store.write() as connection:
            rule = alert_rules.create(connection, ACME, NewAlertRule("Revenue", "revenue", {"grain": "day"}, ANN, next_run_at=NOW), now=NOW)
            incident, is_new = incidents.put(connection, ACME, finding(rule=rule.id), now=NOW)
            incidents.handle(connection, ACME, incident.id, Handling(status="acknowledged", assignee=ANN), now=NOW)
            incident_events.append(connection, ACME, NewEvent(incident.id, rule.id, "system", "opened", {"severity": 50.0}), now=NOW)
            subscriptions.create(connection, ACME, NewSubscription(box, ANN, rule_id=rule.id), now=NOW)
            deliveries.put(connection, ACME, NewDelivery(box, ANN, "opened", NOW, incident.id), now=NOW)
        with store.read() as connection:
            assert is_new
            assert alert_rules.get(connection, ACME, rule.id).next_run_at == NOW
            found = incidents.get(connection, ACME, incident.id)
            assert (found.status, found.finding.details["unit"], found.finding.started_at) == ("acknowledged", "€", NOW)
            assert [e.kind for e in incident_events.list_all(connection, ACME, incident.id)] == ["opened"]
            assert len(subscriptions.matching(connection, ACME, rule_id=rule.id, metric="revenue", severity=50.0)) == 1
            assert [d.next_at for d in deliveries.list_all(connection, ACME)] == [NOW]
            assert deliveries.list_all(connection, GLOBEX) == ()

    def test_one_event_found_by_many_is_one_incident_with_one_message(self, store: Store) -> None:
        box = channel(store, ACME)
        with store.write() as connection:
            rule = alert_rules.create(connection, ACME, NewAlertRule("Revenue", "revenue", {}, ANN, next_run_at=NOW), now=NOW)

        def evaluate(_: int) -> bool:
            with store.write() as connection:
                alert_rules.lock(connection, ACME, rule.id)
                incident, is_new = incidents.put(connection, ACME, finding(rule=rule.id), now=NOW)
                deliveries.put(connection, ACME, NewDelivery(box, ANN, "opened", NOW, incident.id), now=NOW)
            return is_new

        assert sorted(at_once(evaluate)) == [False] * (AT_ONCE - 1) + [True]
        with store.read() as connection:
            assert len(incidents.list_all(connection, ACME)) == 1
            assert len(deliveries.list_all(connection, ACME)) == 1

    def test_many_senders_never_take_the_same_message_and_tenants_take_turns(self, store: Store) -> None:
        busy, small = channel(store, ACME), channel(store, GLOBEX)
        with store.write() as connection:
            for _ in range(200):
                deliveries.put(connection, ACME, NewDelivery(busy, ANN, "test", NOW - LEASE), now=NOW)
            deliveries.put(connection, GLOBEX, NewDelivery(small, ANN, "test", NOW), now=NOW)

        def lease(number: int) -> list[tuple[str, str]]:
            with store.write() as connection:
                taken = deliveries.lease_due(connection, f"s{number}", now=NOW, lease_for=LEASE, limit=10)
            return [(d.id, d.tenant) for d in taken]

        taken = [one for some in at_once(lease) for one in some]
        assert len(taken) == len(set(taken))
        assert len(taken) >= 10
        assert GLOBEX in {tenant for _, tenant in taken}
