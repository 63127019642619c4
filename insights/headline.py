"""The one sentence over an answer. Says only what the rows say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from insights.wording import bucket, during, number
from semantic.states import OutputColumn, WindowUsed

Rows = Sequence[Sequence[Any]]


def headline(columns: Sequence[OutputColumn], rows: Rows, windows: Sequence[WindowUsed] = (), *, truncated: bool = False) -> str:
    """A sentence of at most about 150 characters; an empty result says so."""
    measures = [i for i, c in enumerate(columns) if c.role == "measure"]
    if not rows:
        return f"Nothing matches{_when(windows)}."
    if not measures:
        return f"{'More than ' if truncated else ''}{len(rows):,} {'row' if len(rows) == 1 else 'rows'}{_when(windows)}."
    if len(rows) == 1 and not [c for c in columns if c.role in {"dimension", "time", "key", "attribute"}]:
        return _single(columns, rows[0], measures, windows)
    keys = [i for i, c in enumerate(columns) if c.role in {"dimension", "time"}]
    return _grouped(columns, rows, keys, measures[0], windows)


def _single(columns: Sequence[OutputColumn], row: Sequence[Any], measures: list[int], windows: Sequence[WindowUsed]) -> str:
    first = measures[0]
    said = _value(row[first], columns[first])
    text = f"{_sentence_case(columns[first].label)}: {said}{_when(windows)}"
    change = _change(columns, row, columns[first].measure_index)
    if change:
        return f"{text}, {change}."
    others = [f"{columns[i].label}: {_value(row[i], columns[i])}" for i in measures[1:3]]
    return "; ".join([text, *others]) + "."


def _change(columns: Sequence[OutputColumn], row: Sequence[Any], measure_index: int | None) -> str:
    """ "up 12.3% on the compared period", from a change column in percent of the same measure."""
    for index, column in enumerate(columns):
        if column.role == "change" and column.measure_index == measure_index and column.format in {"percent", "percent_points"}:
            share = _float(row[index])
            if share is None:
                return ""
            direction = "up" if share > 0 else "down" if share < 0 else "unchanged"
            return direction if share == 0 else f"{direction} {number(abs(share), column.format)} on the compared period"
    return ""


def _grouped(columns: Sequence[OutputColumn], rows: Rows, keys: list[int], measure: int, windows: Sequence[WindowUsed]) -> str:
    column = columns[measure]
    known = [row for row in rows if _float(row[measure]) is not None]
    if not known:
        return f"{len(rows):,} rows, none with a value for {column.label}{_when(windows)}."
    time = next((i for i in keys if columns[i].role == "time"), None)
    if time is not None and len(keys) == 1 and len(known) >= 2:
        first, last = known[0], known[-1]
        if columns[time].grain in {"minute", "hour", "day", "week", "month", "quarter", "year"}:
            grain = columns[time].grain
            return (
                f"{_sentence_case(column.label)}: {_value(last[measure], column)} {during(last[time], grain)}, "
                f"from {_value(first[measure], column)} {during(first[time], grain)}."
            )
    if time is not None and len(keys) == 2 and column.additive:
        return _over_time(columns, known, next(i for i in keys if i != time), measure, windows)
    whole = _whole(columns, known, measure) if time is None else ""
    top = max(known, key=lambda row: _float(row[measure]) or 0.0)
    name = ", ".join(bucket(top[i], columns[i].grain) if columns[i].grain else str(top[i]) for i in keys) or "the first row"
    if whole and len(known) > 1:
        return f"{whole}{_when(windows)}; {name} has the highest: {_value(top[measure], column)}{_comma(_change(columns, top, column.measure_index))}."
    if len(rows) == 1:
        return f"{name}: {column.label} {_value(top[measure], column)}{_when(windows)}."
    lead = f"{name} {'has the highest' if len(known) > 1 else 'has'} {column.label}: {_value(top[measure], column)}{_when(windows)}"
    total = sum(_float(row[measure]) or 0.0 for row in known)
    if len(known) > 1 and column.additive and total > 0 and all((_float(row[measure]) or 0.0) >= 0 for row in known):
        share = (_float(top[measure]) or 0.0) / total
        return f"{lead}, {number(round(share, 3), 'percent')} of the {len(known)} shown."
    return f"{lead}; {len(known):,} shown."


def _whole(columns: Sequence[OutputColumn], rows: Rows, measure: int) -> str:
    """ "Revenue: €18.6M in all, up 15.5% on the compared period", where groups add up and are shown beside those of another period."""
    column = columns[measure]
    other = next(
        (i for i, c in enumerate(columns) if i != measure and c.role == "measure" and c.measure_index == column.measure_index), None
    )
    if other is None or not column.additive:
        return ""
    now, before = (sum(_float(row[i]) or 0.0 for row in rows) for i in (measure, other))
    if before <= 0:
        return ""
    share = (now / before - 1) * 100
    direction = "up" if share > 0 else "down"
    return f"{_sentence_case(column.label)}: {_value(now, column)} in all, {direction} {number(abs(share), 'percent_points')} on the compared period"


def _comma(text: str) -> str:
    return f", {text.removesuffix(' on the compared period')}" if text else ""


def _over_time(columns: Sequence[OutputColumn], rows: Rows, dimension: int, measure: int, windows: Sequence[WindowUsed]) -> str:
    """Which group has most over the whole time."""
    totals: dict[str, float] = {}
    for row in rows:
        totals[str(row[dimension])] = totals.get(str(row[dimension]), 0.0) + (_float(row[measure]) or 0.0)
    top, whole = max(totals, key=lambda key: totals[key]), sum(totals.values())
    share = (
        f", {number(round(totals[top] / whole, 3), 'percent')} of the {len(totals)} shown"
        if whole > 0 and min(totals.values()) >= 0
        else ""
    )
    return f"{top} has the highest {columns[measure].label} in all: {_value(totals[top], columns[measure])}{share}{_when(windows)}."


def _when(windows: Sequence[WindowUsed]) -> str:
    return f" ({windows[0].label.split(':')[0]})" if windows and windows[0].label else ""


def _value(value: Any, column: OutputColumn) -> str:
    if isinstance(value, dt.date):
        return value.isoformat() if not isinstance(value, dt.datetime) else value.isoformat(" ", "minutes")
    return number(value, column.format, column.unit, compact=True) if not isinstance(value, str) else value


def _float(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else None


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]
