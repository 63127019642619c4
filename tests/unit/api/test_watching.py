"""Many who wait for a number cost one look at it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from api.watching import Watch
from core.errors import Unavailable


def test_all_who_wait_are_told_by_one_look_and_who_sees_no_change_is_told_nothing() -> None:
    async def waited() -> tuple[list[int | None], int | None, int, int]:
        numbers, looks, failures = {"a": 1}, 0, [KeyError("a defect"), Unavailable("away")]

        def read(keys: Collection[str]) -> dict[str, int]:
            nonlocal looks
            looks += 1
            if failures:
                raise failures.pop()
            return {key: numbers[key] for key in keys if key in numbers}

        watch: Watch[str] = Watch(read, 0.005)
        many = [asyncio.create_task(watch.other_than(1, "a", 5)) for _ in range(100)]
        unchanged = await watch.other_than(0, "unknown", 0.05)
        assert not any(one.done() for one in many)
        numbers["a"], before = 2, looks
        told = await asyncio.gather(*many)
        return list(told), unchanged, looks - before, len(watch._waiting)

    told, unchanged, looks, left = asyncio.run(waited())
    assert (told, unchanged, left) == ([2] * 100, None, 0)
    assert looks <= 3
