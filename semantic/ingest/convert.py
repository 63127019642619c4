"""Text columns into typed Arrow arrays; what does not fit is named, never changed in silence."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from dateutil import parser as dateutil_parser

from semantic.ingest.typing import FALSE, NULLS, TEXT_NULLS, TRUE, ColumnType

_NULLS = pa.array(NULLS)
_TEXT_NULLS = pa.array(TEXT_NULLS)
_COMPACT = re.compile(r"^(19|20)\d{6}$")


def trimmed(values: pa.Array, *, as_text: bool = False) -> pa.Array:
    """Strings without blanks around; null tokens become null: NA, null and the like, and for `as_text` False also words such as unknown,
    which mean missing among numbers and dates but may be a value of their own among words."""
    text = pc.utf8_trim_whitespace(values.cast(pa.string()))
    return pc.if_else(pc.is_in(pc.utf8_lower(text), value_set=_TEXT_NULLS if as_text else _NULLS), pa.scalar(None, pa.string()), text)


def convert(values: pa.Array, column: ColumnType) -> tuple[pa.Array, pa.Array]:
    """The typed values, and which rows do not fit (their typed value is null). values: from `trimmed`."""
    if column.kind == "text":
        return values, pa.array([False] * len(values), pa.bool_())
    encoded = values.dictionary_encode()
    distinct = encoded.dictionary
    typed = _convert_distinct(distinct, column)
    made = typed.take(encoded.indices)
    return made, pc.and_(pc.is_valid(values), pc.is_null(made))


def arrow_type(column: ColumnType) -> pa.DataType:
    if column.kind == "boolean":
        return pa.bool_()
    if column.kind == "integer":
        return pa.int64()
    if column.kind == "number":
        return pa.float64() if column.scale is None else pa.decimal128(18, column.scale)
    if column.kind == "date":
        return pa.date32()
    if column.kind == "datetime":
        return pa.timestamp("ms", tz="UTC")
    return pa.string()


def clickhouse_type(column: ColumnType, nullable: bool) -> str:
    base = {
        "boolean": "Bool", "integer": "Int64", "date": "Date32", "datetime": "DateTime64(3, 'UTC')", "text": "LowCardinality(String)" if column.few_values else "String",
        "number": "Float64" if column.scale is None else f"Decimal(18, {column.scale})",
    }[column.kind]  # fmt: skip
    if not nullable:
        return base
    return "LowCardinality(Nullable(String))" if base.startswith("Low") else f"Nullable({base})"


def _convert_distinct(distinct: pa.Array, column: ColumnType) -> pa.Array:
    texts = distinct.to_pylist()
    if column.kind == "boolean":
        return pa.array([True if t.lower() in TRUE else False if t.lower() in FALSE else None for t in texts], pa.bool_())
    if column.kind == "integer":
        return pa.array([_integer(t) for t in texts], pa.int64())
    if column.kind == "number":
        return pa.array([_number(t, column) for t in texts], arrow_type(column))
    moments = [_moment(t, column.day_first) for t in texts]
    if column.kind == "date":
        return pa.array([m.date() if m is not None else None for m in moments], pa.date32())
    return pa.array([_utc(m) for m in moments], pa.timestamp("ms", tz="UTC"))


def _integer(text: str) -> int | None:
    try:
        number = int(text) if text.lstrip("+-").isdecimal() else None
    except ValueError:
        return None
    return number if number is not None and -(2**63) <= number < 2**63 else None


def _number(text: str, column: ColumnType) -> float | Decimal | None:
    plain = re.sub(r"[$€£¥₹%\s]", "", text)
    if plain.startswith("(") and plain.endswith(")"):
        plain = f"-{plain[1:-1]}"
    if column.thousands:
        plain = plain.replace(column.thousands, "")
    if column.decimal != ".":
        plain = plain.replace(column.decimal, ".")
    try:
        number = Decimal(plain)
    except ArithmeticError:
        return None
    if not number.is_finite():
        return None
    if column.scale is None:
        return float(number)
    exact = number.quantize(Decimal(1).scaleb(-column.scale))
    return exact if exact == number and len(exact.as_tuple().digits) <= 18 else None


def _moment(text: str, day_first: bool) -> datetime | None:
    """Years outside 1900-2299 do not fit ClickHouse's Date32 and are set aside."""
    try:
        if _COMPACT.match(text):
            found = datetime.strptime(text, "%Y%m%d")
        elif text[:4].isdigit():
            found = (
                datetime.fromisoformat(text.replace("/", "-").replace(" UTC", "Z"))
                if _is_iso(text)
                else dateutil_parser.parse(text, yearfirst=True)
            )
        else:
            found = dateutil_parser.parse(text, dayfirst=day_first, default=datetime(1900, 1, 1))
    except (ValueError, OverflowError, dateutil_parser.ParserError):
        return None
    return found if 1900 <= found.year <= 2299 else None


def _is_iso(text: str) -> bool:
    return len(text) >= 10 and text[4] in "-/" and text[7:8] in {"-", "/"} and "M" not in text.upper().split("T")[0]


def _utc(moment: datetime | None) -> pd.Timestamp | datetime | None:
    """A time without a zone is taken as UTC."""
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
