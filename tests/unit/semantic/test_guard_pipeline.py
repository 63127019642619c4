"""SQL in, SQL out: what the guard makes of a query."""

from __future__ import annotations

import pytest
import sqlglot

from core.errors import InternalError, QueryRejected
from core.ids import TenantId, UserId
from core.principal import Principal, Role
from semantic.catalog.model import Catalog, CatalogField, ColumnRule, Dataset, FieldRole, FieldType, Relationship, RowPolicy
from semantic.expr import And, Arithmetic, Between, Comparison, FieldRef, In, IsNull, Like, Literal_, Not, Or, Predicate
from semantic.limits import Limits
from semantic.pipeline import guard_compiled, guard_sql
from semantic.states import CompiledQuery, GuardedQuery, OutputColumn, Param
from semantic.trust import Trust

ANALYST = Principal(TenantId("acme"), UserId("u"), frozenset({Role.ANALYST}))
MANAGER = Principal(TenantId("acme"), UserId("u"), frozenset({Role.MANAGER}), {"teams": ("1", "-2", "x", "3.5")})
LIMITS = Limits(result_rows=10)


def field(name: str, type_: FieldType = FieldType.STRING, hidden: bool = False) -> CatalogField:
    return CatalogField(name=name, column=name, type=type_, role=FieldRole.ATTRIBUTE, label=name, hidden=hidden)


def orders(name: str = "orders", where: Predicate | None = None) -> Dataset:
    fields = (field("region"), field("revenue", FieldType.FLOAT), field("team", FieldType.INTEGER), field("key", hidden=True))
    return Dataset(name=name, database="shop", table="orders", label=name, tenant_column="tenant_id", filter=where, fields=fields)


def ref(name: str) -> FieldRef:
    return FieldRef(dataset="orders", field=name)


CATALOG = Catalog(datasets=(orders(),))


def narrowed(columns: str, alias: str = '"orders"', more: str = "") -> str:
    shown = ", ".join(f'_scope."{c}" AS "{c}"' for c in columns.split())
    return f'(SELECT {shown} FROM "shop"."orders" AS _scope WHERE _scope."tenant_id" = {{tenant: String}}{more}) AS {alias}'


def sql(text: str, catalog: Catalog = CATALOG, principal: Principal = ANALYST, **more: object) -> GuardedQuery:
    return guard_sql(text, catalog, principal, limits=LIMITS, **more)  # type: ignore[arg-type]


class TestNarrowing:
    @pytest.mark.parametrize(
        ("given", "made"),
        [
            ("SELECT sum(revenue) FROM shop.orders", f"SELECT sum(revenue) FROM {narrowed('revenue')} LIMIT 11"),
            ("SELECT count() FROM shop.orders AS o", f"SELECT count() FROM {narrowed('region', 'o')} LIMIT 11"),
            ("SELECT count(*) FROM shop.orders", f"SELECT count(*) FROM {narrowed('region')} LIMIT 11"),
            ("SELECT * FROM shop.orders LIMIT 3", f"SELECT * FROM {narrowed('region revenue team')} LIMIT 3"),
            ("SELECT region FROM shop.orders LIMIT 500", f"SELECT region FROM {narrowed('region')} LIMIT 11"),
            (
                "WITH orders AS (SELECT revenue FROM shop.orders) SELECT sum(revenue) FROM orders",
                f"WITH orders AS (SELECT revenue FROM {narrowed('revenue')}) SELECT sum(revenue) FROM orders LIMIT 11",
            ),
            (
                "SELECT sum(shop.orders.revenue) FROM shop.orders",
                f"SELECT sum(orders.revenue) FROM {narrowed('revenue')} LIMIT 11",
            ),
            (
                "SELECT count() FROM shop.orders UNION ALL SELECT sum(team) FROM shop.orders",
                f"SELECT * FROM (SELECT count() FROM {narrowed('team')} UNION ALL SELECT sum(team) FROM {narrowed('team')}) AS _all LIMIT 11",
            ),
        ],
    )
    def test_pairs(self, given: str, made: str) -> None:
        assert sql(given).sql == made

    def test_the_text_is_printed_anew(self) -> None:
        assert (
            sql("select  sum( revenue )\nfrom shop . orders -- comment").sql == f"SELECT sum(revenue) FROM {narrowed('revenue')} LIMIT 11"
        )

    def test_hidden_fields_are_for_compiled_queries_only(self) -> None:
        tree = sqlglot.parse_one("SELECT key FROM shop.orders AS o", dialect="clickhouse")
        assert '"key"' in guard_compiled(CompiledQuery(tree, {}, ()), CATALOG, ANALYST, limits=LIMITS).sql
        with pytest.raises(QueryRejected):
            sql("SELECT key FROM shop.orders LIMIT 1")


