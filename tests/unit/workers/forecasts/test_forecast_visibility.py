"""Figures made for one are told only to those who see as much of what they are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.ids import TenantId, UserId
from core.principal import Principal, Role
from core.store.alert_rules import AlertRule
from semantic.catalog.model import Clearance, ColumnRule, DataClass
from semantic.expr import FieldRef
from workers.alerts.access import may_see
from workers.demo.catalog import demo_catalog
from workers.demo.world import WORLDS
from workers.forecasts.visibility import fields_behind, figures_key, sees_as_much
from workers.kinds import SeriesParams

CATALOG = demo_catalog(WORLDS[0])
REGION = FieldRef(dataset="countries", field="region")
NAME = FieldRef(dataset="customers", field="customer_name")


def person(*roles: Role, regions: tuple[str, ...] = ()) -> Principal:
    return Principal(TenantId("acme"), UserId("usr_1"), frozenset(roles), {"regions": regions} if regions else {})


def key(who: Principal, **more: Any) -> str:
    return figures_key(who, CATALOG, SeriesParams(metric="revenue", **more))


class TestFiguresKey:
    def test_differs_with_the_rows_that_attributes_leave(self) -> None:
        emea, apac = person(Role.MANAGER, regions=("EMEA",)), person(Role.MANAGER, regions=("APAC",))
        assert len({key(emea), key(apac), key(person(Role.MANAGER)), key(person(Role.EXECUTIVE))}) == 4
        assert key(emea) == key(person(Role.MANAGER, regions=("EMEA",)))
        assert key(person(Role.EXECUTIVE)) == "all"

    def test_differs_with_what_rules_do_to_the_fields_behind_and_only_those(self) -> None:
        hashed, plain = person(Role.VIEWER), person(Role.EXECUTIVE)
        assert key(hashed) == key(plain) == "all"
        assert key(hashed, segments=(REGION,)) == "all"
        assert key(hashed, segments=(NAME,)) not in {"all", key(plain, segments=(NAME,))}

    def test_fields_of_metrics_of_metrics_count(self) -> None:
        names = {m.name for m in CATALOG.metrics}
        assert "net_revenue" in names
        assert {dataset for dataset, _ in fields_behind(CATALOG, SeriesParams(metric="net_revenue").asked)} >= {"refunds"}


class TestSeesAsMuch:
    def test_needs_the_rows_and_the_fields(self) -> None:
        executive, viewer = person(Role.EXECUTIVE), person(Role.VIEWER)
        emea, apac = person(Role.MANAGER, regions=("EMEA",)), person(Role.MANAGER, regions=("APAC",))
        assert sees_as_much(executive, emea, CATALOG)
        assert not sees_as_much(emea, executive, CATALOG)
        assert not sees_as_much(apac, emea, CATALOG)
        assert sees_as_much(executive, viewer, CATALOG)
        assert not sees_as_much(viewer, executive, CATALOG)


class TestIncidents:
    def test_a_rule_over_fields_above_the_readers_clearance_is_not_theirs(self) -> None:
        catalog = CATALOG.model_copy(update={"column_rules": (), "clearances": (Clearance(role="viewer", up_to=DataClass.PUBLIC),)})
        datasets = tuple(
            d.model_copy(
                update={
                    "fields": tuple(
                        f.model_copy(update={"data_class": DataClass.CONFIDENTIAL if f.name == "customer_name" else DataClass.PUBLIC})
                        for f in d.fields
                    )
                }
            )
            for d in catalog.datasets
        )
        catalog = catalog.model_copy(update={"datasets": datasets})
        definition = {"kind": "threshold", "metric": "revenue", "grain": "day", "upper": 1.0}
        open_, closed, unreadable = (
            AlertRule(**dict.fromkeys(AlertRule.__dataclass_fields__) | {"metric": "revenue", "created_by": "usr_9", "definition": d})
            for d in (definition, {**definition, "segments": [NAME.model_dump(mode="json")]}, {"kind": "of another time"})
        )
        viewer = person(Role.VIEWER)
        assert may_see(viewer, "revenue", open_, catalog)
        assert not may_see(viewer, "revenue", closed, catalog)
        assert not may_see(viewer, "revenue", unreadable, catalog)  # nobody knows what it looks at
        assert may_see(person(Role.EXECUTIVE), "revenue", closed, catalog)

    def test_a_column_rule_closes_only_rules_that_look_at_its_field(self) -> None:
        catalog = CATALOG.model_copy(update={"column_rules": (ColumnRule(dataset="customers", field="customer_name", roles=("executive",), action="hide"),)})  # fmt: skip
        executive = person(Role.EXECUTIVE)
        assert may_see(executive, "revenue", rule_on(), catalog)
        assert not may_see(executive, "revenue", rule_on([NAME.model_dump(mode="json")]), catalog)
        assert not may_see(executive, "revenue", None, catalog)  # the rule is gone: nobody knows what it looked at
        assert may_see(person(Role.ANALYST), "revenue", None, catalog)


def rule_on(segments: Sequence[Mapping[str, Any]] = ()) -> AlertRule:
    definition = {"kind": "threshold", "metric": "revenue", "grain": "day", "upper": 1.0, "segments": list(segments)}
    values: dict[str, Any] = dict.fromkeys(AlertRule.__dataclass_fields__)
    return AlertRule(**values | {"metric": "revenue", "created_by": "usr_9", "definition": definition})
