"""The demo's facts, day by day. A day depends on the world, the anchor and its own date only, so a longer history repeats a shorter one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.timeseries import FloatArray
from workers.demo.answer_key import mix_shift_start, price_rise_start
from workers.demo.columns import typed
from workers.demo.customers import Customers, IntArray, make_customers
from workers.demo.products import Products, make_products
from workers.demo.season import black_friday, category_season, demand
from workers.demo.span import Span
from workers.demo.world import World

_REFUND_REASONS = ("damaged", "wrong item", "changed mind", "arrived late", "not as described")
_STATUSES = ("completed", "cancelled", "pending")
_MIX_AFTER = {"desktop": 0.23, "mobile": 0.70, "tablet": 0.07}
_MIX_GAIN = 1.10
_CAMPAIGNS = ("brand", "performance")


def tables(world: World, span: Span) -> Iterator[tuple[str, pa.Table]]:
    """(table name, rows) pieces of the world; a table may come in several pieces."""
    products = make_products(world, span.start)
    customers = make_customers(world, span)
    yield (
        "countries",
        typed(
            world,
            country=[c.name for c in world.countries],
            region=[c.region for c in world.countries],
        ),
    )
    yield (
        "channels",
        typed(
            world,
            channel=[c.name for c in world.channels],
            channel_type=[c.kind for c in world.channels],
            launched_on=[
                span.anchor - dt.timedelta(days=c.launched_days_ago) if c.launched_days_ago else span.start - dt.timedelta(days=900)
                for c in world.channels
            ],
        ),
    )
    yield (
        "devices",
        typed(world, device=list(world.devices), form_factor=["fixed" if name == "desktop" else "handheld" for name in world.devices]),
    )
    yield (
        "products",
        typed(
            world,
            product_id=products.ids,
            product_name=products.names,
            category=[world.categories[c].name for c in products.category],
            subcategory=products.subcategory,
            list_price=np.round(products.list_price, 2),
            unit_cost=products.unit_cost,
            launched_on=products.launched_on,
        ),
    )
    yield "customers", customers.table
    pieces: dict[str, list[pa.Table]] = {}
    for day in span.days():
        for name, piece in Day(world, span, day, products, customers).facts():
            pieces.setdefault(name, []).append(piece)
        if day.day == 1 or day == span.end:
            for name, parts in pieces.items():
                yield name, pa.concat_tables(parts)
            pieces = {}


class Day:
    """One day of one company."""

    def __init__(self, world: World, span: Span, day: dt.date, products: Products, customers: Customers) -> None:
        self.world, self.span, self.day, self.products, self.customers = world, span, day, products, customers
        self.number = (day - span.start).days
        self.ago = (span.anchor - day).days
        self.rng = np.random.default_rng([world.seed, 5, day.toordinal()])
        self.regions = np.array([c.region for c in world.countries])
        self.countries = np.array([c.name for c in world.countries])
        self.channels = np.array([c.name for c in world.channels])
        self.devices = np.array(list(world.devices))

    def facts(self) -> Iterator[tuple[str, pa.Table]]:
        sessions = self._sessions()
        yield "visits", self._visits(sessions)
        yield "ad_spend", self._ad_spend()
        yield from self._orders(sessions)

    def _mix(self) -> tuple[FloatArray, float]:
        """Share of each device and the conversion gain, moving over thirty days to the new mix."""
        before = np.array([share for share, _ in self.world.devices.values()])
        since = (self.day - mix_shift_start(self.world, self.span.anchor)).days
        progress = min(max(since / 30, 0.0), 1.0)
        after = np.array([_MIX_AFTER[name] for name in self.world.devices])
        return before * (1 - progress) + after * progress, 1 + (_MIX_GAIN - 1) * progress

    def _channel_shares(self) -> FloatArray:
        """Shares of sessions; a new channel ramps up over sixty days on top of the others."""
        return np.array(
            [
                c.share * (1.0 if c.launched_days_ago is None else min(max((c.launched_days_ago - self.ago) / 60, 0.0), 1.0))
                for c in self.world.channels
            ]
        )

    def _sessions(self) -> IntArray:
        """(countries, channels, devices) counts."""
        level = self.world.sessions_per_day * demand(self.world, self.day, self.span.start) * float(self.rng.lognormal(0, 0.035))
        mix, _ = self._mix()
        weights = np.array([c.weight for c in self.world.countries])
        expected = level * weights[:, None, None] * self._channel_shares()[None, :, None] * mix[None, None, :]
        return self.rng.poisson(expected).astype(np.int64)

    def _visits(self, sessions: IntArray) -> pa.Table:
        country, channel, device = np.nonzero(sessions)
        count = sessions[country, channel, device]
        bounced = self.rng.binomial(count, 0.41)
        carts = self.rng.binomial(count - bounced, 0.16)
        keep = np.ones(len(count), dtype=bool)
        if self.day == self.span.end and self.day == self.span.anchor:
            late = self.regions[country] == self.world.planted.late_load_region
            loaded = np.random.default_rng([self.world.seed, 6, self.day.toordinal()]).random(len(count)) < 0.15
            keep = ~late | loaded
        return typed(
            self.world,
            visit_date=[self.day] * int(keep.sum()),
            country=self.countries[country][keep],
            region=self.regions[country][keep],
            channel=self.channels[channel][keep],
            device=self.devices[device][keep],
            sessions=count[keep],
            bounced_sessions=bounced[keep],
            carts=carts[keep],
        )

    def _ad_spend(self) -> pa.Table:
        busy = demand(self.world, self.day, self.span.start)
        rows: dict[str, list[object]] = {
            k: [] for k in ("spend_date", "country", "region", "channel", "campaign", "impressions", "clicks", "spend")
        }
        for channel, share in zip(self.world.channels, self._channel_shares(), strict=True):
            if not channel.paid or share == 0:
                continue
            for country in self.world.countries:
                for campaign in _CAMPAIGNS:
                    clicks = int(self.rng.poisson(0.5 * self.world.sessions_per_day * busy * country.weight * share * 0.9))
                    rows["spend_date"].append(self.day)
                    rows["country"].append(country.name)
                    rows["region"].append(country.region)
                    rows["channel"].append(channel.name)
                    rows["campaign"].append(campaign)
                    rows["impressions"].append(int(clicks * self.rng.uniform(28, 42)))
                    rows["clicks"].append(clicks)
                    rows["spend"].append(round(clicks * float(self.rng.uniform(2.4, 4.4)), 2))
        return typed(self.world, **rows)

    def _orders(self, sessions: IntArray) -> Iterator[tuple[str, pa.Table]]:
        world, rng = self.world, self.rng
        _, gain = self._mix()
        rate = world.base_conversion * gain * float(rng.lognormal(0, 0.03))
        rate *= 0.18 if self.ago == world.planted.outage_days_ago else 1.0
        by_channel = np.array([c.conversion for c in world.channels])
        by_device = np.array([conversion for _, conversion in world.devices.values()])
        counts = rng.poisson(sessions * rate * by_channel[None, :, None] * by_device[None, None, :])
        cell = np.repeat(np.arange(counts.size), counts.ravel())
        country, channel, device = np.unravel_index(cell, counts.shape)
        buyers = self._buyers(country)
        lines = self._lines(country)
        kept = np.unique(lines["order"])
        place = np.full(len(cell), -1, dtype=np.int64)
        place[kept] = np.arange(len(kept))
        order_ids = 100_000 * (self.number + 1) + np.arange(len(kept), dtype=np.int64)
        country, channel, device, buyers = country[kept], channel[kept], device[kept], buyers[kept]
        count = len(kept)
        offset = np.array([c.utc_offset_h for c in world.countries])[country]
        local_h = np.clip(rng.normal(15.5, 4.2, count), 0, 23.99)
        seconds = ((local_h - offset) % 24 * 3600).astype(np.int64)
        status = rng.choice(3, count, p=[0.945, 0.045, 0.01])
        shipping_days = rng.integers(1, 6, count)
        shipped = [self.day + dt.timedelta(days=int(d)) if s == 0 else None for d, s in zip(shipping_days, status, strict=True)]
        midnight = np.datetime64(self.day, "s")
        yield (
            "orders",
            typed(
                world,
                order_id=order_ids,
                customer_id=buyers,
                order_date=[self.day] * count,
                ordered_at=(midnight + seconds.astype("timedelta64[s]")),
                shipped_date=[d if d is not None and d <= self.span.end else None for d in shipped],
                country=self.countries[country],
                region=self.regions[country],
                channel=self.channels[channel],
                device=self.devices[device],
                status=np.array(_STATUSES)[status],
                shipping_fee=np.round(rng.choice([0.0, 3.9, 5.9, 12.9], count, p=[0.45, 0.3, 0.2, 0.05]), 2),
            ),
        )
        order = place[lines["order"]]
        net = np.round(lines["quantity"] * lines["price"] * (1 - lines["discount"]), 2)
        yield (
            "order_lines",
            typed(
                world,
                order_id=order_ids[order],
                line_number=lines["line"],
                product_id=np.array(self.products.ids)[lines["product"]],
                order_date=[self.day] * len(order),
                region=self.regions[country][order],
                quantity=lines["quantity"],
                unit_price=lines["price"],
                discount_rate=lines["discount"],
                net_amount=net,
                cost_amount=np.round(lines["quantity"] * self.products.unit_cost[lines["product"]], 2),
            ),
        )
        totals: FloatArray = np.bincount(order, weights=net, minlength=count).astype(np.float64)
        yield "refunds", self._refunds(order_ids, country, status, totals)
        yield "subscriptions", self._subscriptions(order_ids, buyers, country)

    def _buyers(self, country: IntArray) -> IntArray:
        """A customer of the same country who has signed up by today; recent ones buy more often."""
        buyers = np.zeros(len(country), dtype=np.int64)
        draw = self.rng.random(len(country)) ** 0.6
        for index, (ids, days) in enumerate(self.customers.by_country):
            here = country == index
            known = int(np.searchsorted(days, self.number, side="right"))
            buyers[here] = ids[np.minimum((draw[here] * known).astype(np.int64), known - 1)]
        return buyers

    def _lines(self, country: IntArray) -> dict[str, npt.NDArray[Any]]:
        world, rng, planted = self.world, self.rng, self.world.planted
        per_order = np.minimum(1 + rng.poisson(0.85, len(country)), 5)
        order = np.repeat(np.arange(len(country)), per_order)
        weights = np.array([c.weight * category_season(c, self.day) for c in world.categories])
        category = rng.choice(len(weights), len(order), p=weights / weights.sum())
        product = np.zeros(len(order), dtype=np.int64)
        for index in range(len(weights)):
            here = np.nonzero(category == index)[0]
            choices = np.nonzero(np.array(self.products.category) == index)[0]
            product[here] = rng.choice(choices, len(here), p=self.products.weight[choices])
        names = np.array([c.name for c in world.categories])[category]
        price = self.products.list_price[product].copy()
        keep = np.ones(len(order), dtype=bool)
        luck = rng.random(len(order))
        if self.day >= price_rise_start(world, self.span.anchor):
            dearer = names == planted.price_rise_category
            price[dearer] *= 1 + planted.price_rise_share
            keep &= ~dearer | (luck > 0.05)
        if 0 <= planted.stock_out_days_ago - self.ago < planted.stock_out_length:
            gone = (names == planted.stock_out_category) & (self.regions[country][order] == planted.stock_out_region)
            keep &= ~gone | (luck > 0.95)
        sale = black_friday(self.day.year) <= self.day <= black_friday(self.day.year) + dt.timedelta(days=3)
        discount = rng.choice([0.0, 0.05, 0.10, 0.20], len(order), p=[0.2, 0.2, 0.3, 0.3] if sale else [0.72, 0.12, 0.11, 0.05])
        quantity = 1 + rng.poisson(0.22, len(order))
        first = np.r_[True, order[1:] != order[:-1]] if len(order) else np.zeros(0, dtype=bool)
        starts = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
        line = np.arange(len(order)) - starts + 1
        columns = {
            "order": order,
            "line": line,
            "product": product,
            "price": np.round(price, 2),
            "discount": discount,
            "quantity": quantity,
        }
        return {name: values[keep] for name, values in columns.items()}

    def _refunds(self, order_ids: IntArray, country: IntArray, status: IntArray, totals: FloatArray) -> pa.Table:
        rng = self.rng
        chosen = np.nonzero((status == 0) & (rng.random(len(order_ids)) < 0.042))[0]
        dates = [self.day + dt.timedelta(days=int(d)) for d in rng.integers(2, 21, len(chosen))]
        share = rng.choice([1.0, 0.5], len(chosen), p=[0.8, 0.2])
        reason = np.array(_REFUND_REASONS)[rng.integers(0, len(_REFUND_REASONS), len(chosen))]
        known = np.array([d <= self.span.end for d in dates], dtype=bool)
        return typed(
            self.world,
            refund_id=order_ids[chosen][known],
            order_id=order_ids[chosen][known],
            refund_date=[d for d in dates if d <= self.span.end],
            region=self.regions[country][chosen][known],
            reason=reason[known],
            refund_amount=np.round(totals[chosen] * share, 2)[known],
        )

    def _subscriptions(self, order_ids: IntArray, buyers: IntArray, country: IntArray) -> pa.Table:
        rng = self.rng
        chosen = np.nonzero(rng.random(len(order_ids)) < 0.028)[0]
        plans = list(self.world.plans)
        plan = rng.choice(len(plans), len(chosen), p=[0.5, 0.35, 0.15])
        life_days = rng.geometric(1 / 420, len(chosen)) + 20
        ends = [self.day + dt.timedelta(days=int(d)) for d in life_days]
        return typed(
            self.world,
            subscription_id=order_ids[chosen],
            customer_id=buyers[chosen],
            plan=[plans[p] for p in plan],
            monthly_fee=[self.world.plans[plans[p]] for p in plan],
            started_on=[self.day] * len(chosen),
            cancelled_on=[d if d <= self.span.end else None for d in ends],
            region=self.regions[country][chosen],
        )
