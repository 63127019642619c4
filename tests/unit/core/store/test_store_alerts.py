"""Alert rules and incidents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import Conflict, NotFound
from core.ids import TenantId, UserId
from core.store import Store, alert_rules, channels, deliveries, incidents
from core.store.alert_rules import NewAlertRule
from core.store.channels import NewChannel
from core.store.deliveries import NewDelivery
from core.store.incidents import Finding, Handling

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ANN = UserId("usr_ann")
LEASE = timedelta(minutes=5)


def rule(name: str = "Revenue drops", next_run_at: datetime | None = NOW) -> NewAlertRule:
    return NewAlertRule(name, "revenue", {"grain": "day"}, ANN, next_run_at=next_run_at)


def finding(severity: float = 50.0, key: str = "revenue/total/2026-02-28") -> Finding:
    return Finding(key, "revenue", "total", "value", "down", severity, -1200.0, NOW, None, NOW, {"expected": 10})


class TestRules:
    def test_names_are_taken_once_per_tenant(self, store: Store) -> None:
        with store.write() as connection:
            first = alert_rules.create(connection, ACME, rule(), now=NOW)
            alert_rules.create(connection, GLOBEX, rule(), now=NOW)
            other = alert_rules.create(connection, ACME, rule("Other"), now=NOW)
            with pytest.raises(Conflict):
                alert_rules.create(connection, ACME, rule(), now=NOW)
            with pytest.raises(Conflict):
                alert_rules.replace(connection, ACME, other.id, rule(), now=NOW)
            assert alert_rules.replace(connection, ACME, first.id, rule(), now=NOW + LEASE).updated_at == NOW + LEASE

    def test_another_tenants_rule_does_not_exist(self, store: Store) -> None:
        with store.write() as connection:
            made = alert_rules.create(connection, ACME, rule(), now=NOW)
            for call in (
                lambda: alert_rules.get(connection, GLOBEX, made.id),
                lambda: alert_rules.replace(connection, GLOBEX, made.id, rule(), now=NOW),
                lambda: alert_rules.delete(connection, GLOBEX, made.id),
            ):
                with pytest.raises(NotFound):
                    call()
            alert_rules.delete(connection, ACME, made.id)
            assert alert_rules.list_all(connection, ACME) == ()

    def test_a_due_rule_goes_to_one_scheduler_until_its_lease_ends(self, store: Store) -> None:
        with store.write() as connection:
            made = alert_rules.create(connection, ACME, rule(), now=NOW)
            alert_rules.create(connection, ACME, rule("Later", NOW + timedelta(hours=1)), now=NOW)
            alert_rules.create(connection, ACME, rule("Never", None), now=NOW)
            assert [r.id for r in alert_rules.lease_due(connection, "one", now=NOW, lease_for=LEASE)] == [made.id]
            assert alert_rules.lease_due(connection, "two", now=NOW, lease_for=LEASE) == ()
            later = NOW + LEASE + timedelta(seconds=1)
            assert [r.id for r in alert_rules.lease_due(connection, "two", now=later, lease_for=LEASE)] == [made.id]
            assert not alert_rules.record_run(connection, ACME, made.id, "one", next_run_at=NOW, now=later)
            assert alert_rules.record_run(connection, ACME, made.id, "two", next_run_at=later + LEASE, now=later)
            assert alert_rules.lease_due(connection, "one", now=later, lease_for=LEASE) == ()


class TestIncidents:
    def test_the_same_event_is_one_incident_and_keeps_what_people_did(self, store: Store) -> None:
        with store.write() as connection:
            first, is_new = incidents.put(connection, ACME, finding(), now=NOW)
            assert is_new
            incidents.handle(connection, ACME, first.id, Handling(status="acknowledged", assignee=ANN), now=NOW)
            again, is_new = incidents.put(connection, ACME, finding(severity=80.0), now=NOW + LEASE)
            assert not is_new
            assert (again.id, again.status, again.assignee, again.finding.severity) == (first.id, "acknowledged", ANN, 80.0)
            assert len(incidents.list_all(connection, ACME)) == 1

    def test_tenants_have_their_own(self, store: Store) -> None:
        with store.write() as connection:
            mine, _ = incidents.put(connection, ACME, finding(), now=NOW)
            theirs, is_new = incidents.put(connection, GLOBEX, finding(), now=NOW)
            assert is_new
            assert theirs.id != mine.id
            with pytest.raises(NotFound):
                incidents.handle(connection, GLOBEX, mine.id, Handling(status="resolved"), now=NOW)
            assert incidents.list_all(connection, ACME, status="resolved") == ()


class TestTurns:
    def test_hundreds_of_messages_of_one_tenant_do_not_hold_up_the_one_of_another(self, store: Store) -> None:
        with store.write() as connection:
            busy = channels.create(connection, ACME, NewChannel("busy", "inbox", {"user": "usr_ann"}, None, ANN), now=NOW).id
            small = channels.create(connection, GLOBEX, NewChannel("small", "inbox", {"user": "usr_ann"}, None, ANN), now=NOW).id
            for _ in range(300):
                deliveries.put(connection, ACME, NewDelivery(busy, ANN, "test", NOW - LEASE), now=NOW)
            one = deliveries.put(connection, GLOBEX, NewDelivery(small, ANN, "test", NOW), now=NOW)
            assert one is not None
            taken = deliveries.lease_due(connection, "one", now=NOW, lease_for=LEASE, limit=24)
            assert one.id in {d.id for d in taken}
            assert len(taken) == 24
            next_taken = deliveries.lease_due(connection, "two", now=NOW, lease_for=LEASE, limit=24)
            assert {d.tenant for d in next_taken} == {ACME}
            assert not {d.id for d in taken} & {d.id for d in next_taken}
