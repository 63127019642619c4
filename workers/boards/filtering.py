"""A pin's query under the filters of its board."""

from __future__ import annotations

import datetime as dt

from core.errors import Invalid, NotFound, UserError
from semantic.catalog.model import Catalog
from semantic.query import SemanticQuery
from semantic.resolve import resolve
from workers.boards.content import Filter, Filters
from workers.boards.narrowing import with_filter, with_period

MATCHES = {"is": "is", "not": "is not", "contains": "contains"}


def filtered(query: SemanticQuery, filters: Filters, catalog: Catalog, as_of: dt.datetime) -> tuple[SemanticQuery, list[str]]:
    """The query with all filters that it can take, and those it cannot, in words: a filter is never dropped in silence."""
    left_out: list[str] = []

    def usable(new: SemanticQuery) -> bool:
        try:
            resolve(new, catalog, as_of=as_of)
        except UserError:
            return False
        return True

    if filters.period:
        new = with_period(query, filters.period)
        if usable(new):
            query = new
        else:
            left_out.append(filters.period)
    for one in filters.where:
        try:
            new = with_filter(query, one.field, one.match, one.value, catalog)
        except (Invalid, NotFound):
            left_out.append(_said(one))
            continue
        if usable(new):
            query = new
        else:
            left_out.append(_said(one))
    return query, left_out


def _said(one: Filter) -> str:
    return f"{one.field.rpartition('.')[2].replace('_', ' ')} {MATCHES[one.match]} {one.value}"
