"""Conditions on rows as a line of SQL in a form. One that no line says stays while its line stays empty."""

from __future__ import annotations

from api.web.forms import Fields
from semantic.catalog.model import Catalog
from semantic.catalog.written import read_condition, written_condition
from semantic.expr import Predicate


def written_line(value: Predicate | None, catalog: Catalog, dataset: str) -> str:
    """Empty for none, and for one that no line says."""
    return (written_condition(value, catalog, dataset) or "") if value is not None else ""


def condition(form: Fields, name: str, catalog: Catalog, dataset: str, known: Predicate | None) -> Predicate | None:
    """What the line says; what was known while the line is as the form wrote it. Raises: Invalid."""
    if form(name) == written_line(known, catalog, dataset):
        return known
    return read_condition(form(name), catalog, dataset) if form.has(name) else None
