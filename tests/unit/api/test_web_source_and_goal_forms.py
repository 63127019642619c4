"""Sources and goals as forms: what the fields say, what stays, what is refused and how; and the goal's picture."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from api.preconditions import ChangedSince
from api.web.forms import Fields, made_of, seen
from api.web.goal_chart import goal_chart
from api.web.goal_form import goal_body, goal_values, periods
from api.web.source_form import every_said, source_body, source_values
from core.errors import Invalid
from core.ids import TenantId, UserId
from core.store.goals import Goal, NewGoal
from core.store.sources import Source

NOW = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)
POSTGRES = {
    "kind": "postgresql", "host": "db.example.com", "database": "shop", "source_table": "orders", "user": "reader", "password": "s3cret",
    "name": "Orders", "table": "orders", "every_minutes": "60", "mode": "incremental", "key": "changed_at", "identity": "id, line",
    "look_back_days": "2", "on_drift": "stop", "enabled": "yes",
}  # fmt: skip


def form(values: dict[str, Any]) -> Fields:
    return Fields({k: str(v) for k, v in values.items()}, {})


class TestSources:
    def test_a_form_says_a_source_and_comes_back_without_its_secret(self) -> None:
        body = source_body(form(POSTGRES))
        assert body.connection.hidden == {"password": "s3cret"}
        assert (body.plan.identity, body.plan.every_minutes, body.plan.infer_catalog) == (("id", "line"), 60, False)
        kept = Source(
            "src_1", TenantId("acme"), "Orders", "postgresql", body.connection.shown, body.plan.model_dump(mode="json"), "sealed", "orders", True,
            UserId("u"), NOW, NOW, None, None, 0, None,
        )  # fmt: skip
        values = source_values(kept)
        assert "s3cret" not in str(values)
        assert "password" not in values
        again = source_body(form({k: "yes" if v is True else "" if v is False else v for k, v in values.items()}), kept)
        assert (again.connection.shown, again.plan) == (body.connection.shown, body.plan)
        assert not again.connection.hidden

    @pytest.mark.parametrize(
        ("over", "said"),
        [
            ({"host": ""}, "Host: say it, such as db.example.com"),
            ({"host": "db example"}, "Host: expected a host's name"),
            ({"port": "99999"}, "Port: expected a number from 1 to 65535"),
            ({"table": "My Orders"}, "Table in Querent: expected small letters"),
            ({"key": ""}, "An incremental source needs a key"),
            ({"identity": ""}, "Rows that come again need an identity"),
            ({"kind": "oracle"}, "Choose what kind"),
            ({"kind": "kafka", "brokers": "k", "topic": "t"}, "Brokers: expected hosts with ports"),
            ({"kind": "url", "url": "ftp://x/y"}, "An address such as https://host/path was expected"),
            ({"kind": "mongodb", "collection": "c", "fields": "amount"}, "Fields are lines such as"),
            ({"every_minutes": "1"}, "expected from 5 minutes to 30 days"),
        ],
    )
    def test_what_cannot_be_names_the_field(self, over: dict[str, str], said: str) -> None:
        with pytest.raises(Invalid, match=said):
            source_body(form(POSTGRES | over))

    def test_a_topic_is_a_stream(self) -> None:
        body = source_body(form(POSTGRES | {"kind": "kafka", "brokers": "a.example:9093, b.example:9093", "topic": "orders", "tls": "yes"}))
        assert (body.plan.mode, body.connection.origin) == ("stream", "kafka://a.example:9093,b.example:9093/orders")

    def test_how_often_in_words(self) -> None:
        assert [every_said(n) for n in (None, 60, 90, 180)] == ["only when asked", "every hour", "every 90 minutes", "every 3 hours"]


class TestGoals:
    def goal(self, filters: Any = None) -> Goal:
        asked = NewGoal("Mine", "revenue", dt.date(2026, 3, 1), dt.date(2026, 6, 11), 1.5e6, "at_least", UserId("u"), filters)
        return Goal("goal_1", TenantId("acme"), asked, UserId("u"), NOW, NOW)

    def test_periods_are_the_running_and_the_next_ones(self) -> None:
        found = {p.label: p.key for p in periods(dt.date(2026, 12, 30))}
        assert found["this quarter: Q4 2026"] == "2026-10-01/2027-01-01"
        assert found["next month: January 2027"] == "2027-01-01/2027-02-01"
        assert len(found) == 6

    def test_a_goal_comes_back_as_it_was(self) -> None:
        where = {"kind": "compare", "op": "=", "left": {"kind": "field", "dataset": "orders", "field": "region", "via": []},
                 "right": {"kind": "literal", "value": "EMEA"}, "ignore_case": False}  # fmt: skip
        for filters in (None, where):
            known = self.goal(filters)
            body = goal_body(form(goal_values(known, NOW.date())), known)
            assert (body.starts_on, body.ends_on, body.target) == (known.asked.starts_on, known.asked.ends_on, 1.5e6)
            assert (body.where.model_dump(mode="json") if body.where else None) == filters

    def test_a_filter_that_the_form_cannot_show_stays_when_it_is_kept(self) -> None:
        many = {
            "kind": "in",
            "field": {"kind": "field", "dataset": "orders", "field": "region"},
            "values": ["EMEA", "APAC"],
            "negate": False,
        }
        known = self.goal(many)
        values = goal_values(known, NOW.date())
        assert (values["field"], values["kept"]) == ("", True)
        assert goal_body(form(values | {"keep_filter": "yes"}), known).where is not None
        assert goal_body(form(values), known).where is None

    def test_figures_with_commas_and_days_out_of_order(self) -> None:
        usual = {"metric": "revenue", "target": "75,000,000", "period": "own", "starts_on": "2026-01-01", "last_day": "2026-01-31"}
        assert goal_body(form(usual), None).target == 75e6
        assert goal_body(form(usual | {"target": "2,5"}), None).target == 2.5
        with pytest.raises(Invalid, match="lies before the first"):
            goal_body(form(usual | {"last_day": "2025-12-31"}), None)
        with pytest.raises(Invalid, match="Say which value"):
            goal_body(form(usual | {"field": "orders.region"}), None)

    def test_the_picture_goes_on_to_what_is_expected(self) -> None:
        status = {"target": 10.0, "expected": 8.0, "lower_80": 6.0, "upper_80": 9.0, "until": "2026-05-31T00:00:00Z",
                  "past": [{"t": "2026-05-01T00:00:00Z", "v": 0.0}, {"t": "2026-05-11T00:00:00Z", "v": 3.0}]}  # fmt: skip
        drawn = goal_chart(status)
        assert drawn is not None
        assert drawn.past == "M3.0 53.0L81.0 38.0"
        assert drawn.ahead == "M81.0 38.0L237.0 13.0"
        assert drawn.target == 3.0
        assert goal_chart(None) is None
        assert goal_chart(status | {"past": []}) is None


def test_a_form_says_what_it_was_made_of_until_its_values_are_to_win() -> None:
    assert (made_of(form({"seen": "a"})), made_of(form({}))) == ("a", None)
    assert seen(None, None, "now") == "now"
    assert seen(form({"seen": "a"}), Invalid("no", code="no"), "now") == "a", "another mistake does not hide that somebody changed it"
    assert seen(form({"seen": "a"}), ChangedSince("no", "now"), "now") == "", "the next save puts one's own over it"
