"""YAML in and out, validation, diff, and what a caller sees."""

from __future__ import annotations

import pytest

from core.errors import Invalid
from core.ids import TenantId, UserId
from core.principal import Principal, Role
from semantic.catalog.diff import diff
from semantic.catalog.model import (
    Catalog,
    CatalogField,
    ColumnRule,
    Dataset,
    DerivedMetric,
    FieldRole,
    FieldType,
    RatioMetric,
    Relationship,
    RowPolicy,
    SimpleMetric,
)
from semantic.catalog.validate import validate
from semantic.catalog.visible import visible_to
from semantic.catalog.yaml import dump_yaml, load_yaml, read_catalog
from semantic.expr import Comparison, FieldRef, IsNull, Literal_
from semantic.query import AggregateKind


def field(name: str, type_: FieldType = FieldType.STRING, role: FieldRole = FieldRole.CATEGORY, **more: object) -> CatalogField:
    return CatalogField.model_validate({"name": name, "column": name, "type": type_, "role": role, "label": name, **more})


AMOUNT = FieldRef(dataset="sales", field="amount")
SALES = Dataset(
    name="sales", database="shop", table="sales", label="sales", primary_key=("id",), tenant_column="tenant_id",
    fields=(
        field("id", FieldType.INTEGER, FieldRole.KEY), field("region", values=("EMEA", "APAC")), field("email", pii=True, values=("a@b.c",)),
        field("amount", FieldType.DECIMAL, FieldRole.MEASURE), field("cost", FieldType.DECIMAL, FieldRole.MEASURE), field("shop_id", FieldType.INTEGER, FieldRole.KEY),
    ),
)  # fmt: skip
SHOPS = Dataset(
    name="shops", database="shop", table="shops", label="shops", primary_key=("shop_id",), tenant_column="tenant_id",
    fields=(field("shop_id", FieldType.INTEGER, FieldRole.KEY), field("city", values=("Paris",))),
)  # fmt: skip
CATALOG = Catalog(
    datasets=(SALES, SHOPS),
    relationships=(
        Relationship(name="sales_shop", from_dataset="sales", from_fields=("shop_id",), to_dataset="shops", to_fields=("shop_id",)),
    ),
    metrics=(
        SimpleMetric(name="revenue", label="revenue", dataset="sales", aggregate=AggregateKind.SUM, of=AMOUNT),
        SimpleMetric(name="cost", label="cost", dataset="sales", aggregate=AggregateKind.SUM, of=FieldRef(dataset="sales", field="cost")),
        DerivedMetric(name="profit", label="profit", expression="revenue - cost"),
        RatioMetric(name="margin", label="margin", numerator="profit", denominator="revenue"),
    ),
    row_policies=(RowPolicy(name="own_region", dataset="sales", roles=("manager",), field="region", attribute="regions"),),
    column_rules=(ColumnRule(dataset="sales", field="cost", roles=("viewer",), action="hide"),),
)


def caller(*roles: Role) -> Principal:
    return Principal(TenantId("acme"), UserId("u"), frozenset(roles))


class TestYaml:
    def test_what_is_written_reads_back_equal(self) -> None:
        assert load_yaml(dump_yaml(CATALOG)) == CATALOG

    def test_null_literals_survive(self) -> None:
        where = Comparison(op="=", left=AMOUNT, right=Literal_(value=None))
        catalog = CATALOG.model_copy(update={"metrics": (CATALOG.metrics[0].model_copy(update={"where": where}),)})
        assert load_yaml(dump_yaml(catalog)) == catalog

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("metrcs: []", "did you mean 'metrics'"),
            ("name: a\nname: b", "written twice"),
            ("a: &x 1\nb: *x", "aliases"),
            ("- 1", "found a list"),
            ("", "found nothing"),
            ("{", "not valid YAML at line 1"),
            ("datasets: 3", "catalog.yaml:/datasets"),
            ("name: 9999-99-99", "date or number"),
            (f"name: {'9' * 6000}", "date or number"),
            ("name: x\nsynonyms: [" + "a," * 400_001 + "]", "at most 400,000 values"),
            ("a: " + "[" * 80 + "]" * 80, "nested deeper"),
            ("x: !!python/object/apply:os.system ['true']", "not valid YAML"),
        ],
    )
    def test_bad_text_is_refused_with_place_and_remedy(self, text: str, said: str) -> None:
        with pytest.raises(Invalid) as caught:
            load_yaml(text)
        assert said in str(caught.value)

    def test_errors_name_the_object(self) -> None:
        text = dump_yaml(CATALOG).replace("numerator: profit", "numeratr: profit")
        with pytest.raises(Invalid, match=r"/metrics/3/numerator \(margin\): the key 'numerator' is missing"):
            load_yaml(text)

    def test_a_missing_file_is_an_error_of_the_user(self, tmp_path: object) -> None:
        from pathlib import Path

        with pytest.raises(Invalid, match="There is no file"):
            read_catalog(Path(str(tmp_path)) / "none.yaml")


