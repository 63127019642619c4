"""Metric cards: the last complete month, its change on the month before, a year of history and one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.timeseries import Grain
from insights.wording import bucket, during, figure, number, percent
from semantic.query import ByTime, MetricRef, SemanticQuery, TimeWindow
from semantic.states import OutputColumn
from workers.boards.periods import PERIODS

WIDTH, HEIGHT, PAD = 160, 40, 3


@dataclass(frozen=True, slots=True)
class Card:
    """change: "12.3%" without sign, empty where there is nothing to compare with. `good`: whether the change is welcome, None when unknown."""

    name: str
    label: str
    value: str
    period: str
    before: str
    change: str
    direction: str
    good: bool | None
    sentence: str
    line: str
    area: str
    last: tuple[float, float] | None
    certified: bool


def card_query(metric: str, *, everything: bool = False) -> SemanticQuery:
    """The last twelve complete months; `everything`: all months, for data that ended long ago."""
    time = None if everything else TimeWindow(window=PERIODS["last 12 months"])
    return SemanticQuery(metrics=(MetricRef(metric=metric),), by=(ByTime(grain=Grain.MONTH),), time=time, complete_periods_only=everything)


def card(name: str, label: str, columns: Sequence[OutputColumn], rows: Sequence[Sequence[Any]], *, certified: bool) -> Card | None:
    """None when no month has a value."""
    time = next(i for i, c in enumerate(columns) if c.role == "time")
    measure = next(i for i, c in enumerate(columns) if c.role == "measure")
    column = columns[measure]
    known = [(row[time], float(row[measure])) for row in rows if row[measure] is not None and row[time] is not None][-13:]
    if not known:
        return None
    at, value = known[-1]
    change, direction, good = _change(known, column)
    line, area, last = sparkline([v for _, v in known])
    return Card(
        name,
        label,
        _said(value, column),
        bucket(at, "month"),
        bucket(known[-2][0], "month")[:3] if len(known) > 1 else "",
        change,
        direction,
        good,
        _sentence(known, column, label),
        line,
        area,
        last,
        certified,
    )


def sparkline(values: Sequence[float]) -> tuple[str, str, tuple[float, float] | None]:
    """Paths of a line and the area under it in a box of 160 x 40, and the place of the last point."""
    if len(values) < 2:
        return "", "", None
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    step = (WIDTH - 2 * PAD) / (len(values) - 1)
    points = [(round(PAD + i * step, 1), round(HEIGHT - PAD - (v - low) / span * (HEIGHT - 2 * PAD), 1)) for i, v in enumerate(values)]
    line = "M" + "L".join(f"{x} {y}" for x, y in points)
    return line, f"{line}L{points[-1][0]} {HEIGHT}L{points[0][0]} {HEIGHT}Z", points[-1]


def _change(known: Sequence[tuple[Any, float]], column: OutputColumn) -> tuple[str, str, bool | None]:
    if len(known) < 2:
        return "", "", None
    before, value = known[-2][1], known[-1][1]
    if column.format in {"percent", "percent_points"}:
        points = (value - before) * (100 if column.format == "percent" else 1)
        text, sign = f"{figure(abs(points), 1)} pp", points
    else:
        if before == 0:
            return "", "", None
        sign = (value - before) / abs(before)
        text = percent(abs(sign), 1)
    direction = "up" if sign > 0 else "down" if sign < 0 else "flat"
    good = None if column.good_direction is None or direction == "flat" else direction == column.good_direction
    return text, direction, good


def _sentence(known: Sequence[tuple[Any, float]], column: OutputColumn, label: str) -> str:
    """The best, the worst, or where the month stands in its year."""
    if len(known) < 4:
        return ""
    values = [v for _, v in known]
    last = values[-1]
    if last == max(values):
        return f"Highest of the last {len(values)} months."
    if last == min(values):
        return f"Lowest of the last {len(values)} months."
    top = max(known, key=lambda pair: pair[1])
    return f"The peak was {_said(top[1], column)} {during(top[0], 'month')}."


def _said(value: float | Decimal, column: OutputColumn) -> str:
    return number(value, column.format, column.unit, compact=True)
