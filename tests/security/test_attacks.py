"""Attacks on the guard, as data, on a real engine.

THE TRUST MODEL
---------------
Trusted: this installation's operator (settings, `Trust`: tenant columns, shared databases, the pseudonym key), our own code, ClickHouse itself.
Half trusted: a tenant's catalog. Its authors may harm their own tenant, never another: names, labels, filters, policies and the choice of
    database, table and tenant column are all attacker's text.
Not trusted: whoever asks. Questions, SemanticQuery, analysts' SQL, parameter values, and every value stored in a row.
The caller's tenant comes from the credential (`Principal`) and from nowhere else.

What must hold:
 1. No answer, error text or row count depends on another tenant's rows, in both layouts: a tenant column in shared tables, a database per tenant.
 2. A caller sees only the rows of the row policies for its roles, and only the columns that the column rules leave it.
 3. Nothing but one SELECT over catalog tables reaches ClickHouse: no writing, no other databases, files, network, settings, server facts.
 4. One query stays inside its caps on time, memory, rows read and result.

What is not promised: equal running times, and equal `rows read`, whatever the other tenants hold.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.chdb_engine import EngineProcess, Outcome
from core.errors import UserError
from core.ids import TenantId, UserId
from core.principal import Principal, Role
from semantic.catalog.model import Catalog, CatalogField, Dataset, FieldRole, FieldType
from semantic.limits import MEANING_SETTINGS
from semantic.pipeline import guard_sql
from semantic.states import GuardedQuery
from semantic.trust import Trust

NORTH, SOUTH = TenantId("north"), TenantId("south")
TRUST = Trust(tenant_columns=frozenset({"org_id"}))
CALLER = Principal(NORTH, UserId("mallory"), frozenset({Role.ANALYST}))
MARKS = ("south", "77770")
TABLES = {
    "sales": {
        "sale_id": ("UInt64", "number + {o} * 777700000", FieldType.INTEGER),
        "buyer_id": ("UInt64", "number % 30 + {o} * 777700000", FieldType.INTEGER),
        "sold_on": ("Date", "toDate('2024-01-01') + number % 300", FieldType.DATE),
        "channel": ("String", "if({o}, 'south-only', ['web', 'store', 'phone'][number % 3 + 1])", FieldType.STRING),
        "amount": ("Float64", "number / 4 + {o} * 777700000", FieldType.FLOAT),
        "units": ("UInt32", "number % 9 + {o} * 777700000", FieldType.INTEGER),
    },
    "people": {
        "person_id": ("Int64", "if({o}, -1 - (number > 0), number)", FieldType.INTEGER),
        "full_name": ("String", "concat('{t} person ', toString(number))", FieldType.STRING),
        "mail": ("String", "if({o}, concat('south', toString(number)), concat('m', toString(number), '@n'))", FieldType.STRING),
        "tier": ("String", "if({o}, 'south-tier', ['gold', 'blue'][number % 2 + 1])", FieldType.STRING),
    },
}
SHARED, OWN = "shop", "tenant_north"


def corpus() -> list[tuple[str, str, str]]:
    """(expectation, class, SQL) of every line."""
    found: list[tuple[str, str, str]] = []
    expectation = kind = ""
    for line in (Path(__file__).parent / "attacks.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            _, expectation, kind = line.split(" ", 2)
        elif line and not line.startswith("# "):
            found.append((expectation, kind, line))
    return found


CORPUS = corpus()
REFUSED = [(kind, sql) for expectation, kind, sql in CORPUS if expectation == "refuse"]
HARMLESS = [sql for expectation, _, sql in CORPUS if expectation == "harmless"]


def catalog(shared: bool) -> Catalog:
    return Catalog(
        datasets=tuple(
            Dataset(
                name=table,
                database=SHARED if shared else OWN,
                table=table,
                label=table,
                tenant_column="org_id" if shared else None,
                fields=tuple(
                    CatalogField(name=name, column=name, type=type_, role=FieldRole.ATTRIBUTE, label=name)
                    for name, (_, _, type_) in columns.items()
                ),
            )
            for table, columns in TABLES.items()
        )
    )


def load(engine: EngineProcess, tenants: tuple[TenantId, ...]) -> None:
    """Both layouts at once: shop.* shared, tenant_x.* per tenant; plus tables that no catalog knows."""
    statements = [f"CREATE DATABASE IF NOT EXISTS {d}" for d in (SHARED, OWN, "tenant_south", "default")] + [
        "DROP TABLE IF EXISTS shop.secrets",
        "CREATE TABLE shop.secrets (a UInt64) ENGINE = Memory",
        "INSERT INTO shop.secrets VALUES (777700001)",
    ]
    for table, columns in TABLES.items():
        for database in (SHARED, OWN, "tenant_south", "default"):
            definition = ", ".join(["org_id String", *(f"{name} {kind}" for name, (kind, _, _) in columns.items())])
            statements += [
                f"DROP TABLE IF EXISTS {database}.{table}",
                f"CREATE TABLE {database}.{table} ({definition}) ENGINE = MergeTree ORDER BY org_id",
            ]
        for tenant in tenants:
            values = ", ".join(e.format(t=tenant, o=int(tenant == SOUTH)) for _, e, _ in columns.values())
            # Unqualified names would be read in `default`, which holds the other tenant's rows.
            for database in (SHARED, f"tenant_{tenant}", *(("default",) if tenant == SOUTH else ())):
                statements.append(f"INSERT INTO {database}.{table} SELECT '{tenant}', {values} FROM numbers(600)")
    engine.run(*statements)


def guarded(sql: str, shared: bool) -> GuardedQuery:
    return guard_sql(sql if shared else sql.replace("shop.", f"{OWN}."), catalog(shared), CALLER, trust=TRUST)


class TestRefused:
    @pytest.mark.parametrize("shared", [True, False], ids=["tenant_column", "database_per_tenant"])
    @pytest.mark.parametrize(("kind", "sql"), REFUSED)
    def test_the_guard_refuses_and_says_what_to_do(self, kind: str, sql: str, shared: bool) -> None:
        with pytest.raises(UserError) as caught:
            guarded(sql, shared)
        # The verifier alone would refuse nearly all of them too; the caller deserves the guard's better words.
        assert caught.value.code != "query_not_verified", caught.value.message
        assert "south" not in caught.value.message or "south" in sql

    def test_the_corpus_covers_every_class(self) -> None:
        assert len(CORPUS) >= 150
        assert len({kind for _, kind, _ in CORPUS}) >= 10


class TestHarmless:
    @pytest.mark.parametrize("shared", [True, False], ids=["tenant_column", "database_per_tenant"])
    def test_the_answer_is_the_same_without_the_other_tenant(self, engine: EngineProcess, shared: bool) -> None:
        accepted = {sql: guarded(sql, shared) for sql in HARMLESS}
        load(engine, (NORTH, SOUTH))
        both = {sql: engine.ask_guarded(query) for sql, query in accepted.items()}
        load(engine, (NORTH,))
        alone = {sql: engine.ask_guarded(query) for sql, query in accepted.items()}
        assert [sql for sql in accepted if not both[sql].same_as(alone[sql])] == []
        assert [sql for sql in accepted if Outcome(rows=both[sql].rows, error=both[sql].error).mentions(MARKS) and "south" not in sql] == []
        assert {sql: outcome.error for sql, outcome in both.items() if outcome.error} == {}
        assert sum(bool(outcome.rows) for outcome in both.values()) > len(HARMLESS) * 0.9


ACCEPT = [line for line in (Path(__file__).parent / "accept.txt").read_text(encoding="utf-8").splitlines() if not line.startswith("# ")]


class TestAccepted:
    @pytest.mark.parametrize("shared", [True, False], ids=["tenant_column", "database_per_tenant"])
    def test_ordinary_sql_gives_what_it_gives_on_the_callers_rows_alone(self, engine: EngineProcess, shared: bool) -> None:
        accepted = {sql: guarded(sql, shared) for sql in ACCEPT}
        load(engine, (NORTH, SOUTH))
        found = {sql: engine.ask_guarded(query) for sql, query in accepted.items()}
        load(engine, (NORTH,))
        plain = {
            sql: engine.ask((sql if shared else sql.replace("shop.", f"{OWN}.")).rstrip(";"), settings=MEANING_SETTINGS) for sql in ACCEPT
        }
        assert {sql: outcome.error for sql, outcome in plain.items() if outcome.error} == {}
        assert [(sql, found[sql], plain[sql]) for sql in ACCEPT if not found[sql].same_as(plain[sql])] == []
