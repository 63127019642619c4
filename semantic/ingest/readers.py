"""Files as blocks of text columns, whatever their format, with the place of every row."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import openpyxl
import pyarrow as pa
from openpyxl.workbook import Workbook

from core.errors import Invalid
from semantic.ingest import parquet
from semantic.ingest.delimited import csv_rows, head
from semantic.ingest.heading import FAR_ROW, LOOK_ROWS, header_index
from semantic.ingest.json_records import json_names, json_rows
from semantic.ingest.sniff import Sniffed
from semantic.ingest.types import Rejected

BLOCK_ROWS = 50_000
MAX_BLOCK_CHARS = 64 * 1024**2  # of all cells: a small gzip file may hold 50,000 rows of many megabytes
MAX_COLUMNS = 2_000
MAX_SHEET_ROWS = 1_048_576  # Excel's own
_Rows = Iterator[tuple[int, list[str | None] | None, str | None]]


@dataclass(frozen=True, slots=True)
class Block:
    """columns: one string array per header (null: absent). lines: place of each row in the file. fraction: how much of it is read."""

    columns: list[pa.Array]
    lines: list[int]
    fraction: float
    broken: list[Rejected] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Source:
    """One table inside a file: its name, headers, and its blocks as often as asked for. above: what a sheet or CSV says before its header_row (from 1)."""

    name: str
    path: Path
    headers: tuple[str, ...]
    sniffed: Sniffed
    sheet: str | None = None
    header_row: int = 1
    above: str = ""

    def blocks(self) -> Iterator[Block]:
        if self.sniffed.format == "parquet":
            return _parquet(self)
        if self.sniffed.format == "excel":
            return _records(self, _sheet(self.path, cast(str, self.sheet), self.header_row))
        if self.sniffed.format == "csv":
            return _csv(self)
        return _json(self)


def sources(sniffed: Sniffed) -> tuple[Source, ...]:
    """The tables of a file: one, or one per filled sheet of a workbook. Raises: Invalid."""
    stem = sniffed.path.name.split(".")[0]
    if sniffed.format == "excel":
        return _sheets(sniffed, stem)
    header_row, above = 1, ""
    if sniffed.format == "parquet":
        headers = parquet.names(sniffed.path)
    elif sniffed.format == "csv":
        found = head(sniffed)
        headers, header_row, above = found.names, found.line, found.above
    else:
        headers = json_names(sniffed)
    if not headers:
        raise Invalid(f"{sniffed.path.name} has no columns.", code="empty_file")
    _refuse_too_wide(sniffed.path, headers)
    return (Source(stem, sniffed.path, headers, sniffed, header_row=header_row, above=above),)


def _refuse_too_wide(path: Path, headers: tuple[str, ...]) -> None:
    if len(headers) > MAX_COLUMNS:
        message = f"{path.name} has {len(headers):,} columns; at most {MAX_COLUMNS:,} can be loaded. Is the delimiter right?"
        raise Invalid(message, code="too_many_columns")


# --- CSV


def _csv(source: Source) -> Iterator[Block]:
    size = source.path.stat().st_size
    below = ((line, cast(list[str | None], row), None) for line, row in csv_rows(source.sniffed) if line > source.header_row)
    return _records(source, below, approximate_bytes=size)


# --- JSON


def _json(source: Source) -> Iterator[Block]:
    def rows() -> _Rows:
        for line, record, problem in json_rows(source.sniffed):
            yield line, None if record is None else [_text(record.get(h)) for h in source.headers], problem

    return _records(source, rows())


# --- Excel


def _sheets(sniffed: Sniffed, stem: str) -> tuple[Source, ...]:
    found = []
    with _workbook(sniffed.path) as book:
        for sheet in (one for one in book.worksheets if one.sheet_state == "visible"):
            first = _leading(sniffed.path, book, sheet.title)
            if first:
                index = header_index([row for _, row in first])
                number, row = first[index]
                headers = tuple(_text(cell) or "" for cell in row)
                while not headers[-1]:
                    headers = headers[:-1]
                _refuse_too_wide(sniffed.path, headers)
                above = "; ".join(text for _, other in first[:index] for cell in other if (text := _text(cell)))
                found.append((sheet.title, headers, number, above[:200]))
    if not found:
        raise Invalid(f"{sniffed.path.name} has no sheet with data.", code="empty_file")
    single = len(found) == 1
    return tuple(
        Source(stem if single else f"{stem}_{name}", sniffed.path, headers, sniffed, name, number, above)
        for name, headers, number, above in found
    )


def _sheet(path: Path, sheet: str, header_row: int) -> _Rows:
    with _workbook(path) as book:
        yield from _sheet_rows(path, book, sheet, header_row)


@contextmanager
def _workbook(path: Path) -> Iterator[Workbook]:
    """Opening takes time for every sheet, so that many sheets opened one by one would take it squared: see MAX_SHEETS of the sniffer."""
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # openpyxl raises many kinds on damaged files
        raise _damaged(path, error) from error
    try:
        yield book
    finally:
        book.close()


def _damaged(path: Path, error: Exception, place: str = "") -> Invalid:
    return Invalid(f"{path.name}{place} is not a workbook that can be read: {str(error)[:160]}.", code="bad_workbook")


def _sheet_rows(path: Path, book: Workbook, sheet: str, header_row: int) -> _Rows:
    """Filled rows below the header."""
    for number, row in _filled(path, book, sheet):
        if number <= header_row:
            continue
        far = row[MAX_COLUMNS:]
        if far.count(None) < len(far):
            yield number, None, f"cells beyond column {MAX_COLUMNS:,}\t"
        else:
            yield number, [_text(value) for value in row[:MAX_COLUMNS]], None


def _leading(path: Path, book: Workbook, sheet: str) -> list[tuple[int, tuple[Any, ...]]]:
    """The first filled rows, or the first one alone where it lies far below."""
    found: list[tuple[int, tuple[Any, ...]]] = []
    for number, row in _filled(path, book, sheet, until=FAR_ROW):
        found.append((number, row))
        if len(found) == LOOK_ROWS or number > FAR_ROW:
            break
    return found


def _filled(path: Path, book: Workbook, sheet: str, until: int | None = None) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Rows that hold something, by their numbers. A sheet says its own size, and a small file may claim 17 billion cells: rows are as wide as
    the cells they hold. until: after one was found, none beyond that row is looked for. Raises: Invalid."""
    any_yet = False
    for number, row in _cells(path, book, sheet):
        if any_yet and until is not None and number > until:
            return
        if number > MAX_SHEET_ROWS:
            raise Invalid(f"Sheet {sheet[:60]!r} has a row beyond {MAX_SHEET_ROWS:,}; at most so many can be read.", code="too_large")
        if any(value is not None and value != "" for value in row):
            any_yet = True
            yield number, row


