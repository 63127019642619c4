"""Which state of their data tables are in, asked for as seldom as it is believed, for all who ask at about the same time."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semantic.warehouse.versions import is_of_every_table

Table = tuple[str, str]  # database, table
_KEPT = 4096
_TOGETHER = 64
_RECENT_S = 10.0


@dataclass(frozen=True, slots=True)
class _Known:
    version: str
    asked_at_s: float


@dataclass(frozen=True, slots=True)
class _Asking:
    task: asyncio.Task[Mapping[Table, str]]
    tables: frozenset[Table]
    asked_at_s: float


class DataVersions:
    """For one event loop. ask: the warehouse. max_age_s: for how long an answer is believed, counted from when it was asked for.

    Who asks for a table asks for those along with it that others wanted a moment ago, so that many questions over different tables take one
    query in that time. Views are left out of that, and so is who asks for one: to know their state every table is looked at.
    """

    def __init__(
        self, ask: Callable[[Sequence[Table]], Awaitable[Mapping[Table, str]]], *, max_age_s: float, now_s: Callable[[], float]
    ) -> None:
        self._ask, self._max_age_s, self._now_s = ask, max_age_s, now_s
        self._known: OrderedDict[Table, _Known] = OrderedDict()
        self._wanted_at_s: OrderedDict[Table, float] = OrderedDict()
        self._asking: list[_Asking] = []

    def last(self, tables: Collection[Table]) -> tuple[str, bool] | None:
        """What the version was when last asked for, and whether that is still believed; None when a table was never asked for."""
        found = {table: known for table in tables if (known := self._known.get(table)) is not None}
        if len(found) < len(set(tables)):
            return None
        is_believed = all(self._is_believed(known.asked_at_s) for known in found.values())
        return _joined({table: known.version for table, known in found.items()}), is_believed

    async def of(self, tables: Collection[Table]) -> str:
        """Changes whenever rows of one of these may have changed. Raises: what `ask` raises."""
        names = frozenset(tables)
        for table in names:
            self._wanted_at_s[table] = self._now_s()
            self._wanted_at_s.move_to_end(table)
        last = self.last(names)
        if last is not None and last[1]:
            return last[0]
        asking = next((one for one in self._asking if names <= one.tables and self._is_believed(one.asked_at_s)), None)
        if asking is None:
            asking = self._start(names)
        # A warehouse that takes longer to answer than an answer is believed is not asked by everybody at once for that reason.
        found = await asyncio.shield(asking.task)
        return _joined({table: found[table] for table in names})

    def forget(self) -> None:
        """The next who asks gets what the warehouse says then."""
        self._known.clear()
        self._asking.clear()

    def _is_believed(self, asked_at_s: float) -> bool:
        return self._now_s() - asked_at_s < self._max_age_s

    def _start(self, names: frozenset[Table]) -> _Asking:
        is_slow = any((known := self._known.get(table)) is not None and is_of_every_table(known.version) for table in names)
        together = names if is_slow else names | self._recent(_TOGETHER - len(names))
        asking = _Asking(asyncio.create_task(self._answered(together)), together, self._now_s())
        asking.task.add_done_callback(seen)
        self._asking.append(asking)
        return asking

    def _recent(self, most: int) -> frozenset[Table]:
        while len(self._wanted_at_s) > _KEPT:
            self._wanted_at_s.popitem(last=False)
        found: set[Table] = set()
        for table, at_s in reversed(self._wanted_at_s.items()):
            if len(found) >= most or self._now_s() - at_s > min(_RECENT_S, 10 * self._max_age_s):
                break
            known = self._known.get(table)
            if known is not None and not is_of_every_table(known.version):
                found.add(table)
        return frozenset(found)

    async def _answered(self, tables: frozenset[Table]) -> Mapping[Table, str]:
        mine, asked_at_s = asyncio.current_task(), self._now_s()
        try:
            found = await self._ask(sorted(tables))
        finally:
            is_wanted = any(one.task is mine for one in self._asking)  # else versions were forgotten meanwhile
            self._asking = [one for one in self._asking if one.task is not mine]
        if is_wanted:
            self._keep(found, asked_at_s)
        return found

    def _keep(self, found: Mapping[Table, str], asked_at_s: float) -> None:
        for table, version in found.items():
            known = self._known.get(table)
            if known is None or known.asked_at_s <= asked_at_s:
                self._known[table] = _Known(version, asked_at_s)
                self._known.move_to_end(table)
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)


def _joined(versions: Mapping[Table, str]) -> str:
    if len(versions) == 1:
        return next(iter(versions.values()))
    text = repr(sorted(versions.items()))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def seen(task: asyncio.Task[Any]) -> None:
    """Every waiter may have left before the task failed; its error is looked at here so that nobody warns about it."""
    if not task.cancelled():
        task.exception()
