"""Writes the demo's tables into ClickHouse: shared tables with a tenant column, replaced as a whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import pyarrow as pa

from workers.demo.generate import tables
from workers.demo.span import Span
from workers.demo.world import World

DATABASE = "demo"
_TEXT = "LowCardinality(String)"
_MONEY = "Decimal(12, 2)"

SCHEMA: Mapping[str, tuple[str, str]] = {
    "countries": (f"country {_TEXT}, region {_TEXT}", "country"),
    "channels": (f"channel {_TEXT}, channel_type {_TEXT}, launched_on Date", "channel"),
    "devices": (f"device {_TEXT}, form_factor {_TEXT}", "device"),
    "products": (
        f"product_id Int64, product_name String, category {_TEXT}, subcategory {_TEXT}, list_price {_MONEY}, unit_cost {_MONEY}, launched_on Date",
        "product_id",
    ),
    "customers": (
        f"customer_id Int64, customer_name String, email String, segment {_TEXT}, country {_TEXT}, region {_TEXT}, signup_date Date",
        "customer_id",
    ),
    "orders": (
        "order_id Int64, customer_id Int64, order_date Date, ordered_at DateTime('UTC'), shipped_date Nullable(Date), "
        f"country {_TEXT}, region {_TEXT}, channel {_TEXT}, device {_TEXT}, status {_TEXT}, shipping_fee {_MONEY}",
        "order_date, order_id",
    ),
    "order_lines": (
        f"order_id Int64, line_number Int32, product_id Int64, order_date Date, region {_TEXT}, quantity Int32, unit_price {_MONEY}, "
        f"discount_rate Float64, net_amount {_MONEY}, cost_amount {_MONEY}",
        "order_date, order_id, line_number",
    ),
    "visits": (
        f"visit_date Date, country {_TEXT}, region {_TEXT}, channel {_TEXT}, device {_TEXT}, sessions Int64, bounced_sessions Int64, carts Int64",
        "visit_date, country, channel, device",
    ),
    "ad_spend": (
        f"spend_date Date, country {_TEXT}, region {_TEXT}, channel {_TEXT}, campaign {_TEXT}, impressions Int64, clicks Int64, spend {_MONEY}",
        "spend_date, country, channel, campaign",
    ),
    "refunds": (
        f"refund_id Int64, order_id Int64, refund_date Date, region {_TEXT}, reason {_TEXT}, refund_amount {_MONEY}",
        "refund_date, refund_id",
    ),
    "subscriptions": (
        f"subscription_id Int64, customer_id Int64, plan {_TEXT}, monthly_fee {_MONEY}, started_on Date, cancelled_on Nullable(Date), region {_TEXT}",
        "started_on, subscription_id",
    ),
}


class Admin(Protocol):
    """The part of the warehouse's admin client that loading needs."""

    def execute(self, sql: str, params: Mapping[str, Any] | None = None) -> Any: ...

    def insert_arrow(self, database: str, table: str, data: pa.Table) -> Any: ...


def load_demo(
    admin: Admin,
    worlds: Mapping[World, Span] | tuple[tuple[World, Span], ...],
    on_progress: Callable[[str, int], None] = lambda _w, _n: None,
) -> int:
    """Generates and loads all companies; returns the number of rows. The tables in use are swapped at the end, so a failure changes nothing."""
    pairs = tuple(worlds.items()) if isinstance(worlds, Mapping) else worlds
    admin.execute(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
    for table, (columns, order_by) in SCHEMA.items():
        for suffix in ("", "__next"):
            if suffix:
                admin.execute(f"DROP TABLE IF EXISTS {DATABASE}.{table}{suffix}")
            admin.execute(
                f"CREATE TABLE IF NOT EXISTS {DATABASE}.{table}{suffix} (tenant_id {_TEXT}, {columns}) "
                f"ENGINE = MergeTree ORDER BY (tenant_id, {order_by})"
            )
    rows = 0
    for world, span in pairs:
        waiting: dict[str, list[pa.Table]] = {}
        for table, piece in tables(world, span):
            waiting.setdefault(table, []).append(piece)
            rows += piece.num_rows
            if sum(p.num_rows for p in waiting[table]) > 100_000:
                admin.insert_arrow(DATABASE, f"{table}__next", pa.concat_tables(waiting.pop(table)))
                on_progress(world.company, rows)
        for table, pieces in waiting.items():
            admin.insert_arrow(DATABASE, f"{table}__next", pa.concat_tables(pieces))
        on_progress(world.company, rows)
    for table in SCHEMA:
        admin.execute(f"EXCHANGE TABLES {DATABASE}.{table} AND {DATABASE}.{table}__next")
        admin.execute(f"DROP TABLE {DATABASE}.{table}__next")
    return rows
