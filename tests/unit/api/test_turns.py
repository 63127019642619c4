"""Turns go round the tenants, and none is lost."""

from __future__ import annotations

import asyncio

from api.turns import Turns
from core.ids import TenantId


async def _order(turns: Turns, asked: list[str], left: set[int]) -> list[str]:
    served: list[str] = []

    async def one(number: int, tenant: str) -> None:
        async with turns.turn(TenantId(tenant)):
            served.append(f"{tenant}{number}")
            await asyncio.sleep(0)

    async with turns.turn(TenantId("x")):
        tasks = [asyncio.create_task(one(n, tenant)) for n, tenant in enumerate(asked)]
        await asyncio.sleep(0)
        for number in left:
            tasks[number].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return served


def test_who_floods_does_not_hold_up_the_others() -> None:
    assert asyncio.run(_order(Turns(1), ["a", "a", "a", "b", "b"], set())) == ["a0", "b3", "a1", "b4", "a2"]


def test_callers_who_left_cost_no_turn() -> None:
    turns = Turns(1)
    assert asyncio.run(_order(turns, ["a", "a", "b", "a"], {0, 2})) == ["a1", "a3"]
    assert asyncio.run(_order(turns, ["b"], set())) == ["b0"]


def test_several_at_once() -> None:
    async def most() -> int:
        turns, inside, seen = Turns(2), 0, 0

        async def one() -> None:
            nonlocal inside, seen
            async with turns.turn(TenantId("a")):
                inside += 1
                seen = max(seen, inside)
                await asyncio.sleep(0.001)
                inside -= 1

        await asyncio.gather(*(one() for _ in range(10)))
        return seen

    assert asyncio.run(most()) == 2


def test_who_waits_for_something_else_takes_no_turn() -> None:
    async def most_inside() -> tuple[int, list[str]]:
        turns, served = Turns(1), list[str]()
        answered = asyncio.Event()

        async def slow() -> None:
            async with turns.turn(TenantId("a")):
                async with turns.paused():
                    await answered.wait()
                served.append("slow")

        async def quick() -> None:
            async with turns.turn(TenantId("b")):
                served.append("quick")

        waiting = asyncio.create_task(slow())
        await asyncio.sleep(0)
        await asyncio.wait_for(quick(), 1)
        answered.set()
        await asyncio.wait_for(waiting, 1)
        async with turns.paused():  # without a turn it is nothing
            pass
        return turns._free, served

    assert asyncio.run(most_inside()) == (1, ["quick", "slow"])
