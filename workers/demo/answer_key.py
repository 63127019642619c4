"""What was planted, where and when: the key that tests hold the product against."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from workers.demo.season import black_friday
from workers.demo.world import World


@dataclass(frozen=True, slots=True)
class PlantedEvent:
    """One thing that was done to the data. start and end inclusive. scope: dimension -> value. direction of the named metrics."""

    kind: str
    start: dt.date
    end: dt.date
    metrics: tuple[str, ...]
    direction: str
    scope: dict[str, str]
    description: str


def mix_shift_start(world: World, anchor: dt.date) -> dt.date:
    """The first of the month nearest to the planned day, so that whole months can be compared."""
    return (anchor - dt.timedelta(days=world.planted.mix_shift_days_ago)).replace(day=1)


def price_rise_start(world: World, anchor: dt.date) -> dt.date:
    return (anchor - dt.timedelta(days=world.planted.price_rise_days_ago)).replace(day=1)


def answer_key(world: World, anchor: dt.date) -> tuple[PlantedEvent, ...]:
    """Every planted event of `world` when its first load ended on `anchor`."""
    planted = world.planted

    def ago(days: int) -> dt.date:
        return anchor - dt.timedelta(days=days)

    outage = ago(planted.outage_days_ago)
    stock_start = ago(planted.stock_out_days_ago)
    events = [
        PlantedEvent(
            "price_rise",
            price_rise_start(world, anchor),
            anchor,
            ("average_price",),
            "up",
            {"category": planted.price_rise_category},
            f"List prices of {planted.price_rise_category} rose by {planted.price_rise_share:.0%}; units fell a little.",
        ),
        PlantedEvent(
            "checkout_outage",
            outage,
            outage,
            ("orders", "revenue", "conversion_rate"),
            "down",
            {},
            "Checkout failed for most of the day; visits were as usual.",
        ),
        PlantedEvent(
            "stock_out",
            stock_start,
            stock_start + dt.timedelta(days=planted.stock_out_length - 1),
            ("revenue", "units"),
            "down",
            {"region": planted.stock_out_region, "category": planted.stock_out_category},
            f"{planted.stock_out_category} was out of stock in {planted.stock_out_region}.",
        ),
        PlantedEvent(
            "mix_shift",
            mix_shift_start(world, anchor),
            anchor,
            ("conversion_rate",),
            "down",
            {"device": "mobile"},
            "Conversion rose on every device, yet fell in all, because traffic moved to mobile (a Simpson reversal).",
        ),
        PlantedEvent(
            "late_load",
            anchor,
            anchor,
            ("sessions",),
            "down",
            {"region": planted.late_load_region},
            f"Visits of {planted.late_load_region} for the last day are not all loaded yet: not a real fall.",
        ),
    ]
    events += [
        PlantedEvent(
            "new_channel",
            ago(channel.launched_days_ago),
            anchor,
            ("orders", "revenue", "sessions"),
            "up",
            {"channel": channel.name},
            f"The channel {channel.name} was opened.",
        )
        for channel in world.channels
        if channel.launched_days_ago is not None
    ]
    for years_back in range(5):
        friday = black_friday(anchor.year - years_back)
        if friday <= anchor:
            events.append(PlantedEvent("holiday", friday, friday, ("orders", "revenue"), "up", {}, "Black Friday: expected, no alert."))
    return tuple(events)
