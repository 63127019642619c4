"""Rows of CSV and its kin, and where their names stand: also below a title or notes, as reports are exported."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.errors import Invalid
from semantic.ingest.heading import FAR_ROW, LOOK_ROWS, header_index
from semantic.ingest.lines import text_lines
from semantic.ingest.sniff import Sniffed

MAX_FIELD_CHARS = 8 * 1024**2
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d")
_YEAR = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True, slots=True)
class Head:
    """line: on which the row of names starts; 0 where there is none and columns get names of their own. above: what stands before it."""

    names: tuple[str, ...]
    line: int
    above: str = ""


def csv_rows(sniffed: Sniffed) -> Iterator[tuple[int, list[str]]]:
    """(line on which the row starts, cells), without lines that are empty. Raises: Invalid for what is no CSV."""
    csv.field_size_limit(MAX_FIELD_CHARS)
    reader = csv.reader((line.replace("\0", "\ufffd") for line in text_lines(sniffed, newline="")), delimiter=sniffed.delimiter)
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


def head(sniffed: Sniffed) -> Head:
    """No names for a file without rows. Raises: Invalid."""
    rows = _leading(sniffed)
    if not rows:
        return Head((), 0)
    index = _index([row for _, row in rows])
    if not index and not sniffed.has_header:
        return Head(tuple(f"column_{n}" for n in range(1, len(rows[0][1]) + 1)), 0)
    line, names = rows[index]
    above = "; ".join(cell.strip() for _, row in rows[:index] for cell in row if cell.strip())
    return Head(tuple(names), line, above[:200])


def _leading(sniffed: Sniffed) -> list[tuple[int, list[str]]]:
    found: list[tuple[int, list[str]]] = []
    for line, row in csv_rows(sniffed):
        if found and line > FAR_ROW:
            break
        found.append((line, row if found else [cell.lstrip("\ufeff") for cell in row]))
        if len(found) == LOOK_ROWS:
            break
    return found


def _index(rows: list[list[str]]) -> int:
    """Which row names the columns. Below a title only where most rows that follow are as long as it, so that a stray delimiter in a row
    of data makes no names of it."""
    index = header_index([_typed(row) for row in rows])
    alike = sum(len(row) == len(rows[index]) for row in rows[index + 1 :])
    return index if 2 * alike > len(rows) - index - 1 else 0


def _typed(row: list[str]) -> list[object]:
    """Cells as a workbook would hold them: None, text, or 0.0 for whatever is a number or a moment. Years beside text are names."""
    cells: list[object] = [_cell(text.strip()) for text in row]
    values = [text.strip() for text, cell in zip(row, cells, strict=True) if cell == 0.0]
    if values and all(map(_YEAR.fullmatch, values)) and any(isinstance(cell, str) for cell in cells):
        return [text.strip() or None for text in row]
    return cells


def _cell(text: str) -> object:
    if not text:
        return None
    is_value = _MOMENT.match(text) or (any(c.isdigit() for c in text) and not any(c.isalpha() for c in text))
    return 0.0 if is_value else text
