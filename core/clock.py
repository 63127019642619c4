"""Time is an argument; this is its default at the edge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The present as an aware UTC datetime."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class FixedClock:
    """Always `at` (aware). For tests and `--as-of`."""

    at: datetime

    def now(self) -> datetime:
        return self.at.astimezone(UTC)
