from __future__ import annotations

import pytest

from core.errors import Forbidden, Invalid, QueryRejected
from core.ids import TenantId, UserId
from core.principal import Principal, Role
from semantic.catalog.model import Catalog, CatalogField, ColumnRule, Dataset, FieldRole, FieldType, RowPolicy
from semantic.expr import Arithmetic, FieldRef, Literal_
from semantic.policies import Access, Membership, TableAccess, access_of, is_plain_name
from semantic.trust import Trust

ACME = TenantId("acme")
MANAGER = Principal(ACME, UserId("u"), frozenset({Role.MANAGER}), {"regions": ("EU",)})
ANALYST = Principal(ACME, UserId("u"), frozenset({Role.ANALYST}))


def field(name: str, type_: FieldType = FieldType.STRING, **more: object) -> CatalogField:
    return CatalogField.model_validate({"name": name, "column": name, "type": type_, "role": FieldRole.ATTRIBUTE, "label": name, **more})


def dataset(name: str = "orders", **more: object) -> Dataset:
    values = {
        "name": name,
        "database": "shop",
        "table": "orders",
        "label": name,
        "tenant_column": "tenant_id",
        "fields": (field("region"), field("cost", FieldType.FLOAT), field("note", hidden=True)),
        **more,
    }
    return Dataset.model_validate(values)


def access(*datasets: Dataset, principal: Principal = ANALYST, trust: Trust | None = None, **more: object) -> TableAccess:
    found = Access(Catalog.model_validate({"datasets": datasets, **more}), principal, trust or Trust()).table(
        datasets[0].database, datasets[0].table
    )
    assert found is not None
    return found


class TestWhoseTableItIs:
    @pytest.mark.parametrize(
        "more",
        [
            {"tenant_column": None},
            {"tenant_column": None, "database": "tenant_globex"},
            {"tenant_column": "tenant_id", "database": "tenant_globex"},
            {"tenant_column": "tenant_id", "database": "system", "table": "query_log"},
            {"tenant_column": "tenant_id", "database": "INFORMATION_SCHEMA"},
            {"tenant_column": "region"},
            {"tenant_column": "ten`ant"},
            {"table": 'orders" AS x'},
            {"table": "orders\\"},
        ],
    )
    def test_a_catalog_cannot_reach_beyond_its_tenant(self, more: dict[str, object]) -> None:
        with pytest.raises(QueryRejected):
            access(dataset(**more))

    def test_the_tenants_own_database_needs_no_column(self) -> None:
        assert access(dataset(tenant_column=None, database="tenant_acme")).tenant_column is None

    def test_the_operator_names_the_tenant_columns_and_shared_databases(self) -> None:
        own = Trust(tenant_columns=frozenset({"region"}), shared_databases=frozenset({"shop"}))
        assert access(dataset(tenant_column="region"), trust=own).tenant_column == "region"
        with pytest.raises(QueryRejected):
            access(dataset(tenant_column="region", database="other"), trust=own)

    def test_datasets_over_one_table_must_agree(self) -> None:
        own = Trust(tenant_columns=frozenset({"tenant_id", "region"}))
        with pytest.raises(QueryRejected):
            access(dataset(), dataset("again", tenant_column="region"), trust=own)


class TestColumns:
    def test_the_tenant_column_is_none_of_them_even_when_a_field_names_it(self) -> None:
        found = access(dataset(fields=(field("region"), field("tenant_id"))))
        assert list(found.by_column) == ["region"]

    @pytest.mark.parametrize(("action", "left"), [("hide", None), ("mask", "mask"), ("hash", "hash")])
    def test_rules_apply_to_their_roles(self, action: str, left: str | None) -> None:
        rules = (ColumnRule.model_validate({"dataset": "orders", "field": "region", "roles": ("manager",), "action": action}),)
        found = access(dataset(), principal=MANAGER, column_rules=rules).by_column.get("region")
        assert (found.treatment if found else None) == left
        assert access(dataset(), column_rules=rules).by_column["region"].treatment == "show"

    def test_the_strictest_rule_over_a_table_holds_for_all_its_datasets(self) -> None:
        rules = (
            ColumnRule(dataset="orders", field="region", roles=("manager",), action="hash"),
            ColumnRule(dataset="again", field="region", roles=("manager",), action="hide"),
        )
        assert "region" not in access(dataset(), dataset("again"), principal=MANAGER, column_rules=rules).by_column

    def test_a_rule_on_an_expression_protects_what_it_reads(self) -> None:
        ref = FieldRef(dataset="orders", field="cost")
        doubled = field("double", FieldType.FLOAT, column=None, expression=Arithmetic(op="*", left=ref, right=Literal_(value=2)))
        rules = (ColumnRule(dataset="orders", field="double", roles=("manager",), action="hide"),)
        found = access(dataset(fields=(field("region"), field("cost", FieldType.FLOAT), doubled)), principal=MANAGER, column_rules=rules)
        assert "cost" not in found.by_column

    def test_nothing_left_is_forbidden(self) -> None:
        rules = tuple(ColumnRule(dataset="orders", field=n, roles=("manager",), action="hide") for n in ("region", "cost", "note"))
        with pytest.raises(Forbidden):
            access(dataset(), principal=MANAGER, column_rules=rules)

    def test_a_rule_that_names_no_field_stops_the_query(self) -> None:
        rules = (ColumnRule(dataset="orders", field="gone", roles=("manager",), action="hide"),)
        with pytest.raises(Invalid):
            access(dataset(), principal=MANAGER, column_rules=rules)


