"""The alert tables come and go without touching what was there."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import inspect

from core.ids import TenantId, UserId
from core.store import Store, alert_rules
from core.store.alert_rules import NewAlertRule
from core.store.migrate import current_revision, downgrade, migrate

ACME = TenantId("acme")
NEW = {"channels", "subscriptions", "deliveries", "incident_events", "inbox"}


def test_down_and_up_keep_the_rules(store: Store) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    with store.write() as connection:
        made = alert_rules.create(connection, ACME, NewAlertRule("Revenue", "revenue", {"grain": "day"}, UserId("usr_ann")), now=now)
    downgrade(store.engine, "0001")
    assert current_revision(store.engine) == "0001"
    assert not NEW & set(inspect(store.engine).get_table_names())
    migrate(store.engine)
    assert set(inspect(store.engine).get_table_names()) >= NEW
    with store.read() as connection:
        assert alert_rules.get(connection, ACME, made.id) == made