class TestGuardCompiled:
    TREE = sqlglot.parse_one("SELECT sum(revenue) AS r FROM shop.orders AS o WHERE o.region = {p0:String}", dialect="clickhouse")

    def test_meaning_is_carried_and_the_tree_is_left_alone(self) -> None:
        before = self.TREE.sql("clickhouse")
        column = OutputColumn("r", "Revenue", "measure")
        query = guard_compiled(CompiledQuery(self.TREE, {"p0": Param("String", "x' OR 1=1 --")}, (column,), notes=("n",)), CATALOG, ANALYST)
        assert self.TREE.sql("clickhouse") == before
        assert (query.columns, query.notes, query.tenant) == ((column,), ("n",), "acme")
        assert "OR 1=1" not in query.sql

    @pytest.mark.parametrize("name", ["tenant", "policy_0", "filter_0_0", "pseudonym_key"])
    def test_names_of_ours_cannot_be_bound_from_outside(self, name: str) -> None:
        with pytest.raises(InternalError):
            guard_compiled(CompiledQuery(self.TREE, {name: Param("String", "globex")}, ()), CATALOG, ANALYST)

    def test_an_unbound_or_mistyped_parameter_is_refused(self) -> None:
        for params in ({}, {"p0": Param("Int64", 1)}):
            with pytest.raises(QueryRejected):
                guard_compiled(CompiledQuery(self.TREE, params, ()), CATALOG, ANALYST)

    def test_a_table_that_the_catalog_does_not_have_is_refused(self) -> None:
        tree = sqlglot.parse_one("SELECT 1 FROM system.users AS u", dialect="clickhouse")
        with pytest.raises(QueryRejected):
            guard_compiled(CompiledQuery(tree, {}, ()), CATALOG, ANALYST)


class TestParametersOfAnalysts:
    def test_are_bound(self) -> None:
        query = sql("SELECT count() FROM shop.orders WHERE region = {r:String}", params={"r": Param("String", "O'Brien")})
        assert query.params["r"].value == "O'Brien"

    def test_cannot_take_our_names(self) -> None:
        with pytest.raises(QueryRejected):
            sql("SELECT count() FROM shop.orders WHERE region = {tenant:String}", params={"tenant": Param("String", "globex")})

    def test_default_database_is_used_where_given(self) -> None:
        assert sql("SELECT sum(revenue) FROM orders", default_database="shop").sql == sql("SELECT sum(revenue) FROM shop.orders").sql
        with pytest.raises(QueryRejected) as caught:
            sql("SELECT sum(revenue) FROM orders")
        assert caught.value.suggestions[0] == "shop.orders"


class TestDatasetFilters:
    WEB = Comparison(op="=", left=FieldRef(dataset="web", field="region"), right=Literal_(value="web"))

    def compiled(self, catalog: Catalog, *datasets: str) -> str:
        tree = sqlglot.parse_one("SELECT count() FROM shop.orders AS o", dialect="clickhouse")
        return guard_compiled(CompiledQuery(tree, {}, (), datasets=datasets), catalog, ANALYST).sql

    def test_the_dataset_that_is_meant_decides(self) -> None:
        catalog = Catalog(datasets=(orders(), orders("web", self.WEB)))
        assert "filter_1_0" in self.compiled(catalog, "web")
        assert "filter_1_0" not in self.compiled(catalog, "orders")
        assert "filter_1_0" not in sql("SELECT count() FROM shop.orders", catalog).sql

    def test_the_only_dataset_of_a_table_always_filters(self) -> None:
        assert "filter_0_0" in sql("SELECT count() FROM shop.orders", Catalog(datasets=(orders("web", self.WEB),))).sql

    def test_two_filters_on_one_table_are_ambiguous(self) -> None:
        catalog = Catalog(
            datasets=(
                orders("web", self.WEB),
                orders("shopfront", self.WEB.model_copy(update={"left": FieldRef(dataset="shopfront", field="region")})),
            )
        )
        with pytest.raises(QueryRejected):
            sql("SELECT count() FROM shop.orders", catalog)


