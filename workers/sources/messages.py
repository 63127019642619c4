"""Messages of JSON as columns: declared types first, then those of the table, then what the values of a batch agree on."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from core.errors import Invalid
from semantic.ingest.names import clean_name
from semantic.ingest.types import Rejected
from workers.sources.spec import Field_
from workers.sources.topic import Message

MOST_COLUMNS = 500
# Which message a row came from: what is the largest offset of a partition says where the next run goes on.
PARTITION, OFFSET, AT, KEY = "kafka_partition", "kafka_offset", "kafka_time", "kafka_key"
OWN: Mapping[str, tuple[str, pa.DataType]] = {
    PARTITION: ("Int32", pa.int32()),
    OFFSET: ("Int64", pa.int64()),
    AT: ("DateTime64(3, 'UTC')", pa.timestamp("ms", tz="UTC")),
    KEY: ("Nullable(String)", pa.string()),
}
_SHOWN = 1_000
_INT64 = 2**63


class _Unfit(ValueError):
    pass


@dataclass(frozen=True, slots=True)
class Batch:
    """rows: an Arrow table of the columns, None without rows. rejected: messages that are no row, and why. empty: those without a value."""

    rows: pa.Table | None
    rejected: tuple[Rejected, ...]
    empty: int


def decoded(messages: Sequence[Message], types: dict[str, str]) -> Batch:
    """types: a field's column and its type (plain, without Nullable), completed here by fields that were not there before."""
    parsed: list[tuple[Message, dict[str, Any]]] = []
    rejected: list[Rejected] = []
    empty = 0
    for message in messages:
        if message.value is None:
            empty += 1
            continue
        try:
            parsed.append((message, _fields(message.value)))
        except _Unfit as error:
            rejected.append(_set_aside(message, None, str(error)))
    _learn([values for _, values in parsed], types)
    kept: list[tuple[Message, dict[str, Any]]] = []
    for message, values in parsed:
        row, column = {}, None
        try:
            for column, value in values.items():
                if column not in types:
                    raise _Unfit(f"more than {MOST_COLUMNS} different fields")
                row[column] = _READ[types[column]](value) if value is not None else None
            kept.append((message, row))
        except _Unfit as error:
            rejected.append(_set_aside(message, column, str(error)))
    return Batch(_table(kept, types) if kept else None, tuple(rejected), empty)


def declared(fields: Sequence[Field_]) -> dict[str, str]:
    """Types by column. Raises: Invalid when two fields would become one column."""
    found: dict[str, str] = {}
    for field in fields:
        column = clean_name(field.name, "field")
        if column in found or column in OWN:
            raise Invalid(f"The field {field.name!r} would be the column {column!r}, which is there already.", code="bad_source")
        found[column] = field.type
    return found


def _fields(value: bytes) -> dict[str, Any]:
    """Values by column."""
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        raise _Unfit("no JSON") from None
    if not isinstance(found, dict):
        raise _Unfit(f"a JSON object was expected, found {type(found).__name__}")
    values: dict[str, Any] = {}
    for name, one in found.items():
        column = clean_name(name, "field")
        if column in values or column in OWN:
            raise _Unfit(f"the field {name[:60]!r} would be the column {column!r}, which is there already")
        values[column] = one
    return values


def _learn(rows: Sequence[Mapping[str, Any]], types: dict[str, str]) -> None:
    """Types of columns that have none yet and hold a value."""
    values: dict[str, list[Any]] = {}
    for row in rows:
        for column, value in row.items():
            if column not in types and value is not None:
                values.setdefault(column, []).append(value)
    for column in sorted(values):
        if len(types) < MOST_COLUMNS:
            types[column] = _common(values[column])


def _common(values: Sequence[Any]) -> str:
    """The narrowest type that all of these fit.

    >>> _common([1, 2.5]), _common(["2026-01-05"]), _common([True, "x"]), _common(["2026-01-05T10:00:00Z"])
    ('Float64', 'Date', 'String', 'DateTime64(3)')
    """
    for kind in ("Bool", "Int64", "Float64", "Date", "DateTime64(3)"):
        read = _READ[kind]
        try:
            for value in values:
                read(value)
        except _Unfit:
            continue
        return kind
    return "String"


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise _Unfit("true or false was expected")


def _int(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and -_INT64 <= value < _INT64:
        return value
    raise _Unfit("a whole number of 64 bits was expected")


def _float(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e308 and math.isfinite(value):
        return float(value)
    raise _Unfit("a number was expected")


def _date(value: Any) -> dt.date:
    if isinstance(value, str) and len(value) == 10:
        try:
            found = dt.date.fromisoformat(value)
        except ValueError:
            found = dt.date.min
        if 1970 <= found.year < 2149:
            return found
    raise _Unfit("a date such as 2026-01-31 was expected")


def _moment(value: Any) -> dt.datetime:
    """Without a zone it is UTC."""
    if isinstance(value, str) and len(value) >= 10:
        try:
            found = dt.datetime.fromisoformat(value)
        except ValueError:
            raise _Unfit("a time such as 2026-01-31T10:00:00Z was expected") from None
        if 1900 <= found.year < 2299:
            return found.astimezone(dt.UTC) if found.tzinfo else found.replace(tzinfo=dt.UTC)
    raise _Unfit("a time such as 2026-01-31T10:00:00Z was expected")


def _text(value: Any) -> str:
    """What is no text stays as its JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode()


_READ: Mapping[str, Callable[[Any], Any]] = {
    "Bool": _bool, "Int64": _int, "Float64": _float, "Date": _date, "DateTime64(3)": _moment, "String": _text,
}  # fmt: skip
_ARROW: Mapping[str, pa.DataType] = {
    "Bool": pa.bool_(), "Int64": pa.int64(), "Float64": pa.float64(), "Date": pa.date32(),
    "DateTime64(3)": pa.timestamp("ms", tz="UTC"), "String": pa.string(),
}  # fmt: skip


def _table(rows: Sequence[tuple[Message, Mapping[str, Any]]], types: Mapping[str, str]) -> pa.Table:
    own: dict[str, list[Any]] = {
        PARTITION: [message.partition for message, _ in rows],
        OFFSET: [message.offset for message, _ in rows],
        AT: [max(message.at_ms, 0) for message, _ in rows],
        KEY: [None if message.key is None else message.key.decode("utf-8", "replace") for message, _ in rows],
    }
    arrays = {name: pa.array(own[name], OWN[name][1]) for name in OWN}
    arrays |= {column: pa.array([row.get(column) for _, row in rows], _ARROW[kind]) for column, kind in types.items()}
    return pa.table(arrays)


def _set_aside(message: Message, column: str | None, reason: str) -> Rejected:
    text = (message.value or b"").decode("utf-8", "replace")[:_SHOWN]
    return Rejected(message.offset, column, f"partition {message.partition}, offset {message.offset}: {reason}", text)
