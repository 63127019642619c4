"""What lies above a role's clearance is hidden or a pseudonym: in the catalog as seen, in the guarded text, and for the verifier."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

from core.errors import AppError, QueryRejected
from core.ids import TenantId, UserId
from core.principal import Principal, Role
from semantic.catalog.infer.personal_values import kind_of_values
from semantic.catalog.model import Catalog, CatalogField, Clearance, DataClass, Dataset, FieldRole, FieldType, Relationship
from semantic.catalog.validate import validate
from semantic.catalog.visible import visible_to
from semantic.clearances import clearance
from semantic.closed_conditions import refuse_closed_conditions
from semantic.expr import Comparison, FieldRef, In, IsNull, Like, Literal_, Not, Text
from semantic.guard.scope import PSEUDONYM_KEY
from semantic.pipeline import guard_sql
from semantic.policies import access_of
from semantic.query import Aggregate, AggregateKind, SemanticQuery
from semantic.trust import Trust

TRUST = Trust(pseudonym_key="of the installation")


def field(name: str, kind: DataClass, type: FieldType = FieldType.STRING, **more: Any) -> CatalogField:
    return CatalogField(name=name, type=type, role=FieldRole.ATTRIBUTE, label=name, data_class=kind, **more)


CATALOG = Catalog(
    datasets=(
        Dataset(
            name="people", database="shop", table="people", label="people", tenant_column="tenant_id",
            fields=(
                field("id", DataClass.INTERNAL, FieldType.INTEGER), field("email", DataClass.CONFIDENTIAL),
                field("salary", DataClass.CONFIDENTIAL, FieldType.INTEGER), field("badge", DataClass.CONFIDENTIAL),
                field("card", DataClass.RESTRICTED), field("city", DataClass.PUBLIC),
            ),
        ),
        Dataset(
            name="visits", database="shop", table="visits", label="visits", tenant_column="tenant_id",
            fields=(field("badge", DataClass.INTERNAL), field("door", DataClass.INTERNAL)),
        ),
    ),
    relationships=(Relationship(name="r", from_dataset="visits", from_fields=("badge",), to_dataset="people", to_fields=("badge",)),),
)  # fmt: skip


EMAIL = FieldRef(dataset="people", field="email")


def who(*roles: Role, custom: str = "", tenant: str = "acme") -> Principal:
    return Principal(TenantId(tenant), UserId("u"), frozenset(roles), custom=frozenset({custom} - {""}))


def seen(caller: Principal, catalog: Catalog = CATALOG) -> dict[str, str]:
    table = access_of(catalog, caller, TRUST).table("shop", "people")
    assert table is not None
    return {c.column: c.treatment for c in table.columns}


class TestClearance:
    def test_the_highest_of_ones_roles_counts(self) -> None:
        assert clearance(CATALOG, who()) is DataClass.INTERNAL
        assert clearance(CATALOG, who(Role.VIEWER)) is DataClass.INTERNAL
        assert clearance(CATALOG, who(Role.VIEWER, Role.MANAGER)) is DataClass.CONFIDENTIAL
        assert clearance(CATALOG, who(Role.ADMIN)) is DataClass.CONFIDENTIAL

    def test_the_catalog_says_otherwise_also_for_own_roles(self) -> None:
        named = (Clearance(role="payroll", up_to=DataClass.RESTRICTED), Clearance(role="manager", up_to=DataClass.PUBLIC))
        catalog = CATALOG.model_copy(update={"clearances": named})
        assert clearance(catalog, who(Role.VIEWER, custom="payroll")) is DataClass.RESTRICTED
        assert clearance(catalog, who(Role.MANAGER)) is DataClass.PUBLIC
        assert seen(who(custom="payroll"), catalog)["card"] == "show"
        twice = catalog.model_copy(update={"clearances": (*named, named[0])})
        assert any("clearance already" in issue.message for issue in validate(twice))


class TestWhatIsSeen:
    def test_restricted_is_for_roles_that_are_named(self) -> None:
        for role in Role:
            assert "card" not in seen(who(role))

    def test_confidential_text_is_a_pseudonym_and_numbers_and_join_keys_are_hidden(self) -> None:
        assert seen(who(Role.VIEWER)) == {"id": "show", "email": "hash", "city": "show"}
        assert seen(who(Role.ANALYST)) == dict.fromkeys(("id", "email", "salary", "badge", "city"), "show")

    def test_the_visible_catalog_agrees(self) -> None:
        for caller in (who(Role.VIEWER), who(Role.ANALYST)):
            shown = visible_to(CATALOG, caller)
            assert {f.name for f in shown.dataset("people").fields} == set(seen(caller))
            assert shown.clearances == ()
        assert visible_to(CATALOG, who(Role.VIEWER)).relationships == ()

    def test_the_guarded_text_holds_no_plain_column(self) -> None:
        guarded = guard_sql("SELECT email, count() FROM shop.people GROUP BY email", CATALOG, who(Role.VIEWER), trust=TRUST)
        assert "SHA256" in guarded.sql
        with pytest.raises(AppError):
            guard_sql("SELECT card FROM shop.people LIMIT 5", CATALOG, who(Role.ANALYST), trust=TRUST)

    @pytest.mark.parametrize(
        ("condition", "finds_nothing"),
        [
            (Comparison(op="=", left=EMAIL, right=Literal_(value="ann@x.example")), True),
            (Comparison(op="=", left=Text(function="lower", of=EMAIL), right=Literal_(value="00ff" * 4)), True),
            (Not(item=Like(field=EMAIL, match="contains", value="ann")), True),
            (In(field=EMAIL, values=("00ff" * 4, "ann@x.example")), True),
            (In(field=EMAIL, values=("00ff" * 4, "11ee" * 4)), False),
            (IsNull(field=EMAIL), False),
            (Comparison(op="=", left=FieldRef(dataset="people", field="city"), right=Literal_(value="Rome")), False),
        ],
    )
    def test_a_condition_on_the_value_behind_a_pseudonym_is_refused_and_not_empty(self, condition: Any, finds_nothing: bool) -> None:
        query = SemanticQuery(metrics=(Aggregate(aggregate=AggregateKind.COUNT, dataset="people"),), where=condition)
        refuse_closed_conditions(query, CATALOG, who(Role.ANALYST))
        with pytest.raises(QueryRejected, match="pseudonym") if finds_nothing else nullcontext():
            refuse_closed_conditions(query, CATALOG, who(Role.VIEWER))

    def test_pseudonyms_of_two_tenants_differ_and_ones_own_are_stable(self) -> None:
        def key(tenant: str) -> Any:
            sql = "SELECT email FROM shop.people LIMIT 5"
            return guard_sql(sql, CATALOG, who(Role.VIEWER, tenant=tenant), trust=TRUST).params[PSEUDONYM_KEY].value

        assert key("acme") == key("acme") != key("globex")
        assert "of the installation" not in key("acme")


class TestKindOfValues:
    @pytest.mark.parametrize(
        ("values", "kind"),
        [
            (["+49 30 123456", "(040) 998877", "555-123-4567"], "phone"),
            (["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "FR1420041010050500013M02606"], "iban"),
            (["DE88 3704 0044 0532 0130 00", "GB81WEST12345698765432", "FR1520041010050500013M02606"], None),
            (["4111111111111111", "5500 0000 0000 0004", "340000000000009"], "card"),
            (["4111111111111112", "5500 0000 0000 0005", "340000000000008"], None),
            (["10.0.0.1", "2001:db8::1", "192.168.2.1"], "ip"),
            (["12345678Z", "00000000T", "11111111H"], "national_id"),
            (["123-45-6789", "078-05-1120", "219-09-9999"], "national_id"),
            (["a@b.example", "c@d.example", "e@f.example"], "email"),
            (["2024-01-05", "2024-02-06", "2024-03-07"], None),
            (["10-2345-678", "11-2345-999", "12-2222-111"], None),
            (["a@b.example", "c@d.example"], None),
        ],
    )
    def test_by_form_and_check_digit(self, values: list[str], kind: str | None) -> None:
        assert kind_of_values(values) == kind
