"""Where the names of the columns stand: below a title, a date or a line of notes, as in most reports that people keep in a workbook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

FAR_ROW = 200
LOOK_ROWS = 30  # filled ones; what stands above a table is shorter
_NEARLY_ALL = 0.8


def header_index(rows: Sequence[Sequence[Any]]) -> int:
    """Which of a sheet's first filled rows names the columns.

    The first, unless it fills at most half as many cells as rows below do and, after others as narrow, a row follows that names nearly
    every column: text only, no name twice.

    >>> header_index([("Sales 2026",), (None,), ("day", "region", "amount"), ("2026-01-01", "EMEA", 5.0)])
    2
    >>> header_index([("day", "region", "amount"), ("2026-01-01", "EMEA", 5.0)])
    0
    """
    filled = [[cell for cell in row if not _empty(cell)] for row in rows]
    if len(rows) < 2:
        return 0
    usual = max(len(cells) for cells in filled[len(filled) // 2 :])  # the later half: titles and notes come first
    for index, cells in enumerate(filled):
        if 2 * len(cells) <= usual:
            continue
        names = [cell.strip().lower() for cell in cells if isinstance(cell, str)]
        named = len(names) == len(cells) >= _NEARLY_ALL * usual and len(set(names)) == len(names)
        return index if named else 0
    return 0


def _empty(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())
