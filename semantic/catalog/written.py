"""Expressions and conditions of the catalog as a line of SQL that a person edits, and back. What has no such line says so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from core.errors import Invalid
from semantic.catalog.exporters.sql import condition_sql, expression_sql
from semantic.catalog.infer.glossary.sqlexpr import to_expr, to_predicate
from semantic.catalog.model import Catalog, FieldType
from semantic.expr import And, Between, Comparison, Expr, FieldRef, In, Literal_, Not, Or, Predicate

_BARE = (exp.Column, exp.Literal, exp.Paren, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In, exp.Is, exp.Like, exp.Between)


def written_expression(value: Expr, catalog: Catalog, dataset: str) -> str | None:
    """None where no line reads back as the same value."""
    return _written(expression_sql(value), dataset, lambda text: read_expression(text, catalog, dataset) == value)


def written_condition(value: Predicate, catalog: Catalog, dataset: str) -> str | None:
    """None where no line reads back as the same condition."""
    return _written(condition_sql(value), dataset, lambda text: read_condition(text, catalog, dataset) == _flat(value))


def read_expression(text: str, catalog: Catalog, dataset: str) -> Expr:
    """Raises: Invalid that names the dataset's fields."""
    with _refused(text, catalog, dataset, "fields, numbers, + - * / and CASE WHEN"):
        found = to_expr(sqlglot.parse_one(text), _resolver(catalog, dataset))
        if found is None:
            raise ValueError(text)
    return found


def read_condition(text: str, catalog: Catalog, dataset: str) -> Predicate:
    """Texts that are compared with a date are dates. Raises: Invalid that names the dataset's fields."""
    with _refused(text, catalog, dataset, "conditions such as status = 'paid' AND amount > 0, IN (...), BETWEEN, LIKE, IS NULL"):
        found = to_predicate(sqlglot.parse_one(text), _resolver(catalog, dataset))
        if found is None:
            raise ValueError(text)
    return _dated(_flat(found), catalog)


@contextmanager
def _refused(text: str, catalog: Catalog, dataset: str, expected: str) -> Iterator[None]:
    try:
        yield
    except (SqlglotError, ValueError, RecursionError, ArithmeticError) as error:
        fields = [f.name for f in catalog.dataset(dataset).fields if not f.hidden]
        said = f"{text[:80]!r} cannot be read: expected {expected}."
        raise Invalid(said, code="unread_expression", suggestions=tuple(fields[:20])) from error


def _resolver(catalog: Catalog, dataset: str) -> Callable[[str, str], FieldRef | None]:
    """Fields by name or column: of the dataset, or of another that is written before the dot."""
    home = catalog.dataset(dataset)

    def resolve(table: str, column: str) -> FieldRef | None:
        named = next((d for d in catalog.datasets if d.name == table), None) if table else home
        if named is None:
            return None
        wanted = column.casefold()
        field = next((f for f in named.fields if wanted in (f.name.casefold(), (f.column or "").casefold())), None)
        return FieldRef(dataset=named.name, field=field.name) if field is not None else None

    return resolve


def _written(tree: exp.Expr | None, dataset: str, reads_back: Callable[[str], bool]) -> str | None:
    if tree is None:
        return None
    for column in tree.find_all(exp.Column):
        if column.table == dataset:
            column.set("table", None)
    bare = tree.transform(lambda node: node.this if isinstance(node, exp.Paren) and isinstance(node.this, _BARE) else node)
    for one in (bare, tree):
        text = one.sql()
        try:
            if reads_back(text):
                return text
        except Invalid:
            continue
    return None


def _flat(value: Predicate) -> Predicate:
    """And within And, and Or within Or, as one."""
    if isinstance(value, Not):
        return Not(item=_flat(value.item))
    if not isinstance(value, And | Or):
        return value
    kind = type(value)
    items = [_flat(item) for item in value.items]
    return kind(items=tuple(inner for item in items for inner in (item.items if isinstance(item, kind) else (item,))))


def _dated(value: Predicate, catalog: Catalog) -> Predicate:
    if isinstance(value, And | Or):
        return type(value)(items=tuple(_dated(item, catalog) for item in value.items))
    if isinstance(value, Not):
        return Not(item=_dated(value.item, catalog))
    if isinstance(value, Comparison):
        return value.model_copy(update={"right": _as_date(value.right, value.left, catalog)})
    if isinstance(value, Between):
        return value.model_copy(update={name: _as_date(getattr(value, name), value.field, catalog) for name in ("low", "high")})
    if isinstance(value, In) and isinstance(value.field, FieldRef):
        made = [_as_date(Literal_(value=one), value.field, catalog) for one in value.values]
        return value.model_copy(update={"values": tuple(one.value for one in made if isinstance(one, Literal_))})
    return value


def _as_date(value: Expr, beside: Expr, catalog: Catalog) -> Expr:
    if not (isinstance(value, Literal_) and isinstance(value.value, str) and isinstance(beside, FieldRef)):
        return value
    kind = catalog.field(beside).type
    try:
        if kind is FieldType.DATE:
            return Literal_(value=dt.date.fromisoformat(value.value))
        if kind is FieldType.DATETIME:
            return Literal_(value=dt.datetime.fromisoformat(value.value))
    except ValueError as error:
        raise Invalid(f"{beside} holds dates; expected one such as '2026-01-31', found {value.value[:40]!r}.", code="bad_date") from error
    return value
