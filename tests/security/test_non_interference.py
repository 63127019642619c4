"""For any accepted question, the answer on {A} equals the answer on {A and B}: generated SQL over random catalogs, both layouts, row policies.

The world `alone` holds only the rows that the caller may see and knows no policy, so the test also says that policies do what they mean.
"""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.chdb_engine import EngineProcess, Outcome
from core.errors import UserError
from core.principal import Principal, Role
from semantic.catalog.model import Catalog
from semantic.catalog.visible import visible_to
from semantic.kernel import GuardedBook
from semantic.pipeline import guard_sql
from semantic.query import SemanticQuery
from semantic.states import GuardedQuery
from semantic.trust import Trust
from tests.security.semantic_queries import semantic_queries
from tests.security.worlds import MARK, World, make_world, sql_queries

TRUST = Trust(tenant_columns=frozenset({"tenant_id", "org"}))
SEED = int(os.environ.get("QUERENT_TEST_SEED", "1"))
WORLDS = [make_world(index, SEED) for index in range(10)]
FULL = int(os.environ.get("QUERENT_EXAMPLES", "600"))
# An alarm of pytest-timeout in the middle of a draw reads as a strategy that changed its mind, so there is none before this many seconds.
pytestmark = pytest.mark.timeout(1800)
QUIET = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def worlds(engine: EngineProcess) -> EngineProcess:
    for world in WORLDS:
        engine.run(*world.statements)
    return engine


def guarded(sql: str, catalog: Catalog, caller: Principal) -> GuardedQuery:
    return guard_sql(sql.replace("{d}", catalog.datasets[0].database), catalog, caller, trust=TRUST)


def code(outcome: Outcome) -> str:
    return outcome.error.split(".", 1)[0]


def same(both: Outcome, alone: Outcome) -> bool:
    """Equal answers; of two errors, the same kind (which row fails first may differ)."""
    if both.error or alone.error:
        return code(both) == code(alone)
    return both.same_as(alone)


def interfere(engine: EngineProcess, world: World, query: GuardedQuery, twin: GuardedQuery) -> str:
    both, alone = engine.ask_many([(query.sql, query.params, query.settings), (twin.sql, twin.params, twin.settings)])
    assert not both.mentions((MARK,)), f"{query.sql}\n{both}"
    assert same(both, alone), f"{world.index}: {query.sql}\nboth  {both}\nalone {alone}"
    return "error" if both.error else "answer"


class TestGeneratedSql:
    def run(self, engine: EngineProcess, examples: int) -> Counter[str]:
        seen: Counter[str] = Counter()

        @settings(QUIET, max_examples=examples)
        @given(st.data())
        def check(data: st.DataObject) -> None:
            world = WORLDS[data.draw(st.integers(0, len(WORLDS) - 1))]
            sql = data.draw(sql_queries(world))
            try:
                query = guarded(sql, world.both, world.caller)
            except UserError as error:
                seen[f"refused {error.code}"] += 1
                return
            seen[interfere(engine, world, query, guarded(sql, world.alone, world.twin))] += 1

        check()
        return seen

    def test_the_other_tenant_never_shows(self, worlds: EngineProcess) -> None:
        seen = self.run(worlds, int(os.environ.get("QUERENT_EXAMPLES", "100")))
        assert seen["answer"] > 0.4 * seen.total(), seen

    @pytest.mark.slow
    def test_the_other_tenant_never_shows_in_many_queries(self, worlds: EngineProcess) -> None:
        seen = self.run(worlds, FULL)
        assert seen["answer"] > 0.4 * seen.total(), seen


class TestTheTestItself:
    """Would it notice? The same questions without the guard do interfere."""

    def test_unguarded_queries_interfere(self, worlds: EngineProcess) -> None:
        world = next(w for w in WORLDS if w.tenant_column)
        sql = "SELECT count() AS n FROM {d}.t0"
        both, alone = (worlds.ask(sql.replace("{d}", c.datasets[0].database)) for c in (world.both, world.alone))
        assert not same(both, alone)

    def test_the_worlds_cover_layouts_and_policies(self) -> None:
        assert {w.tenant_column is None for w in WORLDS} == {True, False}
        assert {w.policy_field is None for w in WORLDS} == {True, False}
        assert {w.hidden is None for w in WORLDS} == {True, False}


class TestGeneratedSemanticQueries:
    """The same through resolve and compile. Names resolve against what the caller may see, as the API does it."""

    AS_OF = dt.datetime(2024, 5, 15, 12, tzinfo=dt.UTC)

    def compiled(self, query: SemanticQuery, catalog: Catalog, caller: Principal) -> GuardedQuery:
        """As the API finds it again after others have asked the same."""
        book = GuardedBook(visible_to(catalog, caller), catalog)
        for other in (replace(caller, attributes={"cats": ("x",)}), replace(caller, roles=frozenset({Role.ANALYST})), caller):
            with suppress(UserError):
                book.guarded(query, catalog, other, as_of=self.AS_OF, trust=TRUST)
        return book.guarded(query, catalog, caller, as_of=self.AS_OF, trust=TRUST)

    def run(self, engine: EngineProcess, examples: int) -> Counter[str]:
        seen: Counter[str] = Counter()

        @settings(QUIET, max_examples=examples)
        @given(st.data())
        def check(data: st.DataObject) -> None:
            world = WORLDS[data.draw(st.integers(0, len(WORLDS) - 1))]
            query = data.draw(semantic_queries(world))
            try:
                ours = self.compiled(query, world.both, world.caller)
            except UserError as error:
                seen[f"refused {error.code}"] += 1
                return
            seen[interfere(engine, world, ours, self.compiled(query, world.alone, world.twin))] += 1

        check()
        return seen

    def test_the_other_tenant_never_shows(self, worlds: EngineProcess) -> None:
        seen = self.run(worlds, int(os.environ.get("QUERENT_EXAMPLES", "100")))
        assert seen["refused query_not_verified"] == 0, seen
        assert seen["answer"] > 0.4 * seen.total(), seen

    @pytest.mark.slow
    def test_the_other_tenant_never_shows_in_many_queries(self, worlds: EngineProcess) -> None:
        seen = self.run(worlds, FULL)
        assert seen["answer"] > 0.4 * seen.total(), seen
