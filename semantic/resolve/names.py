"""Output column names: lower-case identifiers, unique within a result."""

from __future__ import annotations

import re

_UNSAFE = re.compile(r"[^0-9A-Za-z_]+")


class Names:
    """Hands out unique names; a repeated one gets `_2`, `_3`, ..."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, wanted: str) -> str:
        base = _UNSAFE.sub("_", wanted).strip("_").lower()[:60] or "value"
        if base[0].isdigit():
            base = f"_{base}"
        name, number = base, 2
        while name in self._taken:
            name, number = f"{base}_{number}", number + 1
        self._taken.add(name)
        return name
