"""The catalog as YAML: what analysts edit, what version control keeps. Errors name the file, the place and the remedy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from rapidfuzz import process

from core.errors import Invalid
from semantic.catalog.model import Catalog, CatalogField, Dataset, DerivedMetric, Entity, RatioMetric, Relationship, SimpleMetric

MAX_BYTES = 5_000_000
MAX_DEPTH = 60
MAX_PARTS = 400_000  # values, keys and lists: five million bytes of "a," are two million of them, and each takes 10 us and a kilobyte
_Loader: type[Any] = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader  # the first reads ten times as fast


def load_yaml(text: str, *, source: str = "catalog.yaml") -> Catalog:
    """A catalog from its YAML (or JSON) text.

    Raises: Invalid with `path` as `source:/json/pointer`, what was expected, what was found and what to do.
    """
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise Invalid(f"{source}: a catalog has at most {MAX_BYTES:,} bytes; split it by tenant.", code="catalog_too_large")
    try:
        _refuse_aliases(text, source)
        document = yaml.load(text, Loader=_UniqueKeys)
    except yaml.MarkedYAMLError as error:
        place = _place(error.problem_mark or error.context_mark, text)
        raise Invalid(
            f"{source}: not valid YAML at {place}: {error.problem or error.context}.", code="bad_yaml", path=f"{source}:{place}"
        ) from error
    except yaml.YAMLError as error:
        raise Invalid(f"{source}: not valid YAML: {str(error).splitlines()[0]}.", code="bad_yaml", path=source) from error
    except (ValueError, OverflowError) as error:  # a day of month 99, a number of 5,000 digits
        raise Invalid(
            f"{source}: a date or number cannot be read: {str(error)[:120]}. Put it in quotes if it is meant as text.",
            code="bad_yaml",
            path=source,
        ) from error
    if not isinstance(document, dict):
        raise Invalid(
            f"{source}: a mapping with `datasets`, `metrics`, ... was expected; found {_kind(document)}.", code="bad_catalog", path=source
        )
    try:
        return Catalog.model_validate(document)
    except ValidationError as error:
        raise _explain(error, document, source) from error


def read_catalog(path: Path) -> Catalog:
    """Raises: Invalid, also when the file is missing or is not UTF-8 text."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise Invalid(f"There is no file {path}.", code="no_such_file") from error
    except (UnicodeDecodeError, OSError) as error:
        raise Invalid(f"{path} cannot be read as UTF-8 text: {error}.", code="unreadable_file") from error
    return load_yaml(text, source=path.name)


def dump_yaml(catalog: Catalog) -> str:
    """YAML that reads back to an equal catalog; defaults are left out, order is the catalog's."""
    document = _tidy(json.loads(catalog.model_dump_json()), json.loads(Catalog(name="").model_dump_json()))
    _restore_kinds(catalog.model_dump(mode="json"), document)
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=140)


def _explain(error: ValidationError, document: Any, source: str) -> Invalid:
    problems = []
    for item in error.errors(include_url=False)[:8]:
        location = [part for part in item["loc"] if not (isinstance(part, str) and _is_tag(part))]
        pointer = "/" + "/".join(str(part) for part in location)
        problems.append(f"{source}:{pointer} ({_label(document, location)}): {_remedy(item)}")
    first = problems[0].split(" ", 1)[0]
    return Invalid("; ".join(problems), code="bad_catalog", path=first, suggestions=problems[1:])


def _remedy(item: Any) -> str:
    kind, message = item["type"], str(item["msg"])
    if kind == "extra_forbidden":
        name = str(item["loc"][-1])
        near = process.extractOne(name, _KEYS)
        return f"the key {name!r} is not known here" + (f"; did you mean {near[0]!r}?" if near and near[1] > 70 else "; remove it")
    if kind == "missing":
        return f"the key {item['loc'][-1]!r} is missing; add it"
    found = item.get("input")
    shown = f"; found {found!r}" if isinstance(found, str | int | float | bool | None) else ""
    return message[:1].lower() + message[1:] + (shown[:120])


def _label(document: Any, location: list[Any]) -> str:
    """The nearest name on the way, for people: dataset orders, field revenue."""
    names, at = [], document
    for part in location:
        try:
            at = at[part]
        except (KeyError, IndexError, TypeError):
            break
        if isinstance(at, dict) and isinstance(at.get("name"), str):
            names.append(at["name"])
    return " > ".join(names) or "the catalog"


def _place(mark: Any, text: str) -> str:
    """Where the reader stopped; it counts the end of a text as a line of its own."""
    lines = text.split("\n")
    if mark is None:
        return "the start"
    line, column = (mark.line, mark.column) if mark.line < len(lines) else (len(lines) - 1, len(lines[-1]))
    return f"line {line + 1}, column {column + 1}"


def _is_tag(part: str) -> bool:
    return part in _TAGS


def _refuse_aliases(text: str, source: str) -> None:
    """Anchors and aliases can blow a small file up; depth can exhaust the parser, very many parts the processor."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=_Loader)):
        if number > MAX_PARTS:
            raise Invalid(
                f"{source}: a catalog has at most {MAX_PARTS:,} values, keys and lists; split it by tenant.",
                code="catalog_too_large",
            )
        if isinstance(event, yaml.AliasEvent):
            raise Invalid(f"{source}: YAML aliases (*name) are not supported; write the value out.", code="bad_yaml", path=source)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise Invalid(
                f"{source}: nested deeper than {MAX_DEPTH} levels; a condition that deep wants a segment.", code="bad_yaml", path=source
            )


class _UniqueKeys(_Loader):  # type: ignore[misc]
    """A key that is written twice is an error, not a silent overwrite."""


def _mapping(loader: Any, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            key = str(key).lower() if isinstance(key, bool) else str(key)
        if key in seen:
            raise yaml.MarkedYAMLError(problem=f"the key {key!r} is written twice", problem_mark=key_node.start_mark)
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


_UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _tidy(value: Any, default: Any) -> Any:
    """Without what equals its default at the top level, and without nulls and empty collections below."""
    if not isinstance(value, dict):
        return value
    return {key: _strip(inner) for key, inner in value.items() if inner != default.get(key)}


_FALSY_DEFAULTS = {"hidden", "pii", "nullable", "negate", "default", "certified", "exact", "ignore_case"}


def _strip(value: Any) -> Any:
    if isinstance(value, list):
        return [_strip(item) for item in value]
    if isinstance(value, dict):
        return {k: _strip(v) for k, v in value.items() if not (v is None or v == [] or v == {} or (v is False and k in _FALSY_DEFAULTS))}
    return value


def _restore_kinds(original: Any, stripped: Any) -> None:
    """A literal NULL must stay written."""
    if isinstance(original, dict) and isinstance(stripped, dict):
        if original.get("kind") == "literal" and "value" not in stripped:
            stripped["value"] = None
        for key, value in stripped.items():
            _restore_kinds(original.get(key), value)
    elif isinstance(original, list) and isinstance(stripped, list):
        for a, b in zip(original, stripped, strict=True):
            _restore_kinds(a, b)


def _kind(value: object) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"


_KEYS = sorted(
    {
        name
        for model in (Catalog, CatalogField, Dataset, Relationship, Entity, SimpleMetric, RatioMetric, DerivedMetric)
        for name in model.model_fields
    }
)
_TAGS = {
    "simple", "ratio", "derived", "cumulative", "field", "literal", "arithmetic", "date_diff", "date_part", "now", "text", "case", "related",
    "compare", "in", "between", "like", "null", "in_window", "has", "and", "or", "not", "versus_aggregate", "absolute", "rolling", "calendar",
}  # fmt: skip
