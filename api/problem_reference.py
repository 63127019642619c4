"""Lists the problem codes: `python -m api.problem_reference` writes docs/problems.md and api/problem_codes.json from the code that raises them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS, KEPT = ROOT / "docs" / "problems.md", Path(__file__).with_name("problem_codes.json")
PACKAGES = ("core", "semantic", "forecasting", "anomaly", "nlq", "insights", "models", "workers", "api")
# Said by the framework, or put together from the name of what is missing.
MORE: Mapping[int, tuple[str, ...]] = {
    400: ("bad_request",),
    404: (
        "not_found",
        *(f"unknown_{what}" for what in ("metric", "field", "dataset", "entity", "relationship")),
        "unknown_forecast",
        "unknown_detection",
        "unknown_insight",
    ),
    405: ("method_not_allowed",),
    422: ("invalid_request",),
    500: ("internal_error",),
}
_RAISES = re.compile(
    r"""\bcode\s*=\s*["']|scope\.get\(|\((?:UserError|Unavailable|Invalid|NotFound|Conflict|Forbidden)\):"""
)  # only files with such are parsed: 1 s of work instead of 4
Classes = dict[str, tuple[tuple[str, ...], int | None, str | None]]


@lru_cache(maxsize=1)
def known() -> Mapping[int, tuple[str, ...]]:
    """Codes by status, as they were found and kept: reading all code takes a second, too long for who asks for the OpenAPI document."""
    return {int(status): tuple(codes) for status, codes in json.loads(KEPT.read_text()).items()}


def found() -> dict[int, tuple[str, ...]]:
    """Codes by status, each sorted, read from the code itself."""
    texts = (path.read_text() for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")) if path != Path(__file__))
    trees = [ast.parse(text) for text in texts if _RAISES.search(text)]
    classes = _classes(trees)
    by_status: dict[int, set[str]] = {status: set(codes) for status, codes in MORE.items()}
    for tree in trees:
        for status, code in _raised(tree, classes):
            by_status.setdefault(status, set()).add(code)
    for name in classes:
        own_status, own_code = _inherited(name, classes)
        if own_status is not None and own_code is not None:
            by_status.setdefault(own_status, set()).add(own_code)
    return {status: tuple(sorted(codes)) for status, codes in sorted(by_status.items())}


def as_markdown(codes: Mapping[int, tuple[str, ...]]) -> str:
    lines = [
        "# Problem codes",
        "",
        "Made by `python -m api.problem_reference` from the code that raises them. `code` is stable: programs go by it,",
    ]
    lines += ["not by the words beside it. How problems look and what to do about each status is in [api.md](api.md).", ""]
    for status, names in codes.items():
        lines += [f"## {status} {_phrase(status)}", "", ", ".join(f"`{name}`" for name in names), ""]
    return "\n".join(lines)


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Client Closed Request"


def _classes(trees: list[ast.Module]) -> Classes:
    """Name -> (bases, own status, own code), of classes that could be errors."""
    made: Classes = {}
    for node in (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
        own = {
            part.targets[0].id: part.value.value
            for part in node.body
            if isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name) and isinstance(part.value, ast.Constant)
        }
        status, code = own.get("status"), own.get("code")
        bases = tuple(base.id for base in node.bases if isinstance(base, ast.Name))
        made[node.name] = (bases, status if isinstance(status, int) else None, code if isinstance(code, str) else None)
    return {name: one for name, one in made.items() if _is_error(name, made)}


def _is_error(name: str, classes: Classes) -> bool:
    return name in {"UserError", "Unavailable"} or any(_is_error(base, classes) for base in classes.get(name, ((), None, None))[0])


def _inherited(name: str, classes: Classes) -> tuple[int | None, str | None]:
    bases, status, code = classes.get(name, ((), None, None))
    for base in bases:
        above = _inherited(base, classes)
        status, code = status if status is not None else above[0], code if code is not None else above[1]
    return status, code


def _raised(tree: ast.Module, classes: Classes) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""
        said = {word.arg: word.value.value for word in node.keywords if isinstance(word.value, ast.Constant)}
        if name in classes and isinstance(said.get("code"), str):
            status = said.get("status")
            known = status if isinstance(status, int) else _inherited(name, classes)[0]
            if known is not None:
                yield known, str(said["code"])
        if name == "get" and len(node.args) == 5 and isinstance(node.args[3], ast.Constant) and isinstance(node.args[3].value, str):
            yield 404, f"unknown_{node.args[3].value.replace(' ', '_')}"  # core.store.scope.get


def main() -> None:
    codes = found()
    DOCS.write_text(as_markdown(codes))
    KEPT.write_text(json.dumps(codes, indent=1) + "\n")


if __name__ == "__main__":
    main()
