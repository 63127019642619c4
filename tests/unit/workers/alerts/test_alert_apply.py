"""Incidents and the outbox on a real store: one per event, one message per channel, however often and in whatever order it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.clock import FixedClock
from core.ids import TenantId
from core.principal import Role
from core.store import alert_rules, channels, deliveries, inbox, incident_events, incidents, subscriptions, users
from core.store.alert_rules import AlertRule, NewAlertRule
from core.store.channels import NewChannel
from core.store.incident_events import NewEvent
from core.store.incidents import Handling, StoredIncident
from core.store.subscriptions import NewSubscription
from core.store.users import NewUser
from semantic.catalog.model import Catalog, RowPolicy, SimpleMetric
from semantic.query import AggregateKind
from workers.alerts.apply import Applied, Ground, apply
from workers.alerts.deliver import Delivered, deliver_due, send_test
from workers.alerts.events import Event
from workers.alerts.routing import inbox_of
from workers.alerts.rule import AnyRule, as_definition, parse_rule
from workers.alerts.senders import SENDERS, NotSent, Sending
from workers.alerts.signals import Signal

ACME = TenantId("acme")
NOW = datetime(2026, 5, 21, 1, 0, tzinfo=UTC)
CATALOG = Catalog(metrics=(SimpleMetric(name="revenue", label="Revenue", dataset="sales", aggregate=AggregateKind.COUNT),))


def event(
    day: int = 20, *, days: int = 0, direction: str = "down", is_open: bool = True, new_normal: bool = False, kind: str = "value"
) -> Event:
    start = datetime(2026, 5, 1, tzinfo=UTC) + timedelta(days=day - 1)
    end = start + timedelta(days=days)
    known = start + timedelta(days=1)
    signal = Signal("total", "Total", kind, direction, start, end, known, 60.0, -5.0, 10.0, 5.0, is_open)  # type: ignore[arg-type]
    return Event(signal, (signal,), start, end, known, is_open, known + timedelta(days=3) if new_normal else None)


def of_severity(found: Event, severity: float) -> Event:
    signal = replace(found.main, severity=severity)
    return replace(found, main=signal, signals=(signal,))


class Desk:
    """One rule and what it has told; time moves as the test says."""

    def __init__(self, services: Any, ann: Any, **definition: Any) -> None:
        self.services, self.ann = services, ann
        self.rule: AnyRule = parse_rule({"metric": "revenue", **definition})
        self.now = NOW
        self.catalog = CATALOG
        made = NOW - timedelta(days=30)
        with services.store.write() as connection:
            new = NewAlertRule("Revenue", "revenue", as_definition(self.rule), ann.id, next_run_at=NOW)
            self.row: AlertRule = alert_rules.create(connection, ACME, new, now=made)
            self.inbox = inbox_of(connection, ACME, ann.id, now=made)
        self.subscribe()

    def subscribe(self, **more: Any) -> None:
        with self.services.store.write() as connection:
            new = NewSubscription(self.inbox.id, self.ann.id, rule_id=self.row.id, **more)
            subscriptions.create(connection, ACME, new, now=NOW)

    def run(self, *found: Event, now: datetime | None = None) -> Applied:
        self.now = now or self.now
        with self.services.store.write() as connection:
            row = alert_rules.lock(connection, ACME, self.row.id)
            assert row is not None
            return apply(connection, Ground(row, self.rule, self.catalog, self.now), found, lambda e: {"last_bucket": e.end.isoformat()})

    def send(self, now: datetime | None = None) -> Delivered:
        self.services.clock = FixedClock(now or self.now)
        return deliver_due(self.services)

    @property
    def incidents(self) -> Sequence[StoredIncident]:
        with self.services.store.read() as connection:
            return incidents.list_all(connection, ACME)

    @property
    def told(self) -> list[str]:
        with self.services.store.read() as connection:
            return [m.body["kind"] for m in reversed(inbox.list_all(connection, ACME, self.ann.id))]

    @property
    def lines(self) -> list[str]:
        with self.services.store.read() as connection:
            return list(inbox.list_all(connection, ACME, self.ann.id)[0].body["lines"])

    @property
    def notes(self) -> list[str]:
        with self.services.store.read() as connection:
            return [e.kind for e in incident_events.list_all(connection, ACME, self.incidents[0].id)]

    def handle(self, **what: Any) -> None:
        with self.services.store.write() as connection:
            incidents.handle(connection, ACME, self.incidents[0].id, Handling(**what), now=self.now)


@pytest.fixture
def desk(services: Any, ann: Any) -> Desk:
    return Desk(services, ann)


class TestOneIncident:
    def test_the_same_event_again_is_the_same_incident_and_no_second_message(self, desk: Desk) -> None:
        for _ in range(3):
            desk.run(event())
            desk.send()
        assert len(desk.incidents) == 1
        assert desk.told == ["opened"]

    def test_it_grows_and_ends_with_one_message(self, desk: Desk) -> None:
        desk.run(event())
        desk.send()
        desk.run(event(days=1), now=NOW + timedelta(days=1))
        desk.run(event(days=1, is_open=False), now=NOW + timedelta(days=4))
        desk.send()
        desk.run(event(days=1, is_open=False), now=NOW + timedelta(days=5))
        desk.send()
        assert [i.status for i in desk.incidents] == ["resolved"]
        assert desk.told == ["opened", "resolved"]

    def test_what_comes_back_within_the_cool_down_is_the_same_without_a_message(self, desk: Desk) -> None:
        desk.run(event(day=18, is_open=False), now=NOW)
        desk.send()
        desk.run(event(day=18, days=2), now=NOW + timedelta(days=1))
        desk.send()
        assert [i.status for i in desk.incidents] == ["open"]
        assert "reopened" in desk.notes
        assert desk.told == ["opened"]

    def test_who_was_told_that_it_is_over_is_told_that_it_has_come_back_and_when_it_ends(self, desk: Desk) -> None:
        for hours, is_open in enumerate((True, False, True, True, False, False, True, False)):
            desk.run(event(days=1, is_open=is_open), now=NOW + timedelta(hours=hours))
            desk.send()
        assert [i.status for i in desk.incidents] == ["resolved"]
        assert desk.told == ["opened", "resolved", "reopened", "resolved"]

    def test_an_end_that_was_not_told_yet_is_not_told_when_it_comes_back(self, desk: Desk) -> None:
        desk.run(event())
        desk.send()
        for hours, is_open in enumerate((False, True)):
            desk.run(event(is_open=is_open), now=NOW + timedelta(hours=hours))
        assert desk.send().cancelled == 1
        assert desk.told == ["opened"]
        desk.run(event(is_open=False), now=NOW + timedelta(hours=5))
        desk.send()
        assert desk.told == ["opened", "resolved"]

    def test_a_level_shift_is_one_incident_and_one_new_normal(self, desk: Desk) -> None:
        desk.run(event())
        desk.send()
        for later in range(4, 20):
            desk.run(event(days=3, is_open=False, new_normal=True), now=NOW + timedelta(days=later))
            desk.send()
        assert len(desk.incidents) == 1
        assert desk.told == ["opened", "new_normal"]

    def test_late_data_take_it_back(self, desk: Desk) -> None:
        desk.run(event())
        desk.send()
        desk.run()
        desk.send()
        assert [(i.status, i.finding.details["taken_back"]) for i in desk.incidents] == [("resolved", True)]
        assert desk.told == ["opened", "resolved"]

    def test_late_data_that_join_two_events_leave_one_incident_open(self, desk: Desk) -> None:
        desk.run(event(day=12), event(day=20))
        assert len(desk.incidents) == 2
        desk.run(event(day=12, days=8))
        assert sorted(i.status for i in desk.incidents) == ["open", "resolved"]

    def test_what_a_person_resolved_stays_resolved(self, desk: Desk) -> None:
        desk.run(event())
        desk.handle(status="resolved")
        desk.run(event(days=1))
        assert [i.status for i in desk.incidents] == ["resolved"]

    def test_what_people_did_stays_when_it_is_scored_again(self, desk: Desk) -> None:
        desk.run(event())
        desk.handle(status="acknowledged", assignee=desk.ann.id, comment="on it")
        desk.run(event(days=1))
        found = desk.incidents[0]
        assert (found.status, found.assignee, found.comment) == ("acknowledged", desk.ann.id, "on it")


class TestNoStorm:
    def test_what_was_over_before_the_rule_was_made_is_no_news(self, desk: Desk) -> None:
        with desk.services.store.write() as connection:
            from core.store.tables import alert_rules as table

            connection.execute(table.update().values(created_at=NOW))
        desk.run(event(day=3, is_open=False), event(day=12, is_open=False))
        assert desk.incidents == ()

    def test_a_tick_that_comes_weeks_late_records_and_tells_only_what_is_fresh(self, desk: Desk) -> None:
        done = desk.run(event(day=1, is_open=False), event(day=8, is_open=False), event(day=20))
        desk.send()
        assert (len(done.recorded_late), len(done.opened)) == (2, 1)
        assert len(desk.incidents) == 3
        assert desk.told == ["opened"]


class TestRouting:
    def test_quiet_hours_hold_the_message_and_it_then_says_that_it_is_over(self, services: Any, ann: Any) -> None:
        desk = Desk(services, ann, quiet_hours=[{"start": "00:00", "end": "08:00"}])
        desk.run(event())
        assert desk.send().sent == 0
        desk.run(event(is_open=False), now=NOW + timedelta(hours=2))
        desk.send(NOW + timedelta(hours=8))
        assert desk.told == ["opened"]
        with services.store.read() as connection:
            assert "It is over by now." in inbox.list_all(connection, ACME, ann.id)[0].body["lines"]

    def test_a_muted_rule_keeps_incidents_and_sends_nothing(self, desk: Desk) -> None:
        with desk.services.store.write() as connection:
            alert_rules.mute(connection, ACME, desk.row.id, NOW + timedelta(days=1))
        desk.run(event())
        desk.send()
        assert len(desk.incidents) == 1
        assert desk.told == []

    def test_escalation_only_when_nobody_acknowledges(self, desk: Desk) -> None:
        desk.subscribe(escalate_after_minutes=30)
        desk.run(event())
        desk.send()
        assert desk.told == ["opened"]
        desk.send(NOW + timedelta(minutes=31))
        assert desk.told == ["opened", "escalated"]

    def test_an_acknowledged_incident_calls_nobody(self, desk: Desk) -> None:
        desk.subscribe(escalate_after_minutes=30)
        desk.run(event())
        desk.send()
        desk.handle(status="acknowledged")
        assert desk.send(NOW + timedelta(minutes=31)).cancelled == 1
        assert desk.told == ["opened"]

    def test_a_digest_gathers_what_came(self, services: Any, ann: Any) -> None:
        desk = Desk(services, ann)
        desk.subscribe(mode="daily")
        desk.run(event(day=12), event(day=20))
        assert desk.send().sent == 0
        assert desk.send(NOW + timedelta(hours=7)).sent == 2
        assert desk.told == ["digest"]

    def test_a_channel_that_is_asked_for_at_once_does_not_wait_for_its_digest(self, desk: Desk) -> None:
        desk.subscribe(mode="daily")
        with desk.services.store.write() as connection:
            subscriptions.create(connection, ACME, NewSubscription(desk.inbox.id, desk.ann.id, metric="revenue"), now=NOW)
        desk.run(event())
        desk.send()
        assert desk.told == ["opened"]

    def test_severity_and_metric_narrow(self, services: Any, ann: Any) -> None:
        desk = Desk(services, ann)
        desk.subscribe(min_severity=61)
        desk.run(event())
        desk.send()
        assert desk.told == []
        for severity in (80.0, 50.0, 90.0):  # it gets worse: who was waiting for that is told once
            desk.run(of_severity(event(days=1), severity), now=NOW + timedelta(days=1))
            desk.send()
        assert desk.told == ["opened"]

    def test_how_bad_it_was_is_told_once_though_it_was_seen_when_it_was_over(self, services: Any, ann: Any) -> None:
        desk = Desk(services, ann)
        desk.subscribe(min_severity=61)
        desk.run(event())
        for day in (1, 2):
            desk.run(of_severity(event(is_open=False), 80.0), now=NOW + timedelta(days=day))
            desk.send()
        assert desk.told == ["opened"]
        assert "It is over by now." in desk.lines

    def test_how_bad_it_was_weeks_ago_is_no_news_until_it_comes_back(self, services: Any, ann: Any) -> None:
        desk = Desk(services, ann)
        desk.subscribe(min_severity=61)
        desk.run(event())
        desk.run(of_severity(event(is_open=False), 80.0), now=NOW + timedelta(days=9))
        desk.send()
        assert desk.told == []
        desk.run(of_severity(event(days=9), 80.0), now=NOW + timedelta(days=10))
        desk.send()
        assert desk.told == ["opened"]

    def test_how_bad_it_was_is_no_news_of_what_a_person_resolved(self, services: Any, ann: Any) -> None:
        desk = Desk(services, ann)
        desk.subscribe(min_severity=61)
        desk.run(event())
        desk.handle(status="resolved")
        with services.store.write() as connection:
            by_hand = NewEvent(desk.incidents[0].id, desk.row.id, ann.id, "resolved", {})
            incident_events.append(connection, ACME, by_hand, now=NOW)
        desk.run(of_severity(event(is_open=False), 80.0), now=NOW + timedelta(days=1))
        desk.send()
        assert desk.told == []

    def test_what_gets_severe_does_not_wait_for_a_digest_of_its_channel(self, services: Any, ann: Any) -> None:
        desk = Desk(services, ann)
        desk.subscribe(mode="daily")
        with services.store.write() as connection:
            severe = NewSubscription(desk.inbox.id, ann.id, metric="revenue", min_severity=61)
            subscriptions.create(connection, ACME, severe, now=NOW)
        desk.run(event())
        assert desk.send().sent == 0
        desk.run(of_severity(event(), 80.0))
        desk.send()
        assert desk.told == ["opened"]
        assert desk.send(NOW + timedelta(hours=7)).sent == 0

    def test_a_reader_whose_rows_are_narrowed_is_told_nothing_of_a_rule_by_somebody_who_sees_more(self, desk: Desk) -> None:
        with desk.services.store.write() as connection:
            bob = users.create(connection, ACME, NewUser("bob@example.com", "Bob", frozenset({Role.MANAGER})), now=NOW)
            box = inbox_of(connection, ACME, bob.id, now=NOW)
            subscriptions.create(connection, ACME, NewSubscription(box.id, bob.id), now=NOW)
        policy = RowPolicy(name="own", dataset="sales", roles=("manager",), field="region", attribute="regions")
        desk.catalog = CATALOG.model_copy(update={"row_policies": (policy,)})
        desk.run(event())
        desk.send()
        with desk.services.store.read() as connection:
            assert inbox.list_all(connection, ACME, bob.id) == ()
        assert desk.told == ["opened"]


class TestDelivery:
    @pytest.fixture
    def flaky(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """A channel of which each sending fails; what it was asked to send."""
        asked: list[str] = []

        def fail(sending: Sending) -> None:
            asked.append(sending.delivery_id)
            raise NotSent("The receiver said 500.")

        monkeypatch.setitem(SENDERS, "inbox", fail)  # type: ignore[misc]
        return asked

    def test_a_receiver_that_is_down_for_an_hour_gets_its_message_once(
        self, desk: Desk, flaky: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from workers.alerts.senders import send_inbox

        desk.run(event())
        for minute in range(60):
            desk.send(NOW + timedelta(minutes=minute))
        assert 4 <= len(flaky) <= 7
        assert len(set(flaky)) == 1
        monkeypatch.setitem(SENDERS, "inbox", send_inbox)  # type: ignore[misc]
        for minute in range(60, 180):
            desk.send(NOW + timedelta(minutes=minute))
        assert desk.told == ["opened"]

    def test_what_never_arrives_is_a_dead_letter_that_can_be_sent_again(self, desk: Desk, flaky: list[str]) -> None:
        desk.run(event())
        for hour in range(40):
            desk.send(NOW + timedelta(hours=hour))
        with desk.services.store.write() as connection:
            dead = deliveries.list_all(connection, ACME, status="dead")
            assert [d.last_error for d in dead] == ["The receiver said 500."]
            assert deliveries.resend(connection, ACME, dead[0].id, now=NOW + timedelta(hours=41)).status == "pending"
        before = len(flaky)
        desk.send(NOW + timedelta(hours=41))
        assert len(flaky) == before + 1

    def test_a_sender_that_vanished_loses_nothing(self, desk: Desk) -> None:
        desk.run(event())
        with desk.services.store.write() as connection:
            taken = deliveries.lease_due(connection, "elsewhere/1/2/3", now=NOW, lease_for=timedelta(minutes=5))
        assert len(taken) == 1
        assert desk.send().sent == 0
        assert desk.send(NOW + timedelta(minutes=6)).sent == 1
        assert desk.told == ["opened"]

    def test_a_test_says_why_it_failed(self, services: Any, ann: Any) -> None:
        with services.store.write() as connection:
            new = NewChannel("Mail", "email", {"to": ["a@example.com"]}, None, ann.id)
            channel = channels.create(connection, ACME, new, now=NOW)
        result = send_test(services, channel, ann.id)
        assert result.status == "dead"
        assert "QUERENT_SMTP_HOST" in (result.last_error or "")