class TestRows:
    POLICY = RowPolicy(name="p", dataset="orders", roles=("manager",), field="region", attribute="regions")

    def test_the_callers_attribute_gives_the_values(self) -> None:
        rule = access(dataset(), principal=MANAGER, row_policies=(self.POLICY,)).rules[0]
        assert isinstance(rule, Membership)
        assert rule.values == ("EU",)

    def test_other_roles_are_not_narrowed(self) -> None:
        assert access(dataset(), row_policies=(self.POLICY,)).rules == ()

    def test_a_policy_on_one_dataset_holds_for_its_table(self) -> None:
        assert len(access(dataset("again"), dataset(), principal=MANAGER, row_policies=(self.POLICY,)).rules) == 1

    @pytest.mark.parametrize("change", [{"field": "gone"}, {"attribute": None}, {"field": None}])
    def test_a_broken_policy_stops_the_query(self, change: dict[str, str | None]) -> None:
        broken = self.POLICY.model_copy(update=change)
        with pytest.raises(Invalid):
            access(dataset(), principal=MANAGER, row_policies=(broken,))


class TestIsPlainName:
    @pytest.mark.parametrize("name", ["orders", "größe", "two words", "a.b"])
    def test_ordinary_names(self, name: str) -> None:
        assert is_plain_name(name)

    @pytest.mark.parametrize("name", ["", "a'b", 'a"b', "a`b", "a\\b", "a\nb", "a\x00", "“a”", "x" * 129])
    def test_names_that_print_and_read_differently(self, name: str) -> None:
        assert not is_plain_name(name)


class TestAccessIsKept:
    catalog = Catalog.model_validate(
        {
            "datasets": [dataset()],
            "row_policies": [{"name": "own", "dataset": "orders", "field": "region", "attribute": "regions", "roles": ["manager"]}],
        }
    )

    def test_for_callers_whom_the_rules_treat_alike(self) -> None:
        other = Principal(ACME, UserId("someone_else"), MANAGER.roles, {"regions": ("EU",)})
        assert access_of(self.catalog, MANAGER) is access_of(self.catalog, other)

    @pytest.mark.parametrize(
        "other",
        [
            Principal(ACME, UserId("u"), MANAGER.roles, {"regions": ("US",)}),
            Principal(ACME, UserId("u"), MANAGER.roles, {"regions": ("EU", "US")}),
            Principal(ACME, UserId("u"), MANAGER.roles),
            Principal(ACME, UserId("u"), frozenset({Role.ANALYST}), {"regions": ("EU",)}),
            Principal(TenantId("globex"), UserId("u"), MANAGER.roles, {"regions": ("EU",)}),
        ],
    )
    def test_not_for_others(self, other: Principal) -> None:
        first, second = access_of(self.catalog, MANAGER), access_of(self.catalog, other)
        assert first is not second
        assert (second.tenant, second.table("shop", "orders")) == (other.tenant, Access(self.catalog, other).table("shop", "orders"))

    def test_not_for_another_trust_or_a_changed_catalog(self) -> None:
        first = access_of(self.catalog, MANAGER)
        assert access_of(self.catalog, MANAGER, Trust(pseudonym_key="k")) is not first
        changed = self.catalog.model_copy(update={"row_policies": ()})
        found = access_of(changed, MANAGER).table("shop", "orders")
        assert found is not None
        assert not found.rules
