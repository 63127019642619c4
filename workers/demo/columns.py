"""Which type the demo's columns have."""

from __future__ import annotations

import pyarrow as pa

from workers.demo.world import World

_DATES = {
    "visit_date",
    "spend_date",
    "order_date",
    "shipped_date",
    "refund_date",
    "started_on",
    "cancelled_on",
    "signup_date",
    "launched_on",
}
_INTEGERS = {
    "order_id",
    "customer_id",
    "product_id",
    "refund_id",
    "subscription_id",
    "sessions",
    "bounced_sessions",
    "carts",
    "impressions",
    "clicks",
}
_SMALL = {"line_number", "quantity"}
_MONEY = {"list_price", "unit_cost", "spend", "shipping_fee", "unit_price", "net_amount", "cost_amount", "refund_amount", "monthly_fee"}
_RATES = {"discount_rate"}


def typed(world: World, **columns: object) -> pa.Table:
    """Rows of one company; a column's type goes by its name, text where nothing else is said."""
    arrays: dict[str, pa.Array] = {}
    for name, values in columns.items():
        if name in _DATES:
            arrays[name] = pa.array(values, pa.date32())
        elif name in _INTEGERS:
            arrays[name] = pa.array(values, pa.int64())
        elif name in _SMALL:
            arrays[name] = pa.array(values, pa.int32())
        elif name in _MONEY or name in _RATES:
            arrays[name] = pa.array(values, pa.float64())
        elif name == "ordered_at":
            arrays[name] = pa.array(values, pa.timestamp("s", tz="UTC"))
        else:
            arrays[name] = pa.array(values, pa.string())
    rows = len(next(iter(arrays.values())))
    return pa.table({"tenant_id": pa.array([str(world.tenant)] * rows, pa.string()), **arrays})
