"""Sentences about a change and its drivers. Says only what the facts say, and "accounts for", never "caused by"."""

from __future__ import annotations

import math
from dataclasses import dataclass

from insights.period_change import DimensionChange, Driver, PeriodChange
from insights.wording import number

CANCELS_OUT = 2.0  # a segment that moved more than twice the whole: the whole is what is left of moves against each other


@dataclass(frozen=True, slots=True)
class Wording:
    """How the metric is written: its label, format, unit, and the two periods in words."""

    label: str
    format: str | None
    unit: str | None
    before: str
    after: str


def change_headline(change: PeriodChange, words: Wording) -> str:
    """Revenue fell 12.3% to €1.2M in Feb 2026 (€1.37M in Jan 2026)."""
    after, before = _value(change.after, words), _value(change.before, words)
    if change.difference == 0:
        return f"{_label(words)} did not change: {after} in {words.after} and in {words.before}."
    verb = "rose" if change.difference > 0 else "fell"
    much = f" {_share(abs(change.relative))}" if math.isfinite(change.relative) else ""
    return f"{_label(words)} {verb}{much} to {after} in {words.after} ({before} in {words.before})."


def change_narrative(change: PeriodChange, words: Wording, *, additive: bool) -> list[str]:
    """One to four sentences after the headline."""
    if change.difference == 0:
        return []
    if not additive:
        return [
            "Its parts do not add up to the whole, so that no segment can account for a share of the change; the table shows each one's own."
        ]
    telling = [d for d in change.dimensions if d.stands_out]
    if not telling:
        return [_even(change)] if change.dimensions else ["There is no dimension to look for causes in."]
    if telling[0].drivers[0].share > CANCELS_OUT:
        return [_cancels(telling[0], words)]
    said = [_accounts(telling[0], words)]
    if telling[0].detractors:
        said.append(_against(telling[0].detractors[0], change, words))
    said += [_accounts(other, words) for other in telling[1:3] if other.drivers[0].share <= CANCELS_OUT]
    return said


def _accounts(dimension: DimensionChange, words: Wording) -> str:
    first, *rest = dimension.drivers
    text = f"By {dimension.dimension}, {_said(first, words)} accounts for {_share(first.share)} of the change"
    return f"{text}, then {_said(rest[0], words)} for {_share(rest[0].share)}." if rest else f"{text}."


def _cancels(dimension: DimensionChange, words: Wording) -> str:
    moves = [_said(driver, words) for driver in (*dimension.drivers[:2], *dimension.detractors[:2])]
    return f"The change is what is left of larger moves against each other; by {dimension.dimension}: {', '.join(moves)}."


def _against(driver: Driver, change: PeriodChange, words: Wording) -> str:
    verb = "rise" if change.difference > 0 else "fall"
    return f"Against the {verb}: {_said(driver, words)}."


def _said(driver: Driver, words: Wording) -> str:
    sign = "+" if driver.difference > 0 else "-"
    return f"{driver.segment} ({sign}{_value(abs(driver.difference), words)})"


def _even(change: PeriodChange) -> str:
    names = ", ".join(d.dimension for d in change.dimensions[:4])
    return f"No segment stands out: the change is spread evenly over {names}."


def _share(share: float) -> str:
    """A share in percent with one digit behind the point, none from ten on."""
    percent = share * 100
    return f"{number(round(percent), None)}%" if abs(percent) >= 10 else number(percent, "percent_points")


def _label(words: Wording) -> str:
    return words.label[:1].upper() + words.label[1:]


def _value(value: float, words: Wording) -> str:
    return number(value, words.format, words.unit, compact=True)
