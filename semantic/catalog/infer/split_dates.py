"""Dates kept as a year, a month and a day column: one time field made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from semantic.catalog.infer.fields import safe_name
from semantic.catalog.infer.naming import TableName
from semantic.catalog.infer.probe import ColumnStats
from semantic.catalog.model import CatalogField, FieldRole, FieldType
from semantic.expr import Expr, FieldRef, Literal_, MakeDate

_MONTHS = frozenset("january february march april may june july august september october november december".split())
_SHORT = frozenset(m[:3] for m in _MONTHS)
_DAY_ENDS = (("day", "of", "month"), ("day",), ("dom",), ("month", "day"))


def split_dates(dataset: str, fields: Sequence[CatalogField], name: TableName, stats: Mapping[str, ColumnStats]) -> list[CatalogField]:
    """A time field for every year and month (and day, else the first) under the same words ("arrival date year", ...). Needs the values."""
    by_words = {name.columns[f.column].words: f for f in fields if f.column and f.column in name.columns}
    taken = {f.name for f in fields}
    found = []
    for words, year in by_words.items():
        lead = words[:-1]
        month = by_words.get((*lead, "month"))
        if words[-1:] != ("year",) or month is None or not _is_year(year, stats.get(year.column or "")):
            continue
        written = _month_form(month, stats.get(month.column or ""))
        if written is None:
            continue
        day = next((by_words[(*lead, *end)] for end in _DAY_ENDS if (*lead, *end) in by_words), None)
        if day is not None and not _is_day(stats.get(day.column or "")):
            day = None
        label = " ".join(lead) if lead and lead[-1] in ("date", "time") else " ".join((*(lead or name.words), "date"))
        free = safe_name("_".join((*lead, "date") if not lead or lead[-1] != "date" else lead))
        if free in taken:
            continue
        taken.add(free)
        found.append(
            CatalogField(
                name=free,
                expression=MakeDate(
                    year=_ref(dataset, year),
                    month=_ref(dataset, month),
                    day=_ref(dataset, day) if day else Literal_(value=1),
                    month_as=written,
                ),
                type=FieldType.DATE,
                nullable=True,
                role=FieldRole.TIME,
                label=label,
                synonyms=tuple(s for s in (" ".join(lead), "date") if s and s != label),
                description=f"Made of {year.label}, {month.label}" + (f" and {day.label}." if day else " (the first of the month)."),
                additive=False,
            )
        )
    return found


def _ref(dataset: str, field: CatalogField) -> Expr:
    return FieldRef(dataset=dataset, field=field.name)


def _is_year(field: CatalogField, stats: ColumnStats | None) -> bool:
    return (
        field.type == FieldType.INTEGER
        and stats is not None
        and stats.low is not None
        and stats.high is not None
        and 1900 <= stats.low <= stats.high <= 2200
    )


def _is_day(stats: ColumnStats | None) -> bool:
    return stats is not None and stats.low is not None and stats.high is not None and 1 <= stats.low <= stats.high <= 31


def _month_form(field: CatalogField, stats: ColumnStats | None) -> Literal["number", "name", "short_name"] | None:
    if stats is None or not stats.filled:
        return None
    if field.type == FieldType.INTEGER:
        return "number" if stats.low is not None and stats.high is not None and 1 <= stats.low <= stats.high <= 12 else None
    said = {v.strip().lower() for v in stats.values}
    if said <= _MONTHS:
        return "name"
    return "short_name" if said <= _SHORT else None
