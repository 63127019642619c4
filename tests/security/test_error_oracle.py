"""Conditions that fail on another tenant's values must not be noticed, wherever they stand and whatever the table's engine and order."""

from __future__ import annotations

import re

import pytest

from benchmarks.chdb_engine import EngineProcess
from core.errors import UserError
from core.ids import TenantId, UserId
from core.principal import Principal, Role
from semantic.catalog.model import Catalog, CatalogField, Dataset, FieldRole, FieldType
from semantic.pipeline import guard_sql

CALLER = Principal(TenantId("a"), UserId("u"), frozenset({Role.ANALYST}))
ENGINES = {
    "unordered": "MergeTree ORDER BY tuple()",
    "by_tenant": "MergeTree ORDER BY tenant_id",
    "by_id": "MergeTree ORDER BY id",
    "by_both": "MergeTree ORDER BY (tenant_id, id)",
    "replacing": "ReplacingMergeTree ORDER BY (tenant_id, id)",
    "memory": "Memory",
    "log": "Log",
}
FIELDS = {"id": FieldType.INTEGER, "mail": FieldType.STRING, "n": FieldType.INTEGER, "price": FieldType.DECIMAL, "rate": FieldType.FLOAT}
# Each fails on the other tenant's rows only.
FAILING = [
    "toUInt8(mail)",
    "intDiv(1, n)",
    "1 % n",
    "1 / price",
    "CAST(mail AS Int32)",
    "toDecimal32(mail, 2)",
    "toYear(toDate(concat('2020-01-', substring(concat('0', mail), -2))))",
    "toInt32(rate)",
    "dateDiff('day', parseDateTimeBestEffort(concat('2020-01-0', left(mail, 1))), today())",
]
SHAPES = [
    "SELECT count() FROM {t} WHERE {f} = 1",
    "SELECT count() FROM {t} WHERE n = 1 AND {f} = 1",
    "SELECT count() FROM {t} WHERE {f} = 1 AND n = 1",
    "SELECT count() FROM {t} WHERE n = 1 OR {f} = 1",
    "SELECT count() FROM {t} WHERE NOT ({f} = 1)",
    "SELECT count() FROM {t} WHERE {f} IN (1, 2)",
    "SELECT sum({f}) FROM {t}",
    "SELECT countIf({f} = 1) FROM {t}",
    "SELECT {f} AS k, count() FROM {t} GROUP BY k",
    "SELECT n, count() FROM {t} GROUP BY n HAVING sum({f}) > 1",
    "SELECT n, max({f}) AS m FROM {t} GROUP BY n HAVING m > 0",
    "SELECT count() FROM (SELECT n, max({f}) AS e FROM {t} GROUP BY n) WHERE e = 1",
    "SELECT id FROM {t} ORDER BY {f}, id LIMIT 1",
    "SELECT count() FROM (SELECT DISTINCT {f} AS e FROM {t}) WHERE e = 1",
    "WITH x AS (SELECT {f} AS e, id FROM {t}) SELECT count() FROM x WHERE e = 1",
    "SELECT count() FROM {t} JOIN (SELECT 1 AS one) AS z ON {f} = z.one",
    "SELECT count() FROM (SELECT 1 AS one) AS z LEFT JOIN {t} AS c ON {f} = z.one",
    "SELECT count() FROM {t} CROSS JOIN (SELECT 1 AS one) AS z WHERE {f} = one",
    "SELECT count() FROM {t} WHERE id IN (SELECT id FROM {t} WHERE {f} = 1)",
    "SELECT count() FROM (SELECT {f} AS e, row_number() OVER (PARTITION BY n ORDER BY id) AS r FROM {t}) WHERE e = 1 AND r = 1",
    "SELECT count() FROM (SELECT n, {f} AS e FROM {t} UNION ALL SELECT n, {f} FROM {t}) WHERE e = 1",
    "SELECT count() FROM {t} WHERE (SELECT max({f}) FROM {t}) > 0 AND {f} = 1",
]


def catalog(database: str) -> Catalog:
    fields = tuple(CatalogField(name=n, column=n, type=k, role=FieldRole.ATTRIBUTE, label=n) for n, k in FIELDS.items())
    return Catalog(
        datasets=tuple(
            Dataset(name=name, database=database, table=name, label=name, tenant_column="tenant_id", fields=fields)
            for name in (*ENGINES, "a_view")
        )
    )


@pytest.fixture(scope="module")
def oracle(engine: EngineProcess) -> EngineProcess:
    for database, rows in (("oracle", "number"), ("oracle_alone", "number * 2 + 1")):
        engine.run(f"DROP DATABASE IF EXISTS {database}", f"CREATE DATABASE {database}")
        count = 4_000 if database == "oracle" else 2_000
        for name, kind in ENGINES.items():
            columns = "tenant_id String, id UInt32, mail String, n Int32, price Decimal(18, 2), rate Float64"
            values = (
                "if(k % 2, 'a', 'b'), k, if(k % 2, toString(k % 9 + 1), concat('secret', toString(k))), k % 2, k % 2, if(k % 2, 1, nan)"
            )
            engine.run(
                f"CREATE TABLE {database}.{name} ({columns}) ENGINE = {kind}",
                f"INSERT INTO {database}.{name} SELECT {values} FROM (SELECT {rows} AS k FROM numbers({count}))",
            )
        engine.run(f"CREATE VIEW {database}.a_view AS SELECT * FROM {database}.by_tenant")
    return engine


