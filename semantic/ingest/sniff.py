"""What kind of file it is: format, compression, encoding, delimiter, header."""

from __future__ import annotations

import codecs
import csv
import gzip
import zipfile
import zlib
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, Literal, cast

from core.errors import Invalid

Format = Literal["csv", "json", "jsonl", "parquet", "excel"]
_DELIMITERS = ",;\t|"
SAMPLE_BYTES = 256 * 1024
MAX_EXPANSION = 200
MAX_EXPANDED_BYTES = 8 * 1024**3
MAX_SHEETS = (
    200  # each becomes a table; opening a workbook takes 0.2 ms of CPU time a sheet, and is done twice for every sheet that is loaded
)
_WORKBOOK = "xl/workbook.xml"
_MAX_WORKBOOK_BYTES = 8 * 1024**2  # it lists sheets and names
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_BY_SUFFIX: dict[str, Format] = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".pq": "parquet", ".xlsx": "excel",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sniffed:
    """has_header False: columns get names of their own. encoding is Python's name; text formats only."""

    path: Path
    format: Format
    compressed: bool
    encoding: str = "utf-8"
    delimiter: str = ","
    has_header: bool = True

    def open(self) -> BinaryIO:
        return cast(BinaryIO, gzip.open(self.path, "rb")) if self.compressed else self.path.open("rb")


