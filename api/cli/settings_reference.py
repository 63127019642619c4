"""docs/settings.md, made from the settings themselves: `python -m api.cli.settings_reference > docs/settings.md`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from core.settings import Settings


def reference() -> str:
    """A Markdown table of every setting: name, kind, default, meaning."""
    lines = [
        "# Settings",
        "",
        "Environment variables, or lines of a file `.env`. Made from `core/settings.py`; a test holds the two together.",
        "",
        "| variable | kind | default | meaning |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `QUERENT_{name.upper()}` | {_kind(field)} | {_default(field)} | {_meaning(name, field)} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(lines) + "\n"


def _kind(field: FieldInfo) -> str:
    choices = get_args(field.annotation)
    if choices and all(isinstance(c, str) for c in choices):
        return ", ".join(choices)
    if field.annotation is SecretStr:
        return "secret"
    kinds: dict[Any, str] = {Path: "folder", bool: "true or false", int: "number", float: "number", str: "text"}
    return kinds.get(field.annotation, "list (JSON)")


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if value is PydanticUndefined or value is None:
        return ""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, frozenset | tuple):
        return ", ".join(f"`{item}`" for item in sorted(value))
    if isinstance(value, bool):
        value = str(value).lower()
    return f"`{value}`" if str(value) else ""


def _meaning(name: str, field: FieldInfo) -> str:
    return (field.description or name.replace("_", " ").capitalize() + ".").replace("|", "\\|")


if __name__ == "__main__":
    print(reference(), end="")
