"""Who signed up with the demo's companies, where and when."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workers.demo.columns import typed
from workers.demo.products import FIRST_NAMES, LAST_NAMES
from workers.demo.season import demand
from workers.demo.span import Span
from workers.demo.world import World

IntArray = npt.NDArray[np.int64]
FOUNDING_CUSTOMERS = 2_500


@dataclass(frozen=True, slots=True)
class Customers:
    """Everyone who signed up in the span, by country: ids and sign-up day numbers ascending."""

    by_country: list[tuple[IntArray, IntArray]]
    table: pa.Table


def make_customers(world: World, span: Span) -> Customers:
    """Sign-ups of every day, as many as a quarter of the day's expected orders, after a founding base."""
    weights = np.array([c.weight for c in world.countries])
    weights /= weights.sum()
    ids: list[IntArray] = []
    days: list[IntArray] = []
    homes: list[IntArray] = []
    founding = np.random.default_rng([world.seed, 2])
    ids.append(np.arange(1, FOUNDING_CUSTOMERS + 1, dtype=np.int64))
    days.append(np.sort(founding.integers(-700, 0, FOUNDING_CUSTOMERS)))
    homes.append(founding.choice(len(weights), FOUNDING_CUSTOMERS, p=weights))
    for number, day in enumerate(span.days()):
        rng = np.random.default_rng([world.seed, 3, day.toordinal()])
        count = int(rng.poisson(0.25 * world.sessions_per_day * world.base_conversion * demand(world, day, span.start)))
        ids.append(10_000 + number * 1_000 + np.arange(count, dtype=np.int64))
        days.append(np.full(count, number, dtype=np.int64))
        homes.append(rng.choice(len(weights), count, p=weights))
    all_ids, all_days, all_homes = np.concatenate(ids), np.concatenate(days), np.concatenate(homes)
    by_country = [(all_ids[all_homes == c], all_days[all_homes == c]) for c in range(len(weights))]
    first = np.array(FIRST_NAMES)[all_ids * 7919 % len(FIRST_NAMES)]
    last = np.array(LAST_NAMES)[all_ids * 104_729 % len(LAST_NAMES)]
    share = np.cumsum(list(world.segments.values()))
    segment = np.array(list(world.segments))[
        np.searchsorted(share, (all_ids * 2_654_435_761 % 10_007) / 10_007, side="right").clip(0, len(share) - 1)
    ]
    table = typed(
        world,
        customer_id=all_ids,
        customer_name=[f"{a} {b}" for a, b in zip(first, last, strict=True)],
        email=[f"{a}.{b}.{i}@example.com".lower() for a, b, i in zip(first, last, all_ids, strict=True)],
        segment=segment,
        country=np.array([c.name for c in world.countries])[all_homes],
        region=np.array([c.region for c in world.countries])[all_homes],
        signup_date=[span.start + dt.timedelta(days=int(n)) for n in all_days],
    )
    return Customers(by_country, table)
