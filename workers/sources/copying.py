"""Copies a source's rows into the tenant's database by the engine itself: staged first, then visible at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from core.errors import AppError, InternalError, Invalid
from semantic.ingest.names import column_names
from semantic.ingest.table import STAGING_MARK, ColumnPlan, Target, quoted
from semantic.warehouse.admin import quote_name
from workers.sources.drift import Drift, drift, refuse_drift
from workers.sources.reading import LOOKED_AT, Remote, Rows, Since
from workers.sources.spec import Plan

COPY_S = 540  # below the client's own 600 s: an end that we see
LOOK_S = 30
_KEY_TYPES = ("Date", "DateTime", "Int", "UInt", "Decimal", "String", "UUID")
_SHOWN_DETAIL = 240
_ENGINE = re.compile(r" (?:\(version [\d.]+|\(for url )")  # where the engine goes on about itself


class Admin(Protocol):
    def execute(self, sql: str, params: Mapping[str, Any] | None = None, *, settings: Mapping[str, str | int] | None = None) -> None: ...

    def query_arrow(
        self, sql: str, params: Mapping[str, Any] | None = None, *, settings: Mapping[str, str | int] | None = None
    ) -> pa.Table: ...

    def insert_arrow(self, database: str, table: str, data: pa.Table) -> int: ...


@dataclass(frozen=True, slots=True)
class RemoteColumn:
    """source: its name there. name: its name here. type: ClickHouse's. note: what the look at some rows says of it."""

    source: str
    name: str
    type: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Copied:
    """rows: how many came; total: how many are there now. before, after: the largest key as text, None in full copies or without rows."""

    columns: tuple[RemoteColumn, ...]
    drift: Drift
    rows: int
    total: int
    before: str | None
    after: str | None


def read_columns(admin: Admin, source: Remote) -> tuple[RemoteColumn, ...]:
    """The source's columns as the engine sees them; also the test of a connection. Raises: Invalid when it cannot be read."""
    found = _asked(admin, source, Rows(f"DESCRIBE TABLE {source.call}", source.params), LOOK_S)
    headers, kinds = found.column("name").to_pylist(), found.column("type").to_pylist()
    if not headers:
        raise Invalid("The source has no columns.", code="source_empty")
    names, _ = column_names(headers)
    notes = [""] * len(names)
    if source.look:
        rows, *held = (column[0].as_py() for column in _asked(admin, source, Rows(source.look, source.params), LOOK_S).columns)
        if not rows:
            raise Invalid("Nothing is there under that name. Check the spelling of database and collection.", code="source_empty")
        notes = ["" if count else f"in none of the first {min(rows, LOOKED_AT):,} rows" for count in held]
    return tuple(map(RemoteColumn, headers, names, kinds, notes))


def _asked(admin: Admin, source: Remote, rows: Rows, most_s: int) -> pa.Table:
    """Raises: Invalid in the source's words when it cannot be read."""
    try:
        return admin.query_arrow(
            rows.text, rows.params, settings={**source.settings, "max_execution_time": most_s, "max_block_size": LOOKED_AT}
        )
    except AppError as error:
        raise unreadable(error, source) from error


