"""What the values of a field look like without telling any: letters as `a`, digits as `9`, punctuation as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.services import Services
from core.errors import AppError
from core.principal import Principal
from semantic.catalog.model import CatalogField, Dataset
from semantic.expr import FieldRef

SAMPLED_ROWS = 2_000
SHOWN = 3
MAX_FIELDS = 40
MAX_CHARS = 40
_SHAPE = re.compile(r"[a9 .@+()/:,_#-]*\Z")


@dataclass(frozen=True, slots=True)
class Shape:
    """share: of the sampled rows that have a value, 0-1."""

    text: str
    share: float


def shape_sql(dataset: Dataset, field: CatalogField) -> str | None:
    """The commonest shapes with their counts; None for a field that is computed, or whose column cannot be written plainly."""
    column, table = field.column or "", f"{dataset.database}.{dataset.table}"
    if not column or "`" in column + table or "\\" in column + table:
        return None
    letters = f"replaceRegexpAll(toString(`{column}`), '[^0-9 .@+()/:,_#-]+', 'a')"
    shape = f"left(replaceRegexpAll({letters}, '[0-9]', '9'), {MAX_CHARS})"
    rows = f"SELECT {shape} AS shape FROM `{dataset.database}`.`{dataset.table}` WHERE `{column}` IS NOT NULL LIMIT {SAMPLED_ROWS}"
    return f"SELECT shape, count() AS n FROM ({rows}) AS sample GROUP BY shape ORDER BY n DESC, shape"


def shapes(services: Services, caller: Principal, wanted: Sequence[FieldRef]) -> Mapping[FieldRef, tuple[Shape, ...]]:
    """Of the first fields that are wanted, as the caller may read them; those that cannot be read now are left out. Blocks."""
    seen = services.catalogs.visible(caller).catalog
    found: dict[FieldRef, tuple[Shape, ...]] = {}
    for ref in wanted[:MAX_FIELDS]:
        sql = shape_sql(seen.dataset(ref.dataset), seen.field(ref))
        if sql is None:
            continue
        try:
            rows = services.core.warehouse_sync.run(services.guard_sql(caller, sql, {})).rows()
        except AppError:
            continue  # a list to decide on is of use without them
        known = [(str(text), int(count)) for text, count in rows if _SHAPE.match(str(text)) and str(text).strip()]
        whole = sum(int(count) for _, count in rows) or 1
        found[ref] = tuple(Shape(text, count / whole) for text, count in known[:SHOWN])
    return found
