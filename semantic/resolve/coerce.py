"""Literals read as the type of the field they are compared with."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation

from core.errors import Invalid
from semantic.catalog.model import FieldType
from semantic.expr import Scalar

_TRUE = frozenset({"true", "t", "yes", "y", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "0"})


def coerce(value: Scalar, target: FieldType | None, where: str) -> Scalar:
    """`value` as a `target`; instants may stay dates (the caller widens them to a day).

    Raises: Invalid `bad_literal`, naming `where` (the field) and what was expected.
    """
    try:
        match target:
            case FieldType.STRING:
                return _text(value)
            case FieldType.INTEGER | FieldType.DECIMAL | FieldType.FLOAT:
                return _number(value)
            case FieldType.BOOLEAN:
                return _boolean(value)
            case FieldType.DATE:
                moment = _moment(value)
                return moment.date() if isinstance(moment, dt.datetime) else moment
            case FieldType.DATETIME:
                return _moment(value)
            case _:
                return value
    except (ValueError, InvalidOperation, OverflowError) as error:
        wanted = {FieldType.DATE: "a date such as 2024-05-31", FieldType.DATETIME: "a date or time such as 2024-05-31T12:00:00"}
        kind = wanted.get(target, f"a {target.value}") if target else "a value"
        raise Invalid(f"{where} takes {kind}; found {str(value)[:60]!r}.", code="bad_literal") from error


def _text(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _number(value: Scalar) -> Scalar:
    if isinstance(value, dt.date):
        raise ValueError("a date is not a number")
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        value = Decimal(value.strip())
    if isinstance(value, (Decimal, float)):
        if not Decimal(value).is_finite():
            raise ValueError("not finite")
        return int(value) if value == int(value) else value
    return value


def _boolean(value: Scalar) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError("not a truth value")


def _moment(value: Scalar) -> dt.date:
    if isinstance(value, dt.date):
        return value
    if not isinstance(value, str):
        raise ValueError("not a date")
    text = value.strip()
    return dt.date.fromisoformat(text) if len(text) == 10 else dt.datetime.fromisoformat(text)
