"""What a check of a model found, for reading and for keeping."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Outcome = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Check:
    """name: a sentence of what must hold. detail: what was found; empty when it passed and there is nothing to say."""

    name: str
    outcome: Outcome
    detail: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    checks: tuple[Check, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        return bool(self.checks) and all(check.outcome != "failed" for check in self.checks)

    @property
    def reasons(self) -> tuple[str, ...]:
        """What failed, as sentences."""
        return tuple(f"{check.name}: {check.detail}" for check in self.checks if check.outcome == "failed")

    def as_json(self) -> dict[str, Any]:
        return {"passed": self.passed, "seconds": round(self.seconds, 3), "checks": [asdict(check) for check in self.checks]}

    def __str__(self) -> str:
        marks = {"passed": "ok  ", "failed": "FAIL", "skipped": "skip"}
        lines = [f"{marks[c.outcome]}  {c.name}{f': {c.detail}' if c.detail else ''} ({c.seconds:.2f} s)" for c in self.checks]
        good = sum(check.outcome == "passed" for check in self.checks)
        return "\n".join([*lines, f"{good} of {len(self.checks)} passed{'' if self.passed else '; not accepted'}"])
