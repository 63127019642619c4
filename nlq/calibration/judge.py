"""Whether an answer's table is the right one: every expected column is there, row by row; columns nobody asked for do not matter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import permutations
from typing import Any

Rows = Sequence[Sequence[Any]]
_MAX_COLUMNS = 7
_TOLERANCE = 1e-6


def is_right(expected: Rows, found: Rows, *, ordered: bool = False) -> bool:
    """
    >>> is_right([["a", 1], ["b", 2]], [["x", 2.0, "b"], ["y", 1.0, "a"]])
    True
    >>> is_right([["a", 1]], [["a", 2]])
    False
    """
    if len(expected) != len(found):
        return False
    if not expected:
        return True
    wide, width = min(len(found[0]), _MAX_COLUMNS), len(expected[0])
    if wide < width:
        return False
    wanted = [[_plain(v) for v in row] for row in expected]
    given = [[_plain(v) for v in row[:wide]] for row in found]
    for columns in permutations(range(wide), width):
        rows = [[row[c] for c in columns] for row in given]
        pairs = zip(wanted, rows, strict=True) if ordered else zip(sorted(wanted, key=_key), sorted(rows, key=_key), strict=True)
        if all(_same(a, b) for x, y in pairs for a, b in zip(x, y, strict=True)):
            return True
    return False


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return float(value)
    if isinstance(value, str) and len(value) > 10:
        try:
            moment = dt.datetime.fromisoformat(value)
        except ValueError:
            return value
        return moment.date().isoformat() if moment.time() == dt.time() else value
    return value


def _key(row: Sequence[Any]) -> tuple[str, ...]:
    return tuple(f"{v:.5g}" if isinstance(v, float) else str(v) for v in row)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= _TOLERANCE * max(1.0, abs(a), abs(b))
    return bool(a == b)
