"""Conditions on stored values: the field that holds them, written as the field keeps them."""

from __future__ import annotations

from dataclasses import replace

from nlq.assign import Assignment
from nlq.flags import flag
from nlq.frame import Condition
from nlq.kinds import Kinds
from nlq.lexicon import Target
from nlq.roles import way_to
from nlq.unbuildable import Unbuildable
from semantic.catalog.model import Catalog, FieldRole, FieldType
from semantic.expr import Comparison, FieldRef, In, Literal_, Predicate, Scalar


class ValuePredicates:
    """Conditions on values under one assignment."""

    def __init__(self, catalog: Catalog, kinds: Kinds, assignment: Assignment) -> None:
        self._catalog = catalog
        self._kinds = kinds
        self._a = assignment

    def of(self, condition: Condition) -> list[tuple[str, Predicate, bool]]:
        """(dataset, predicate on its rows, whether it must stand alone) of one condition."""
        chosen = self._a.value(condition)
        if chosen is not None:
            way = way_to(chosen.dataset, condition.hint, self._catalog) if condition.hint else ()
            ref = FieldRef(dataset=chosen.dataset, field=chosen.field, via=way)
            values: list[Scalar] = [self._typed(ref, chosen.value)]
            for more in condition.more_values:
                match = next((v for v in more if (v.dataset, v.field) == (chosen.dataset, chosen.field)), None)
                if match is None:
                    raise Unbuildable("values of different fields")
                values.append(self._typed(ref, match.value))
            if condition.both and len(values) > 1:
                return [(ref.dataset, self._equals(ref, [v], condition.negate), True) for v in values]
            return [(ref.dataset, self._equals(ref, values, condition.negate), condition.both)]
        target = self._a.target(condition.mention)
        if target is not None and target.kind == "dataset":
            shown = self.display(target.dataset or "") if not (condition.literal or "").isdigit() else self._key(target.dataset or "")
            target = replace(shown, via=target.via) if shown is not None else None
        if target is None or target.kind != "field":
            raise Unbuildable("a value without a field")
        ref = target.ref
        literals = [condition.literal or "", *condition.literals]
        field = self._catalog.field(ref)
        if self._kinds.is_flag(target) and literals[0].strip(" .").lower() in ("true", "yes", "1", "false", "no", "0"):
            return [(ref.dataset, flag(ref, field, value=literals[0].strip(" .").lower() in ("true", "yes", "1")), False)]
        return [
            (
                ref.dataset,
                self._equals(ref, [self._typed(ref, text) for text in literals], condition.negate, text=field.type is FieldType.STRING),
                condition.both,
            )
        ]

    def _equals(self, ref: FieldRef, values: list[Scalar], negate: bool, *, text: bool = False) -> Predicate:
        if len(values) == 1 and not negate:
            return Comparison(op="=", left=ref, right=Literal_(value=values[0]), ignore_case=text)
        return In(field=ref, values=tuple(values), negate=negate, ignore_case=text)

    def _typed(self, ref: FieldRef, text: str) -> Scalar:
        field = self._catalog.field(ref)
        try:
            if field.type is FieldType.INTEGER:
                return int(float(text))
            if field.type in (FieldType.DECIMAL, FieldType.FLOAT):
                return float(text)
            if field.type is FieldType.BOOLEAN:
                return text.strip().lower() in ("1", "true", "yes", "y")
        except ValueError:
            raise Unbuildable(f"{text!r} is not a number") from None
        return text

    def _key(self, dataset: str) -> Target | None:
        """What a number after a thing's name is: its one key, else what it is called by ("order 1043")."""
        key = next((e.key for e in self._catalog.entities if e.dataset == dataset), self._catalog.dataset(dataset).primary_key)
        whole = len(key) == 1 and self._catalog.dataset(dataset).field(key[0]).type is FieldType.INTEGER
        return Target("field", f"{dataset}.{key[0]}", dataset, key[0]) if whole else self.display(dataset)

    def display(self, dataset: str) -> Target | None:
        """The field that names the things of a dataset."""
        entity = next((e for e in self._catalog.entities if e.dataset == dataset), None)
        name = entity.display[0] if entity is not None and entity.display else None
        name = name or next((f.name for f in self._catalog.dataset(dataset).fields if f.role is FieldRole.NAME), None)
        return Target("field", f"{dataset}.{name}", dataset, name) if name else None