@dataclass(frozen=True, slots=True)
class Copy:
    """One run. published: called right before the new rows become visible; it may raise to stop."""

    admin: Admin
    database: str
    plan: Plan
    source: Remote

    def run(self, *, full: bool, published: Callable[[], None] = lambda: None) -> Copied:
        """Raises: Invalid when the source cannot be read or its columns do not fit; nothing is changed then. Unavailable; QueryTooExpensive."""
        columns = read_columns(self.admin, self.source)
        there = self._columns()
        incremental = self.plan.mode == "incremental" and bool(there) and not full
        key = self._key(columns)
        found = drift(there, {c.name: c.type for c in columns}) if there else Drift({}, (), {})
        refuse_drift(found, self.plan, full=not incremental)
        sweep(self.admin, self.database, self.plan.table)
        if incremental:
            for name, kind in found.added.items():
                self.admin.execute(f"ALTER TABLE {self._table(self.plan.table)} ADD COLUMN IF NOT EXISTS {quoted(name)} {kind}")
        before = self._largest(key) if incremental and key else None
        target = self._target(columns, key, append=incremental)
        try:
            rows = self._fill(columns, key, target.staging, before)
            self._refuse_unidentified(target.staging)
            published()
            if rows and incremental and self.plan.identity and self._again(target.staging):
                target = self._merged(columns, key, target)
            target.finish()
        except BaseException:
            target.abandon()
            raise
        after = self._largest(key) if key else None
        return Copied(columns, found, rows, self._count(self.plan.table), before, after)

    def _target(self, columns: tuple[RemoteColumn, ...], key: RemoteColumn | None, *, append: bool) -> Target:
        types = self._columns() if append else {c.name: c.type for c in columns}
        return Target(
            self.admin, self.database, self.plan.table, [ColumnPlan(n, t) for n, t in types.items()], _order(columns, key), append=append
        )

    def _key(self, columns: tuple[RemoteColumn, ...]) -> RemoteColumn | None:
        wanted = {*self.plan.identity, *([self.plan.key] if self.plan.key else [])}
        missing = sorted(wanted - {c.source for c in columns})
        if missing:
            known = ", ".join(c.source for c in columns[:30])
            raise Invalid(f"The source has no column {', '.join(missing)}; it has {known}.", code="source_no_key", suggestions=[known])
        key = next((c for c in columns if c.source == self.plan.key), None)
        if key is not None and not plain_type(key.type).startswith(_KEY_TYPES):
            raise Invalid(
                f"The key {key.source!r} is {key.type}; a number, date, time or text that only grows was expected.", code="source_bad_key"
            )
        if self.plan.look_back_days and key is not None and not plain_type(key.type).startswith("Date"):
            raise Invalid(f"look_back_days needs a date or time as key; {key.source!r} is {key.type}.", code="source_bad_key")
        return key

    def _fill(self, columns: tuple[RemoteColumn, ...], key: RemoteColumn | None, staging: str, before: str | None) -> int:
        names = ", ".join(quoted(c.name) for c in columns)
        rows = Rows(self.source.call, self.source.params)
        if before is not None and key is not None:
            since = Since(key.source, plain_type(key.type), before, bool(self.plan.identity), self.plan.look_back_days)
            self._refuse_strangers(since)
            rows = self.source.newer(since)
        wanted = ", ".join(quote_name(c.source) for c in columns)
        settings: dict[str, str | int] = {**self.source.settings, "max_execution_time": COPY_S}
        try:
            self.admin.execute(
                f"INSERT INTO {self._table(staging)} ({names}) SELECT {wanted} FROM {rows.text}",
                rows.params,
                settings=settings,
            )
        except AppError as error:
            raise unreadable(error, self.source) from error
        return self._count(staging)

    def _refuse_strangers(self, since: Since) -> None:
        """Raises: Invalid for rows that a condition on the key would never find."""
        rows = self.source.strangers(since)
        if rows is not None and _asked(self.admin, self.source, Rows(f"SELECT * FROM {rows.text}", rows.params), COPY_S).num_rows:
            raise Invalid(
                f"The key {since.column!r} holds text in some rows, and other values were expected: newer ones could not be told. Mend them, "
                "or declare the key as text and run a full refresh.",
                code="source_bad_key",
            )

    def _refuse_unidentified(self, staging: str) -> None:
        """Raises: Invalid for rows that nothing tells apart: each run would bring them once more."""
        if not self.plan.identity:
            return
        unknown = " OR ".join(f"isNull({quoted(name)})" for name in column_names(self.plan.identity)[0])
        found = self.admin.query_arrow(f"SELECT countIf({unknown}) FROM {self._table(staging)}").column(0)[0].as_py()
        if found:
            raise Invalid(
                f"{found:,} rows are empty in {', '.join(self.plan.identity)}, which should tell rows apart. Choose other columns as identity.",
                code="source_no_identity",
            )

    def _again(self, staging: str) -> bool:
        """Whether some of the new rows replace others; without any, adding them is enough."""
        names = self._identity_names()
        sql = f"SELECT count() FROM {self._table(self.plan.table)} WHERE ({names}) IN (SELECT {names} FROM {self._table(staging)})"
        return bool(self.admin.query_arrow(sql).column(0)[0].as_py())

    def _merged(self, columns: tuple[RemoteColumn, ...], key: RemoteColumn | None, new: Target) -> Target:
        """The rows that stay and the new ones together, to be swapped in at once."""
        types = [ColumnPlan(name, kind) for name, kind in self._columns().items()]
        whole = Target(self.admin, self.database, self.plan.table, types, _order(columns, key), append=False)
        names, into = self._identity_names(), self._table(whole.staging)
        listed = ", ".join(quoted(n) for n in self._columns())
        self.admin.execute(
            f"INSERT INTO {into} ({listed}) SELECT {listed} FROM {self._table(self.plan.table)} WHERE NOT ifNull(({names}) IN "
            f"(SELECT {names} FROM {self._table(new.staging)}), 0)"
        )
        self.admin.execute(f"INSERT INTO {into} ({listed}) SELECT {listed} FROM {self._table(new.staging)}")
        new.abandon()
        return whole

    def _identity_names(self) -> str:
        return ", ".join(quoted(name) for name in column_names(self.plan.identity)[0])

    def _columns(self) -> dict[str, str]:
        return columns_of(self.admin, self.database, self.plan.table)

    def _largest(self, key: RemoteColumn) -> str | None:
        """Read from the rows themselves, so that a run that died after publishing does not bring the same rows twice."""
        found = self.admin.query_arrow(f"SELECT count(), toString(max({quoted(key.name)})) FROM {self._table(self.plan.table)}")
        return str(found.column(1)[0].as_py()) if found.column(0)[0].as_py() and found.column(1)[0].as_py() is not None else None

    def _count(self, table: str) -> int:
        return int(self.admin.query_arrow(f"SELECT count() FROM {self._table(table)}").column(0)[0].as_py())

    def _table(self, name: str) -> str:
        return f"{quoted(self.database)}.{quoted(name)}"


