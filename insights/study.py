"""What an explanation starts from and ends with: the two periods with all that was measured, and the facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from core.timeseries import FloatArray
from insights.dated import DayParts
from insights.drivers.change import Causes
from insights.drivers.leaves import Leaves
from insights.drivers.mix_rate import Split
from insights.drivers.parts import PartChange
from insights.types import Fact, Period, Quantity

_NO_RECEIPTS: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Cube:
    """What was measured per leaf: (leaves,) each. Amounts have no bases; rates are tops over bases.

    past, base_past: (periods, leaves) the same in equally long periods before the change, time ascending; None where not asked.
    """

    leaves: Leaves
    before: FloatArray
    after: FloatArray
    base_before: FloatArray | None = None
    base_after: FloatArray | None = None
    base_label: str = ""
    past: FloatArray | None = None
    base_past: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class Study:
    """kind: amount (segments add up), rate (top over base, times scale), other. history: values of the periods before, baseline last.

    year_ago: the same period a year before and its value. receipts: which query made what (whole, year_ago, history, cube).
    days: the metric by day up to the end of the period or beyond, where its days add up to the periods.
    """

    quantity: Quantity
    kind: Literal["amount", "rate", "other"]
    period: Period
    baseline: Period
    before: float
    after: float
    year_ago: tuple[Period, float] | None = None
    history: tuple[float, ...] = ()
    cube: Cube | None = None
    scale: float = 1.0
    parts: tuple[PartChange, ...] = ()
    receipts: Mapping[str, int] = field(default_factory=lambda: _NO_RECEIPTS)
    days: DayParts | None = None

    @property
    def difference(self) -> float:
        return self.after - self.before

    def receipt(self, name: str) -> tuple[int, ...]:
        return (self.receipts[name],) if name in self.receipts else ()


@dataclass(frozen=True, slots=True)
class Explained:
    """facts: all, told or not, best first after the change itself. told: those for the narrative, in order."""

    facts: tuple[Fact, ...]
    told: tuple[Fact, ...]
    causes: Causes | None
    splits: tuple[Split, ...]