class TestRowPolicies:
    def policy(self, where: Predicate) -> Catalog:
        return Catalog(datasets=(orders(),), row_policies=(RowPolicy(name="p", dataset="orders", roles=("manager",), where=where),))

    def test_whole_number_attributes_become_numbers_and_others_match_nothing(self) -> None:
        policy = RowPolicy(name="p", dataset="orders", roles=("manager",), field="team", attribute="teams")
        query = sql("SELECT count() FROM shop.orders", Catalog(datasets=(orders(),), row_policies=(policy,)), MANAGER)
        assert query.params["policy_0"] == Param("Array(Int64)", (1, -2))

    @pytest.mark.parametrize(
        "where",
        [
            Comparison(op="!=", left=ref("region"), right=Literal_(value="x"), ignore_case=True),
            In(field=ref("region"), values=("a", "b'"), negate=True),
            In(field=ref("region"), values=("a",), ignore_case=True),
            Between(field=ref("revenue"), low=Literal_(value=1.5), high=Literal_(value=9), high_inclusive=False),
            IsNull(field=ref("region")),
            IsNull(field=ref("team"), negate=True),
            Like(field=ref("region"), match="contains", value="%_"),
            Like(field=ref("region"), match="starts_with", value="a", ignore_case=False),
            Not(item=Or(items=(Comparison(op="=", left=ref("team"), right=Literal_(value=1)), IsNull(field=ref("team"))))),
            And(
                items=(
                    Comparison(op="=", left=ref("team"), right=Literal_(value=1)),
                    And(items=(IsNull(field=ref("team")), IsNull(field=ref("region")))),
                )
            ),
            Or(items=(IsNull(field=ref("team")),)),
        ],
        ids=lambda p: p.kind,
    )
    def test_every_supported_condition_is_verified(self, where: Predicate) -> None:
        assert "policy_0" in sql("SELECT count() FROM shop.orders", self.policy(where), MANAGER).sql or isinstance(where, IsNull | Or)

    def test_a_condition_that_cannot_be_kept_stops_the_query(self) -> None:
        odd = Comparison(op="=", left=Arithmetic(op="+", left=ref("team"), right=ref("team")), right=Literal_(value=1))
        with pytest.raises(Exception, match="row condition"):
            sql("SELECT count() FROM shop.orders", self.policy(odd), MANAGER)


class TestJoinKeys:
    """A hidden field that relationships join by is a column that analysts must be able to write."""

    CATALOG = Catalog(
        datasets=(
            orders(),
            Dataset(
                name="teams", database="shop", table="teams", label="teams", tenant_column="tenant_id", fields=(field("key", hidden=True), field("name"))
            ),
        ),
        relationships=(Relationship(name="team", from_dataset="orders", from_fields=("key",), to_dataset="teams", to_fields=("key",)),),
    )  # fmt: skip
    JOIN = "SELECT t.name, sum(o.revenue) FROM shop.orders AS o JOIN shop.teams AS t ON o.key = t.key GROUP BY t.name"

    def test_it_can_be_joined_by(self) -> None:
        made = sql(self.JOIN, self.CATALOG).sql
        assert narrowed("revenue key", "o") in made
        assert made.count('_scope."tenant_id" = {tenant: String}') == 2

    def test_without_a_relationship_it_stays_hidden(self) -> None:
        with pytest.raises(QueryRejected) as caught:
            sql(self.JOIN, self.CATALOG.model_copy(update={"relationships": ()}))
        assert caught.value.code == "unknown_column"

    @pytest.mark.parametrize("text", [JOIN.replace("t.name", "o.name"), JOIN.replace("o.revenue", "t.revenue")])
    def test_a_column_of_the_other_table_is_named(self, text: str) -> None:
        with pytest.raises(QueryRejected, match=r"No column '(name|revenue)' in '(o|t)'"):
            sql(text, self.CATALOG)

    def test_an_alias_that_means_two_things_is_left_to_the_engine(self) -> None:
        twice = "SELECT sum(x.revenue) FROM shop.orders AS x WHERE x.team IN (SELECT x.key FROM shop.teams AS x)"
        assert sql(twice, self.CATALOG).sql


