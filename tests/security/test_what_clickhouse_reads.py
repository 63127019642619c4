"""Where sqlglot and ClickHouse might read one text differently, ClickHouse's own analysis decides: which tables does it read, under which filter?"""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.chdb_engine import EngineProcess
from core.errors import UserError
from semantic.pipeline import guard_sql
from semantic.states import GuardedQuery
from tests.security.test_attacks import HARMLESS, NORTH, SOUTH, guarded, load
from tests.security.test_non_interference import QUIET, TRUST, WORLDS
from tests.security.worlds import sql_queries


def tree_lines(engine: EngineProcess, query: GuardedQuery) -> list[str]:
    kept = {key: value for key, value in query.settings.items() if key != "max_result_rows"}
    outcome = engine.ask(f"EXPLAIN QUERY TREE passes = 1 {query.sql}", query.params, {**kept, "max_rows_to_read": 0})
    # Rows come sorted; each is one line of the tree.
    assert not outcome.error, f"{query.sql}\n{outcome.error}"
    return [str(row[0]) for row in outcome.rows]


def tables_read(lines: list[str]) -> set[str]:
    assert not [line for line in lines if "TABLE_FUNCTION" in line]
    return {found[1] for line in lines if (found := re.search(r"^\s*TABLE id: .*table_name: ([^,\s]+)", line))}


def tables_written(sql: str) -> set[str]:
    return {f"{d}.{t}" for d, t in re.findall(r'FROM "(\w+)"\."(\w+)" AS _scope', sql)}


@pytest.fixture(scope="module")
def loaded(engine: EngineProcess) -> EngineProcess:
    load(engine, (NORTH, SOUTH))
    for world in WORLDS:
        engine.run(*world.statements)
    return engine


@pytest.mark.parametrize("sql", HARMLESS)
def test_only_narrowed_tables_are_read(loaded: EngineProcess, sql: str) -> None:
    query = guarded(sql, shared=True)
    # A table may be read less often than it is written (an unused WITH), never another one. `system.one` is ClickHouse's empty FROM.
    assert tables_read(tree_lines(loaded, query)) - {"system.one"} <= tables_written(query.sql)


def test_generated_sql_reads_only_narrowed_tables(loaded: EngineProcess) -> None:
    @settings(QUIET, max_examples=80)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        world = WORLDS[data.draw(st.integers(0, len(WORLDS) - 1))]
        sql = data.draw(sql_queries(world)).replace("{d}", world.both.datasets[0].database)
        try:
            query = guard_sql(sql, world.both, world.caller, trust=TRUST)
        except UserError:
            return
        outcome = loaded.ask_guarded(query)
        if not outcome.error:
            assert tables_read(tree_lines(loaded, query)) - {"system.one"} <= tables_written(query.sql)

    check()


@pytest.mark.parametrize("sql", HARMLESS)
def test_clickhouse_prints_the_text_back_with_the_same_narrowing(loaded: EngineProcess, sql: str) -> None:
    """Its formatter shows what its parser understood: each narrowed sub-select must still stand there whole."""
    query = guarded(sql, shared=True)
    quoted = query.sql.replace("\\", "\\\\").replace("'", "\\'")
    printed = str(loaded.ask(f"SELECT formatQuerySingleLine('{quoted}')").rows[0][0])
    narrowed = re.findall(r"FROM shop\.\w+ AS _scope WHERE _scope\.org_id = \{tenant:String\}\)", printed)
    assert len(narrowed) == query.sql.count("AS _scope")