def sniff(path: Path) -> Sniffed:
    """Decides by content first, then by name.

    Raises: Invalid for a missing, empty, binary, unknown or dangerously compressed file.
    """
    if not path.is_file():
        raise Invalid(f"There is no file {path.name!r}.", code="no_such_file")
    with path.open("rb") as file:
        head = file.read(8)
    if not head:
        raise Invalid(f"{path.name} is empty.", code="empty_file")
    if head[:4] == b"PAR1":
        return Sniffed(path, "parquet", compressed=False)
    if head[:4] == b"PK\x03\x04":
        _check_workbook(path)
        return Sniffed(path, "excel", compressed=False)
    if head[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise Invalid(f"{path.name} is an old Excel file (.xls); save it as .xlsx.", code="unknown_file_type")
    compressed = head[:2] == b"\x1f\x8b"
    sample = _sample(path, compressed)
    if not sample.strip():
        raise Invalid(f"{path.name} holds nothing but blanks.", code="empty_file")
    encoding = _encoding(path, sample)
    text = sample.decode(encoding, "replace").lstrip("\ufeff")
    return _text_format(path, compressed, encoding, text)


def _text_format(path: Path, compressed: bool, encoding: str, text: str) -> Sniffed:
    suffixes = [s.lower() for s in path.suffixes if s.lower() != ".gz"]
    named = _BY_SUFFIX.get(suffixes[-1]) if suffixes else None
    start = text.lstrip()[:1]
    if start == "[" and named != "csv":
        return Sniffed(path, "json", compressed, encoding)
    if start == "{" and named != "csv":
        return Sniffed(path, "json" if named == "json" else "jsonl", compressed, encoding)
    if named in {"json", "jsonl"}:
        raise Invalid(
            f"{path.name} is named JSON but starts with {start!r}; a list of objects or one object a line was expected.", code="bad_json"
        )
    delimiter = "\t" if suffixes[-1:] == [".tsv"] else _delimiter(text)
    return Sniffed(path, "csv", compressed, encoding, delimiter, _has_header(text, delimiter))


def _sample(path: Path, compressed: bool) -> bytes:
    try:
        with gzip.open(path, "rb") if compressed else path.open("rb") as file:
            sample = file.read(SAMPLE_BYTES)
    except (OSError, EOFError, gzip.BadGzipFile) as error:
        raise Invalid(f"{path.name} is not a sound gzip file: {error}.", code="bad_gzip") from error
    if compressed:
        _check_gzip(path)
    return sample


def _check_gzip(path: Path) -> None:
    """Counts what comes out, without keeping it, so that a bomb stops at the limit."""
    limit = min(MAX_EXPANDED_BYTES, max(path.stat().st_size * MAX_EXPANSION, 64 * 1024**2))
    seen = 0
    try:
        with gzip.open(path, "rb") as file:
            while chunk := file.read(1024 * 1024):
                seen += len(chunk)
                if seen > limit:
                    raise Invalid(
                        f"{path.name} expands to more than {limit:,} bytes; that looks like a bomb and is refused.", code="too_large"
                    )
    except (OSError, EOFError) as error:
        raise Invalid(f"{path.name} is cut short or damaged: {error}.", code="bad_gzip") from error


def _check_workbook(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {item.filename: item.file_size for item in archive.infolist()}
            total = sum(item.file_size for item in archive.infolist())
            if _WORKBOOK not in sizes:
                raise Invalid(
                    f"{path.name} is a zip file, not an Excel workbook; unpack it and load the files in it.", code="unknown_file_type"
                )
            if total > max(path.stat().st_size * MAX_EXPANSION, 64 * 1024**2) or total > MAX_EXPANDED_BYTES:
                raise Invalid(f"{path.name} expands to {total:,} bytes; that looks like a bomb and is refused.", code="too_large")
            sheets = archive.read(_WORKBOOK).count(b"sheetId") if sizes[_WORKBOOK] <= _MAX_WORKBOOK_BYTES else None
    except (
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        RuntimeError,
        NotImplementedError,
    ) as error:  # the last two: encrypted; packed in a rare way
        raise Invalid(f"{path.name} is a damaged zip or Excel file.", code="bad_workbook") from error
    if sheets is None or sheets > MAX_SHEETS:
        raise Invalid(
            f"{path.name} has {f'{sheets:,}' if sheets is not None else 'too many'} sheets, hidden ones counted; at most {MAX_SHEETS} can be "
            "loaded, as each becomes a table. Put rows of one kind on one sheet, or split the workbook.",
            code="too_large",
        )


def _encoding(path: Path, sample: bytes) -> str:
    for mark, name in _BOMS:
        if sample.startswith(mark):
            return name
    zeros = sample.count(0)
    if zeros > len(sample) * 0.2:
        return "utf-16-le" if sample[1::2].count(0) >= sample[::2].count(0) else "utf-16-be"
    if zeros:
        raise Invalid(f"{path.name} holds binary data; a CSV, JSON, Parquet or Excel file was expected.", code="unknown_file_type")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=False)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _delimiter(text: str) -> str:
    lines = [line for line in text.splitlines()[:200] if line.strip()]
    if len(lines) > 1 and not text.endswith("\n"):
        lines = lines[:-1] or lines
    lines = lines[:50]
    even = {d: _evenness(lines, d) for d in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda d: even[d])
    try:
        likely = csv.Sniffer().sniff("\n".join(lines), delimiters=_DELIMITERS).delimiter
    except csv.Error:
        counts = {d: lines[0].count(d) for d in _DELIMITERS} if lines else {",": 0}
        likely = max(counts, key=lambda d: counts[d])
    return best if even[best] > even[likely] else likely  # titles and notes above a table have delimiters of their own


def _evenness(lines: list[str], delimiter: str) -> tuple[int, int]:
    """The longest run of rows that are equally wide, and how wide; nothing for rows of one cell."""
    try:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
    except csv.Error:
        return 0, 0
    return max(((len(list(run)), width) for width, run in groupby(widths) if width > 1), default=(0, 0))


def _has_header(text: str, delimiter: str) -> bool:
    """The first row is a header unless it holds a number or is like the rows below."""
    rows = list(csv.reader(text.splitlines()[:50], delimiter=delimiter))
    if not rows:
        return True
    first = [cell.strip() for cell in rows[0]]
    if any(_is_number(cell) for cell in first):
        return (
            all(_is_year(cell) or not _is_number(cell) for cell in first)
            and any(not _is_number(c) for c in first)
            and not _repeats(first, rows[1:])
        )
    return True


def _repeats(first: list[str], rest: list[list[str]]) -> bool:
    """A year in the first row is a header only when the column below it does not hold years as well."""
    return any(_is_year(cell) and any(len(row) > i and _is_year(row[i].strip()) for row in rest) for i, cell in enumerate(first))


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", ""))
    except ValueError:
        return False
    return True


def _is_year(cell: str) -> bool:
    return cell.isdigit() and len(cell) == 4 and 1900 <= int(cell) <= 2100
