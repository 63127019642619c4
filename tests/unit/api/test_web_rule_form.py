"""The form of an alert rule and the definition that it says."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from api.web.dates_said import plain_dates, window_said
from api.web.forms import Fields
from api.web.rule_form import default_rule, definition_of, shown
from core.errors import Invalid
from core.formats import writing
from core.locales import formats_of
from semantic.catalog.model import Catalog
from semantic.expr import Absolute, FieldRef, In
from semantic.query import ByField, ByTime, MetricRef, SemanticQuery
from workers.alerts.rule import AnomalyRule, ForecastRule, GoalRule, NoDataRule, ThresholdRule, as_definition, parse_rule
from workers.demo.catalog import demo_catalog
from workers.demo.world import WORLDS

CATALOG = demo_catalog(WORLDS[0])
REGION = FieldRef(dataset="countries", field="region")


def form(**values: object) -> Fields:
    many = {name: [str(v) for v in value] if isinstance(value, list) else [str(value)] for name, value in values.items()}
    return Fields({name: texts[-1] for name, texts in many.items() if texts}, many)


def there_and_back(definition: dict[str, object]) -> dict[str, object]:
    """What a form that nobody touched says."""
    values = shown(parse_rule(definition))
    sent = {name: value for name, value in values.items() if value not in (None, "", False)}
    sent["silent_buckets"] = values["buckets"]
    sent["goal_direction"] = sent["breach_direction"] = values["direction"]
    sent["breach_buckets"] = values["buckets"]
    return as_definition(parse_rule(definition_of(form(**sent))))


WRITTEN = ("en-GB", "de-DE", "fr-CH", "sv-SE")


class TestDefinitionOf:
    @pytest.mark.parametrize(
        "definition",
        [
            {"metric": "orders"},
            {"metric": "orders", "sensitivity": 100, "min_effect_share": 0.05, "direction": "down", "grain": "week", "yearly": False},
            {"kind": "threshold", "metric": "orders", "lower": 5.5, "buckets": 3, "recovery_margin": 0.5},
            {"kind": "threshold", "metric": "orders", "lower": -5.5, "upper": 1234.567, "direction": "up"},
            {"kind": "no_data", "metric": "orders", "buckets": 4},
            {"metric": "orders", "together": ["revenue", "visits"], "second_opinion": "ecod"},
            {"kind": "forecast_breach", "metric": "orders", "level": 80, "buckets": 2, "direction": "down"},
            {"kind": "goal", "metric": "orders", "goal": 1000, "period": "quarter", "tolerance": 0.8, "direction": "down"},
            {"metric": "orders", "segments": [{"dataset": "countries", "field": "region"}], "quiet_hours": [{"start": "22:00", "end": "06:00"}],
             "schedule": {"every_minutes": 30, "at": "07:00"}, "cooldown_buckets": 7, "completeness": {"min_rows_share": 0.5}},
        ],
    )  # fmt: skip
    def test_a_form_that_nobody_touched_says_what_the_rule_was(self, definition: dict[str, object]) -> None:
        for tag in WRITTEN:
            with writing(formats_of(tag)):
                assert there_and_back(definition) == as_definition(parse_rule(definition)), tag

    def test_another_kind_drops_what_only_the_old_kind_had(self) -> None:
        base = json.dumps(as_definition(parse_rule({"metric": "orders", "sensitivity": 50, "direction": "down"})))
        made = parse_rule(definition_of(form(base=base, kind="threshold", metric="orders", upper="10", direction="down")))
        assert isinstance(made, ThresholdRule)
        assert (made.upper, made.direction) == (10, "both")  # the direction that is hidden under another kind must not silence a limit

    def test_another_metric_drops_the_filter_of_the_old_one(self) -> None:
        rule = parse_rule({"metric": "orders", "where": In(field=REGION, values=("EMEA",)).model_dump(mode="json")})
        base = json.dumps(as_definition(rule))
        assert "where" in definition_of(form(base=base, metric="orders"))
        assert "where" not in definition_of(form(base=base, metric="revenue"))

    @pytest.mark.parametrize(
        "values",
        [
            {"kind": "magic"},
            {"base": "{"},
            {"base": "[1]"},
            {"segments": ["no dot"]},
            {"sensitivity": "much"},
            {"together": ["a", "b", "c", "d", "e"]},
            {"kind": "forecast_breach", "level": "90.5"},
        ],
    )
    def test_what_is_damaged_is_refused(self, values: dict[str, object]) -> None:
        with pytest.raises(Invalid):
            definition_of(form(**({"metric": "orders"} | values)))

    def test_each_kind_is_its_own_rule(self) -> None:
        assert isinstance(parse_rule(definition_of(form(metric="orders"))), AnomalyRule)
        assert isinstance(parse_rule(definition_of(form(metric="orders", kind="no_data", silent_buckets="2"))), NoDataRule)
        assert isinstance(parse_rule(definition_of(form(metric="orders", kind="forecast_breach"))), ForecastRule)
        assert parse_rule(definition_of(form(metric="orders", together=["orders", "revenue"]))).together == ("revenue",)  # type: ignore[union-attr]
        assert isinstance(parse_rule(definition_of(form(metric="orders", kind="goal", goal="5"))), GoalRule)


class TestDefaultRule:
    def test_takes_filter_grain_and_groups_of_an_answer(self) -> None:
        where = In(field=REGION, values=("EMEA",))
        query = SemanticQuery(metrics=(MetricRef(metric="orders"),), by=(ByTime(grain="week"), ByField(field=REGION)), where=where)
        made = default_rule(CATALOG, "", query)
        assert (made.metric, made.grain.value, made.segments, made.where) == ("orders", "week", (REGION,), where)

    def test_begins_with_a_certified_metric(self) -> None:
        assert CATALOG.metric(default_rule(CATALOG).metric).certified

    def test_without_metrics_there_is_nothing_to_watch(self) -> None:
        with pytest.raises(Invalid, match="no metric"):
            default_rule(Catalog())


class TestNumbers:
    def test_are_read_as_people_write_them(self) -> None:
        fields = form(a="1,234.5", b="1 234", c="0,5", d="", e="-3")
        assert [fields.number(name, "x") for name in "abcde"] == [1234.5, 1234, 0.5, None, -3]

    def test_what_could_be_two_is_refused_with_an_example(self) -> None:
        fields = form(a="1.234,5", b="1.234", c="1,234", d="12.5")
        with writing(formats_of("de-DE")):
            assert [fields.number("a", "x"), fields.whole("b", "x", 0), fields.measured("d", "x")] == [1234.5, 1234, 12.5]
            with pytest.raises(Invalid, match=r"The goal: '1,234' could be two numbers; write it like 1\.234,56"):
                fields.number("c", "The goal")

    @pytest.mark.parametrize("text", ["ten", "nan", "inf", "1e999"])
    def test_that_are_none_are_refused(self, text: str) -> None:
        with pytest.raises(Invalid):
            form(a=text).number("a", "The figure")


class TestWindowSaid:
    @pytest.mark.parametrize(
        ("start", "end", "said"),
        [
            ("2025-01-01", "2026-01-01", "2025"),
            ("2023-01-01", "2026-01-01", "2023 to 2025"),
            ("2025-04-01", "2025-07-01", "Q2 2025"),
            ("2025-02-01", "2025-05-01", "Feb 2025 to Apr 2025"),
            ("2025-03-05", "2025-03-06", "5 Mar 2025"),
            ("2024-12-20", "2025-01-03", "20 Dec 2024 to 2 Jan 2025"),
            (None, "2025-01-03", "before 3 Jan 2025"),
            ("2025-01-03", None, "from 3 Jan 2025 on"),
            (None, None, "all time"),
        ],
    )
    def test_says_whole_periods_by_their_names(self, start: str | None, end: str | None, said: str) -> None:
        day = dt.date.fromisoformat
        assert window_said(Absolute(start=day(start) if start else None, end=day(end) if end else None)) == said

    def test_keeps_times_of_day(self) -> None:
        window = Absolute(start=dt.datetime(2025, 1, 1, 9, 30), end=dt.datetime(2025, 1, 1, 17))
        assert window_said(window) == "1 Jan 2025, 09:30 to 1 Jan 2025, 17:00"

    def test_replaces_raw_dates_in_a_sentence(self) -> None:
        assert plain_dates("orders, from 2026-03-01 00:00:00 to before 2026-04-01 00:00:00, monthly") == "orders, March 2026, monthly"
