"""What people without an account see of a board: personal values are numbered words, and no figure is about one person."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from core.errors import Forbidden
from semantic.catalog.model import Catalog, FieldRole
from semantic.catalog.references import references, walk
from semantic.expr import Comparison, FieldRef, In, Like, Literal_
from semantic.query import ByEntity, ByField, SemanticQuery
from semantic.states import OutputColumn, ResultTable

_NAMING = {FieldRole.NAME, FieldRole.KEY, FieldRole.TEXT}


class AboutPeople(Forbidden):
    """Its own title may say who."""


def refuse_personal(query: SemanticQuery, catalog: Catalog) -> None:
    """query: with the board's filters in it. Raises: Forbidden for lists of rows; AboutPeople where a condition says whose rows are meant."""
    if query.fields:
        raise Forbidden("Lists of single records are not shown on public boards.", code="not_public")
    if any(_tells_who(part, catalog) for part in walk((query,))):
        raise AboutPeople("Figures about single people are not shown on public boards.", code="not_public")


def _tells_who(part: object, catalog: Catalog) -> bool:
    """A condition that holds for values of a personal field that it names; ranges do not name any."""
    if isinstance(part, Comparison):
        if part.op not in ("=", "!=") or not any(isinstance(inner, Literal_) for inner in walk((part.left, part.right))):
            return False
    elif not isinstance(part, In | Like):
        return False
    known = {(d.name, f.name) for d in catalog.datasets for f in d.fields}
    named = references(part).fields & known
    return any(_is_personal(ByField(field=FieldRef(dataset=dataset, field=name)), catalog) for dataset, name in named)


def masked(result: ResultTable, query: SemanticQuery, catalog: Catalog) -> list[list[Any]]:
    """Rows whose personal values are numbered words; equal values stay equal."""
    people = {catalog.entity(by.entity).dataset for by in query.by if isinstance(by, ByEntity)}
    people = {dataset for dataset in people if _has_personal(dataset, catalog)}
    hidden = {i: word for i, column in enumerate(result.columns) if (word := _hidden(column, people, catalog)) is not None}
    known: dict[tuple[int, Any], str] = {}
    made: list[list[Any]] = []
    for row in result.rows():
        new = list(row)
        for i, word in hidden.items():
            if row[i] is not None:
                new[i] = known.setdefault((i, row[i]), f"{word} {sum(k[0] == i for k in known) + 1}")
        made.append(new)
    return made


def _hidden(column: OutputColumn, people: Collection[str], catalog: Catalog) -> str | None:
    """The word that stands for its values; None where they may be seen. What cannot be told is hidden.

    people: datasets of persons with a row each; all that such a row says of the person is hidden.
    """
    kind, _, name = (column.source or "").partition(":")
    if column.role in {"measure", "change"} or column.grain is not None:
        return None
    if kind == "entity":
        entity = catalog.entity(name)
        return entity.label if _has_personal(entity.dataset, catalog) else None
    if kind == "field":
        dataset, _, field = name.rpartition(".")
        by = ByField(field=FieldRef(dataset=dataset, field=field))
        return catalog.field(by.field).label if dataset in people or _is_personal(by, catalog) else None
    return None if column.role == "time" else "value"


def _is_personal(group: ByField, catalog: Catalog) -> bool:
    """Personal fields, and names and keys of what has personal fields (customers, not products)."""
    field = catalog.field(group.field)
    return field.pii or (field.role in _NAMING and _has_personal(group.field.dataset, catalog))


def _has_personal(dataset: str, catalog: Catalog) -> bool:
    return any(f.pii for d in catalog.datasets if d.name == dataset for f in d.fields)
