"""Short forms for SemanticQuery in YAML cases.

`@dataset.field` is a field, `@rel>dataset.field` one reached over `rel`, `#metric` a metric. In `by`: a grain name, `customer!` an entity,
`@...` a field. In comparisons: `[@a.b, "<", 5]`.
"""

from __future__ import annotations

from typing import Any

_GRAINS = {"minute", "hour", "day", "week", "month", "quarter", "year"}
_OPS = {"=", "!=", "<", "<=", ">", ">="}
_CYCLES = {"day_of_week", "hour_of_day", "day_of_month", "month_of_year", "quarter_of_year", "week_of_year", "is_weekend"}


def field(text: str) -> dict[str, Any]:
    *via, last = text.removeprefix("@").split(">")
    dataset, name = last.split(".")
    return {"kind": "field", "dataset": dataset, "field": name, "via": via}


def expand(node: Any, key: str = "") -> Any:
    if isinstance(node, str):
        if node.startswith("@"):
            return field(node)
        return {"kind": "metric", "metric": node[1:]} if node.startswith("#") else node
    if isinstance(node, list):
        if key in ("where", "having_where", "item") or _is_comparison(node):
            return _comparison(node)
        if key == "by":
            return [_group(item) for item in node]
        if key == "fields":
            return [item if isinstance(item, dict) and "expr" not in item and "kind" not in item else _output(item) for item in node]
        return [expand(item, "item" if key == "items" else "") for item in node]
    if isinstance(node, dict):
        return {name: expand(value, name) for name, value in node.items()}
    return node


def _is_comparison(node: list[Any]) -> bool:
    return len(node) == 3 and isinstance(node[1], str) and node[1] in _OPS


def _comparison(node: list[Any]) -> Any:
    left, op, right = node
    return {"kind": "compare", "op": op, "left": _value(left), "right": _value(right)}


def _value(node: Any) -> Any:
    expanded = expand(node)
    return expanded if isinstance(expanded, dict) else {"kind": "literal", "value": expanded}


def _output(item: Any) -> Any:
    return expand(item) if isinstance(item, dict) and "expr" in item else {"expr": expand(item)}


def _group(item: Any) -> Any:
    if isinstance(item, dict):
        return expand(item)
    if item in _GRAINS:
        return {"kind": "time", "grain": item}
    if item in _CYCLES:
        return {"kind": "cycle", "cycle": item}
    if item.endswith("!"):
        return {"kind": "entity", "entity": item[:-1]}
    return {"kind": "field", "field": field(item)}
