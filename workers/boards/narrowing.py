"""Queries made narrower: another time, one more condition. What chips and a board's filters do; each gives a new query."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pydantic import ValidationError

from core.errors import Invalid
from semantic.catalog.model import Catalog, CatalogField, FieldType
from semantic.expr import And, FieldRef, In, Like, Predicate, Scalar
from semantic.query import SemanticQuery, TimeWindow
from workers.boards.periods import PERIODS

_NUMBERS = (FieldType.INTEGER, FieldType.DECIMAL, FieldType.FLOAT)


def with_period(query: SemanticQuery, name: str) -> SemanticQuery:
    """The time window of that name from the list of periods; "all" is all time. Raises: Invalid."""
    if name == "all":
        return remade(query, time=None)
    if name not in PERIODS:
        raise Invalid(f"Expected one of {', '.join(PERIODS)}; found {name[:40]!r}.", code="bad_period")
    return in_window(query, TimeWindow(window=PERIODS[name]))


def with_filter(query: SemanticQuery, field: str, match: str, text: str, catalog: Catalog) -> SemanticQuery:
    """One more condition: `field` (dataset.name) is, is not or contains `text`. Raises: NotFound; Invalid."""
    ref = field_ref(field)
    known = catalog.field(ref)
    text = text.strip()
    if not text:
        raise Invalid("Say which value to filter by.", code="bad_edit")
    condition: Predicate
    if match == "contains":
        condition = Like(field=ref, match="contains", value=text)
    else:
        value = typed(text, known)
        condition = In(field=ref, values=(value,), negate=match == "not", ignore_case=isinstance(value, str))
    return remade(query, where=narrowed(query.where, condition))


def narrowed(where: Predicate | None, condition: Predicate) -> Predicate:
    """Both; a condition that is there already is not added again."""
    if where is None:
        return condition
    items = where.items if isinstance(where, And) else (where,)
    return where if condition in items else And(items=(*items, condition))


def typed(text: str, field: CatalogField) -> Scalar:
    """A value as the field's type. Raises: Invalid."""
    try:
        if field.type in _NUMBERS:
            return int(text) if field.type is FieldType.INTEGER else float(text)
        if field.type is FieldType.BOOLEAN:
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]
        if field.type is FieldType.DATE:
            return dt.date.fromisoformat(text[:10])
        if field.type is FieldType.DATETIME:
            return dt.datetime.fromisoformat(text)
    except (ValueError, KeyError) as error:
        raise Invalid(f"{field.label} is a {field.type.value}; found {text[:40]!r}.", code="bad_value") from error
    return text


def remade(query: SemanticQuery, **changes: Any) -> SemanticQuery:
    """With other values, validated. Raises: Invalid."""
    try:
        return query.changed(**changes)
    except ValidationError as error:
        raise Invalid("Nothing would be left to show: keep a metric or a group.", code="empty_query") from error


def in_window(query: SemanticQuery, window: TimeWindow) -> SemanticQuery:
    field = query.time.field if query.time is not None else None
    return remade(query, time=window.changed(field=field), complete_periods_only=False)


def field_ref(text: str) -> FieldRef:
    dataset, dot, field = text.partition(".")
    if not dot:
        raise Invalid(f"Expected dataset.field; found {text[:60]!r}.", code="bad_field")
    return FieldRef(dataset=dataset, field=field)
