"""The other ways from one table to another, where a question does not say which ("shipments by depot": from it, or to it?)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from core.errors import AppError
from semantic.catalog.model import Catalog, Relationship
from semantic.expr import FieldRef
from semantic.query import SemanticQuery

# More ways than this are no choice that a person wants to read.
_MOST = 4


def other_ways(query: SemanticQuery, error: AppError, catalog: Catalog) -> Iterator[SemanticQuery]:
    """The query over each of the ways that a refused join lists; nothing for other refusals."""
    listed = tuple(getattr(error, "suggestions", ())) if error.code == "ambiguous_join" else ()
    usual = _usual(listed, catalog)
    for path in usual or (listed if len(listed) <= _MOST else ()):
        via = tuple(path.split(" > "))
        target = _end(via[-1], catalog)
        if target is None:
            continue
        try:
            changed = SemanticQuery.model_validate(_walked(query.model_dump(), target, via, catalog))
        except ValidationError:
            continue
        if changed != query:
            yield changed


def _usual(listed: Sequence[str], catalog: Catalog) -> Sequence[str]:
    """ "sales by quarter" of a table of dates that sales point to as sold and as shipped: the one that is their own date, if one is."""
    steps = {path: [r for r in catalog.relationships if r.name == path] for path in listed}
    found = [path for path, relations in steps.items() if relations and is_own_date(relations[0], catalog)]
    return found if len(found) == 1 and all(steps.values()) else ()


def is_own_date(relation: Relationship, catalog: Catalog) -> bool:
    """Whether the rows' own time is what the relationship leads to."""
    rows = catalog.dataset(relation.from_dataset)
    time = rows.field(rows.time) if rows.time is not None else None
    if time is None:
        return False
    return relation.from_fields == (time.name,) or (isinstance(time.expression, FieldRef) and time.expression.via == (relation.name,))


def _end(step: str, catalog: Catalog) -> str | None:
    found = next((r for r in catalog.relationships if r.name == step.removeprefix("~")), None)
    if found is None:
        return None
    return found.from_dataset if step.startswith("~") else found.to_dataset


def _walked(node: Any, target: str, via: Sequence[str], catalog: Catalog) -> Any:
    """The dumped query with `via` on every field, group and relation of the target that names none."""
    if isinstance(node, Mapping):
        out = {key: _walked(value, target, via, catalog) for key, value in node.items()}
        if out.get("via") == () and _is_of(out, target, catalog):
            out["via"] = tuple(via)
        return out
    if isinstance(node, (list, tuple)):
        return tuple(_walked(item, target, via, catalog) for item in node)
    return node


def _is_of(node: Mapping[str, Any], target: str, catalog: Catalog) -> bool:
    if node.get("kind") == "entity":
        return any(e.name == node.get("entity") and e.dataset == target for e in catalog.entities)
    return node.get("kind") in ("field", "has") and node.get("dataset") == target
