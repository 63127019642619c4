"""Conditions said in words after a figure: "where kind is payment and status is success", "whose end date is null"."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal

from semantic.catalog.infer.glossary.draft import Draft, key_of
from semantic.catalog.model import CatalogField, Dataset, FieldRole, FieldType
from semantic.expr import And, Comparison, FieldRef, IsNull, Literal_, Predicate, Scalar

_SPLIT = re.compile(r"^(?P<figure>.+?)\s+(?:where|whose|for which|when)\s+(?P<conditions>.+)$", re.IGNORECASE | re.DOTALL)
_AND = re.compile(r"\s+and\s+|\s*,\s*(?:and\s+)?", re.IGNORECASE)
_PARTS = re.compile(
    r"^(?:the\s+|its\s+)?(?P<column>[\w.` ]+?)\s*(?P<op><=|>=|!=|<>|=|<|>|\bis not\b|\bis\b|\bequals?(?:\s+to)?\b|\bare\b)\s*(?P<value>.+)$",
    re.IGNORECASE,
)
_Op = Literal["=", "!=", "<", "<=", ">", ">="]
_OPS: dict[str, _Op] = {"<=": "<=", ">=": ">=", "!=": "!=", "<>": "!=", "=": "=", "<": "<", ">": ">", "is not": "!=", "is": "=", "are": "="}
_EMPTY = ("null", "empty", "missing", "not set")
_YES, _NO = ("true", "yes", "1", "y"), ("false", "no", "0", "n")


def split_conditions(text: str) -> tuple[str, str] | None:
    """The figure and what is said of its rows, or None where nothing is."""
    match = _SPLIT.match(text.strip())
    return (match["figure"], match["conditions"].strip(" .;")) if match else None


def said_condition(draft: Draft, dataset: Dataset, text: str) -> Predicate | None:
    """All conditions of `text` over fields of the dataset; None where one of them is not known."""
    items = [_one(draft, dataset, part) for part in _AND.split(text) if part.strip()]
    known = [x for x in items if x is not None]
    if not known or len(known) < len(items):
        return None
    return known[0] if len(known) == 1 else And(items=tuple(known))


def _one(draft: Draft, dataset: Dataset, text: str) -> Predicate | None:
    match = _PARTS.match(text.strip())
    if match is None:
        return None
    field = _field(draft, dataset, match["column"].strip())
    if field is None:
        return None
    ref = FieldRef(dataset=dataset.name, field=field.name)
    op = _OPS.get(" ".join(match["op"].lower().split()), "=")
    said = match["value"].strip(" '\"`")
    if said.lower().startswith("not ") and op == "=":
        op, said = "!=", said[4:].strip(" '\"`")
    if said.lower() in _EMPTY:
        return IsNull(field=ref, negate=op == "!=")
    value = _value(field, said)
    return None if value is None else Comparison(op=op, left=ref, right=Literal_(value=value))


def _field(draft: Draft, dataset: Dataset, said: str) -> CatalogField | None:
    table, _, column = said.rpartition(".")
    if table and draft.table(table) is not dataset:
        return None
    exact = draft.column(dataset, column)
    if exact is not None:
        return exact
    called = [f for d, f in draft.fields_called(column) if d.name == dataset.name]
    return called[0] if len(called) == 1 else None


def _value(field: CatalogField, said: str) -> Scalar | None:
    if field.type == FieldType.BOOLEAN:
        return True if said.lower() in _YES else False if said.lower() in _NO else None
    if field.type in (FieldType.INTEGER, FieldType.DECIMAL, FieldType.FLOAT):
        number = re.fullmatch(r"-?\d+(\.\d+)?", said)
        return None if number is None else int(said) if number[1] is None else Decimal(said)
    if field.type != FieldType.STRING:
        return None
    if field.role == FieldRole.CATEGORY and field.values:
        return next((v for v in field.values if key_of(v) == key_of(said)), None)
    return said