class TestColumnRules:
    def query(self, action: str, column: str, key: str = "secret") -> str:
        rule = ColumnRule.model_validate({"dataset": "orders", "field": column, "roles": ("manager",), "action": action})
        catalog = Catalog(datasets=(orders(),), column_rules=(rule,))
        return guard_sql(f"SELECT max({column}) FROM shop.orders", catalog, MANAGER, trust=Trust(pseudonym_key=key)).sql

    def test_hidden_is_unknown(self) -> None:
        with pytest.raises(QueryRejected) as caught:
            self.query("hide", "region")
        assert caught.value.code == "unknown_column"

    def test_masked_keeps_its_type(self) -> None:
        assert "'***' AS \"region\"" in self.query("mask", "region")
        assert 'CAST(NULL AS Nullable(Float64)) AS "revenue"' in self.query("mask", "revenue")

    def test_hashed_is_keyed_and_without_a_key_masked(self) -> None:
        assert "SHA256(concat({pseudonym_key: String}" in self.query("hash", "region")
        assert "sipHash64({pseudonym_key: String}" in self.query("hash", "team")
        assert "'***' AS \"region\"" in self.query("hash", "region", key="")


class TestRefusalsHelp:
    @pytest.mark.parametrize(
        ("text", "code", "path", "suggestion"),
        [
            ("SELECT sum(revenu) FROM shop.orders", "unknown_column", "1:12", "revenue"),
            ("SELECT summ(revenue) FROM shop.orders", "unknown_function", None, "sum"),
            ("SELECT count() FROM shop.order", "unknown_table", "1:26", "shop.orders"),
            ("SELECT region FROM shop.orders", "unbounded_listing", None, "add LIMIT 1000"),
            ("SELECT count() FROM shop.orders SETTINGS x = 1", "unsupported_sql", None, "remove SETTINGS"),
            ("SELECT count() FROM shop.orders WHERE tenant_id = 'acme'", "tenant_column", "1:39", "remove the condition"),
            ("DROP TABLE shop.orders", "not_a_query", None, "send one SELECT"),
            ("SELECT FROM WHERE", "unreadable_sql", None, None),
        ],
    )
    def test_say_what_where_and_what_to_do(self, text: str, code: str, path: str | None, suggestion: str | None) -> None:
        with pytest.raises(QueryRejected) as caught:
            sql(text)
        assert caught.value.code == code
        assert path is None or caught.value.path == path
        assert suggestion is None or any(suggestion in s for s in caught.value.suggestions)

    def test_names_that_double_at_each_step_are_refused(self) -> None:
        steps = ", ".join(
            f"c{i} AS (SELECT a.region AS region FROM c{i - 1} AS a JOIN c{i - 1} AS b ON a.region = b.region)" for i in range(1, 9)
        )
        with pytest.raises(QueryRejected, match="table reads"):
            sql(f"WITH c0 AS (SELECT region FROM shop.orders), {steps} SELECT count() FROM c8")
        doubled = ", ".join(f"a{i - 1} + a{i - 1} AS a{i}" for i in range(1, 20))
        with pytest.raises(QueryRejected, match="parts"):
            sql(f"SELECT sum(revenue) AS a0, {doubled} FROM shop.orders")

    def test_names_used_often_are_fine(self) -> None:
        sql("WITH m AS (SELECT sum(revenue) AS r FROM shop.orders) SELECT a.r, b.r, c.r FROM m AS a, m AS b, m AS c")
        sql("SELECT sum(revenue) AS revenue, revenue / 2 AS half, half + half AS again FROM shop.orders")

    @pytest.mark.parametrize(
        "text",
        [
            "SELECT " + "-" * 3 + "1 FROM shop.orders LIMIT 1",
            "SELECT " + "NOT " * 5000 + "1 FROM shop.orders LIMIT 1",
            "SELECT 1" + "+1" * 20000 + " FROM shop.orders LIMIT 1",
        ],
    )
    def test_deep_and_huge_text_is_a_refusal_not_a_crash(self, text: str) -> None:
        with pytest.raises(QueryRejected):
            sql(text)
