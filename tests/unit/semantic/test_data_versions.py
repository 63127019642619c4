"""Versions of tables: asked for together, told apart by table."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from semantic.data_versions import DataVersions, Table
from semantic.warehouse.versions import is_of_every_table, parse_version, parse_versions, with_views

ORDERS, VISITS, VIEW = ("shop", "orders"), ("shop", "visits"), ("shop", "view")


@dataclass
class World:
    """Says versions of its own, and notes what it was asked for."""

    versions: dict[Table, str] = field(default_factory=lambda: {ORDERS: "o1", VISITS: "v1", VIEW: "*all1"})
    asked: list[tuple[Table, ...]] = field(default_factory=list)
    at_s: float = 0.0
    error: Exception | None = None

    async def ask(self, tables: Sequence[Table]) -> dict[Table, str]:
        self.asked.append(tuple(tables))
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return {table: self.versions[table] for table in tables}


def run(scenario: Callable[[World, DataVersions], Awaitable[None]]) -> World:
    world = World()

    async def go() -> None:
        await scenario(world, DataVersions(world.ask, max_age_s=1.0, now_s=lambda: world.at_s))

    asyncio.run(go())
    return world


class TestTogether:
    def test_what_others_wanted_a_moment_ago_is_asked_for_along_with_ones_own(self) -> None:
        async def scenario(world: World, versions: DataVersions) -> None:
            await versions.of([ORDERS])
            await versions.of([VISITS])
            world.at_s, world.versions[VISITS] = 2.0, "v2"
            assert await versions.of([ORDERS]) == "o1"
            assert await versions.of([VISITS]) == "v2"
            world.at_s = 60.0
            await versions.of([ORDERS])

        assert run(scenario).asked == [(ORDERS,), (ORDERS, VISITS), (ORDERS, VISITS), (ORDERS,)]

    def test_who_comes_while_it_is_asked_waits_for_the_same_answer(self) -> None:
        async def scenario(world: World, versions: DataVersions) -> None:
            await versions.of([ORDERS, VISITS])
            world.at_s = 2.0
            assert await asyncio.gather(versions.of([ORDERS]), versions.of([VISITS])) == ["o1", "v1"]

        assert len(run(scenario).asked) == 2

    def test_views_burden_nobody_else(self) -> None:
        async def scenario(world: World, versions: DataVersions) -> None:
            await versions.of([VIEW])
            world.at_s = 2.0
            await versions.of([ORDERS])
            world.at_s = 4.0
            await asyncio.gather(versions.of([VIEW]), versions.of([ORDERS]))

        assert run(scenario).asked == [(VIEW,), (ORDERS,), (VIEW,), (ORDERS,)]

    def test_of_several_tables_each_counts(self) -> None:
        async def scenario(world: World, versions: DataVersions) -> None:
            both = await versions.of([ORDERS, VISITS])
            assert await versions.of([VISITS, ORDERS, VISITS]) == both
            world.at_s, world.versions[VISITS] = 2.0, "v2"
            assert versions.last([ORDERS, VISITS]) == (both, False)
            assert await versions.of([ORDERS, VISITS]) not in (both, "o1", "v2")
            assert versions.last([ORDERS, VIEW]) is None

        run(scenario)

    def test_a_failure_is_for_who_waited_and_is_not_kept(self) -> None:
        async def scenario(world: World, versions: DataVersions) -> None:
            world.error = RuntimeError("away")
            with pytest.raises(RuntimeError):
                await versions.of([ORDERS])
            world.error = None
            assert await versions.of([ORDERS]) == "o1"

        run(scenario)


class TestParsing:
    ROWS = SimpleNamespace(
        result_rows=[(*ORDERS, "id1", 7, "MergeTree", 0, 0), (*VIEW, "id2", 8, "View", 0, 0), (*ORDERS, "p1", 3, "", 5, 0)]
    )

    def test_each_table_has_its_own(self) -> None:
        found = parse_versions(self.ROWS, [ORDERS, VISITS])
        changed = SimpleNamespace(result_rows=[*self.ROWS.result_rows[:2], (*ORDERS, "p1", 4, "", 5, 0)])
        assert parse_versions(changed, [ORDERS, VISITS])[ORDERS] != found[ORDERS]
        assert parse_versions(changed, [ORDERS, VISITS])[VISITS] == found[VISITS]  # of a table that is not there
        alone = SimpleNamespace(result_rows=[row for row in self.ROWS.result_rows if row[:2] == ORDERS])
        assert found[ORDERS] == parse_version(alone)

    def test_a_view_has_that_of_every_table(self) -> None:
        found = with_views(parse_versions(self.ROWS, [ORDERS, VIEW]), self.ROWS, self.ROWS)
        assert is_of_every_table(found[VIEW])
        assert not is_of_every_table(found[ORDERS])
