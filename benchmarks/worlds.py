"""Invented companies for measuring what a scan says: four metrics by region, channel and device, with season, growth and noise.

Nothing special happens in them unless planted. All numbers are drawn per seed, so that no figure hangs on one setting.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from core.timeseries import FloatArray, Grain
from insights.past import Days, Event, MetricPast
from insights.periods import period_of
from insights.types import Period, Quantity

REGIONS = ("EMEA", "AMER", "APAC", "LATAM")
CHANNELS = ("organic", "paid", "email", "social", "direct")
DEVICES = ("desktop", "mobile", "tablet")
DIMENSIONS = (("region", REGIONS), ("channel", CHANNELS), ("device", DEVICES))
Measure = Literal["sessions", "orders", "revenue"]
_LAST = {Grain.DAY: 800, Grain.WEEK: 800, Grain.MONTH: 1461}


@dataclass(frozen=True, slots=True)
class Company:
    """(days, regions, channels, devices) of each measure; the last day is `last`."""

    last: dt.date
    sessions: FloatArray
    orders: FloatArray
    revenue: FloatArray

    def changed(self, measure: Measure, change: Callable[[FloatArray], FloatArray]) -> Company:
        changed: dict[str, Any] = {measure: change(getattr(self, measure).copy())}
        return replace(self, **changed)


def company(seed: int, grain: Grain) -> Company:
    """One without events, ending with a complete step of `grain`."""
    rng = np.random.default_rng([seed, 77])
    n = _LAST[grain]
    last = {Grain.DAY: dt.date(2026, 5, 20), Grain.WEEK: dt.date(2026, 5, 24), Grain.MONTH: dt.date(2026, 5, 31)}[grain]
    weekday = np.array([(last - dt.timedelta(days=n - 1 - i)).weekday() for i in range(n)])
    at = np.arange(n)
    week = np.exp(rng.normal(0, 0.15, 7))[weekday]
    year = np.exp(rng.uniform(0, 0.2) * np.sin(2 * np.pi * (at + rng.uniform(0, 365)) / 365.25))
    growth = np.exp(rng.normal(0.1, 0.1) * at / 365)
    level = rng.uniform(1500, 20_000) * week * year * growth * rng.lognormal(0, rng.uniform(0.02, 0.06), n)
    shape = (len(REGIONS), len(CHANNELS), len(DEVICES))
    shares = np.multiply.outer(np.multiply.outer(rng.dirichlet([6, 5, 3, 2]), rng.dirichlet([5] * 5)), rng.dirichlet([5, 5, 1.5]))
    wander = [_wander(rng, n, size) for size in shape]
    share = shares * np.exp(wander[0][:, :, None, None] + wander[1][:, None, :, None] + wander[2][:, None, None, :])
    sessions = rng.poisson(level[:, None, None, None] * share / share.sum(axis=(1, 2, 3), keepdims=True))
    rate = rng.uniform(0.015, 0.06) * np.exp(rng.normal(0, 0.3, shape)) * np.exp(_wander(rng, n, 1))[:, :, None, None]
    orders = rng.binomial(sessions, np.clip(rate, 0, 0.9))
    price = rng.uniform(30, 300) * np.exp(rng.normal(0, 0.2, shape))
    spread = rng.uniform(0.4, 1.0)
    revenue = orders * price * np.exp(rng.normal(0, 1, orders.shape) * spread / np.sqrt(np.maximum(orders, 1)))
    return Company(last, sessions.astype(float), orders.astype(float), revenue)


def _wander(rng: np.random.Generator, n: int, size: int) -> FloatArray:
    """(n, size) slow drift of shares: memory of days to weeks, three to six per cent wide."""
    memory, width = rng.uniform(0.5, 0.97), rng.uniform(0.02, 0.05)
    steps = rng.normal(0, width * np.sqrt(1 - memory**2), (n, size))
    made = np.zeros((n, size))
    for i in range(1, n):
        made[i] = memory * made[i - 1] + steps[i]
    return made


def pasts(world: Company, grain: Grain, events: tuple[Event, ...] = ()) -> tuple[MetricPast, ...]:
    """Its metrics as a scan job would hand them over."""
    starts = _starts(world, grain)
    bounds = [(start - _first(world)).days for start in starts]
    periods = tuple(period_of(_midnight(a), _midnight(b), "") for a, b in pairwise(starts))
    made = []
    measures = {"sessions": world.sessions, "orders": world.orders, "revenue": world.revenue}
    formats = {"sessions": None, "orders": None, "revenue": "currency:EUR"}
    for name, cells in measures.items():
        whole = cells.sum(axis=(1, 2, 3))
        segments = {d: (names, _summed(_along(cells, place), bounds)) for place, (d, names) in enumerate(DIMENSIONS)}
        made.append(
            MetricPast(
                Quantity(name, formats[name], "EUR" if name == "revenue" else None, "up", name), grain, periods, _summed(whole, bounds), segments,
                days=Days(world.last, whole[-480:]), events=events, parts=frozenset({name}),
            )
        )  # fmt: skip
    made.append(_rate(world, grain, periods, bounds))
    return tuple(made)


def _rate(world: Company, grain: Grain, periods: tuple[Period, ...], bounds: list[int]) -> MetricPast:
    tops, bases = world.orders, world.sessions
    with np.errstate(divide="ignore", invalid="ignore"):
        days = tops.sum(axis=(1, 2, 3)) / bases.sum(axis=(1, 2, 3))
    return MetricPast(
        Quantity("conversion rate", "percent", None, "up", "conversion_rate"), grain, periods,
        _summed(tops.sum(axis=(1, 2, 3)), bounds) / _summed(bases.sum(axis=(1, 2, 3)), bounds),
        {d: (names, _summed(_along(tops, place), bounds)) for place, (d, names) in enumerate(DIMENSIONS)},
        segment_bases={d: _summed(_along(bases, place), bounds) for place, (d, _) in enumerate(DIMENSIONS)},
        kind="rate", days=Days(world.last, days[-480:]), parts=frozenset({"orders", "sessions"}),
    )  # fmt: skip


def _starts(world: Company, grain: Grain) -> list[dt.date]:
    end = world.last + dt.timedelta(days=1)
    if grain is Grain.MONTH:
        first = _first(world)
        months = [dt.date(first.year + (first.month + k) // 12, (first.month + k) % 12 + 1, 1) for k in range(47)]
        return [m for m in months if m < end] + [end]
    step = 7 if grain is Grain.WEEK else 1
    count = min(len(world.sessions) // step, 130 if grain is Grain.WEEK else 480)
    return [end - dt.timedelta(days=step * k) for k in range(count, -1, -1)]


def _first(world: Company) -> dt.date:
    return world.last - dt.timedelta(days=len(world.sessions) - 1)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time())


def _along(cells: FloatArray, place: int) -> FloatArray:
    return np.asarray(cells.sum(axis=tuple(a for a in (1, 2, 3) if a != place + 1)), np.float64)


def _summed(days: FloatArray, bounds: list[int]) -> FloatArray:
    """(steps, ...) sums between the bounds."""
    return np.asarray(np.stack([days[a:b].sum(axis=0) for a, b in pairwise(bounds)]), np.float64)
