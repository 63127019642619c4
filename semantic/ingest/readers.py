"""Files as blocks of text columns, whatever their format, with the place of every row."""

from __future__ import annotations

import csv
import datetime as dt
import io
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
from semantic.ingest.heading import FAR_ROW, LOOK_ROWS, header_index
from semantic.ingest.sniff import Sniffed
from semantic.ingest.types import Rejected

BLOCK_ROWS = 50_000
MAX_FIELD_CHARS = 8 * 1024**2
MAX_COLUMNS = 2_000
MAX_SHEET_ROWS = 1_048_576  # Excel's own
MAX_JSON_BYTES = 512 * 1024**2
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
    """One table inside a file: its name, headers, and its blocks as often as asked for. above: what a sheet says before its header_row (from 1)."""

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
    if sniffed.format == "parquet":
        headers = parquet.names(sniffed.path)
    elif sniffed.format == "csv":
        headers = _csv_headers(sniffed)
    else:
        headers = _json_headers(sniffed)
    if not headers:
        raise Invalid(f"{sniffed.path.name} has no columns.", code="empty_file")
    _refuse_too_wide(sniffed.path, headers)
    return (Source(stem, sniffed.path, headers, sniffed),)


def _refuse_too_wide(path: Path, headers: tuple[str, ...]) -> None:
    if len(headers) > MAX_COLUMNS:
        message = f"{path.name} has {len(headers):,} columns; at most {MAX_COLUMNS:,} can be loaded. Is the delimiter right?"
        raise Invalid(message, code="too_many_columns")


# --- CSV


def _csv_rows(sniffed: Sniffed) -> Iterator[tuple[int, list[str]]]:
    """(line on which the row starts, cells). A csv error is a row of its own with no cells."""
    csv.field_size_limit(MAX_FIELD_CHARS)
    with sniffed.open() as raw, io.TextIOWrapper(raw, encoding=sniffed.encoding, errors="surrogateescape", newline="") as text:
        reader = csv.reader(_without_nul(text), delimiter=sniffed.delimiter)
        while True:
            line = reader.line_num + 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise Invalid(
                    f"{sniffed.path.name}, line {line}: {error}. Is a quote not closed?", code="bad_csv", path=f"line {line}"
                ) from error
            if row:
                yield line, row


def _without_nul(lines: Iterator[str] | io.TextIOWrapper) -> Iterator[str]:
    for line in lines:
        yield line.replace("\0", "\ufffd")


def _csv_headers(sniffed: Sniffed) -> tuple[str, ...]:
    for _, row in _csv_rows(sniffed):
        first = [cell.lstrip("\ufeff") for cell in row]
        return tuple(first) if sniffed.has_header else tuple(f"column_{n}" for n in range(1, len(row) + 1))
    return ()


def _csv(source: Source) -> Iterator[Block]:
    size = source.path.stat().st_size
    rows = _csv_rows(source.sniffed)
    if source.sniffed.has_header:
        next(rows, None)
    return _records(source, ((line, cast(list[str | None], row), None) for line, row in rows), approximate_bytes=size)


# --- JSON


def _json_headers(sniffed: Sniffed) -> tuple[str, ...]:
    seen: dict[str, None] = {}
    for number, (_, record, _) in enumerate(_json_records(sniffed)):
        seen.update(dict.fromkeys(record or {}))
        if number >= 20_000:
            break
    return tuple(seen)


def _json_records(sniffed: Sniffed) -> Iterator[tuple[int, dict[str, Any] | None, str | None]]:
    """(line, flat record, None) or (line, None, why it is none)."""
    if sniffed.format == "json":
        yield from _json_array(sniffed)
        return
    with sniffed.open() as raw, io.TextIOWrapper(raw, encoding=sniffed.encoding, errors="surrogateescape") as text:
        for number, line in enumerate(text, start=1):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except (ValueError, RecursionError) as error:
                yield number, None, f"not valid JSON: {str(error)[:100]}\t{line[:2000]}"
                continue
            if isinstance(value, dict):
                yield number, _flat(value), None
            else:
                yield number, None, f"an object was expected, found a {type(value).__name__}\t{line[:2000]}"


def _json_array(sniffed: Sniffed) -> Iterator[tuple[int, dict[str, Any] | None, str | None]]:
    with sniffed.open() as raw:
        body = raw.read(MAX_JSON_BYTES + 1)
    if len(body) > MAX_JSON_BYTES:
        raise Invalid(
            f"{sniffed.path.name} is a JSON list of more than {MAX_JSON_BYTES:,} bytes; save it with one object a line (JSONL).",
            code="too_large",
        )
    try:
        value = json.loads(body.decode(sniffed.encoding, "surrogateescape"))
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{sniffed.path.name} is not valid JSON: {str(error)[:160]}.", code="bad_json") from error
    if isinstance(value, dict):
        lists = [v for v in value.values() if isinstance(v, list) and v and isinstance(v[0], dict)]
        value = lists[0] if len(lists) == 1 else [value]
    if not isinstance(value, list):
        raise Invalid(f"{sniffed.path.name}: a list of objects was expected; found a {type(value).__name__}.", code="bad_json")
    for number, item in enumerate(value, start=1):
        if isinstance(item, dict):
            yield number, _flat(item), None
        else:
            yield number, None, f"an object was expected, found a {type(item).__name__}\t{str(item)[:2000]}"


def _flat(record: dict[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in record.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and depth < 3:
            flat.update(_flat(value, f"{name}_", depth + 1))
        else:
            flat[name] = value
    return flat


def _json(source: Source) -> Iterator[Block]:
    def rows() -> _Rows:
        for line, record, problem in _json_records(source.sniffed):
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
    read = 0
    for line, cells, problem in rows:
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
        read += sum(len(c or "") + 1 for c in cells or ()) if approximate_bytes else 0
        if len(good) >= BLOCK_ROWS:
            yield _block(good, lines, broken, width, min(read / approximate_bytes, 1.0) if approximate_bytes else 0.5)
            good, lines, broken = [], [], []
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