@pytest.mark.parametrize(
    "name",
    ["by_tenant", *(pytest.param(n, marks=pytest.mark.slow) for n in (*ENGINES, "a_view") if n != "by_tenant")],
)
def test_no_failure_of_another_tenants_row_is_seen(oracle: EngineProcess, name: str) -> None:
    both, alone = catalog("oracle"), catalog("oracle_alone")
    questions = []
    for shape in SHAPES:
        for failing in FAILING:
            sql = shape.replace("{f}", failing)
            try:
                queries = [guard_sql(sql.replace("{t}", f"{c.datasets[0].database}.{name}"), c, CALLER) for c in (both, alone)]
            except UserError:
                continue
            questions += [(q.sql, q.params, q.settings) for q in queries]
    assert len(questions) > len(SHAPES) * len(FAILING)
    outcomes = oracle.ask_many(questions)
    assert sum(not outcome.error for outcome in outcomes) > 0.7 * len(outcomes)
    for at in range(0, len(outcomes), 2):
        found, expected = outcomes[at], outcomes[at + 1]
        assert not found.mentions(("secret",)), questions[at][0]
        if expected.error:
            assert re.match(r"Code: \d+", found.error), questions[at][0]
        else:
            assert found.same_as(expected), f"{questions[at][0]}\n{found}\n{expected}"


PLAIN = [
    "SELECT sum(rate) FROM {t} WHERE mail = '1' AND toFloat64(n) > 0",
    "SELECT n, toFloat64(sum(price)) / nullIf(toFloat64(count()), 0) AS m FROM {t} GROUP BY n",
    "SELECT n, sum(price) - countIf(mail = '1') AS m FROM {t} GROUP BY n HAVING m > 0",
    "SELECT n, count() AS c FROM {t} GROUP BY n HAVING 1 / sum(price) > 0",
    "SELECT count() FROM (SELECT n, sum(price) AS s FROM {t} GROUP BY n) WHERE 1 / s > 0",
    "SELECT count() FROM (SELECT price AS p, sum(price) AS s FROM {t} GROUP BY price) WHERE 1 / s > 0 AND p = 1",
    "SELECT count() FROM (SELECT n, avgOrNullIf(price, mail != '1') AS s FROM {t} GROUP BY n) WHERE 1 / s > 0",
    "SELECT count() FROM (SELECT id, sum(price) OVER (PARTITION BY id) AS s FROM {t}) WHERE 1 / s > 0",
]


@pytest.mark.parametrize("name", ["by_tenant", "by_id", "unordered", "memory", "a_view"])
def test_plain_questions_keep_prewhere_and_show_no_failure(oracle: EngineProcess, name: str) -> None:
    both, alone = catalog("oracle"), catalog("oracle_alone")
    for sql in PLAIN:
        found, expected = (guard_sql(sql.replace("{t}", f"{c.datasets[0].database}.{name}"), c, CALLER) for c in (both, alone))
        assert "optimize_move_to_prewhere" not in found.settings, sql
        one, other = oracle.ask_guarded(found), oracle.ask_guarded(expected)
        assert one.same_as(other), f"{sql}\n{one}\n{other}"
        assert not one.error, sql


@pytest.mark.parametrize("failing", FAILING)
def test_failing_questions_lose_it(failing: str) -> None:
    query = guard_sql(f"SELECT count() FROM oracle.by_tenant WHERE {failing} = 1", catalog("oracle"), CALLER)
    assert query.settings["optimize_move_to_prewhere"] == 0


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count() FROM (SELECT max(mail) AS m FROM oracle.by_tenant GROUP BY mail) WHERE toFloat64(m) = 1",
        "WITH x AS (SELECT mail AS y FROM oracle.by_tenant) SELECT count() FROM x WHERE toUInt32(y) = 1",
        "SELECT sum(price * price) FROM oracle.by_tenant",
        "SELECT count() FROM (SELECT max(price) AS m FROM oracle.by_tenant GROUP BY price) WHERE 1 / m = 1",
        "SELECT count() FROM (SELECT any(price) AS m FROM oracle.by_tenant GROUP BY price) WHERE 1 / (m - 1) = 1",
        "SELECT count() FROM oracle.by_tenant WHERE mail LIKE mail",
        "SELECT count() FROM oracle.by_tenant WHERE formatDateTime(toDate(n), mail) = 'x'",
    ],
)
def test_types_are_followed_through_aliases(sql: str) -> None:
    assert guard_sql(sql, catalog("oracle"), CALLER).settings["optimize_move_to_prewhere"] == 0


def test_it_would_notice(oracle: EngineProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semantic.verify.may_fail", lambda found, tables: False)
    query = guard_sql("SELECT count() FROM oracle.by_tenant WHERE toUInt8(mail) = 1", catalog("oracle"), CALLER)
    assert "secret" in oracle.ask_guarded(query).error
