"""One verified question under two catalogs: what its query gives, how the question is read, and whether that got worse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Verdict = Literal["same", "same result", "changed", "broken", "fixed", "still broken", "edited", "new", "removed"]
REGRESSIONS: frozenset[str] = frozenset(("changed", "broken"))


@dataclass(frozen=True, slots=True)
class Side:
    """query: as JSON. sql and digest of the rows when it ran; error when it did not. reads: what the question gives without being verified:
    same (the verified query), other, asks, refuses.
    """

    query: Mapping[str, Any]
    sql: str = ""
    digest: str = ""
    rows: int = 0
    error: str = ""
    reads: str = ""

    @property
    def works(self) -> bool:
        return not self.error


@dataclass(frozen=True, slots=True)
class Item:
    question: str
    verdict: Verdict
    old: Side | None
    new: Side | None
    reads_worse: bool

    @property
    def is_regression(self) -> bool:
        return self.verdict in REGRESSIONS

    def as_json(self) -> dict[str, Any]:
        return {
            "question": self.question, "verdict": self.verdict, "regression": self.is_regression, "reads_worse": self.reads_worse,
            "old": asdict(self.old) if self.old else None, "new": asdict(self.new) if self.new else None,
        }  # fmt: skip


def compared(question: str, old: Side | None, new: Side | None) -> Item:
    """
    >>> compared("q", Side({}, "SELECT 1", "a"), Side({}, "SELECT 2", "b")).verdict
    'changed'
    """
    worse = old is not None and new is not None and old.reads == "same" and new.reads != "same"
    return Item(question, _verdict(old, new), old, new, worse)


def _verdict(old: Side | None, new: Side | None) -> Verdict:
    if new is None:
        return "removed"
    if not new.works:
        return "broken" if old is None or old.works else "still broken"
    if old is None:
        return "new"
    if not old.works:
        return "fixed"
    if old.query != new.query:
        return "edited"
    if old.digest == new.digest:
        return "same" if old.sql == new.sql else "same result"
    return "changed"
