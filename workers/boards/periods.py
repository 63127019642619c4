"""Time windows that people pick from a list."""

from __future__ import annotations

from collections.abc import Mapping

from semantic.expr import Calendar_, Rolling, Unit, Window

PERIODS: Mapping[str, Window] = {
    "today": Calendar_(unit=Unit.DAY),
    "yesterday": Calendar_(unit=Unit.DAY, offset=-1),
    "last 7 days": Rolling(count=7, unit=Unit.DAY, anchor="period"),
    "last 30 days": Rolling(count=30, unit=Unit.DAY, anchor="period"),
    "this week": Calendar_(unit=Unit.WEEK),
    "last week": Calendar_(unit=Unit.WEEK, offset=-1),
    "this month": Calendar_(unit=Unit.MONTH),
    "last month": Calendar_(unit=Unit.MONTH, offset=-1),
    "this quarter": Calendar_(unit=Unit.QUARTER),
    "last quarter": Calendar_(unit=Unit.QUARTER, offset=-1),
    "last 12 months": Rolling(count=12, unit=Unit.MONTH, anchor="period"),
    "this year": Calendar_(unit=Unit.YEAR),
    "last year": Calendar_(unit=Unit.YEAR, offset=-1),
}
