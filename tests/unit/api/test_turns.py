"""Turns go round the tenants, and none is lost."""

from __future__ import annotations

import asyncio

from api.limiting import TooManyRequests
from api.turns import Turns
from core.errors import Unavailable
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


class TestFloods:
    def test_a_flood_beside_others_is_worked_on_one_at_a_time_with_rests(self) -> None:
        async def most_begun(*, others: bool) -> tuple[int, int]:
            turns, inside, seen, served = Turns(8, flood_after_s=0), 0, 0, 0

            async def one() -> None:
                nonlocal inside, seen, served
                async with turns.turn(TenantId("flood")), turns.paused():
                    inside += 1
                    seen = max(seen, inside)
                    await asyncio.sleep(0.01)
                    inside -= 1
                    served += 1

            if others:
                async with turns.turn(TenantId("calm")):
                    pass
            tasks = [asyncio.create_task(one()) for _ in range(60)]
            if not others:
                await asyncio.gather(*tasks)
            await asyncio.sleep(0.05)
            seen = inside
            await asyncio.sleep(0.25)
            begun = seen
            async with asyncio.timeout(1):  # others find a free turn at once
                async with turns.turn(TenantId("calm")):
                    pass
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert turns._free == 8
            return begun, served

        assert asyncio.run(most_begun(others=False))[1] == 60
        begun, served = asyncio.run(most_begun(others=True))
        assert begun <= 1
        assert served < 45  # the first ones began before there were many

    def test_a_flood_that_is_over_is_forgotten_after_a_slow_question(self) -> None:
        async def seconds_until_served() -> float:
            clock = [0.0]
            turns, tenant = Turns(1, longest_wait_s=0.01, flood_after_s=0, now=lambda: clock[0]), TenantId("flood")

            async def one() -> None:
                async with turns.turn(tenant):
                    pass

            async with turns.turn(TenantId("calm")):
                pass
            async with turns.turn(tenant):
                await asyncio.gather(*(one() for _ in range(40)), return_exceptions=True)
                clock[0] += 60
                waits = [asyncio.create_task(one()) for _ in range(40)]
                await asyncio.sleep(0)
                turns._longest_wait_s = 10
            rested_s = turns._rests_until[tenant] - clock[0]
            for task in waits:
                task.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
            assert not turns._flooding
            await one()
            return rested_s

        assert asyncio.run(seconds_until_served()) <= 5

    def test_a_standstill_of_a_moment_makes_no_flood(self) -> None:
        async def after(seconds: float) -> bool:
            clock = [0.0]
            turns, tenant = Turns(1, now=lambda: clock[0]), TenantId("busy")

            async def one() -> None:
                async with turns.turn(tenant):
                    pass

            async with turns.turn(tenant):
                tasks = [asyncio.create_task(one()) for _ in range(40)]
                await asyncio.sleep(0)
                clock[0] += seconds
                tasks.append(asyncio.create_task(one()))
                await asyncio.sleep(0)
                found = tenant in turns._flooding
            await asyncio.gather(*tasks)
            assert not turns._many_since
            return found

        assert [asyncio.run(after(seconds)) for seconds in (1.0, 4.0)] == [False, True]

    def test_who_waits_too_long_or_in_too_long_a_line_is_told_to_come_back(self) -> None:
        async def refusals() -> list[type[BaseException] | None]:
            turns, tenant = Turns(1, longest_wait_s=0.01, flood_after_s=0), TenantId("a")

            async def one() -> None:
                async with turns.turn(tenant):
                    await asyncio.sleep(0)

            async with turns.turn(TenantId("b")):
                few = await asyncio.gather(*(one() for _ in range(3)), return_exceptions=True)
                many = await asyncio.gather(*(one() for _ in range(600)), return_exceptions=True)
            await one()
            assert turns._free == 1
            return [type(found) for found in (few[0], many[0], many[-1])]

        assert asyncio.run(refusals()) == [Unavailable, TooManyRequests, TooManyRequests]
