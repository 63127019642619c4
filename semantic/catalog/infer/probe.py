"""Statistics of the data, by few queries per table over samples."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from semantic.catalog.infer.schema import Execute, PhysicalTable, text
from semantic.catalog.infer.types import parse_type
from semantic.catalog.model import FieldType

_SAMPLE_ROWS = 200_000
_COLUMNS_PER_QUERY = 40
_TOP = 300
_MAX_TEXT = 120
_OVERLAP_VALUES = 1_000
_GRANULE = 8_192


@dataclass(frozen=True, slots=True)
class ColumnStats:
    """Of the sampled rows. `missing` counts NULL and empty text; `distinct` is exact up to sampling; `low` and `high` are numbers (or None for
    text and times, whose ends are in `first` and `last` as text). `top`: most frequent values as text, with counts, most frequent first."""

    rows: int
    missing: int
    distinct: int
    top: tuple[tuple[str, int], ...] = ()
    low: float | None = None
    high: float | None = None
    first: str = ""
    last: str = ""
    mean_length: float = 0.0

    @property
    def filled(self) -> int:
        return self.rows - self.missing

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(v for v, _ in self.top)

    @property
    def is_unique(self) -> bool:
        return self.rows > 0 and self.missing == 0 and self.distinct == self.rows

    @property
    def missing_share(self) -> float:
        return self.missing / self.rows if self.rows else 0.0


@dataclass(frozen=True, slots=True)
class TableStats:
    """`rows` of the whole table, `sampled` of it read. Columns that could not be read are absent."""

    rows: int
    sampled: int
    columns: Mapping[str, ColumnStats]


@dataclass(frozen=True, slots=True)
class ColumnPair:
    """Do the values of table.column appear in ref_table.ref_column?"""

    table: str
    column: str
    ref_table: str
    ref_column: str


class Probe(Protocol):
    def table(self, table: PhysicalTable) -> TableStats:
        """Statistics of every column."""
        ...

    def containment(self, pairs: Sequence[ColumnPair]) -> Mapping[ColumnPair, float | None]:
        """The share of (sampled) distinct values of the left column that the right column holds; None where the left has none."""
        ...

    def distinct(self, table: str, column_sets: Sequence[tuple[str, ...]]) -> Sequence[int]:
        """The number of distinct combinations of each column set, over the sampled rows."""
        ...


class EmptyProbe:
    """Knows nothing: inference from the schema alone."""

    def table(self, table: PhysicalTable) -> TableStats:
        return TableStats(table.row_count or 0, 0, {})

    def containment(self, pairs: Sequence[ColumnPair]) -> Mapping[ColumnPair, float | None]:
        return dict.fromkeys(pairs)

    def distinct(self, table: str, column_sets: Sequence[tuple[str, ...]]) -> Sequence[int]:
        return [0 for _ in column_sets]


class SqlProbe:
    """A probe over a trusted `execute(sql) -> pa.Table` (embedded chDB or the warehouse's admin client).

    Tables of up to `sample_rows` are read whole. Larger MergeTree tables are sampled by whole granules spread over every part, so the cost
    follows the sample and not the table; other engines give their first rows.
    """

    def __init__(self, execute: Execute, database: str, *, sample_rows: int = _SAMPLE_ROWS) -> None:
        self._execute = execute
        self._database = database
        self._sample_rows = sample_rows
        self._rows: dict[str, int] = {}
        self._engines: dict[str, str] = {}
        self._types: dict[tuple[str, str], str] = {}

    def table(self, table: PhysicalTable) -> TableStats:
        for column in table.columns:
            self._types[table.name, column.name] = column.type
        readable = [c.name for c in table.columns if c.parsed.type is not None]
        rows = self._count(table.name)
        stats: dict[str, ColumnStats] = {}
        sampled = 0
        for start in range(0, len(readable), _COLUMNS_PER_QUERY):
            chunk = readable[start : start + _COLUMNS_PER_QUERY]
            sampled, part = self._chunk(table, chunk)
            stats.update(part)
        return TableStats(rows, sampled, stats)

    def _chunk(self, table: PhysicalTable, names: Sequence[str]) -> tuple[int, dict[str, ColumnStats]]:
        parts = ["count() AS n"]
        for i, name in enumerate(names):
            parts += self._aggregates(i, _ident(name), self._types[table.name, name])
        row = self._execute(f"SELECT {', '.join(parts)} FROM {self._sample(table.name, names)}").to_pylist()[0]
        total = int(row["n"])
        return total, {name: _stats(row, i, total) for i, name in enumerate(names)}

    def _aggregates(self, i: int, column: str, type_text: str) -> list[str]:
        parsed = parse_type(type_text)
        as_text = f"substringUTF8(toString({column}), 1, {_MAX_TEXT})"
        empty = f"isNull({column})" + (f" OR toString({column}) = ''" if parsed.type == FieldType.STRING else "")
        parts = [f"countIf({empty}) AS m{i}", f"uniqExact({column}) AS d{i}"]
        if parsed.type not in (FieldType.FLOAT,):
            parts.append(f"arrayMap(t -> (t.1, t.2), topK({_TOP}, 3, 'counts')({as_text})) AS t{i}")
        if parsed.is_number:
            parts += [f"min(toFloat64({column})) AS l{i}", f"max(toFloat64({column})) AS h{i}"]
        else:
            parts += [f"min({as_text}) AS f{i}", f"max({as_text}) AS g{i}"]
        if parsed.type == FieldType.STRING:
            parts.append(f"avg(lengthUTF8(toString({column}))) AS s{i}")
        return parts

    def containment(self, pairs: Sequence[ColumnPair]) -> Mapping[ColumnPair, float | None]:
        found: dict[ColumnPair, float | None] = {}
        for start in range(0, len(pairs), 20):
            chunk = pairs[start : start + 20]
            sql = " UNION ALL ".join(self._containment_sql(i, pair) for i, pair in enumerate(chunk))
            for row in self._execute(sql).to_pylist():
                total, hits = int(row["total"]), int(row["hits"])
                found[chunk[int(row["i"])]] = hits / total if total else None
        return found

    def _containment_sql(self, i: int, pair: ColumnPair) -> str:
        left = f"toString({_ident(pair.column)})"
        right = f"toString({_ident(pair.ref_column)})"
        if self._family(pair.table, pair.column) == self._family(pair.ref_table, pair.ref_column) == "integer":
            left, right = f"toInt64OrNull({left})", f"toInt64OrNull({right})"
        keys = (
            f"SELECT DISTINCT assumeNotNull({left}) AS k FROM {self._sample(pair.table, (pair.column,))} "
            f"WHERE isNotNull({_ident(pair.column)}) AND toString({_ident(pair.column)}) != '' LIMIT {_OVERLAP_VALUES}"
        )
        target = f"{_ident(self._database)}.{_ident(pair.ref_table)}"
        return (
            f"SELECT {i} AS i, (SELECT count() FROM ({keys})) AS total, "
            f"(SELECT uniqExact({right}) FROM {target} WHERE {right} IN ({keys})) AS hits"
        )

    def _family(self, table: str, column: str) -> str:
        kind = parse_type(self._types.get((table, column), "String")).type
        return kind.value if kind else "string"

    def distinct(self, table: str, column_sets: Sequence[tuple[str, ...]]) -> Sequence[int]:
        if not column_sets:
            return []
        names = sorted({c for columns in column_sets for c in columns})
        counts: list[int] = []
        for start in range(0, len(column_sets), 60):
            chunk = column_sets[start : start + 60]
            parts = [f"uniqExact(tuple({', '.join(map(_ident, columns))})) AS u{i}" for i, columns in enumerate(chunk)]
            row = self._execute(f"SELECT {', '.join(parts)} FROM {self._sample(table, names)}").to_pylist()[0]
            counts += [int(row[f"u{i}"]) for i in range(len(chunk))]
        return counts

    def _count(self, table: str) -> int:
        if table not in self._rows:
            self._rows[table] = int(self._execute(f"SELECT count() AS n FROM {_ident(self._database)}.{_ident(table)}").to_pylist()[0]["n"])
        return self._rows[table]

    def _engine(self, table: str) -> str:
        if not self._engines:
            rows = self._execute(f"SELECT name, engine FROM system.tables WHERE database = {_quote(self._database)}").to_pylist()
            self._engines = {text(r["name"]): text(r["engine"]) for r in rows}
        return self._engines.get(table, "")

    def _sample(self, table: str, columns: Sequence[str]) -> str:
        source = f"{_ident(self._database)}.{_ident(table)}"
        listed = ", ".join(_ident(c) for c in columns)
        rows = self._count(table)
        if rows <= self._sample_rows:
            return f"(SELECT {listed} FROM {source})"
        if self._engine(table).endswith("MergeTree"):
            every = max(1, rows // self._sample_rows)
            return f"(SELECT {listed} FROM {source} PREWHERE intDiv(_part_offset, {_GRANULE}) % {every} = 0 LIMIT {2 * self._sample_rows})"
        return f"(SELECT {listed} FROM {source} LIMIT {self._sample_rows})"


def _stats(row: Mapping[str, Any], i: int, total: int) -> ColumnStats:
    top = tuple((value, count) for value, count in _pairs(row.get(f"t{i}")) if value)
    return ColumnStats(
        rows=total,
        missing=int(row[f"m{i}"]),
        distinct=int(row[f"d{i}"]),
        top=top,
        low=_number(row.get(f"l{i}")),
        high=_number(row.get(f"h{i}")),
        first=text(row.get(f"f{i}")),
        last=text(row.get(f"g{i}")),
        mean_length=_number(row.get(f"s{i}")) or 0.0,
    )


def _pairs(raw: Any) -> list[tuple[str, int]]:
    """topK's tuples: the engine's own Arrow gives dicts with positional names, the warehouse's admin client JSON text."""
    found = []
    for entry in raw or ():
        item = json.loads(entry) if isinstance(entry, str) else entry
        parts = list(item.values()) if isinstance(item, dict) else list(item)
        found.append((text(parts[0]), int(parts[1])))
    return found


def _number(value: Any) -> float | None:
    if value is None:
        return None
    number = float(value)
    return None if number != number else number


def _ident(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _quote(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
