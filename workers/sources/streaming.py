"""Brings a topic's new messages into the tenant's database: staged in batches, visible at once, each exactly once.

Where a run goes on is read from the rows themselves (the largest offset of each partition), which become visible together with them: a run
that dies before leaves nothing, and one that dies after brings nothing twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import Invalid
from semantic.ingest.table import ColumnPlan, Target, quoted
from semantic.ingest.types import Rejected
from workers.sources.copying import COPY_S, Admin, columns_of, plain_type, sweep
from workers.sources.drift import Drift, refuse_drift
from workers.sources.messages import AT, OFFSET, OWN, PARTITION, declared, decoded
from workers.sources.spec import Kafka, Plan
from workers.sources.topic import Span, Topic

MOST_SET_ASIDE = 10_000  # kept with their text; all are counted
MOST_ROWS = 20_000_000


@dataclass(slots=True)
class Streamed:
    """rows: that came; total: that are there now. positions: where the next run goes on, by partition. behind: messages that wait for it.
    missed: that the brokers no longer had. set_aside: that were no row. empty: without a value (deletions)."""

    columns: Mapping[str, str]
    drift: Drift
    positions: Mapping[int, int]
    rows: int = 0
    total: int = 0
    behind: int = 0
    missed: int = 0
    set_aside: int = 0
    empty: int = 0


@dataclass(frozen=True, slots=True)
class Stream:
    """One run. known: positions that the run before noted, which count messages at the end that were no rows. origin: what the run before read."""

    admin: Admin
    database: str
    plan: Plan
    address: Kafka
    allowed: Collection[str]
    known: Mapping[int, int] = field(default_factory=dict)
    origin: str = ""

    def run(self, *, full: bool, check: Callable[[], None] = lambda: None, until_s: float | None = None) -> Streamed:
        """check: called between batches and right before the rows become visible; it may raise to stop.

        Raises: Invalid when the topic cannot be read or its fields do not fit; nothing is changed then. Unavailable.
        """
        before = columns_of(self.admin, self.database, self.plan.table)
        append = bool(before) and not full
        if append and not OWN.keys() <= before.keys():
            raise Invalid(f"The table {self.plan.table} was not filled from a topic; choose another table.", code="source_drift")
        if append:
            self._refuse_another()
        sweep(self.admin, self.database, self.plan.table)
        with Topic(self.address, self.allowed) as topic:
            spans = topic.spans(self._positions() if append else {})
            return self._filled(topic, spans, before if append else {}, check, time.monotonic() + COPY_S if until_s is None else until_s)

    def _filled(
        self, topic: Topic, spans: tuple[Span, ...], before: Mapping[str, str], check: Callable[[], None], until_s: float
    ) -> Streamed:
        types = {name: plain_type(kind) for name, kind in before.items() if name not in OWN}
        asked = declared(self.address.fields)
        if before:
            other = {name: (types[name], kind) for name, kind in asked.items() if name in types and types[name] != kind}
            refuse_drift(Drift({}, (), other), self.plan, full=False)
        types |= {name: kind for name, kind in asked.items() if name not in types}
        at = {span.partition: span.first for span in spans}
        found = Streamed({}, Drift({}, (), {}), at, missed=sum(span.missed for span in spans))
        start = before or _column_types(types)
        target = Target(
            self.admin, self.database, self.plan.table, [ColumnPlan(*one) for one in start.items()], f"({quoted(AT)})", append=bool(before)
        )
        columns = dict(start)
        try:
            for messages, at in topic.read(spans, until_s):
                check()
                batch = decoded(messages, types)
                self._widen(target.staging, columns, _column_types(types))
                if batch.rows is not None:
                    target.insert(batch.rows)
                    found.rows += batch.rows.num_rows
                _keep(target, found, batch.rejected)
                found.empty += batch.empty
                found.positions = at
                if found.rows >= MOST_ROWS:
                    break
            added = {name: kind for name, kind in columns.items() if name not in before} if before else {}
            found.drift, found.columns = Drift(added, (), {}), columns
            refuse_drift(found.drift, self.plan, full=False)
            check()
            self._widen(self.plan.table, dict(before), columns) if before else None
            target.finish()
        except BaseException:
            target.abandon()
            raise
        found.behind = sum(span.end - found.positions[span.partition] for span in spans)
        found.total = int(self.admin.query_arrow(f"SELECT count() FROM {self._table(self.plan.table)}").column(0)[0].as_py())
        return found

    def _refuse_another(self) -> None:
        """The rows' offsets are those of the topic that they came from; in another one they would leave out as many messages."""
        brokers, _, topic = self.origin.removeprefix("kafka://").rpartition("/")
        same = topic == self.address.topic and not set(brokers.split(",")).isdisjoint(self.address.brokers)
        if self.origin and not same:
            raise Invalid(
                f"The table {self.plan.table} holds messages of {self.origin}; this is {self.address.origin}. Run the source once with a full "
                "refresh, or give another table. A cluster whose brokers all have new names is known as the same while one of the old stays named.",
                code="source_rewound",
            )

    def _positions(self) -> dict[int, int]:
        name = self._table(self.plan.table)
        found = self.admin.query_arrow(f"SELECT {PARTITION}, max({OFFSET}) + 1 FROM {name} GROUP BY {PARTITION}")
        rows = dict(zip(found.column(0).to_pylist(), found.column(1).to_pylist(), strict=True))
        return {partition: max(rows.get(partition, 0), self.known.get(partition, 0)) for partition in {*rows, *self.known}}

    def _widen(self, table: str, has: dict[str, str], wanted: Mapping[str, str]) -> None:
        """Adds the columns that are wanted and not there, and notes them in `has`."""
        for name, kind in wanted.items():
            if name not in has:
                self.admin.execute(f"ALTER TABLE {self._table(table)} ADD COLUMN IF NOT EXISTS {quoted(name)} {kind}")
                has[name] = kind

    def _table(self, name: str) -> str:
        return f"{quoted(self.database)}.{quoted(name)}"


def look(address: Kafka, allowed: Collection[str]) -> dict[str, str]:
    """Types of the columns that are known before a message is read; also the test of a connection. Raises: Invalid."""
    types = _column_types(declared(address.fields))
    with Topic(address, allowed) as topic:
        topic.spans({})
    return types


def noted(report: Mapping[str, Any]) -> dict[int, int]:
    """The positions in the report of a run."""
    return {int(partition): int(offset) for partition, offset in dict(report.get("positions") or {}).items()}


def _column_types(types: Mapping[str, str]) -> dict[str, str]:
    return {name: kind for name, (kind, _) in OWN.items()} | {name: f"Nullable({kind})" for name, kind in types.items()}


def _keep(target: Target, found: Streamed, rejected: tuple[Rejected, ...]) -> None:
    target.set_aside(rejected[: max(0, MOST_SET_ASIDE - found.set_aside)])
    found.set_aside += len(rejected)
