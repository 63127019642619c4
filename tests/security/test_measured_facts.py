"""Facts about ClickHouse and sqlglot that the guard's design rests on, each measured here on the real engine."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp

from benchmarks.chdb_engine import EngineProcess

NARROW = "(SELECT _scope.k AS k, _scope.v AS v, _scope.arr AS arr FROM facts.t AS _scope WHERE _scope.tenant_id = 'a')"
SETTINGS = {"prefer_column_name_to_alias": 1}


@pytest.fixture(scope="module")
def facts(engine: EngineProcess) -> EngineProcess:
    engine.run(
        "DROP DATABASE IF EXISTS facts",
        "CREATE DATABASE facts",
        "CREATE TABLE facts.t (tenant_id String, k UInt32, v Float64, arr Array(String)) ENGINE = MergeTree ORDER BY tenant_id",
        "INSERT INTO facts.t VALUES ('a', 1, 1, ['a']), ('a', 2, 2, ['a']), ('b', 3, 100, ['b']), ('b', 1, 1000, ['b'])",
        "CREATE TABLE facts.ids (k UInt32) ENGINE = Memory",
        "INSERT INTO facts.ids VALUES (3)",
        "CREATE TABLE facts.mail (tenant_id String, n UInt32, mail String) ENGINE = MergeTree ORDER BY tenant_id",
        "INSERT INTO facts.mail SELECT if(number % 2, 'a', 'b'), number, if(number % 2, toString(number % 9), 'secret@b') FROM numbers(2000)",
        "CREATE TABLE facts.big (tenant_id String, day Date, v UInt32) ENGINE = MergeTree ORDER BY (tenant_id, day)",
        "INSERT INTO facts.big SELECT if(number < 100000, 'a', 'b'), toDate('2020-01-01') + number % 1000, number FROM numbers(200000)",
    )
    return engine


def total(engine: EngineProcess, sql: str, settings: dict[str, str | int] | None = None) -> float:
    outcome = engine.ask(sql, settings=settings or {})
    assert not outcome.error, outcome.error
    return float(outcome.rows[0][0])


class TestAPredicateOnTheOuterQueryLeaks:
    """A has 3 in v; everything is 1103."""

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT sum(v) FROM (SELECT 'a' AS tenant_id, v FROM facts.t) WHERE tenant_id = 'a'",
            "SELECT sum(v), 'a' AS tenant_id FROM facts.t WHERE tenant_id = 'a'",
            "WITH 'a' AS tenant_id SELECT sum(v) FROM facts.t WHERE tenant_id = 'a'",
            "SELECT sum(v) FROM facts.t ARRAY JOIN ['a'] AS tenant_id WHERE tenant_id = 'a'",
            "SELECT sum(v) FROM facts.t WHERE arrayExists(tenant_id -> tenant_id = 'a', ['a'])",
            "SELECT sum(o.v) FROM facts.t AS o CROSS JOIN (SELECT 'a' AS tenant_id) AS s WHERE s.tenant_id = 'a'",
        ],
        ids=["derived column", "alias", "with alias", "array join", "lambda parameter", "other alias"],
    )
    def test_a_name_wins_over_the_column(self, facts: EngineProcess, sql: str) -> None:
        assert total(facts, sql) > 3

    def test_preferring_columns_stops_only_some(self, facts: EngineProcess) -> None:
        assert total(facts, "SELECT sum(v), 'a' AS tenant_id FROM facts.t WHERE tenant_id = 'a'", SETTINGS) == 3
        assert total(facts, "SELECT sum(v) FROM (SELECT 'a' AS tenant_id, v FROM facts.t) WHERE tenant_id = 'a'", SETTINGS) > 3

    def test_the_on_of_an_outer_join_leaks(self, facts: EngineProcess) -> None:
        sql = "SELECT sum(r.v) FROM facts.t AS l RIGHT JOIN facts.t AS r ON l.k = r.k AND l.tenant_id = 'a' AND r.tenant_id = 'a'"
        assert total(facts, sql) > 3


class TestANarrowedSubSelectHolds:
    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT sum(v) FROM (SELECT 'a' AS tenant_id, v FROM {t}) WHERE tenant_id = 'a'",
            "SELECT sum(v), 'a' AS tenant_id FROM {t} WHERE tenant_id = 'a'",
            "WITH 'a' AS tenant_id SELECT sum(v) FROM {t} WHERE tenant_id = 'a'",
            "WITH 'b' AS tenant_id SELECT sum(v) FROM {t}",
            "SELECT sum(v) FROM {t} AS t ARRAY JOIN ['a', 'b'] AS tenant_id WHERE tenant_id = 'a'",
            "SELECT sum(v) FROM {t} WHERE arrayExists(tenant_id -> tenant_id = 'a', ['a'])",
            "SELECT sum(r.v) FROM {t} AS l RIGHT JOIN {t} AS r ON l.k = r.k AND l.v = -1",
            "WITH CAST(tuple('b'), 'Tuple(tenant_id String)') AS t SELECT sum(v) FROM {t}",
        ],
    )
    @pytest.mark.parametrize("prefer", [0, 1])
    def test_no_name_outside_reaches_the_qualified_predicate(self, facts: EngineProcess, sql: str, prefer: int) -> None:
        assert total(facts, sql.replace("{t}", NARROW), {"prefer_column_name_to_alias": prefer}) == 3

    def test_an_outer_alias_called_like_the_inner_table_does_not_win(self, facts: EngineProcess) -> None:
        sql = f"WITH CAST(tuple('b'), 'Tuple(tenant_id String)') AS _scope SELECT sum(v) FROM {NARROW}"
        assert total(facts, sql, SETTINGS) == 3

    def test_the_predicate_still_reaches_the_primary_index(self, facts: EngineProcess) -> None:
        inner = "(SELECT _scope.day AS day, _scope.v AS v FROM facts.big AS _scope WHERE _scope.tenant_id = 'a')"
        plan = facts.ask(
            f"EXPLAIN indexes = 1 SELECT sum(v) FROM {inner} WHERE day >= '2022-01-01'", settings={"optimize_move_to_prewhere": 0}
        )
        text = "\n".join(str(row[0]) for row in plan.rows)
        assert "tenant_id" in text
        assert "day" in text
        read = [line for line in text.splitlines() if "Granules" in line]
        assert read


class TestHiddenTableReads:
    def test_in_with_a_name_reads_a_table(self, facts: EngineProcess) -> None:
        assert total(facts, "SELECT count() FROM facts.t WHERE k IN facts.ids") == 1
        assert total(facts, "SELECT count() FROM facts.t WHERE k IN (facts.ids)") == 1

    @pytest.mark.parametrize("sql", ["SELECT 1 FROM a.t WHERE k IN facts.ids", "SELECT 1 FROM a.t WHERE k IN (facts.ids)"])
    def test_sqlglot_sees_a_column_there(self, sql: str) -> None:
        tables = [t.sql() for t in sqlglot.parse_one(sql, dialect="clickhouse").find_all(exp.Table)]
        assert tables == ["a.t"]

    def test_typographic_quotes_are_quotes_to_clickhouse_and_a_name_to_sqlglot(self, facts: EngineProcess) -> None:
        assert facts.ask("SELECT ‘text’").rows == (("text",),)
        assert isinstance(sqlglot.parse_one("SELECT ‘text’", dialect="clickhouse").expressions[0], exp.Column)

    def test_limit_after_a_union_belongs_to_its_last_part(self, facts: EngineProcess) -> None:
        outcome = facts.ask("SELECT k FROM facts.t UNION ALL SELECT k FROM facts.t LIMIT 1")
        assert len(outcome.rows) == 5


class TestErrorsTell:
    """A condition of the caller's may be evaluated on a row before the tenant's condition has removed it."""

    INNER = "(SELECT _scope.mail AS mail FROM facts.mail AS _scope WHERE _scope.tenant_id = 'a')"

    def test_prewhere_shows_another_tenants_value_in_the_error(self, facts: EngineProcess) -> None:
        outcome = facts.ask(f"SELECT count() FROM {self.INNER} WHERE toUInt8(mail) = 1")
        assert "secret@b" in outcome.error

    def test_additional_table_filters_do_not_help(self, facts: EngineProcess) -> None:
        wall = {"additional_table_filters": "{'facts.mail': 'tenant_id = \\'a\\''}"}
        assert "secret@b" in facts.ask(f"SELECT count() FROM {self.INNER} WHERE toUInt8(mail) = 1", settings=wall).error

    def test_turning_prewhere_off_helps(self, facts: EngineProcess) -> None:
        off: dict[str, str | int] = {"optimize_move_to_prewhere": 0, "query_plan_optimize_prewhere": 0}
        outcome = facts.ask(f"SELECT count() FROM {self.INNER} WHERE toUInt8(mail) = 1", settings=off)
        assert outcome.error == ""
        assert outcome.rows[0][0] == 112


class TestTheSecondWall:
    def test_additional_table_filters_narrow_a_table_by_themselves(self, facts: EngineProcess) -> None:
        wall: dict[str, str | int] = {"additional_table_filters": "{'facts.t': 'tenant_id = \\'a\\''}"}
        assert total(facts, "SELECT sum(v) FROM facts.t", wall) == 3
        assert total(facts, "SELECT sum(v) FROM (SELECT 'a' AS tenant_id, v FROM facts.t) WHERE tenant_id = 'a'", wall) == 3

    def test_and_together_with_the_narrowing(self, facts: EngineProcess) -> None:
        wall: dict[str, str | int] = {"additional_table_filters": "{'facts.t': 'tenant_id = \\'a\\''}", "readonly": 1}
        assert total(facts, f"SELECT sum(v) FROM {NARROW}", wall) == 3

    def test_readonly_stops_writing(self, facts: EngineProcess) -> None:
        assert "readonly" in facts.ask("CREATE TABLE facts.x ENGINE = Memory AS SELECT 1", settings={"readonly": 1}).error.lower()
