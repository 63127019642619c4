"""`by` entries as key columns, and as expressions of each block."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, cast

from core.errors import Invalid
from core.timeseries import Grain
from semantic.catalog.model import CatalogField, FieldRole, FieldType
from semantic.expr import DatePart, Expr, FieldRef
from semantic.query import ByCycle, ByEntity, ByExpr, ByField, ByTime, GroupBy
from semantic.resolve.binder import Binder, describe
from semantic.resolve.names import Names
from semantic.resolve.types import BlockKey, KeyColumn
from semantic.resolve.typing import NUMERIC, expr_type, field_type
from semantic.windows import Shift

_CYCLE_LABELS = {
    "day_of_week": "Day of week",
    "hour_of_day": "Hour of day",
    "day_of_month": "Day of month",
    "month_of_year": "Month",
    "quarter_of_year": "Quarter",
    "week_of_year": "Week of year",
    "is_weekend": "Weekend",
}
_SUBDAY = (Grain.MINUTE, Grain.HOUR)

Maker = Callable[[str, FieldRef | None, Shift | None], BlockKey]


@dataclass
class Groups:
    """The group key: its columns, and for each a way to compute it in a block (given dataset, time field and shift)."""

    binder: Binder
    names: Names = field(default_factory=Names)
    columns: list[KeyColumn] = field(default_factory=list)
    makers: list[Maker] = field(default_factory=list)
    homes: list[str | None] = field(default_factory=list)
    field_names: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, by: GroupBy, index: int) -> None:
        match by:
            case ByField():
                self._field(by, index)
            case ByEntity():
                self._entity(by, index)
            case ByTime():
                self._time(by, index)
            case ByCycle():
                self._cycle(by, index)
            case ByExpr():
                self._expr(by, index)

    def keys(self, dataset: str, time: FieldRef | None, shift: Shift | None = None) -> tuple[BlockKey, ...]:
        return tuple(make(dataset, time, shift) for make in self.makers)

    def _push(self, column: KeyColumn, make: Maker, home: str | None = None, field_name: str = "") -> None:
        self.field_names.append(field_name)
        self.columns.append(column)
        self.makers.append(make)
        self.homes.append(home)

    def _field(self, by: ByField, index: int) -> None:
        catalog = self.binder.catalog
        source = catalog.field(by.field)
        kind = field_type(source)
        if by.bins is not None and kind not in NUMERIC:
            raise Invalid(f"Bins need a number; {describe(by.field)} is {kind.value}.", code="bad_type")
        label = by.alias or _role_label(self.binder, by.field) or source.label
        column = _column(source, kind, self.names.take(by.alias or source.name), label, index, by.field.dataset)
        if by.bins is not None:
            column = replace(column, type=FieldType.FLOAT)
        self._push(column, lambda dataset, _time, _shift: BlockKey(self.binder.expr(by.field, dataset), by.bins), by.field.dataset)

    def _entity(self, by: ByEntity, index: int) -> None:
        catalog = self.binder.catalog
        entity = catalog.entity(by.entity)
        home = catalog.dataset(entity.dataset)
        display = entity.display or entity.key
        shown = dict.fromkeys((*display, *by.show, *(entity.key if by.show_key else ())))
        for name in dict.fromkeys((*entity.key, *shown)):
            source = home.field(name)
            is_display = name in display
            single = is_display and len(display) == 1
            label = (by.alias or entity.label) if single else source.label
            wanted = (by.alias or entity.name) if single else name
            column = _column(source, field_type(source), wanted, label, index, home.name)
            visible = name in shown
            column = replace(
                column,
                name=self.names.take(wanted) if visible else f"_{entity.name}_{name}",
                shown=visible,
                role="dimension" if is_display else "key" if name in entity.key else "attribute",
                source=f"entity:{entity.name}" if single else column.source,
            )
            ref = FieldRef(dataset=home.name, field=name, via=by.via)
            self._push(column, self._plain(ref), home.name, name)
        if len(display) == 1 and display[0] not in entity.key and not by.show_key:
            self.notes.append(f"Each {entity.label.lower()} is its own row, also where two share a name.")

    def _plain(self, ref: FieldRef) -> Maker:
        return lambda dataset, _time, _shift: BlockKey(self.binder.expr(ref, dataset))

    def _time(self, by: ByTime, index: int) -> None:
        grain = by.grain
        words = f"fiscal {grain.value}" if by.fiscal else grain.value
        wanted = by.alias or (f"{by.field.field}_{grain.value}" if by.field else grain.value)
        label = by.alias or (f"{self.binder.catalog.field(by.field).label} ({words})" if by.field else words.capitalize())
        column = KeyColumn(
            self.names.take(wanted),
            label,
            "time",
            FieldType.DATETIME if grain in _SUBDAY else FieldType.DATE,
            index,
            source=f"field:{by.field.dataset}.{by.field.field}" if by.field else None,
            grain=grain.value,
            fiscal=by.fiscal,
        )

        def make(dataset: str, time: FieldRef | None, shift: Shift | None) -> BlockKey:
            of = self._time_expr(by.field, dataset, time)
            if grain in _SUBDAY and self.binder.type_of(of) is FieldType.DATE:
                raise Invalid(
                    f"{describe(of)} holds dates without a time of day, so it cannot be grouped by {grain.value}.",
                    code="bad_grain",
                    suggestions=("day", "week", "month"),
                )
            part = _date_part(f"trunc_{grain.value}", of)
            return BlockKey(part, fiscal=by.fiscal, shift=shift)

        self._push(column, make)

    def _time_expr(self, field_: FieldRef | None, dataset: str, time: FieldRef | None) -> Expr:
        if field_ is not None:
            bound = self.binder.expr(field_, dataset)
            if self.binder.type_of(bound) not in (FieldType.DATE, FieldType.DATETIME):
                raise Invalid(f"{describe(field_)} is not a time.", code="bad_type")
            return bound
        if time is None:
            raise no_time(dataset, "grouped by time")
        return self.binder.expr(time, dataset)

    def _cycle(self, by: ByCycle, index: int) -> None:
        cycle = by.cycle.value
        kind = FieldType.BOOLEAN if cycle == "is_weekend" else FieldType.INTEGER
        source = f"field:{by.field.dataset}.{by.field.field}" if by.field else None
        column = KeyColumn(
            self.names.take(by.alias or cycle), by.alias or _CYCLE_LABELS[cycle], "dimension", kind, index, source=source, grain=cycle
        )

        def make(dataset: str, time: FieldRef | None, _shift: Shift | None) -> BlockKey:
            of = self._time_expr(by.field, dataset, time)
            if cycle == "hour_of_day" and self.binder.type_of(of) is FieldType.DATE:
                raise Invalid(f"{describe(of)} holds dates without a time of day.", code="bad_grain", suggestions=("day_of_week",))
            return BlockKey(_date_part(cycle, of))

        self._push(column, make)

    def _expr(self, by: ByExpr, index: int) -> None:
        bound = self.binder.expr(by.expr, by.dataset)
        self.binder.require_to_one(bound, by.dataset)
        kind = expr_type(bound, self.binder.catalog) or FieldType.STRING
        column = KeyColumn(self.names.take(by.alias or "group"), by.alias or "Group", "dimension", kind, index)

        def make(dataset: str, _time: FieldRef | None, _shift: Shift | None) -> BlockKey:
            prefix = tuple(step.name for step in self.binder.path(dataset, by.dataset))
            return BlockKey(self.binder.expr(by.expr, by.dataset, prefix))

        self._push(column, make, by.dataset)


def _date_part(part: str, of: Expr) -> DatePart:
    fields: dict[str, Any] = {"part": part, "of": of}
    return DatePart.model_construct(**fields)


def no_time(dataset: str, what: str) -> Invalid:
    """The error for a dataset without a time field."""
    return Invalid(
        f"Rows of {dataset!r} have no time field, so they cannot be {what}. Name the field to use, or set the dataset's `time` in the catalog.",
        code="no_time_field",
    )


def _column(source: CatalogField, kind: FieldType, name: str, label: str, index: int, dataset: str) -> KeyColumn:
    is_time = kind in (FieldType.DATE, FieldType.DATETIME)
    role = "time" if is_time else "key" if source.role is FieldRole.KEY else "dimension"
    return KeyColumn(
        name, label, cast("object", role), kind, index, source=f"field:{dataset}.{source.name}", unit=source.unit, format=source.format  # type: ignore[arg-type]
    )  # fmt: skip


def _role_label(binder: Binder, ref: FieldRef) -> str | None:
    """A label that names the role of a role-playing dimension ("Departure airport: city")."""
    if not ref.via:
        return None
    last = binder.catalog.relationship(ref.via[-1].removeprefix("~"))
    field_label = binder.catalog.field(ref).label
    return f"{last.role[:1].upper()}{last.role[1:]}: {field_label}" if last.role else None
