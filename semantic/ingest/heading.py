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
    every column: text only, no name twice. Cells apart from each other may be names over merged columns, so that below them only values that
    are no text tell names from a row of data.

    >>> header_index([("Sales 2026",), (None,), ("day", "region", "amount"), ("2026-01-01", "EMEA", 5.0)])
    2
    >>> header_index([("day", "region", "amount"), ("2026-01-01", "EMEA", 5.0)])
    0
    """
    filled = [[cell for cell in row if not _empty(cell)] for row in rows]
    if len(rows) < 2:
        return 0
    usual = max(len(cells) for cells in filled[len(filled) // 2 :])  # the later half: titles and notes come first
    is_below_wide, otherwise = False, 0
    for index, cells in enumerate(filled):
        if 2 * len(cells) <= usual:
            continue
        names = [cell.strip().lower() for cell in cells if isinstance(cell, str)]
        told = not any(map(_is_apart, rows[:index])) or any(not isinstance(cell, str) for later in filled[index + 1 :] for cell in later)
        named = len(names) == len(cells) and len(set(names)) == len(names) and told
        nearly = len(cells) >= _NEARLY_ALL * usual
        if len(cells) < usual and not any(map(_empty, rows[index][: len(cells)])):  # names that lack one, as of an index, lack it anywhere
            otherwise = otherwise or (index if named and nearly and not is_below_wide else 0)
            is_below_wide = True
            continue
        return index if named and nearly and (not is_below_wide or _names_values(rows, index)) else otherwise
    return otherwise


def _names_values(rows: Sequence[Sequence[Any]], index: int) -> bool:
    """Whether some column, text in this row, holds other things in nearly all rows below."""
    for place, name in enumerate(rows[index]):
        below = [row[place] for row in rows[index + 1 :] if place < len(row) and not _empty(row[place])]
        values = sum(not isinstance(cell, str) for cell in below)
        if isinstance(name, str) and values >= max(2, _NEARLY_ALL * len(below)):
            return True
    return False


def _is_apart(row: Sequence[Any]) -> bool:
    """Whether empty cells stand between filled ones."""
    places = [place for place, cell in enumerate(row) if not _empty(cell)]
    return len(places) > 1 and places[-1] - places[0] >= len(places)


def _empty(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())