def columns_of(admin: Admin, database: str, table: str) -> dict[str, str]:
    """Types by name, in the table's order; none for a table that is not there."""
    found = admin.query_arrow(
        "SELECT name, type FROM system.columns WHERE database = {d:String} AND table = {t:String} ORDER BY position",
        {"d": database, "t": table},
    )
    return dict(zip(found.column("name").to_pylist(), found.column("type").to_pylist(), strict=True))


def sweep(admin: Admin, database: str, table: str) -> None:
    """Drops what a killed run left behind; the caller holds the source, so nobody else stages this table."""
    found = admin.query_arrow(
        "SELECT name FROM system.tables WHERE database = {d:String} AND startsWith(name, {p:String})",
        {"d": database, "p": table + STAGING_MARK},
    )
    for name in found.column("name").to_pylist():
        admin.execute(f"DROP TABLE IF EXISTS {quoted(database)}.{quoted(name)}")


def unreadable(error: AppError, source: Remote) -> AppError:
    """What the source's owner may know of a failure: the engine's own words without secrets and without more than a line of them."""
    if not isinstance(error, InternalError | Invalid) and error.code not in ("warehouse_busy", "warehouse_sign_in"):
        return error
    text = str(error.__cause__ or error)
    for secret in (*source.secrets, *source.params.values()):
        if len(secret) >= 4:
            text = text.replace(secret, "...")
    text = _ENGINE.split(" ".join(text.partition("DB::Exception: ")[2].split() or text.split()))[0]
    return Invalid(f"The source cannot be read: {text[:_SHOWN_DETAIL]}", code="source_unreadable", suggestions=[source.advice])


def _order(columns: tuple[RemoteColumn, ...], key: RemoteColumn | None) -> str:
    """By the first date without gaps: how it will be read; else by the key. A column that may be null orders nothing."""
    dates = [c for c in columns if c.type.startswith("Date")]
    chosen = dates[0] if dates else key if key is not None and "Nullable" not in key.type else None
    return f"({quoted(chosen.name)})" if chosen is not None else "tuple()"


def plain_type(kind: str) -> str:
    """A type without Nullable and LowCardinality.

    >>> plain_type("LowCardinality(Nullable(String))")
    'String'
    """
    for wrapper in ("LowCardinality(", "Nullable("):
        if kind.startswith(wrapper):
            kind = kind[len(wrapper) : -1]
    return kind
