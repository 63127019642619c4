"""How a source's columns differ from those of the table that they fill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import Invalid
from workers.sources.spec import Plan


@dataclass(frozen=True, slots=True)
class Drift:
    """added: types by name. retyped: (type there was, type there is) by name."""

    added: Mapping[str, str]
    removed: tuple[str, ...]
    retyped: Mapping[str, tuple[str, str]]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.retyped)

    @property
    def shown(self) -> dict[str, object]:
        return {"added": dict(self.added), "removed": list(self.removed), "retyped": {n: list(pair) for n, pair in self.retyped.items()}}

    def __str__(self) -> str:
        parts = [f"new: {', '.join(self.added)}"] if self.added else []
        parts += [f"gone: {', '.join(self.removed)}"] if self.removed else []
        parts += ["other type: " + ", ".join(f"{n} ({was} -> {now})" for n, (was, now) in self.retyped.items())] if self.retyped else []
        return "; ".join(parts) or "none"


def drift(before: Mapping[str, str], now: Mapping[str, str]) -> Drift:
    """before, now: types by column name.

    >>> str(drift({"a": "Int64", "b": "String"}, {"a": "Float64", "c": "String"}))
    'new: c; gone: b; other type: a (Int64 -> Float64)'
    """
    return Drift(
        {name: kind for name, kind in now.items() if name not in before},
        tuple(name for name in before if name not in now),
        {name: (before[name], kind) for name, kind in now.items() if name in before and before[name] != kind},
    )


def refuse_drift(found: Drift, plan: Plan, *, full: bool) -> None:
    """Raises: Invalid when the plan does not take such a change over; nothing was changed then."""
    if found and plan.on_drift == "stop":
        raise Invalid(
            f"The source's columns changed ({found}) and the source is set to stop then. Look at what uses them, set on_drift to adopt, and "
            "run it again.", code="source_drift",
        )  # fmt: skip
    if not full and (found.removed or found.retyped):
        raise Invalid(
            f"The source's columns changed ({found}) in a way that the rows already here do not fit. Run it once with a full refresh.",
            code="source_drift",
        )
