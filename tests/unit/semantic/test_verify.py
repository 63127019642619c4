"""The verifier stands alone: texts that a broken guard might make are refused, and ten broken guards are caught."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from sqlglot import exp

from core.errors import Invalid, QueryRejected
from core.ids import TenantId, UserId
from core.principal import Principal, Role
from semantic import pipeline
from semantic.catalog.model import Catalog, CatalogField, ColumnRule, Dataset, FieldRole, FieldType, RowPolicy
from semantic.expr import Comparison, FieldRef, In, Literal_
from semantic.guard import rules, scope
from semantic.limits import Limits
from semantic.pipeline import guard_sql
from semantic.policies import Access
from semantic.states import GuardedQuery, Param
from semantic.trust import Trust
from semantic.verify import verify

ACME = TenantId("acme")
MANAGER = Principal(ACME, UserId("u"), frozenset({Role.MANAGER}), {"regions": ("EU", "NA")})
ANALYST = Principal(ACME, UserId("u"), frozenset({Role.ANALYST}))
LIMITS = Limits(result_rows=100)
TRUST = Trust(pseudonym_key="k" * 32)


def fields(*names: tuple[str, FieldType]) -> tuple[CatalogField, ...]:
    return tuple(CatalogField(name=n, column=n, type=t, role=FieldRole.ATTRIBUTE, label=n) for n, t in names)


CATALOG = Catalog(
    datasets=(
        Dataset(
            name="orders",
            database="shop",
            table="orders",
            label="orders",
            tenant_column="tenant_id",
            fields=fields(
                ("id", FieldType.INTEGER), ("region", FieldType.STRING), ("revenue", FieldType.FLOAT), ("mail", FieldType.STRING)
            ),
        ),
        Dataset(
            name="web_visits",
            database="shop",
            table="visits",
            label="web visits",
            tenant_column="tenant_id",
            filter=Comparison(op="=", left=FieldRef(dataset="web_visits", field="kind"), right=Literal_(value="web")),
            fields=fields(("id", FieldType.INTEGER), ("kind", FieldType.STRING)),
        ),
        Dataset(name="own", database="tenant_acme", table="own", label="own", fields=fields(("id", FieldType.INTEGER))),
        Dataset(name="theirs", database="tenant_globex", table="own", label="theirs", fields=fields(("id", FieldType.INTEGER))),
    ),
    row_policies=(
        RowPolicy(name="regions", dataset="orders", roles=("manager",), field="region", attribute="regions"),
        RowPolicy(
            name="paid",
            dataset="orders",
            roles=("manager",),
            where=In(field=FieldRef(dataset="orders", field="id"), values=(1, 2), negate=True),
        ),
    ),
    column_rules=(ColumnRule(dataset="orders", field="mail", roles=("manager",), action="hash"),),
)
TENANT = {"tenant": Param("String", "acme")}
NARROW = 'SELECT count() FROM (SELECT _scope."id" AS "id" FROM "shop"."orders" AS _scope WHERE _scope."tenant_id" = {tenant: String}) AS o LIMIT 101'


def check(sql: str, principal: Principal = ANALYST, params: dict[str, Param] | None = None) -> GuardedQuery:
    return verify(sql, TENANT if params is None else params, CATALOG, principal, limits=LIMITS, trust=TRUST)


class TestATextThatIsNarrowed:
    def test_passes(self) -> None:
        query = check(NARROW)
        assert query.sql == NARROW
        assert query.tenant == "acme"
        assert query.settings["readonly"] == 1
        assert query.settings["additional_table_filters"] == "{'shop.orders': 'tenant_id = \\'acme\\''}"

    def test_passes_in_the_tenants_own_database_without_a_condition(self) -> None:
        query = check('SELECT count() FROM (SELECT _scope."id" AS "id" FROM "tenant_acme"."own" AS _scope) AS o LIMIT 5', params={})
        assert "additional_table_filters" not in query.settings


class TestATextThatIsNot:
    @pytest.mark.parametrize(
        ("what", "change"),
        [
            ("no predicate", lambda s: s.replace(' WHERE _scope."tenant_id" = {tenant: String}', "")),
            ("predicate on another column", lambda s: s.replace('"tenant_id" =', '"region" =')),
            ("unqualified predicate", lambda s: s.replace('_scope."tenant_id"', '"tenant_id"')),
            ("predicate of another alias", lambda s: s.replace('_scope."tenant_id"', 'o."tenant_id"')),
            ("literal instead of the bound value", lambda s: s.replace("{tenant: String}", "'acme'")),
            ("another placeholder", lambda s: s.replace("{tenant: String}", "{other: String}")),
            ("or", lambda s: s.replace("{tenant: String})", "{tenant: String} OR 1 = 1)")),
            ("an added condition", lambda s: s.replace("{tenant: String})", "{tenant: String} AND 1 = 1)")),
            ("not", lambda s: s.replace('WHERE _scope."tenant_id"', 'WHERE NOT _scope."tenant_id"')),
            ("not equal", lambda s: s.replace("= {tenant", "<> {tenant")),
            ("in", lambda s: s.replace("= {tenant: String}", "IN ({tenant: String})")),
            ("bare table", lambda s: 'SELECT count() FROM "shop"."orders" AS _scope WHERE _scope."tenant_id" = {tenant: String} LIMIT 101'),
            ("table in a join", lambda s: s.replace("AS o LIMIT", 'AS o CROSS JOIN "shop"."orders" AS p LIMIT')),
            ("join inside", lambda s: s.replace("AS _scope WHERE", 'AS _scope CROSS JOIN "shop"."orders" AS x WHERE')),
            ("tenant column shown", lambda s: s.replace('_scope."id" AS "id"', '_scope."tenant_id" AS "id"')),
            ("tenant column under its name", lambda s: s.replace('_scope."id" AS "id"', '_scope."tenant_id" AS "tenant_id"')),
            ("star", lambda s: s.replace('_scope."id" AS "id"', "*")),
            ("unknown column", lambda s: s.replace('_scope."id" AS "id"', '_scope."secret" AS "secret"')),
            ("column under another name", lambda s: s.replace('AS "id"', 'AS "region"')),
            ("another database", lambda s: s.replace('"shop"', '"other"')),
            ("system table", lambda s: s.replace('"shop"."orders"', '"system"."users"')),
            ("another tenant's database", lambda s: s.replace('"shop"."orders"', '"tenant_globex"."own"')),
            ("unqualified table", lambda s: s.replace('"shop"."orders"', "orders")),
            ("table function", lambda s: "SELECT count() FROM numbers(10) LIMIT 5"),
            ("unknown function", lambda s: s.replace("count()", "currentUser()")),
            ("settings", lambda s: s + " SETTINGS readonly = 0"),
            ("format", lambda s: s + " FORMAT JSON"),
            ("final", lambda s: s.replace("AS _scope", "AS _scope FINAL")),
            ("prewhere", lambda s: s.replace("WHERE", "PREWHERE")),
            ("two statements", lambda s: s + "; SELECT 1"),
            ("insert", lambda s: "INSERT INTO shop.orders " + s),
            ("explain", lambda s: "EXPLAIN " + s),
            ("comment", lambda s: s + " -- x"),
            ("block comment", lambda s: s.replace("count()", "count() /* x */")),
            ("hash comment", lambda s: s + " # x"),
            ("double minus", lambda s: s.replace("count()", "1--1")),
            ("backslash", lambda s: s.replace("count()", "'a\\'b'")),
            ("doubled quote", lambda s: s.replace("count()", "'a''b'")),
            ("doubled identifier quote", lambda s: s.replace("AS o ", 'AS "o""p" ')),
            ("hex string", lambda s: s.replace("count()", "x'61'")),
            ("heredoc", lambda s: s.replace("count()", "$$a$$")),
            ("typographic quotes", lambda s: s.replace("count()", "‘a’")),
            ("control character", lambda s: s.replace("count()", "'a\x00b'")),
            ("no cap", lambda s: s.replace(" LIMIT 101", "")),
            ("too high a cap", lambda s: s.replace("LIMIT 101", "LIMIT 102")),
            ("cap by placeholder", lambda s: s.replace("LIMIT 101", "LIMIT {tenant: String}")),
            ("in with a name", lambda s: s.replace(" AS o LIMIT", " AS o WHERE id IN orders LIMIT")),
            ("in with a name in parentheses", lambda s: s.replace(" AS o LIMIT", " AS o WHERE id IN (orders) LIMIT")),
            ("array join", lambda s: s.replace(" AS o LIMIT", " AS o ARRAY JOIN [1] AS x LIMIT")),
            ("cte out of scope", lambda s: "SELECT count() FROM (WITH x AS (SELECT 1) SELECT 1) AS a CROSS JOIN x LIMIT 5"),
            ("cte before it is declared", lambda s: "WITH a AS (SELECT 1 FROM b), b AS (SELECT 1) SELECT count() FROM a LIMIT 5"),
            ("cte within itself", lambda s: "WITH a AS (SELECT 1 FROM a) SELECT count() FROM a LIMIT 5"),
            ("scalar alias as a table", lambda s: "WITH 1 AS a SELECT count() FROM a LIMIT 5"),
            ("our alias as a scalar", lambda s: "WITH 1 AS _scope " + s),
            ("our alias elsewhere", lambda s: s.replace("AS o LIMIT", "AS _scope LIMIT")),
            ("identifier placeholder", lambda s: s.replace('"orders"', "{tenant: Identifier}")),
            ("map literal", lambda s: s.replace("count()", "{'a': 1}")),
        ],
    )
    def test_is_refused(self, what: str, change: Callable[[str], str]) -> None:
        changed = change(NARROW)
        assert changed != NARROW
        with pytest.raises(QueryRejected) as caught:
            check(changed)
        assert caught.value.code == "query_not_verified"


class TestTheBoundTenant:
    @pytest.mark.parametrize(
        "params",
        [
            {},
            {"tenant": Param("String", "globex")},
            {"tenant": Param("String", "acme ")},
            {"tenant": Param("String", "ACME")},
            {"tenant": Param("Array(String)", ("acme",))},
            {"tenant": Param("LowCardinality(String)", "acme")},
        ],
    )
    def test_must_be_the_callers(self, params: dict[str, Param]) -> None:
        with pytest.raises(QueryRejected):
            check(NARROW, params=params)

    def test_another_tenants_text_is_refused_for_this_caller(self) -> None:
        globex = Principal(TenantId("globex"), UserId("u"), frozenset({Role.ANALYST}))
        with pytest.raises(QueryRejected):
            check(NARROW, principal=globex)


class TestRowRules:
    def guarded(self, sql: str = "SELECT sum(revenue) FROM shop.orders") -> GuardedQuery:
        return guard_sql(sql, CATALOG, MANAGER, limits=LIMITS, trust=TRUST)

    def test_hold_in_the_text(self) -> None:
        query = self.guarded()
        assert query.params["policy_0"].value == ("EU", "NA")
        assert [query.params[f"policy_1_{i}"].value for i in (0, 1)] == [1, 2]

    @pytest.mark.parametrize(
        ("what", "change"),
        [
            ("membership gone", lambda s: s.replace(' AND _scope."region" IN {policy_0: Array(String)}', "")),
            ("membership on another column", lambda s: s.replace('_scope."region" IN', '_scope."mail" IN')),
            ("membership negated", lambda s: s.replace('_scope."region" IN {', 'NOT _scope."region" IN {')),
            ("condition gone", lambda s: s[: s.index(" AND (")] + ") AS orders" + s[s.index(" LIMIT") :]),
            ("condition on another column", lambda s: s.replace('NOT (_scope."id"', 'NOT (_scope."revenue"')),
            ("condition turned", lambda s: s.replace("NOT (", "(")),
            ("condition widened", lambda s: s.replace("{policy_1_1: Int64})", "{policy_1_1: Int64}) OR 1 = 1")),
        ],
    )
    def test_missing_or_changed_is_refused(self, what: str, change: Callable[[str], str]) -> None:
        query = self.guarded()
        changed = change(query.sql)
        assert changed != query.sql
        with pytest.raises(QueryRejected):
            verify(changed, query.params, CATALOG, MANAGER, limits=LIMITS, trust=TRUST)

    @pytest.mark.parametrize(("name", "value"), [("policy_0", ("EU", "NA", "APAC")), ("policy_0", ()), ("policy_1_0", 9)])
    def test_values_must_be_the_callers(self, name: str, value: Any) -> None:
        query = self.guarded()
        params = {**query.params, name: Param(query.params[name].type, value)}
        with pytest.raises(QueryRejected):
            verify(query.sql, params, CATALOG, MANAGER, limits=LIMITS, trust=TRUST)

    def test_an_absent_attribute_sees_nothing(self) -> None:
        nobody = Principal(ACME, UserId("u"), frozenset({Role.MANAGER}))
        assert "0 = 1" in guard_sql("SELECT sum(revenue) FROM shop.orders", CATALOG, nobody, trust=TRUST).sql

    def test_a_caller_without_roles_is_narrowed_by_every_policy(self) -> None:
        nobody = Principal(ACME, UserId("u"))
        assert "0 = 1" in guard_sql("SELECT sum(revenue) FROM shop.orders", CATALOG, nobody, trust=TRUST).sql

    def test_the_datasets_filter_must_be_there(self) -> None:
        query = guard_sql("SELECT count() FROM shop.visits", CATALOG, ANALYST, limits=LIMITS, trust=TRUST)
        changed = query.sql.replace(' AND (_scope."kind" = {filter_1_0: String})', "")
        assert changed != query.sql
        with pytest.raises(QueryRejected):
            verify(changed, query.params, CATALOG, ANALYST, limits=LIMITS, trust=TRUST)

    def test_a_hashed_column_may_not_be_shown(self) -> None:
        query = self.guarded("SELECT max(mail) FROM shop.orders")
        start = query.sql.index("substring(")
        plain = query.sql[:start] + '_scope."mail"' + query.sql[query.sql.index(' AS "mail"') :]
        with pytest.raises(QueryRejected):
            verify(plain, query.params, CATALOG, MANAGER, limits=LIMITS, trust=TRUST)

    def test_the_pseudonym_key_must_be_the_operators(self) -> None:
        query = self.guarded("SELECT max(mail) FROM shop.orders")
        params = {**query.params, "pseudonym_key": Param("String", "guessed")}
        with pytest.raises(QueryRejected):
            verify(query.sql, params, CATALOG, MANAGER, limits=LIMITS, trust=TRUST)


SQL = "SELECT region, sum(revenue), max(mail) FROM shop.orders WHERE id IN (SELECT id FROM shop.visits) GROUP BY region"


class TestBrokenGuards:
    """The guard is broken in one way at a time; the verifier must raise each time."""

    def ask(self) -> GuardedQuery:
        return guard_sql(SQL, CATALOG, MANAGER, limits=LIMITS, trust=TRUST)

    def test_the_whole_one_passes(self) -> None:
        assert self.ask().tenant == "acme"

    def broken(self) -> None:
        with pytest.raises(QueryRejected) as caught:
            self.ask()
        assert caught.value.code == "query_not_verified"

    def narrowed(self, monkeypatch: pytest.MonkeyPatch, change: Callable[[exp.Select], None]) -> None:
        made = scope._narrowed

        def changed(*arguments: Any) -> tuple[exp.Select, dict[str, Param]]:
            select, params = made(*arguments)
            change(select)
            return select, params

        monkeypatch.setattr(scope, "_narrowed", changed)
        self.broken()

    def test_1_the_predicate_is_dropped(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.narrowed(monkeypatch, lambda select: select.set("where", None))

    def test_2_another_tenant_is_bound(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made = scope.isolate

        def changed(*arguments: Any, **named: Any) -> scope.Scoped:
            scoped = made(*arguments, **named)
            return scope.Scoped(scoped.tree, {**scoped.params, "tenant": Param("String", "globex")}, scoped.tables)

        monkeypatch.setattr(pipeline, "isolate", changed)
        self.broken()

    def test_3_the_predicate_loses_its_qualifier(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(scope, "column", lambda name: exp.column(name, quoted=True))
        self.broken()

    def test_4_a_nested_table_is_forgotten(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made = scope.cte_of
        monkeypatch.setattr(scope, "cte_of", lambda table: exp.CTE() if table.find_ancestor(exp.In) else made(table))
        self.broken()

    def test_5_row_policies_are_forgotten(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(scope, "row_predicate", lambda rule: (exp.EQ(this=exp.Literal.number(1), expression=exp.Literal.number(1)), {}))
        self.broken()

    def test_6_hashed_columns_are_shown(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            scope, "projection", lambda access, has_key: exp.alias_(rules.column(access.column), access.column, quoted=True)
        )
        self.broken()

    def test_7_all_columns_are_shown(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.narrowed(monkeypatch, lambda select: select.set("expressions", [exp.Star()]))

    def test_8_the_predicate_moves_outside(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def outside(select: exp.Select) -> None:
            where = select.args["where"].pop()
            select.set("having", exp.Having(this=where.this))

        self.narrowed(monkeypatch, outside)

    def test_9_the_tenant_column_is_shown(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.narrowed(monkeypatch, lambda select: select.append("expressions", exp.alias_(rules.column("tenant_id"), "tenant_id")) and None)

    def test_10_the_predicate_is_weakened(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def weaken(select: exp.Select) -> None:
            where = select.args["where"]
            where.set("this", exp.Or(this=exp.paren(where.this), expression=exp.true()))

        self.narrowed(monkeypatch, weaken)

    def test_11_the_row_cap_is_forgotten(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pipeline, "cap_rows", lambda tree, max_rows: tree)
        self.broken()

    def test_12_narrowing_is_left_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pipeline, "STEPS", pipeline.STEPS[:-1])
        self.broken()

    def test_13_a_literal_is_printed_raw(self, monkeypatch: pytest.MonkeyPatch) -> None:
        printed = pipeline.print_sql
        monkeypatch.setattr(
            pipeline, "print_sql", lambda tree: printed(tree).replace("'***'", "'").replace(" LIMIT", " WHERE 'a' = 'b''c' LIMIT")
        )
        self.broken()


class TestTheSeal:
    def test_nobody_else_makes_a_guarded_query(self) -> None:
        with pytest.raises(TypeError):
            GuardedQuery("SELECT 1", {}, ACME, ())

    def test_nor_changes_one(self) -> None:
        with pytest.raises(TypeError):
            dataclasses.replace(check(NARROW), sql="SELECT 1")
        with pytest.raises(dataclasses.FrozenInstanceError):
            check(NARROW).sql = "SELECT 1"  # type: ignore[misc]

    def test_a_tenant_that_is_no_tenant_id_is_refused(self) -> None:
        mallory = Principal(TenantId("acme' OR 1 = 1 --"), UserId("u"))
        with pytest.raises(Invalid):
            guard_sql("SELECT sum(revenue) FROM shop.orders", CATALOG, mallory)

    def test_tables_of_other_tenants_are_never_accessible(self) -> None:
        with pytest.raises(QueryRejected):
            Access(CATALOG, ANALYST).table("tenant_globex", "own")
