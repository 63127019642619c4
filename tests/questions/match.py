"""Whether an answer's table is the expected one: any column order, extra columns allowed, numbers within 1e-6 of their size."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

Row = Sequence[Any]


def same(a: Any, b: Any) -> bool:
    a, b = _plain(a), _plain(b)
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= 1e-6 * max(1.0, abs(a), abs(b))
    return bool(a == b)


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float | Decimal):
        return float(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def _key(row: Row) -> tuple[str, ...]:
    return tuple(f"{float(v):.6g}" if isinstance(_plain(v), float) else str(_plain(v)) for v in row)


def matches(expected: Sequence[Row], actual: Sequence[Row], *, ordered: bool = False, subset: bool = False) -> bool:
    """expected and actual rows; `subset` allows rows of `actual` that are NULL in the matched columns, as first buckets of a growth are."""
    if not expected:
        return not actual
    if not actual or len(actual[0]) < len(expected[0]):
        return False
    width = len(expected[0])
    for columns in itertools.permutations(range(len(actual[0])), width):
        rows = [[row[c] for c in columns] for row in actual]
        if subset and len(rows) != len(expected):
            rows = [row for row in rows if all(v is not None for v in row)]
        if len(rows) != len(expected):
            continue
        left, right = list(expected), rows
        if not ordered:
            left, right = sorted(expected, key=_key), sorted(rows, key=_key)
        if all(same(a, b) for x, y in zip(left, right, strict=True) for a, b in zip(x, y, strict=True)):
            return True
    return False
