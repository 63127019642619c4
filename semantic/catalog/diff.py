"""What changed between two catalogs, in words an analyst reviews."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from semantic.catalog.model import Catalog

_KEYED = ("datasets", "relationships", "entities", "metrics", "hierarchies", "segments", "glossary", "verified", "row_policies")
_KEYS = {"glossary": "term", "verified": "question"}


@dataclass(frozen=True, slots=True)
class Change:
    """`path` names the object and, for a change, the key inside it."""

    kind: Literal["added", "removed", "changed"]
    path: str
    old: Any = None
    new: Any = None

    def __str__(self) -> str:
        if self.kind == "changed":
            return f"changed {self.path}: {_short(self.old)} -> {_short(self.new)}"
        return f"{self.kind} {self.path}"


def diff(old: Catalog, new: Catalog) -> tuple[Change, ...]:
    """Changes by name: a renamed object is one removed and one added. `version` does not count."""
    a, b = old.model_dump(mode="json"), new.model_dump(mode="json")
    changes: list[Change] = []
    for key in a:
        if key == "version":
            continue
        if key in _KEYED:
            changes += _keyed(key, a[key], b[key], _KEYS.get(key, "name"))
        elif key == "column_rules":
            changes += _keyed(key, [_named_rule(r) for r in a[key]], [_named_rule(r) for r in b[key]], "name")
        elif a[key] != b[key]:
            changes += _inside(key, a[key], b[key])
    return tuple(changes)


def _keyed(what: str, old: list[dict[str, Any]], new: list[dict[str, Any]], key: str) -> list[Change]:
    a, b = {o[key]: o for o in old}, {o[key]: o for o in new}
    changes = [Change("removed", f"{what}/{name}", old=a[name]) for name in a if name not in b]
    changes += [Change("added", f"{what}/{name}", new=b[name]) for name in b if name not in a]
    for name in a:
        if name in b and a[name] != b[name]:
            changes += _inside(f"{what}/{name}", a[name], b[name])
    return changes


def _inside(path: str, old: Any, new: Any) -> list[Change]:
    if isinstance(old, dict) and isinstance(new, dict):
        changes: list[Change] = []
        for key in dict.fromkeys([*old, *new]):
            if key == "fields" and _are_named(old.get(key)) and _are_named(new.get(key)):
                changes += _keyed(f"{path}/fields", old[key], new[key], "name")
            elif old.get(key) != new.get(key):
                changes.append(Change("changed", f"{path}/{key}", old.get(key), new.get(key)))
        return changes
    return [Change("changed", path, old, new)]


def _are_named(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) and "name" in item for item in value)


def _named_rule(rule: dict[str, Any]) -> dict[str, Any]:
    return {"name": f"{rule['dataset']}.{rule['field']} {rule['action']}", **rule}


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 80 else text[:77] + "..."
