"""A page of an answer's rows as formatted cells: sorted, with what each cell drills into."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from api import schemas
from api.web.drilling import NULL, can_drill
from insights.wording import cell
from semantic.query import ByEntity, SemanticQuery
from semantic.states import OutputColumn

PAGE_ROWS = 50
_ID = re.compile(r"\b(ids?|keys?|codes?|identifiers?|skus?)\b")


@dataclass(frozen=True, slots=True)
class Header:
    """`sorted`: ascending, descending or empty; `next_sort` is what a click asks for (column, or -column for descending)."""

    text: str
    css: str
    sorted: str
    next_sort: str


@dataclass(frozen=True, slots=True)
class CellView:
    """`drill`: index of the group and value, as a form sends it; empty where there is nothing to drill into."""

    text: str
    css: str
    drill: str = ""


@dataclass(frozen=True, slots=True)
class TableView:
    headers: tuple[Header, ...]
    rows: tuple[tuple[CellView, ...], ...]
    total: int
    page: int
    pages: int
    first: int
    sort: str


def table_view(
    columns: Sequence[OutputColumn], rows: Sequence[Sequence[Any]], query: SemanticQuery | None = None,
    *, page: int = 1, sort: str = "", total: int | None = None, question: str = "", drills: bool = True,
) -> TableView:  # fmt: skip
    """sort: a column's number, with a minus for descending; empty keeps the order of the rows. question: as it was asked."""
    number = sort.removeprefix("-")
    index = int(number) if number.isdecimal() and len(number) < 5 else -1
    down = sort.startswith("-")
    if 0 <= index < len(columns):
        rows = _sorted(rows, index, down)
    else:
        index = -1
    count = len(rows) if total is None else total
    pages = max(-(-count // PAGE_ROWS), 1)
    page = min(max(page, 1), pages)
    start = (page - 1) * PAGE_ROWS
    groups, left_out = drillable(query if drills else None, columns), spare_keys(columns, rows, query, question)
    shown = tuple(
        tuple(_cell(value, column, groups.get(i)) for i, (value, column) in enumerate(zip(row, columns, strict=True)) if i not in left_out)
        for row in rows[start : start + PAGE_ROWS]
    )
    headers = tuple(_header(column, i, index, down) for i, column in enumerate(columns) if i not in left_out)
    return TableView(headers, shown, count, page, pages, start + 1 if count else 0, sort if index >= 0 else "")


def output_columns(answer: schemas.Answer) -> list[OutputColumn]:
    return [
        OutputColumn(c.name, c.label, c.role, unit=c.unit, format=c.format, grain=c.grain, source=c.source, good_direction=c.good_direction)  # type: ignore[arg-type]
        for c in answer.columns
    ]


def spare_keys(columns: Sequence[OutputColumn], rows: Sequence[Sequence[Any]], query: SemanticQuery | None, question: str) -> set[int]:
    """Numbers of the columns of ids that a reader does not need: beside a name that tells the rows apart, and not asked for."""
    if query is None or not query.metrics:
        return set()
    named = {f"entity:{by.entity}" for by in query.by if isinstance(by, ByEntity)} & {c.source for c in columns if c.role == "dimension"}
    keys = {i for i, c in enumerate(columns) if c.role == "key" and not _asks_for(c, question)}
    groups = [i for i, c in enumerate(columns) if c.role in {"dimension", "time", "attribute", "key"} and i not in keys]
    if not named or not keys or len(named) < sum(isinstance(by, ByEntity) for by in query.by):
        return set()
    return keys if len({tuple(row[i] for i in groups) for row in rows}) == len(rows) else set()


def _asks_for(column: OutputColumn, question: str) -> bool:
    said = question.casefold()
    return column.label.casefold() in said or _ID.search(said) is not None


def drillable(query: SemanticQuery | None, columns: Sequence[OutputColumn]) -> Mapping[int, int]:
    """Column number -> index of the group in `query.by` that a value of this column can be drilled into."""
    if query is None or not query.metrics:
        return {}
    for roles in (("dimension", "time", "key"), ("dimension", "time")):
        found = [i for i, c in enumerate(columns) if c.role in roles]
        if len(found) == len(query.by):
            return {column: index for index, column in enumerate(found) if can_drill(query.by[index])}
    return {}


def chart_drill(answer: schemas.Answer, query: SemanticQuery | None) -> dict[str, int]:
    """Field of the chart's data -> index of the group that its value belongs to."""
    columns = output_columns(answer)
    groups = drillable(query, columns)
    if not groups or not answer.chart or "encoding" not in answer.chart:
        return {}
    time = [i for i in groups if columns[i].role == "time"]
    others = [i for i in groups if columns[i].role != "time"]
    encoding = answer.chart["encoding"]
    if encoding.get("x", {}).get("field") == "time" and time:
        found = {"time": groups[time[0]]}
        return found | ({"series": groups[others[0]]} if others else {})
    if "color" in encoding and len(others) == 2:
        first, second = others if encoding["y"].get("title") == columns[others[0]].label else reversed(others)
        return {"name": groups[first], "part": groups[second]}
    keys = [i for i in groups if columns[i].role != "time"]
    return {"name": groups[keys[0]]} if len(groups) == 1 and keys else {}


def _header(column: OutputColumn, i: int, index: int, down: bool) -> Header:
    number = column.role in {"measure", "change"}
    state = ("descending" if down else "ascending") if i == index else ""
    first, second = (f"-{i}", str(i)) if number else (str(i), f"-{i}")
    now = f"-{i}" if down else str(i)
    return Header(column.label, "number" if number else "", state, second if i == index and now == first else first)


def _cell(value: Any, column: OutputColumn, group: int | None) -> CellView:
    value = _dated(value, column)
    css = "number" if column.role in {"measure", "change"} else ""
    if column.role == "change" and isinstance(value, int | float | Decimal) and value != 0:
        direction = "up" if value > 0 else "down"
        css += f" {direction}"
        if column.good_direction is not None:
            css += " good" if direction == column.good_direction else " bad"
    return CellView(cell(value, column), css, "" if group is None else f"{group}:{_raw(value)}")


def _raw(value: Any) -> str:
    if value is None:
        return NULL
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _dated(value: Any, column: OutputColumn) -> Any:
    if not isinstance(value, str) or column.role != "time":
        return value
    try:
        return dt.datetime.fromisoformat(value) if "T" in value else dt.date.fromisoformat(value)
    except ValueError:
        return value


def _sorted(rows: Sequence[Sequence[Any]], index: int, down: bool) -> list[Sequence[Any]]:
    """Missing values last, whichever way."""
    known = [row for row in rows if row[index] is not None]
    try:
        known.sort(key=lambda row: row[index], reverse=down)
    except TypeError:
        known.sort(key=lambda row: str(row[index]), reverse=down)
    return [*known, *(row for row in rows if row[index] is None)]
