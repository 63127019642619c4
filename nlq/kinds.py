"""What sort of thing a link points to, as the grammar needs to know it."""

from __future__ import annotations

from nlq.lexicon import Target
from nlq.segment import Unit
from semantic.catalog.model import Catalog, CatalogField, FieldRole, FieldType

NUMERIC = frozenset((FieldType.INTEGER, FieldType.DECIMAL, FieldType.FLOAT))


class Kinds:
    """Answers about targets of one catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    def field(self, target: Target) -> CatalogField | None:
        if target.kind != "field" or target.dataset is None or target.field is None:
            return None
        dataset = self.catalog.dataset(target.dataset)
        return dataset.field(target.field) if dataset.has_field(target.field) else None

    def is_dataset(self, target: Target) -> bool:
        return target.kind == "dataset"

    def is_time(self, target: Target) -> bool:
        field = self.field(target)
        return field is not None and (field.role is FieldRole.TIME or field.type in (FieldType.DATE, FieldType.DATETIME))

    def is_flag(self, target: Target) -> bool:
        field = self.field(target)
        return field is not None and (field.role is FieldRole.FLAG or field.type is FieldType.BOOLEAN)

    def is_key(self, target: Target) -> bool:
        field = self.field(target)
        return field is not None and field.role is FieldRole.KEY

    def is_measure(self, target: Target) -> bool:
        """A metric, or a number that is added up or averaged."""
        field = self.field(target)
        return target.kind == "metric" or (field is not None and field.role is FieldRole.MEASURE)

    def is_number(self, target: Target) -> bool:
        field = self.field(target)
        return field is not None and field.type in NUMERIC and field.role is not FieldRole.KEY

    def likely(self, unit: Unit, test: str) -> bool:
        """Whether one of the unit's best links passes the test named `test`."""
        check = getattr(self, f"is_{test}")
        if not unit.links:
            return False
        top = unit.links[0].score
        return any(check(link.target) for link in unit.links if link.score >= top - 0.06)

    def certainly(self, unit: Unit, test: str) -> bool:
        """Whether all of the unit's best links pass the test."""
        check = getattr(self, f"is_{test}")
        if not unit.links:
            return False
        top = unit.links[0].score
        return all(check(link.target) for link in unit.links if link.score >= top - 0.06)
