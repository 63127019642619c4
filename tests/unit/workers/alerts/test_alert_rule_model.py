"""Rules: what is refused, and how it is said."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import Invalid
from workers.alerts.rule import AnomalyRule, as_definition, parse_rule

BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "metric"),
    ({"metric": ""}, "metric"),
    ({"metric": "orders", "sensitivty": 3}, "sensitivty"),
    ({"metric": "orders", "sensitivity": 0}, "sensitivity"),
    ({"metric": "orders", "sensitivity": float("nan")}, "sensitivity"),
    ({"metric": "orders", "grain": "year"}, "grain"),
    ({"metric": "orders", "direction": "sideways"}, "direction"),
    ({"metric": "orders", "quiet_hours": [{"start": "22:00", "end": "22:00"}]}, "quiet_hours"),
    ({"metric": "orders", "quiet_hours": [{"start": "25:00", "end": "07:00"}]}, "quiet_hours"),
    ({"metric": "orders", "maintenance": [{"start": "2026-05-01T00:00:00", "end": "2026-05-02T00:00:00"}]}, "maintenance"),
    ({"metric": "orders", "maintenance": [{"start": "2026-05-02T00:00:00Z", "end": "2026-05-01T00:00:00Z"}]}, "maintenance"),
    ({"metric": "orders", "schedule": {"every_minutes": 1}}, "schedule"),
    ({"metric": "orders", "segments": [{"dataset": "o", "field": x} for x in "abc"]}, "segments"),
    ({"metric": "orders", "segments": [{"dataset": "o", "field": "a"}] * 2}, "segments"),
    ({"metric": "orders", "kind": "threshold", "upper": "Infinity"}, "upper"),
    ({"metric": "orders", "kind": "goal", "goal": float("nan")}, "goal"),
    ({"metric": "orders", "kind": "threshold"}, "definition"),
    ({"metric": "orders", "kind": "threshold", "upper": 1, "lower": 2}, "definition"),
    ({"metric": "orders", "kind": "goal", "goal": 5, "grain": "hour"}, "grain"),
    ({"metric": "orders", "kind": "crystal_ball"}, "definition"),
]


@pytest.mark.parametrize(("definition", "place"), BAD)
def test_a_bad_rule_names_the_place_and_what_was_found(definition: dict[str, Any], place: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_rule(definition)
    assert caught.value.code == "bad_rule"
    assert place in caught.value.message
    assert "{'kind" not in caught.value.message  # no dump of a whole rule
    assert "Value error" not in caught.value.message
    assert "<" not in caught.value.message


@pytest.mark.parametrize(
    ("typed", "rather"), [("sensitivty", " Did you mean sensitivity?"), ("cooldown", " Did you mean cooldown_buckets?"), ("zzz", "")]
)
def test_a_field_that_there_is_not_is_named_with_the_one_that_was_meant(typed: str, rather: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_rule({"metric": "orders", typed: 3})
    assert caught.value.message == f"The rule has no field {typed}.{rather}"


def test_a_rule_is_the_same_after_it_was_stored() -> None:
    rule = parse_rule({"metric": "orders", "maintenance": [{"start": "2026-05-01T00:00:00Z", "end": "2026-05-02T00:00:00Z"}]})
    assert isinstance(rule, AnomalyRule)
    assert parse_rule(as_definition(rule)) == rule
