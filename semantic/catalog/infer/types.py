"""ClickHouse types as the catalog sees them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from semantic.catalog.model import FieldType

_WRAPPER = re.compile(r"^(Nullable|LowCardinality)\((.*)\)$", re.DOTALL)
_BASES: tuple[tuple[re.Pattern[str], FieldType], ...] = (
    (re.compile(r"^U?Int\d+$"), FieldType.INTEGER),
    (re.compile(r"^Decimal"), FieldType.DECIMAL),
    (re.compile(r"^(B?Float\d+)$"), FieldType.FLOAT),
    (re.compile(r"^Bool"), FieldType.BOOLEAN),
    (re.compile(r"^Date(32)?$"), FieldType.DATE),
    (re.compile(r"^DateTime"), FieldType.DATETIME),
    (re.compile(r"^(String|FixedString|Enum|UUID|IPv)"), FieldType.STRING),
)


@dataclass(frozen=True, slots=True)
class ParsedType:
    """`type` is None for what the catalog cannot hold (arrays, maps, tuples, JSON, aggregate states)."""

    type: FieldType | None
    nullable: bool
    base: str

    @property
    def is_number(self) -> bool:
        return self.type in (FieldType.INTEGER, FieldType.DECIMAL, FieldType.FLOAT)

    @property
    def is_time(self) -> bool:
        return self.type in (FieldType.DATE, FieldType.DATETIME)


def parse_type(text: str) -> ParsedType:
    """
    >>> parse_type("LowCardinality(Nullable(String))")
    ParsedType(type=<FieldType.STRING: 'string'>, nullable=True, base='String')
    """
    base, nullable = text.strip(), False
    while match := _WRAPPER.match(base):
        nullable = nullable or match[1] == "Nullable"
        base = match[2].strip()
    for pattern, kind in _BASES:
        if pattern.match(base):
            return ParsedType(kind, nullable, base)
    return ParsedType(None, nullable, base)
