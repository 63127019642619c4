"""Answers as files: CSV, Excel, JSON, Parquet, and the chart as PNG, SVG or PDF."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pyarrow as pa
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, WriteOnlyCell

from api.rendering import cell as json_cell
from api.spreadsheets import plain_cell
from core.errors import TooLarge, Unavailable
from core.formats import current
from semantic.states import OutputColumn

Rows = Sequence[Sequence[Any]]
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
    "png": "image/png",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "parquet": "application/vnd.apache.parquet",
}
IMAGES = ("png", "svg", "pdf")
MAX_CHART_ROWS = 20_000  # drawing 20,000 marks takes about 2 s and 150 MB
WAIT_S = 20.0
_ONE_AT_A_TIME = threading.BoundedSemaphore(1)  # the engine keeps what it took: several at once would add up


def as_csv(columns: Sequence[OutputColumn], rows: Rows) -> bytes:
    """UTF-8 with a byte-order mark, so that Excel reads it; text that a spreadsheet would run as a formula is quoted with an apostrophe."""
    sink = io.StringIO(newline="")
    writer = csv.writer(sink)
    writer.writerow([plain_cell(c.label) for c in columns])
    writer.writerows([[_csv(value) for value in row] for row in rows])
    return ("\ufeff" + sink.getvalue()).encode("utf-8", "replace")


def as_excel(columns: Sequence[OutputColumn], rows: Rows, *, title: str, notes: Sequence[tuple[str, str]]) -> bytes:
    """A sheet of figures and one that says where they come from. Figures and dates are such, shown as the reader's spreadsheet shows them."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Answer")
    sheet.append([_excel(c.label) for c in columns])
    for row in rows:
        sheet.append([_shown(sheet, column, _excel(value)) for column, value in zip(columns, row, strict=True)])
    about = book.create_sheet("How this was computed")
    about.append(["Question", _excel(title)])
    for name, text in notes:
        about.append([_excel(name), _excel(text[:32_000])])
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def as_json(columns: Sequence[OutputColumn], rows: Rows) -> bytes:
    body = {"columns": [c.label for c in columns], "rows": [[json_cell(value) for value in row] for row in rows]}
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def as_parquet(columns: Sequence[OutputColumn], table: pa.Table) -> bytes:
    """The rows with their types; labels as column names, made unique."""
    import pyarrow.parquet as pq

    names: list[str] = []
    for column in columns:
        name, n = column.label, 2
        while name in names:
            name, n = f"{column.label} {n}", n + 1
        names.append(name)
    sink = io.BytesIO()
    pq.write_table(table.rename_columns(names), sink, compression="zstd")
    return sink.getvalue()


def as_image(spec: dict[str, Any], kind: str) -> bytes:
    """The chart, 800 pixels wide, on white. kind: png, svg or pdf. Reads nothing from the network.

    Raises: TooLarge for a chart of more than 20,000 marks; Unavailable when others' pictures take too long.
    """
    import vl_convert  # loads a JavaScript engine: only when an image is asked for

    if len(spec.get("data", {}).get("values", [])) > MAX_CHART_ROWS:
        raise TooLarge(f"A picture shows at most {MAX_CHART_ROWS:,} values; take the figures as a file.", code="chart_too_large")
    sized = {**spec, "width": 800, "height": spec.get("height", 300), "background": "white"}
    with one_drawing():
        if kind == "svg":
            return str(vl_convert.vegalite_to_svg(sized, allowed_base_urls=[])).encode()
        if kind == "pdf":
            return bytes(vl_convert.vegalite_to_pdf(sized, allowed_base_urls=[]))
        return bytes(vl_convert.vegalite_to_png(sized, scale=2, allowed_base_urls=[]))


@contextmanager
def one_drawing() -> Iterator[None]:
    """The turn to draw. Raises: Unavailable when others' pictures take too long."""
    if not _ONE_AT_A_TIME.acquire(timeout=WAIT_S):
        raise Unavailable("Many pictures are being drawn at the moment.", code="drawing_busy")
    try:
        yield
    finally:
        _ONE_AT_A_TIME.release()


def _csv(value: Any) -> Any:
    return plain_cell(value) if isinstance(value, str) else value.isoformat() if isinstance(value, dt.date) else value


def _shown(sheet: Any, column: OutputColumn, value: Any) -> Any:
    """The value with how a spreadsheet shows it, which puts its own separators and order of dates into formats of these names."""
    shown = _number_format(column, value)
    if shown is None:
        return value
    cell = WriteOnlyCell(sheet, value)
    cell.number_format = shown
    return cell


def _number_format(column: OutputColumn, value: Any) -> str | None:
    if isinstance(value, dt.date):
        return "m/d/yy h:mm" if isinstance(value, dt.datetime) else "mm-dd-yy"
    if isinstance(value, bool) or not isinstance(value, int | float) or column.role not in {"measure", "change"}:
        return None
    kind = column.format or ""
    if kind in {"percent", "percent_points"}:
        return "0.0%" if kind == "percent" else '0.0"%"'
    if kind.startswith("currency:"):
        formats = current()
        symbol = formats.symbol(kind.removeprefix("currency:")).replace('"', "")
        return formats.money.format(symbol=f'"{symbol}"', amount="#,##0.00")
    return "#,##0" if float(value).is_integer() else None


def _excel(value: Any) -> Any:
    if isinstance(value, str):
        return ILLEGAL_CHARACTERS_RE.sub("\ufffd", plain_cell(value))
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None)
    return value if value is None or isinstance(value, bool | int | float | dt.date) else str(value)
