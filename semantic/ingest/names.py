"""Names of tables and columns as ClickHouse and questions like them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

MAX_LENGTH = 80
_SEPARATORS = re.compile(r"[^0-9A-Za-z]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_RESERVED = {"tenant_id"}
_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ı": "i"} | {"Æ": "AE", "Œ": "OE", "Ø": "O", "Ł": "L", "Đ": "D"}
)


def clean_name(text: str, fallback: str) -> str:
    """Lower-case words with underscores, without accents.

    >>> clean_name("Été (Revenue) €", "x"), clean_name("OrderDate", "x"), clean_name("2019", "c"), clean_name("***", "column_3")
    ('ete_revenue', 'order_date', 'c_2019', 'column_3')
    >>> clean_name("Größe", "x"), clean_name("Łódź", "x"), clean_name("Køb", "x")
    ('grosse', 'lodz', 'kob')
    """
    plain = unicodedata.normalize("NFKD", text.translate(_LETTERS)).encode("ascii", "ignore").decode()
    spaced = plain if plain.isupper() else _CAMEL.sub("_", plain)
    name = _SEPARATORS.sub("_", spaced).strip("_").lower()[:MAX_LENGTH].strip("_")
    if not name:
        return fallback
    if name[0].isdigit():
        name = f"{fallback.split('_')[0]}_{name}"
    return f"{name}_value" if name in _RESERVED else name


def column_names(headers: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Clean, different names for the headers, and notes on those that were missing or doubled.

    >>> column_names(["Name", "name", ""])[0]
    ('name', 'name_2', 'column_3')
    """
    names: list[str] = []
    notes: list[str] = []
    for index, header in enumerate(headers, start=1):
        base = clean_name(header, f"column_{index}")
        name, number = base, 2
        while name in names:
            name, number = f"{base}_{number}", number + 1
        if not header.strip():
            notes.append(f"Column {index} has no header; it is called {name}.")
        elif name != base:
            notes.append(f"The header {header!r} stands more than once; the later one is called {name}.")
        names.append(name)
    return tuple(names), tuple(notes)
