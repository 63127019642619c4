"""Ages of those whose birth date is kept: whole years at the day of the question. Of a birth year, the years apart."""

from __future__ import annotations

from collections.abc import Sequence

from semantic.catalog.infer import vocabulary as v
from semantic.catalog.model import CatalogField, FieldRole, FieldType
from semantic.expr import And, Arithmetic, Case, Comparison, DateDiff, DatePart, Expr, FieldRef, Literal_, Now, Or
from semantic.query import AggregateKind


def ages(dataset: str, fields: Sequence[CatalogField]) -> list[CatalogField]:
    """A field "age" where exactly one date says when the rows were born, and none says how old they are."""
    born = [f for f in fields if set(f.label.lower().split()) & v.BIRTH]
    births = [f for f in born if f.role is FieldRole.TIME]
    years = [f for f in born if f.type is FieldType.INTEGER and "year" in f.label.lower().split()] if not births else []
    known = any(f.name == "age" or "age" in f.label.lower().split() for f in fields)
    if len(births) + len(years) != 1 or known or (births or years)[0].hidden:
        return []
    birth = (births or years)[0]
    ref = FieldRef(dataset=dataset, field=birth.name)
    this_year = DatePart(part="year", of=Now())
    return [
        CatalogField(
            name="age",
            expression=_whole_years(ref) if births else Arithmetic(op="-", left=this_year, right=ref),
            type=FieldType.INTEGER,
            nullable=True,
            role=FieldRole.MEASURE,
            label="age",
            synonyms=("age in years", "years old"),
            description=f"Whole years since the {birth.label}, at the day of the question."
            if births
            else f"This year less the {birth.label}: a year too many before the birthday.",
            aggregate=AggregateKind.AVG,
            additive=False,
            unit="year",
            pii=birth.pii,
            personal=birth.personal,
            data_class=birth.data_class,
        )
    ]


def _whole_years(birth: FieldRef) -> Expr:
    """Calendar years apart, less one where the birthday of this year is still to come."""
    years = DateDiff(unit="year", start=birth, end=Now())
    month, day = (DatePart(part="month_of_year", of=birth), DatePart(part="day_of_month", of=birth))
    month_now, day_now = (DatePart(part="month_of_year", of=Now()), DatePart(part="day_of_month", of=Now()))
    to_come = Or(
        items=(
            Comparison(op=">", left=month, right=month_now),
            And(items=(Comparison(op="=", left=month, right=month_now), Comparison(op=">", left=day, right=day_now))),
        )
    )
    return Case(branches=((to_come, Arithmetic(op="-", left=years, right=Literal_(value=1))),), otherwise=years)
