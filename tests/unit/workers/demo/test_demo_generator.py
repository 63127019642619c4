"""The demo's facts hold what its answer key says, and only the world, the anchor and the day decide them."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

import pandas as pd
import pyarrow as pa
import pytest

from workers.demo.answer_key import PlantedEvent, answer_key
from workers.demo.generate import tables
from workers.demo.span import HISTORY_DAYS, Span
from workers.demo.world import ACME, GLOBEX, WORLDS, World

ANCHOR = dt.date(2026, 5, 20)


@lru_cache(maxsize=4)
def facts(company: str, last_days: int = 460) -> dict[str, pd.DataFrame]:
    world = next(w for w in WORLDS if w.tenant == company)
    full = Span.ending(ANCHOR)
    span = Span(ANCHOR - dt.timedelta(days=last_days), full.end, full.anchor)
    pieces: dict[str, list[pa.Table]] = {}
    for name, piece in tables(world, span):
        pieces.setdefault(name, []).append(piece)
    return {name: pa.concat_tables(parts).to_pandas() for name, parts in pieces.items()}


def event(world: World, kind: str) -> PlantedEvent:
    return next(e for e in answer_key(world, ANCHOR) if e.kind == kind)


@pytest.mark.parametrize("world", WORLDS, ids=lambda w: str(w.tenant))
class TestAnswerKey:
    def test_the_outage_day_has_a_fraction_of_its_orders_but_all_its_visits(self, world: World) -> None:
        data, outage = facts(world.tenant), event(world, "checkout_outage")
        orders = data["orders"].groupby("order_date").size()
        sessions = data["visits"].groupby("visit_date")["sessions"].sum()
        usual = [outage.start + dt.timedelta(days=7 * k) for k in (-2, -1, 1, 2)]
        assert orders[outage.start] < 0.35 * orders[usual].mean()
        assert sessions[outage.start] > 0.7 * sessions[usual].mean()

    def test_the_stock_out_empties_one_category_in_one_region(self, world: World) -> None:
        data, gone = facts(world.tenant), event(world, "stock_out")
        lines = data["order_lines"].merge(data["products"][["product_id", "category"]], on="product_id")
        inside = (lines["order_date"] >= gone.start) & (lines["order_date"] <= gone.end)
        hit = (lines["region"] == gone.scope["region"]) & (lines["category"] == gone.scope["category"])
        days = (gone.end - gone.start).days + 1
        before = (lines["order_date"] < gone.start) & (lines["order_date"] >= gone.start - dt.timedelta(days=days))
        assert (inside & hit).sum() < 0.15 * (before & hit).sum()
        assert (inside & ~hit).sum() > 0.7 * (before & ~hit).sum()

    def test_prices_of_one_category_rise_for_good(self, world: World) -> None:
        data, rise = facts(world.tenant), event(world, "price_rise")
        lines = data["order_lines"].merge(data["products"][["product_id", "category", "list_price"]], on="product_id")
        dear = lines[lines["category"] == rise.scope["category"]]
        factor = (dear["unit_price"] / dear["list_price"]).groupby(dear["order_date"] >= rise.start).mean()
        assert factor[False] == pytest.approx(1.0, abs=0.01)
        assert factor[True] == pytest.approx(1 + world.planted.price_rise_share, abs=0.02)

    def test_conversion_rises_on_each_device_and_falls_in_all(self, world: World) -> None:
        data, shift = facts(world.tenant), event(world, "mix_shift")
        start = shift.start + dt.timedelta(days=31)
        year = dt.timedelta(days=364)
        end = min(start + dt.timedelta(days=50), ANCHOR)

        def conversion(first: dt.date, last: dt.date) -> pd.Series:
            orders, visits = data["orders"], data["visits"]
            chosen = orders[(orders["order_date"] >= first) & (orders["order_date"] <= last)]
            seen = visits[(visits["visit_date"] >= first) & (visits["visit_date"] <= last)]
            by_device = chosen.groupby("device").size() / seen.groupby("device")["sessions"].sum()
            return pd.concat([by_device, pd.Series({"all": len(chosen) / seen["sessions"].sum()})])

        change = conversion(start, end) / conversion(start - year, end - year) - 1
        assert (change.drop("all") > 0).all()
        assert change["all"] < -0.03

    def test_a_new_channel_appears_on_its_day(self, world: World) -> None:
        data, opened = facts(world.tenant), event(world, "new_channel")
        visits = data["visits"]
        own = visits[visits["channel"] == opened.scope["channel"]]
        assert own["visit_date"].min() >= opened.start
        assert own["visit_date"].min() <= opened.start + dt.timedelta(days=3)

    def test_the_last_day_misses_visits_of_one_region(self, world: World) -> None:
        data, late = facts(world.tenant), event(world, "late_load")
        own = data["visits"][data["visits"]["region"] == late.scope["region"]].groupby("visit_date")["sessions"].sum()
        assert own[ANCHOR] < 0.5 * own[ANCHOR - dt.timedelta(days=7)]


class TestGeneration:
    def test_companies_differ(self) -> None:
        acme, globex = facts(ACME.tenant), facts(GLOBEX.tenant)
        assert set(acme["countries"]["region"]) != set(globex["countries"]["region"])
        assert set(acme["orders"]["tenant_id"]) == {"acme"}
        assert set(globex["orders"]["tenant_id"]) == {"globex"}

    def test_keys_are_unique_and_references_hold(self) -> None:
        data = facts(ACME.tenant)
        assert data["orders"]["order_id"].is_unique
        assert data["customers"]["customer_id"].is_unique
        assert not data["order_lines"].duplicated(["order_id", "line_number"]).any()
        assert set(data["order_lines"]["order_id"]) == set(data["orders"]["order_id"])
        assert set(data["orders"]["customer_id"]) <= set(data["customers"]["customer_id"])
        assert set(data["refunds"]["order_id"]) <= set(data["orders"]["order_id"])

    def test_nobody_orders_before_signing_up(self) -> None:
        data = facts(ACME.tenant)
        joined = data["orders"].merge(data["customers"][["customer_id", "signup_date"]], on="customer_id")
        assert (joined["order_date"] >= joined["signup_date"]).all()

    def test_a_longer_history_repeats_a_shorter_one(self) -> None:
        def orders(end: dt.date) -> pd.DataFrame:
            full = Span.ending(end, ANCHOR)
            span = Span(ANCHOR - dt.timedelta(days=20), full.end, ANCHOR)
            return pa.concat_tables([p for name, p in tables(GLOBEX, span) if name == "order_lines"]).to_pandas()

        short, long = orders(ANCHOR), orders(ANCHOR + dt.timedelta(days=3))
        pd.testing.assert_frame_equal(short, long[long["order_date"] <= ANCHOR].reset_index(drop=True))

    def test_four_years(self) -> None:
        span = Span.ending(ANCHOR)
        assert len(span.days()) == HISTORY_DAYS
        assert (span.end - span.start).days // 365 == 4
