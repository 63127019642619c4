"""`load_files`: read once to learn the types, read again to load; swap at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from core.errors import Invalid
from core.ids import TenantId, tenant_database
from semantic.ingest.convert import arrow_type, clickhouse_type, convert, trimmed
from semantic.ingest.names import clean_name, column_names
from semantic.ingest.readers import Block, Source, sources
from semantic.ingest.sniff import sniff
from semantic.ingest.table import ColumnPlan, Target, column_types, original_row
from semantic.ingest.types import Admin, ColumnReport, LoadOptions, LoadReport, Progress, Rejected, TableReport
from semantic.ingest.typing import ColumnCounts, ColumnType, decide

SHOWN_REJECTS = 100
MAX_KEPT_REJECTS = 1_000_000
_NATIVE: tuple[tuple[str, str, pa.DataType], ...] = (
    ("bool", "Bool", pa.bool_()),
    ("float", "Float64", pa.float64()),
    ("double", "Float64", pa.float64()),
    ("halffloat", "Float64", pa.float64()),
    ("date32", "Date32", pa.date32()),
    ("date64", "Date32", pa.date32()),
)


@dataclass(frozen=True, slots=True)
class _Column:
    """How one column is loaded: from text by `read`, or as the typed array it already is (`read` None)."""

    name: str
    source: str
    read: ColumnType | None
    arrow: pa.DataType
    clickhouse: str
    nulls: int
    note: str


def load_files(
    paths: Sequence[Path],
    tenant: TenantId,
    admin: Admin,
    options: LoadOptions | None = None,
    *,
    on_progress: Progress = lambda _step, _share: None,
    on_learnt: Callable[[Mapping[str, str]], None] = lambda _types: None,
) -> LoadReport:
    """Loads files into the tenant's own database, a table each (a workbook: one per sheet).

    on_progress: (what is happening, share of the whole 0-1).
    on_learnt: gets each table's types by column before a row is loaded; it may raise. All tables become visible at the end; a failure changes nothing.
    Raises: Invalid for files that cannot be read, names that collide, too many bad rows, or a schema that does not fit on append.
    """
    chosen = options or LoadOptions()
    found = [(source, _table_name(source, chosen)) for path in paths for source in sources(sniff(path))]
    names = [name for _, name in found]
    if len(set(names)) != len(names):
        double = sorted({n for n in names if names.count(n) > 1})
        raise Invalid(
            f"Several files or sheets would become the table {', '.join(double)}; load them apart or name them.", code="name_collision"
        )
    loads = []
    try:
        for index, (source, name) in enumerate(found):
            base, width = index / len(found), 1 / len(found)
            load = _Load(source, name, tenant_database(tenant), admin, chosen)
            loads.append(load)
            load.learn(partial(_tell, on_progress, f"reading {source.name}", base, width * 0.4))
            on_learnt(load.types)
            load.fill(partial(_tell, on_progress, f"loading {source.name}", base + width * 0.4, width * 0.6))
    except BaseException:
        for load in loads:
            load.abandon()
        raise
    reports = tuple(load.finish() for load in loads)
    on_progress("done", 1.0)
    return LoadReport(reports)


def _tell(on_progress: Progress, step: str, base: float, width: float, share: float) -> None:
    on_progress(step, base + width * share)


def _table_name(source: Source, options: LoadOptions) -> str:
    given = options.names.get(source.path)
    if given is None:
        return clean_name(source.name, "data")
    sheet = f"_{source.sheet}" if source.sheet and source.name.endswith(f"_{source.sheet}") else ""
    return clean_name(given + sheet, "data")


class _Load:
    """One table on its way from a file."""

    def __init__(self, source: Source, table: str, database: str, admin: Admin, options: LoadOptions) -> None:
        self._source, self._table, self._database, self._admin, self._options = source, table, database, admin, options
        self._names, self._notes = column_names(source.headers)
        self._columns: list[_Column] = []
        self._kept: Sequence[int] = range(len(self._names))  # positions of columns in the file
        self._target: Target | None = None
        self._rows = 0
        self._rejected: list[Rejected] = []
        self._rejected_count = 0

    def learn(self, tell: Callable[[float], None]) -> None:
        """First reading: types over all rows. Raises: Invalid when there is no row."""
        counts = [ColumnCounts() for _ in self._names]
        native: list[pa.DataType | None] = [None] * len(self._names)
        whole = [True] * len(self._names)
        rows = 0
        for block in self._source.blocks():
            for index, values in enumerate(block.columns):
                if pa.types.is_string(values.type):
                    counts[index].add(trimmed(values), trimmed(values, as_text=True).null_count)
                else:
                    native[index] = values.type
                    whole[index] = whole[index] and _is_whole(values)
                    counts[index].seen += len(values)
                    counts[index].nulls += values.null_count
            rows += len(block.lines)
            tell(block.fraction)
        if rows == 0:
            raise Invalid(f"{self._source.path.name} has a header but no rows that can be read.", code="no_rows")
        native = [pa.int64() if n is not None and pa.types.is_floating(n) and w else n for n, w in zip(native, whole, strict=True)]
        self._kept = self._with_something([c.nulls < c.seen for c in counts])
        self._columns = [self._plan(i, counts[i], native[i]) for i in self._kept]

    def _with_something(self, has_values: Sequence[bool]) -> Sequence[int]:
        """Without columns that have neither a name nor a value, as separators at the end of each line make them, unless a table that is
        appended to has them.
        """
        known = column_types(self._admin, self._database, self._table) if self._options.mode == "append" else {}
        kept = [i for i, header in enumerate(self._source.headers) if header.strip() or has_values[i] or self._names[i] in known]
        if not kept:
            return range(len(self._names))
        for i in sorted(set(range(len(self._names))) - set(kept)):
            start = f"Column {i + 1} has no "
            note = f"{start}name and no value; it is left out."
            self._notes = tuple(note if known_note.startswith(start) else known_note for known_note in self._notes)
        return kept

    @property
    def types(self) -> dict[str, str]:
        return {column.name: column.clickhouse for column in self._columns}

    def _plan(self, index: int, counts: ColumnCounts, native: pa.DataType | None) -> _Column:
        name, header, nullable = self._names[index], self._source.headers[index], counts.nulls > 0
        if native is None:
            read = decide(counts)
            nulls = counts.text_nulls if read.kind == "text" else counts.nulls
            return _Column(name, header, read, arrow_type(read), clickhouse_type(read, nulls > 0), nulls, read.note)
        clickhouse, arrow = _native_types(native)
        shown = f"Nullable({clickhouse})" if nullable else clickhouse
        return _Column(name, header, None, arrow, shown, counts.nulls, "")

    def fill(self, tell: Callable[[float], None]) -> None:
        """Second reading: converts and inserts. Raises: Invalid when too many rows are bad."""
        plans = [ColumnPlan(c.name, c.clickhouse) for c in self._columns]
        self._target = Target(self._admin, self._database, self._table, plans, self._order_by(), append=self._options.mode == "append")
        for block in self._source.blocks():
            self._insert(block)
            tell(block.fraction)
        total = self._rows + self._rejected_count
        if total and self._rejected_count / total > self._options.max_rejected_share:
            first = self._rejected[0]
            raise Invalid(
                f"{self._rejected_count:,} of {total:,} rows of {self._source.path.name} cannot be read (at most "
                f"{self._options.max_rejected_share:.0%} may be set aside); the first is line {first.line}: {first.reason}.",
                code="too_many_bad_rows",
                path=f"line {first.line}",
            )

    def _insert(self, block: Block) -> None:
        arrays: list[pa.Array] = []
        bad = pa.array([False] * len(block.lines), pa.bool_())
        reasons: dict[int, tuple[str, str]] = {}
        for column, values in zip(self._columns, (block.columns[i] for i in self._kept), strict=True):
            if column.read is None:
                arrays.append(values.cast(column.arrow, safe=False))
                continue
            typed, wrong = convert(trimmed(values, as_text=column.read.kind == "text"), column.read)
            for row in pc.indices_nonzero(wrong).to_pylist():
                reasons.setdefault(row, (column.name, f"{str(values[row].as_py())[:80]!r} is no {_said(column.read)}"))
            bad = pc.or_(bad, wrong)
            arrays.append(typed)
        rejected = [*block.broken, *(self._reject(block, row, *reasons[row]) for row in sorted(reasons))]
        self._rejected_count += len(rejected)
        self._rejected.extend(rejected[: max(0, MAX_KEPT_REJECTS - len(self._rejected))])
        table = pa.Table.from_arrays(arrays, names=[c.name for c in self._columns]).filter(pc.invert(bad))
        self._rows += table.num_rows
        if self._target is not None:
            self._target.insert(table)

    def _reject(self, block: Block, row: int, column: str, reason: str) -> Rejected:
        return Rejected(block.lines[row], column, reason, original_row(self._source.headers, [c[row].as_py() for c in block.columns]))

    def _order_by(self) -> str:
        """By the first date without gaps, then the first key-like column: how the data will be read."""
        dates = [c for c in self._columns if c.clickhouse.startswith("Date")]
        return f"(`{dates[0].name}`)" if dates else "tuple()"

    def finish(self) -> TableReport:
        if self._target is None:
            raise Invalid(f"{self._source.name} was not read.", code="not_loaded")
        self._target.set_aside(self._rejected)
        rejected_table = self._target.finish()
        columns = tuple(ColumnReport(c.name, c.source, c.clickhouse, c.nulls, c.note) for c in self._columns)
        notes = list(self._notes)
        if not self._source.sniffed.has_header:
            notes.append("The first row holds data, not names; columns are called column_1, column_2, ...")
        if self._source.above:
            notes.append(
                f"The names of the columns are in row {self._source.header_row}; what stands above was left out: {self._source.above}."
            )
        if self._source.sniffed.encoding == "cp1252":
            notes.append("The file is not UTF-8; it was read as Windows-1252.")
        return TableReport(
            self._source.path.name, self._database, self._table, self._rows, self._rejected_count, columns,
            tuple(self._rejected[:SHOWN_REJECTS]), rejected_table, tuple(notes),
        )  # fmt: skip

    def abandon(self) -> None:
        if self._target is not None:
            self._target.abandon()


def _native_types(native: pa.DataType) -> tuple[str, pa.DataType]:
    """ClickHouse's type and the Arrow type to send for a typed column of a Parquet file."""
    if pa.types.is_integer(native):
        wide = pa.types.is_unsigned_integer(native) and native.bit_width == 64
        return ("UInt64", pa.uint64()) if wide else ("Int64", pa.int64())
    if pa.types.is_decimal(native):
        precision = min(native.precision, 76)
        return f"Decimal({precision}, {native.scale})", native
    if pa.types.is_timestamp(native):
        return "DateTime64(6, 'UTC')", pa.timestamp("us", tz="UTC")
    for name, clickhouse, arrow in _NATIVE:
        if str(native).startswith(name):
            return clickhouse, arrow
    return "String", pa.string()


def _is_whole(values: pa.Array) -> bool:
    """Floats without fractions: whole numbers that only became floats because some are missing."""
    if not pa.types.is_floating(values.type):
        return False
    known = pc.drop_null(values)
    return bool(pc.all(pc.and_(pc.equal(known, pc.round(known)), pc.less(pc.abs(known), 2.0**53))).as_py() in {True, None})


def _said(read: ColumnType) -> str:
    return {"integer": "whole number", "number": "number", "date": "date", "datetime": "date and time", "boolean": "yes or no"}.get(
        read.kind, read.kind
    )