def _cells(path: Path, book: Workbook, sheet: str) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Rows from 1 as they stand. Raises: Invalid where the sheet is damaged."""
    number = 0
    try:
        book[sheet].reset_dimensions()
        for number, row in enumerate(book[sheet].iter_rows(values_only=True), start=1):
            yield number, row
    except Exception as error:  # as above: entries that are not there, text that is no XML, dates that are none
        raise _damaged(path, error, f", sheet {sheet[:60]!r}, after row {number:,},") from error


# --- Parquet


def _parquet(source: Source) -> Iterator[Block]:
    done = 0
    for columns, share in parquet.batches(source.path):
        lines = list(range(done + 1, done + len(columns[0]) + 1))
        done += len(columns[0])
        yield Block(columns, lines, share)


# --- all row formats


def _records(source: Source, rows: _Rows, approximate_bytes: int = 0) -> Iterator[Block]:
    width = len(source.headers)
    good: list[list[str | None]] = []
    lines: list[int] = []
    broken: list[Rejected] = []
    read = held = 0
    for line, cells, problem in rows:
        held += sum(len(c or "") + 1 for c in cells or ())
        if cells is None:
            reason, _, original = (problem or "unreadable").partition("\t")
            broken.append(Rejected(line, None, reason, original))
        elif (len(cells) > width and any(cells[width:])) or (len(cells) < width and source.sniffed.format == "csv"):
            broken.append(Rejected(line, None, f"{len(cells)} cells where {width} were expected", _joined(cells)))
        elif any(cells):
            clean = (cells + [None] * width)[:width]
            if any(c is not None and _has_surrogate(c) for c in clean):
                broken.append(Rejected(line, None, f"bytes that are not {source.sniffed.encoding} text", _joined(cells)))
            else:
                good.append(clean)
                lines.append(line)
        if len(good) + len(broken) >= BLOCK_ROWS or held >= MAX_BLOCK_CHARS:
            read += held
            yield _block(good, lines, broken, width, min(read / approximate_bytes, 1.0) if approximate_bytes else 0.5)
            good, lines, broken, held = [], [], [], 0
    if good or broken:
        yield _block(good, lines, broken, width, 1.0)


def _block(good: list[list[str | None]], lines: list[int], broken: list[Rejected], width: int, fraction: float) -> Block:
    columns = [pa.array([row[i] for row in good], pa.string()) for i in range(width)]
    return Block(columns, lines, fraction, broken)


def _has_surrogate(text: str) -> bool:
    return not text.isascii() and any(0xD800 <= ord(c) <= 0xDFFF for c in text)


def _joined(cells: list[str | None]) -> str:
    text = json.dumps(cells, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()[:4_000]


def _text(value: Any) -> str | None:
    """A typed cell as text that reads back to the same value."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() and value.tzinfo is None else value.isoformat(sep=" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
