"""What many hand in at once is written together; who hands in what cannot be written is alone with it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from api.together import Together
from core.errors import Conflict, Unavailable
from core.ids import TenantId

ACME, GLOBEX = TenantId("acme"), TenantId("globex")


class Book:
    """Writes once it is let go on. bad: what cannot be written; away: nothing can."""

    def __init__(self) -> None:
        self.batches: list[tuple[TenantId, list[str]]] = []
        self.go_on = threading.Event()
        self.away = False

    def write(self, tenant: TenantId, entries: Sequence[str]) -> None:
        assert self.go_on.wait(10)
        self.batches.append((tenant, list(entries)))
        if self.away:
            raise Unavailable("away")
        if "bad" in entries:
            raise Conflict("bad")


async def hand_in(book: Book, *entries: tuple[TenantId, str]) -> list[BaseException | None]:
    together = Together(book.write, most=3)
    handed = [asyncio.create_task(together.add(*one)) for one in entries]
    await asyncio.sleep(0)  # each has handed in, and the first is being written
    await asyncio.sleep(0)
    book.go_on.set()
    found = await asyncio.gather(*handed, return_exceptions=True)
    assert not together._waiting
    assert not together._writing
    return found


def test_the_first_is_written_at_once_and_all_who_came_meanwhile_together_for_each_tenant() -> None:
    book = Book()
    found = asyncio.run(hand_in(book, (ACME, "a"), (GLOBEX, "x"), *((ACME, one) for one in "bcde"), (GLOBEX, "y")))
    assert found == [None] * 7
    of = {tenant: [entries for whose, entries in book.batches if whose == tenant] for tenant in (ACME, GLOBEX)}
    assert [one for entries in of[ACME] for one in entries] == list("abcde")
    assert [one for entries in of[GLOBEX] for one in entries] == list("xy")
    assert len(of[ACME]) <= 3
    assert max(map(len, of[ACME])) == 3


def test_one_that_cannot_be_written_fails_alone() -> None:
    book = Book()
    found = asyncio.run(hand_in(book, *((ACME, one) for one in ("a", "b", "bad", "c"))))
    assert [type(one) for one in found] == [type(None), type(None), Conflict, type(None)]


def test_a_store_that_is_away_is_tried_once_and_nobody_is_told_that_it_is_written() -> None:
    book = Book()
    book.away = True
    found = asyncio.run(hand_in(book, *((ACME, one) for one in "abc")))
    assert [type(one) for one in found] == [Unavailable] * 3
    assert len(book.batches) <= 2


def test_what_was_handed_in_is_written_though_nobody_waits_any_more() -> None:
    async def left() -> list[tuple[TenantId, list[str]]]:
        book = Book()
        together = Together(book.write)
        first, second = (asyncio.create_task(together.add(ACME, one)) for one in "ab")
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        book.go_on.set()
        await first
        await together.add(ACME, "c")
        return book.batches

    assert [one for _, entries in asyncio.run(left()) for one in entries] == ["a", "b", "c"]
