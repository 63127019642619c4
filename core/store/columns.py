"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant. Stored as timestamptz on PostgreSQL and as naive UTC on SQLite; naive input is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"an aware datetime was expected, found naive {value.isoformat()}; attach a time zone")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def dump_json(value: Any) -> str:
    """JSON that both databases take: no NaN or infinity (ValueError), NUL as U+FFFD and lone surrogates as "?".

    >>> dump_json({"a": "x\\0y"}) == '{"a": "x\\\\ufffdy"}'
    True
    """
    text = json.dumps(value, allow_nan=False, ensure_ascii=False).encode("utf-8", "replace").decode()
    return _NUL.sub(r"\1\\ufffd", text)
