"""The type of a row-level expression."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from semantic.catalog.model import Catalog, CatalogField, FieldType
from semantic.expr import (
    Arithmetic,
    Case,
    DateDiff,
    DatePart,
    Expr,
    FieldRef,
    Literal_,
    MakeDate,
    Now,
    Related,
    Text,
)

NUMERIC = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.FLOAT})
TEMPORAL = frozenset({FieldType.DATE, FieldType.DATETIME})


def scalar_type(value: object) -> FieldType | None:
    """The type of a Python value; None for None."""
    if value is None:
        return None
    for kind, field_type in (
        (bool, FieldType.BOOLEAN),
        (int, FieldType.INTEGER),
        (Decimal, FieldType.DECIMAL),
        (float, FieldType.FLOAT),
        (dt.datetime, FieldType.DATETIME),
        (dt.date, FieldType.DATE),
    ):
        if isinstance(value, kind):
            return field_type
    return FieldType.STRING


def field_type(field: CatalogField) -> FieldType:
    """What the field means: a text or integer column that holds times is a date or an instant."""
    if field.time_format is not None:
        has_clock = any(mark in field.time_format for mark in ("%H", "%k", "%I", "%T", "%R", "%h", "%s"))
        return FieldType.DATETIME if has_clock and field.type is not FieldType.DATE else FieldType.DATE
    if field.epoch is not None:
        return FieldType.DATETIME
    return field.type


def expr_type(expr: Expr, catalog: Catalog) -> FieldType | None:
    """The type of `expr`'s value; None when it is the literal NULL."""
    match expr:
        case FieldRef():
            return field_type(catalog.field(expr))
        case Literal_():
            return scalar_type(expr.value)
        case Arithmetic():
            return _arithmetic(expr, catalog)
        case DateDiff():
            return FieldType.FLOAT if expr.exact else FieldType.INTEGER
        case DatePart():
            if expr.part in ("trunc_minute", "trunc_hour"):
                return FieldType.DATETIME
            if expr.part.startswith("trunc_"):
                return FieldType.DATE
            return FieldType.BOOLEAN if expr.part == "is_weekend" else FieldType.INTEGER
        case MakeDate():
            return FieldType.DATE
        case Now():
            return FieldType.DATE if expr.date_only else FieldType.DATETIME
        case Text():
            return FieldType.INTEGER if expr.function == "length" else FieldType.STRING
        case Case():
            values = [value for _, value in expr.branches] + ([expr.otherwise] if expr.otherwise else [])
            return next((t for t in (expr_type(value, catalog) for value in values) if t is not None), None)
        case Related():
            if expr.aggregate in ("count", "count_distinct"):
                return FieldType.INTEGER
            if expr.aggregate in ("avg", "median"):
                return FieldType.FLOAT
            return expr_type(expr.of, catalog) if expr.of is not None else None


def _arithmetic(expr: Arithmetic, catalog: Catalog) -> FieldType | None:
    sides = {expr_type(expr.left, catalog), expr_type(expr.right, catalog)}
    temporal = sides & TEMPORAL
    if temporal:
        return FieldType.INTEGER if len(sides) == 1 or sides == TEMPORAL else next(iter(temporal))
    if expr.op == "/" or FieldType.FLOAT in sides:
        return FieldType.FLOAT
    return FieldType.DECIMAL if FieldType.DECIMAL in sides else FieldType.INTEGER
