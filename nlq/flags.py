"""Yes and no, however it is stored."""

from __future__ import annotations

from semantic.catalog.model import CatalogField, FieldType
from semantic.expr import Comparison, FieldRef, In, Literal_, Predicate


def flag(ref: FieldRef, field: CatalogField, *, value: bool) -> Predicate:
    """A yes/no field that is so, or is not: a boolean, a word or a letter, or 1 and 0."""
    if field.type is FieldType.BOOLEAN:
        return Comparison(op="=", left=ref, right=Literal_(value=value))
    if field.type is FieldType.STRING:
        yes = [v for v in field.values if v.strip().lower() in ("yes", "y", "true", "t", "1")]
        no = [v for v in field.values if v.strip().lower() in ("no", "n", "false", "f", "0")]
        chosen = yes if value else no
        return In(field=ref, values=tuple(chosen) if chosen else (("Yes", "Y", "yes") if value else ("No", "N", "no")))
    return Comparison(op="=", left=ref, right=Literal_(value=1 if value else 0))
