"""Catalog fields from columns: type, role, default aggregate, values, units, PII."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from semantic.catalog.infer import comments
from semantic.catalog.infer import vocabulary as v
from semantic.catalog.infer.codes import code_names
from semantic.catalog.infer.measures import measure_kind
from semantic.catalog.infer.naming import ColumnName, TableName, is_counting
from semantic.catalog.infer.pii import personal_kind
from semantic.catalog.infer.probe import ColumnStats, TableStats
from semantic.catalog.infer.schema import PhysicalColumn, PhysicalTable
from semantic.catalog.infer.times import time_shape
from semantic.catalog.infer.words import singular
from semantic.catalog.model import CatalogField, DataClass, FieldRole, FieldType
from semantic.query import AggregateKind

MAX_VALUES = 60
_MAX_CODES = 300
_MAX_CATEGORY = 2_000
_OUTCOMES = frozenset("status result outcome stage".split())
_SHORT_TEXT = 30
_LONG_TEXT = 45
_ENOUGH_ROWS = 100
_FEW_ROWS = 4
_FIRST_YEAR, _LAST_YEAR = 500, 2200
_GEOGRAPHY = frozenset(
    "city town county state province region country continent district zone territory market store branch neighborhood neighbourhood".split()
)
_NOUNS = (
    v.PERSON | v.PERSON_PUBLIC | frozenset({"company", "vendor", "supplier", "store", "branch", "account", "merchant", "partner", "dealer"})
)
_YES_NO = ({"y", "n"}, {"yes", "no"}, {"true", "false"}, {"t", "f"})
_OPPOSITE: Mapping[str, tuple[str, ...]] = {
    a: (b,) for x, y in (("Yes", "No"), ("yes", "no"), ("YES", "NO"), ("Y", "N"), ("y", "n"), ("true", "false"), ("True", "False"), ("T", "F"))
    for a, b in ((x, y), (y, x))
}  # fmt: skip
_YES = frozenset({"y", "yes", "true", "t", "1"})


@dataclass(frozen=True, slots=True)
class FieldContext:
    """What is known of the table while its columns are read. `foreign` and `key` are physical column names."""

    table: PhysicalTable
    name: TableName
    stats: TableStats | None
    key: tuple[str, ...]
    foreign: frozenset[str]
    on_fact: bool
    is_snapshot: bool
    tenant_column: str | None

    @property
    def has_quantity(self) -> bool:
        return any(set(c.words) & {"quantity", "units", "shares", "qty"} for c in self.name.columns.values())


def build_fields(context: FieldContext) -> tuple[list[CatalogField], list[str]]:
    """The fields in column order, and notes about columns that were left out or are in doubt."""
    fields: list[CatalogField] = []
    notes: list[str] = []
    taken: set[str] = set()
    for column in context.table.columns:
        if column.parsed.type is None:
            notes.append(f"{context.table.name}.{column.name}: type {column.type} cannot be asked about; the column was left out.")
            continue
        field = _field(context, column, _unique_name(column.name, taken))
        fields.append(field)
        if field.time_format and column.parsed.type == FieldType.STRING:
            notes.append(
                f"{context.table.name}.{column.name}: text that is read as a time by {field.time_format!r}; other values count as missing."
            )
    return fields, notes


def safe_name(name: str) -> str:
    """A catalog name from any identifier.

    >>> safe_name("Order Date (UTC)"), safe_name("2nd")
    ('Order_Date_UTC', '_2nd')
    """
    clean = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_") if re.search(r"[^A-Za-z0-9_]", name) else name
    clean = clean or "column"
    return (f"_{clean}" if clean[0].isdigit() else clean)[:128]


def _unique_name(name: str, taken: set[str]) -> str:
    base = safe_name(name)
    found, number = base, 2
    while found in taken:
        found, number = f"{base[:120]}_{number}", number + 1
    taken.add(found)
    return found


def _field(context: FieldContext, column: PhysicalColumn, name: str) -> CatalogField:
    said = context.name.columns[column.name]
    stats = context.stats.columns.get(column.name) if context.stats else None
    parsed = column.parsed
    assert parsed.type is not None
    shape = time_shape(parsed, said.words, column.comment, stats)
    coded = comments.coded_values(column.comment)
    role: FieldRole = FieldRole.TIME if shape else _role(context, column, said, stats, coded)
    kind = None
    if role == FieldRole.MEASURE:
        kind = measure_kind(
            said.words,
            parsed,
            stats,
            on_fact=context.on_fact,
            has_quantity=context.has_quantity,
            is_snapshot=context.is_snapshot,
            counts=is_counting(column.comment),
        )
    personal = personal_kind(said.words, context.name.words, parsed.type == FieldType.STRING, stats)
    pii = personal is not None
    unit = comments.unit_of(said.words, column.comment) if role in (FieldRole.MEASURE, FieldRole.ATTRIBUTE) else None
    values = () if pii else _values(column, said.words, role, stats)
    is_money = unit in v.CURRENCIES
    return CatalogField(
        name=name,
        column=column.name,
        type=shape.type if shape else parsed.type,
        nullable=parsed.nullable,
        role=role,
        label=said.label,
        description=column.comment,
        synonyms=_synonyms(context, said, column.comment, stats),
        aggregate=kind.aggregate if kind else (AggregateKind.COUNT_DISTINCT if role == FieldRole.KEY else None),
        additive=kind.additive if kind else False,
        unit=unit or ("year" if role == FieldRole.CATEGORY and _holds_years(parsed.type, said.words, stats) else None),
        format=f"currency:{unit}" if is_money else _percent(said.words, unit, stats) if kind else None,
        good_direction=_direction(said.words) if kind else None,
        time_format=shape.time_format if shape else None,
        epoch=shape.epoch if shape else None,
        values=values,
        value_synonyms={} if pii else _value_synonyms(role, said.words, values, coded),
        cardinality=stats.distinct if stats and stats.rows else None,
        pii=pii,
        personal=personal,
        data_class=DataClass.CONFIDENTIAL if pii else DataClass.INTERNAL,
        hidden=column.name == context.tenant_column or bool(set(said.words) & v.PII_WORDS["secret"] - {"token", "pin", "hash", "salt"}),
    )


def _synonyms(context: FieldContext, said: ColumnName, comment: str, stats: ColumnStats | None) -> tuple[str, ...]:
    """Of the name, then what the comment calls it, unless that is what another column of the table is called."""
    phrase = comments.spoken_name(comment, context.name.words)
    others = {x for c in context.name.columns.values() if c is not said for x in (c.label, *c.synonyms)}
    values = {x.lower() for x, _ in stats.top} if stats else set()  # "payment, topup, withdrawal": what it holds, not what it is
    if not phrase or phrase == said.label or phrase in said.synonyms or phrase in others or phrase.lower() in values:
        return said.synonyms
    return (*said.synonyms, phrase)


def _role(
    context: FieldContext, column: PhysicalColumn, said: ColumnName, stats: ColumnStats | None, coded: Mapping[str, str]
) -> FieldRole:
    parsed, words = column.parsed, said.words
    if parsed.type == FieldType.BOOLEAN:
        return FieldRole.FLAG
    if _is_key(context, column, words, stats):
        natural = column.name in context.key and words[-1] in v.NAME and parsed.type == FieldType.STRING
        return FieldRole.NAME if natural else FieldRole.KEY
    if column.name in context.foreign:
        return FieldRole.CATEGORY
    if parsed.type == FieldType.STRING:
        return _text_role(context, words, stats, column.comment)
    return _number_role(column, words, stats, coded)


def _is_key(context: FieldContext, column: PhysicalColumn, words: tuple[str, ...], stats: ColumnStats | None) -> bool:
    """A natural key in another table ("state name" of a city) groups rows, so it is a category there."""
    is_id = words[-1] in v.ID or (
        len(words) == 1 and len(words[0]) <= 4 and words[0].endswith("id") and words[0] not in ("paid", "said", "bid", "grid", "kid")
    )
    if column.parsed.type in (FieldType.FLOAT, FieldType.DECIMAL):
        return False
    if column.name in context.foreign:
        return is_id or column.parsed.type == FieldType.INTEGER or words[-1] not in v.NAME
    if column.name in context.key:
        return not (len(context.key) > 1 and words[-1] in v.CALENDAR_PART | v.YEAR)
    return is_id


def _text_role(context: FieldContext, words: tuple[str, ...], stats: ColumnStats | None, comment: str) -> FieldRole:
    last = words[-1]
    if stats and stats.top:
        lowered = {x.strip().lower() for x in stats.values}
        full = bool(lowered & {"yes", "no", "true", "false"})
        if len(lowered) <= 2 and any(lowered <= pair for pair in _YES_NO) and (len(lowered) == 2 or full or words[0] in v.FLAG_LEADS):
            return FieldRole.FLAG
        if stats.mean_length > _LONG_TEXT and stats.distinct > 0.3 * stats.filled:
            return FieldRole.TEXT
    if last == "description" and _is_called_by(context, stats):
        return FieldRole.NAME
    listed = bool(comments.listed_values(comment)) and not re.search(r"\be\.?g", comment, re.IGNORECASE)
    if last in v.TEXT and not listed and (not stats or stats.distinct > 0.5 * max(1, stats.filled) or stats.mean_length > 20):
        return FieldRole.TEXT
    if last in v.NAME and not (set(words) & _GEOGRAPHY and not set(words) & set(context.name.words)):
        return FieldRole.NAME
    if _is_address(words):
        return FieldRole.ATTRIBUTE
    if not stats or not stats.filled:
        return FieldRole.CATEGORY
    if last in v.CODE and stats.distinct > max(20, 0.5 * stats.filled):
        return FieldRole.ATTRIBUTE
    if set(words) & _GEOGRAPHY or last in ("type", "category", "status", "class", "kind", "group", "segment", "channel", "method"):
        return FieldRole.CATEGORY
    if stats.distinct <= _MAX_CATEGORY and stats.distinct <= max(12, 0.5 * stats.filled):
        return FieldRole.CATEGORY
    if stats.filled < 200:
        return FieldRole.CATEGORY if stats.distinct < stats.filled or last not in v.CODE else FieldRole.ATTRIBUTE
    return FieldRole.ATTRIBUTE if last in v.CODE or stats.distinct > 0.95 * stats.filled else FieldRole.CATEGORY


def _is_called_by(context: FieldContext, stats: ColumnStats | None) -> bool:
    """Whether short descriptions, each different, stand for names that the table does not have: of reasons, of codes."""
    if stats is None or stats.filled < 2 or stats.distinct < stats.filled or stats.mean_length > _SHORT_TEXT:
        return False
    return not any(c.words[-1] in v.NAME for c in context.name.columns.values())


def _is_address(words: tuple[str, ...]) -> bool:
    return bool(
        set(words) & {"address", "street", "email", "phone", "fax", "telephone", "latitude", "longitude", "url", "homepage", "website"}
    )


def _number_role(column: PhysicalColumn, words: tuple[str, ...], stats: ColumnStats | None, coded: Mapping[str, str]) -> FieldRole:
    last, kind = words[-1], column.parsed.type
    if kind == FieldType.INTEGER:
        if is_counting(column.comment) or words[0] in ("number", "count"):
            return FieldRole.MEASURE
        if last == "by" and set(words[-2:-1]) & v.DONE_BY_ONE:
            return FieldRole.KEY  # "referred_by": who did it
        if last in v.YEAR or _is_year(words, stats) or (last in v.CALENDAR_PART and (not stats or stats.distinct <= 54)):
            return FieldRole.CATEGORY
        many = stats is not None and stats.rows >= _ENOUGH_ROWS and not set(words) & v.EXTENSIVE and singular(last) == last
        two = many and stats is not None and stats.low == 0 and stats.high == 1 and stats.distinct == 2
        happened = last.endswith("ed") and stats is not None and (stats.low, stats.high, stats.distinct) == (0, 1, 2)  # "certified": 0, 1
        named = words[0] in v.FLAG_LEADS | {"in"} or last in v.FLAG_WORDS or happened
        # A byte that holds nothing but 0 and 1 under a singular name ("wheelchair_access"), in however few rows.
        byte = column.parsed.base in ("UInt8", "Int8") and singular(last) == last and not set(words) & v.EXTENSIVE
        two = two or (byte and stats is not None and stats.rows >= _FEW_ROWS and (stats.low, stats.high, stats.distinct) == (0, 1, 2))
        if two or (named and (stats is None or stats.low is None or (stats.low in (0, 1) and stats.high in (0, 1)))):
            return FieldRole.FLAG
        if words[-2:] == ("day", "of") or "weekday" in words or words[-3:-1] == ("day", "of") or {"day", "of"} <= set(words):
            return FieldRole.CATEGORY
        if coded and (not stats or stats.distinct <= 50):
            return FieldRole.CATEGORY
        if (last in v.CODE or words[0] == "no") and words[0] not in ("number", "num"):
            return FieldRole.ATTRIBUTE
        if last in v.ORDINAL and not set(words) & v.EXTENSIVE:
            return FieldRole.ATTRIBUTE
        if _is_coded(words, stats):
            return FieldRole.CATEGORY
    if last in _NOUNS and (stats is None or stats.low is None or _is_whole(stats)):
        return FieldRole.KEY
    if _is_row_number(stats):
        return FieldRole.KEY
    if set(words) & {"latitude", "longitude"} or last in ("timestamp", "epoch"):
        return FieldRole.ATTRIBUTE
    return FieldRole.MEASURE


def _is_coded(words: tuple[str, ...], stats: ColumnStats | None) -> bool:
    """A few small whole numbers under a singular name that is no quantity ("season" 1 to 4): codes, not amounts."""
    if stats is None or stats.rows < 2 * _ENOUGH_ROWS or stats.low is None or stats.high is None:
        return False
    said = {*words, *(singular(w) for w in words)}
    small = 2 <= stats.distinct <= 12 and stats.low >= 0 and stats.high <= 20
    return small and singular(words[-1]) == words[-1] and not said & (v.EXTENSIVE | v.INTENSIVE | v.BALANCE)


_FOUR_DIGITS = re.compile(r"(?:1\d|20|21)\d\d")


def _holds_years(kind: FieldType, words: tuple[str, ...], stats: ColumnStats | None) -> bool:
    """Plain years, as numbers or as texts of four digits."""
    if kind == FieldType.STRING:
        named = words[-1] in v.YEAR | v.YEAR_EVENT or bool(set(words) & v.YEAR)
        return named and stats is not None and bool(stats.values) and all(_FOUR_DIGITS.fullmatch(x) for x in stats.values)
    return kind == FieldType.INTEGER and (words[-1] in v.YEAR or _is_year(words, stats))


# Periods that are called by their year, where whole numbers are such.
_PERIODS = frozenset("season vintage edition cohort term campaign harvest intake class".split())
_MOST_YEARS = 80


def _is_year(words: tuple[str, ...], stats: ColumnStats | None) -> bool:
    """A year under another name ("founded", "year_hired"): whole numbers that years are written as."""
    if stats is None or stats.low is None or stats.high is None or stats.low < _FIRST_YEAR or stats.high > _LAST_YEAR:
        return False
    few = stats.distinct <= _MOST_YEARS and stats.rows >= 2 * stats.distinct and stats.high - stats.low <= _MOST_YEARS
    return words[-1] in v.YEAR_EVENT or bool(set(words) & v.YEAR) or (few and words[-1] in _PERIODS)


def _is_whole(stats: ColumnStats) -> bool:
    return stats.low is not None and stats.high is not None and stats.low >= 0 and stats.low.is_integer() and stats.high.is_integer()


def _is_row_number(stats: ColumnStats | None) -> bool:
    """From 0 or 1 up to the number of rows, nearly without gaps and each once: the number of the row."""
    if stats is None or stats.rows < _ENOUGH_ROWS or stats.low not in (0, 1) or stats.high is None:
        return False
    return stats.distinct == stats.filled >= 0.9 * stats.rows and stats.high.is_integer() and stats.high <= stats.low + stats.rows


def _values(column: PhysicalColumn, words: tuple[str, ...], role: FieldRole, stats: ColumnStats | None) -> tuple[str, ...]:
    """Most frequent first; those the comment lists and the data does not (yet) have come last."""
    if role not in (FieldRole.CATEGORY, FieldRole.FLAG, FieldRole.NAME, FieldRole.KEY):
        return ()
    if column.parsed.type not in (FieldType.STRING, FieldType.INTEGER):
        return ()
    if role == FieldRole.KEY and column.parsed.type != FieldType.STRING:
        return ()
    most = _MAX_CODES if set(words) & {"country", "state", "nationality", "currency"} else MAX_VALUES
    seen = stats.values if stats and stats.distinct <= most else ()
    if role == FieldRole.FLAG and len(seen) == 1:
        return (*seen, *_OPPOSITE.get(seen[0], ()))
    listed = comments.listed_values(column.comment) if role == FieldRole.CATEGORY else ()
    lowered = {x.lower() for x in seen}
    if seen and listed and re.search(r"\be\.?g|for example|such as|starting with|starts with", column.comment, re.IGNORECASE):
        listed = ()
    return (*seen, *(x for x in listed if x.lower() not in lowered))


def _value_synonyms(role: FieldRole, words: tuple[str, ...], values: Sequence[str], coded: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {value: (meaning,) for value, meaning in coded.items() if not values or value in values}
    if role == FieldRole.FLAG:
        return {x: ("yes", "true") if x.lower() in _YES else ("no", "false") for x in values}
    for value, more in code_names(words, values).items():
        found[value] = tuple(dict.fromkeys((*found.get(value, ()), *more)))
    told = [x for x in values if words[-1] in _OUTCOMES and x.lower() in v.NOUN_OF]
    found.update({x: (v.NOUN_OF[x.lower()],) for x in told if x not in found})  # "acceptance rate", of offers that were accepted
    for value in values:
        spaced = re.sub(r"[_\-/]+", " ", value).strip().lower()
        if spaced != value.lower() and value not in found:
            found[value] = (spaced,)
    return found


def _percent(words: tuple[str, ...], unit: str | None, stats: ColumnStats | None) -> str | None:
    if unit == "percent":
        return "percent_points" if not stats or stats.high is None or stats.high > 1.5 else "percent"
    if (
        words[-1] in ("rate", "ratio", "share", "discount", "margin")
        and stats
        and stats.low is not None
        and stats.high is not None
        and stats.low >= 0
        and stats.high <= 1
    ):
        return "percent"
    return None


def _direction(words: tuple[str, ...]) -> Literal["up", "down"] | None:
    if set(words) & v.DOWN:
        return "down"
    return "up" if set(words) & v.UP else None