class TestValidate:
    def test_a_sound_catalog_has_no_findings(self) -> None:
        assert validate(CATALOG) == ()

    def test_unknown_names_get_a_suggestion(self) -> None:
        broken = CATALOG.model_copy(
            update={"metrics": (*CATALOG.metrics, RatioMetric(name="r", label="r", numerator="revenu", denominator="cost"))}
        )
        (issue,) = validate(broken)
        assert issue.path == "/metrics/r"
        assert "revenue" in issue.remedy

    def test_circles_are_found(self) -> None:
        broken = CATALOG.model_copy(
            update={
                "metrics": (DerivedMetric(name="a", label="a", expression="b + 1"), DerivedMetric(name="b", label="b", expression="a * 2"))
            }
        )
        assert {issue.path for issue in validate(broken)} == {"/metrics/a", "/metrics/b"}

    def test_sql_in_a_derived_metric_is_refused(self) -> None:
        broken = CATALOG.model_copy(
            update={"metrics": (*CATALOG.metrics, DerivedMetric(name="x", label="x", expression="revenue; DROP TABLE t"))}
        )
        assert any("not arithmetic" in issue.message for issue in validate(broken))

    def test_a_rule_on_nothing_is_an_error(self) -> None:
        broken = CATALOG.model_copy(update={"column_rules": (ColumnRule(dataset="sales", field="nope", roles=("viewer",), action="hide"),)})
        assert [issue.severity for issue in validate(broken)] == ["error"]


class TestVisible:
    def test_a_hidden_column_takes_everything_made_of_it_along(self) -> None:
        seen = visible_to(CATALOG, caller(Role.VIEWER))
        assert not seen.dataset("sales").has_field("cost")
        assert [m.name for m in seen.metrics] == ["revenue"]

    def test_roles_that_are_not_named_see_all(self) -> None:
        seen = visible_to(CATALOG, caller(Role.ANALYST))
        assert len(seen.metrics) == 4
        assert seen.dataset("sales").field("region").values == ("EMEA", "APAC")

    def test_values_of_narrowed_and_personal_fields_are_not_told(self) -> None:
        seen = visible_to(CATALOG, caller(Role.MANAGER))
        assert seen.dataset("sales").field("region").values == ()
        assert seen.dataset("sales").field("email").values == ()
        assert seen.dataset("shops").field("city").values == ("Paris",)

    def test_a_caller_without_roles_is_narrowed_by_every_rule(self) -> None:
        seen = visible_to(CATALOG, caller())
        assert not seen.dataset("sales").has_field("cost")
        assert seen.dataset("sales").field("region").values == ()

    def test_rules_themselves_are_not_shown(self) -> None:
        seen = visible_to(CATALOG, caller(Role.ANALYST))
        assert seen.row_policies == ()
        assert seen.column_rules == ()

    def test_relationships_over_hidden_keys_vanish(self) -> None:
        rule = ColumnRule(dataset="sales", field="shop_id", roles=("viewer",), action="hide")
        seen = visible_to(CATALOG.model_copy(update={"column_rules": (rule,)}), caller(Role.VIEWER))
        assert seen.relationships == ()


class TestDiff:
    def test_equal_catalogs_have_no_changes(self) -> None:
        assert diff(CATALOG, CATALOG.model_copy(update={"version": 9})) == ()

    def test_says_what_was_added_removed_and_changed(self) -> None:
        metrics = (CATALOG.metrics[0].model_copy(update={"label": "turnover"}), *CATALOG.metrics[2:])
        said = [str(change) for change in diff(CATALOG, CATALOG.model_copy(update={"metrics": metrics}))]
        assert said == ["removed metrics/cost", "changed metrics/revenue/label: revenue -> turnover"]

    def test_fields_are_compared_by_name(self) -> None:
        nullable = CATALOG.datasets[0].fields[0].model_copy(update={"nullable": True})
        sales = SALES.model_copy(update={"fields": (nullable, *SALES.fields[1:])})
        said = [str(change) for change in diff(CATALOG, CATALOG.model_copy(update={"datasets": (sales, SHOPS)}))]
        assert said == ["changed datasets/sales/fields/id/nullable: False -> True"]

    def test_a_condition_that_became_another(self) -> None:
        narrowed = SALES.model_copy(update={"filter": IsNull(field=AMOUNT)})
        said = [str(change) for change in diff(CATALOG, CATALOG.model_copy(update={"datasets": (narrowed, SHOPS)}))]
        assert len(said) == 1
        assert said[0].startswith("changed datasets/sales/filter: nothing ->")
