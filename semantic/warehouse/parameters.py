"""Values of bound parameters as the text that ClickHouse's HTTP interface parses by the placeholder's type."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from core.errors import Invalid
from semantic.states import Param, ParamValue

_ZONE = re.compile(r"DateTime(?:64)?\((?:\d+\s*,\s*)?'([^']+)'\)")


def render(params: Mapping[str, Param]) -> dict[str, str | list[str | int | float]]:
    """What clickhouse-connect sends as is: text, or a list whose items it quotes. Raises: Invalid for a value ClickHouse cannot hold."""
    return {name: _rendered(param.value, param.type, name) for name, param in params.items()}


def _rendered(value: ParamValue, type_: str, name: str) -> str | list[str | int | float]:
    if not isinstance(value, tuple):
        return _text(value, type_, name)
    return [item if type(item) in (int, float) else _text(item, type_, name) for item in value]


def _text(value: ParamValue, type_: str, name: str) -> str:
    if isinstance(value, bool):
        return "true" if value and "Bool" in type_ else "false" if "Bool" in type_ else str(int(value))
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Invalid(f"Parameter {name!r} must be a finite number; found {value}.", code="bad_parameter")
        return repr(value)
    if isinstance(value, dt.datetime):
        return _instant(value, type_)
    if isinstance(value, dt.date):
        return value.isoformat() + (" 00:00:00" if "DateTime" in type_ else "")
    text = str(value)
    if "\0" in text:
        raise Invalid(f"Parameter {name!r} holds a NUL character.", code="bad_parameter")
    return text


def _instant(value: dt.datetime, type_: str) -> str:
    """Wall time in the type's zone (UTC where it has none); a naive value is taken as such already."""
    if value.tzinfo is not None:
        zone = _ZONE.search(type_)
        value = value.astimezone(ZoneInfo(zone[1]) if zone else dt.UTC)
    if type_.startswith("Date") and "DateTime" not in type_:
        return value.date().isoformat()
    return value.strftime("%Y-%m-%d %H:%M:%S.%f") if "DateTime64" in type_ else value.strftime("%Y-%m-%d %H:%M:%S")
