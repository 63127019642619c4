"""Objects of a JSON list or of JSON lines, one after the other, each as flat names and values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from core.errors import Invalid
from semantic.ingest.lines import readable, text_lines
from semantic.ingest.sniff import Sniffed

MAX_BYTES = 512 * 1024**2
MAX_OBJECT_BYTES = 64 * 1024**2  # read whole, and a list of small objects takes 25 times its text in memory
_NAMES_FROM = 20_000  # records
_BLANKS = re.compile(r"[ \t\r\n]*")
JsonRow = tuple[int, dict[str, Any] | None, str | None]
"""Number or line, the record, and what is wrong with it (a reason, a tab, the original) where it is none."""


def json_names(sniffed: Sniffed) -> tuple[str, ...]:
    """The names that the first 20,000 records have, in the order in which they come. Raises: Invalid."""
    seen: dict[str, None] = {}
    for number, (_, record, _) in enumerate(json_rows(sniffed)):
        seen.update(dict.fromkeys(record or {}))
        if number >= _NAMES_FROM:
            break
    return tuple(seen)


def json_rows(sniffed: Sniffed) -> Iterator[JsonRow]:
    """Raises: Invalid for what is no JSON, or too large to be read at once."""
    return _list(sniffed) if sniffed.format == "json" else _lines(sniffed)


def _lines(sniffed: Sniffed) -> Iterator[JsonRow]:
    for number, line in enumerate(text_lines(sniffed), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, None, f"not valid JSON: {str(error)[:100]}\t{line[:2000]}"
            continue
        yield _row(number, value, line)


def _list(sniffed: Sniffed) -> Iterator[JsonRow]:
    with sniffed.open() as raw:
        body = raw.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise _too_large(sniffed, MAX_BYTES, "list")
    with readable(sniffed):
        text = body.decode(sniffed.encoding, "surrogateescape").lstrip("\ufeff \t\r\n")
    if not text.startswith("[") and len(body) > MAX_OBJECT_BYTES:
        raise _too_large(sniffed, MAX_OBJECT_BYTES, "object")
    del body
    try:
        for number, item in enumerate(_items(text) if text.startswith("[") else _inside(sniffed, json.loads(text)), start=1):
            yield _row(number, item, None)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{sniffed.path.name} is not valid JSON: {str(error)[:160]}.", code="bad_json") from error


def _items(text: str) -> Iterator[Any]:
    """Of a list, each made when its turn comes. Raises: ValueError, RecursionError.

    >>> list(_items('[1, {"a": [2]}]'))
    [1, {'a': [2]}]
    """
    decoder = json.JSONDecoder()
    at = _after_blanks(text, 1)
    while not text.startswith("]", at):
        item, at = decoder.raw_decode(text, at)
        yield item
        at = _after_blanks(text, at)
        if text.startswith(",", at):
            at = _after_blanks(text, at + 1)
            if text.startswith("]", at):
                raise json.JSONDecodeError("Illegal trailing comma", text, at)
        elif not text.startswith("]", at):
            raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
    if _after_blanks(text, at + 1) < len(text):
        raise json.JSONDecodeError("Extra data", text, at + 1)


def _inside(sniffed: Sniffed, value: Any) -> list[Any]:
    """The one list of objects in an object, or the object itself."""
    if not isinstance(value, dict):
        raise Invalid(f"{sniffed.path.name}: a list of objects was expected; found a {type(value).__name__}.", code="bad_json")
    lists = [v for v in value.values() if isinstance(v, list) and v and isinstance(v[0], dict)]
    return lists[0] if len(lists) == 1 else [value]


def _row(number: int, value: Any, line: str | None) -> JsonRow:
    if isinstance(value, dict):
        return number, _flat(value), None
    return number, None, f"an object was expected, found a {type(value).__name__}\t{(str(value) if line is None else line)[:2000]}"


def _flat(record: dict[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in record.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and depth < 3:
            flat.update(_flat(value, f"{name}_", depth + 1))
        else:
            flat[name] = value
    return flat


def _after_blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return at if found is None else found.end()


def _too_large(sniffed: Sniffed, limit: int, what: str) -> Invalid:
    return Invalid(
        f"{sniffed.path.name} is a JSON {what} of more than {limit:,} bytes; save it with one object a line (JSONL).", code="too_large"
    )
