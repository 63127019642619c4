"""Random SemanticQueries over the star schema, for tests that must hold for any of them."""

from __future__ import annotations

import random
from typing import Any

from tests.sql.shorthand import field

METRICS = [
    "revenue",
    "order_count",
    "refunded",
    "units",
    "line_amount",
    "paid_revenue",
    "average_order",
    "refund_rate",
    "net_revenue",
    "balance",
]
METRICS += ["shipped_orders", "revenue_to_date", "revenue_running"]
FIELDS = [
    "orders.status",
    "customers.name",
    "customers.vip",
    "regions.country",
    "products.category",
    "tags.tag",
    "refunds.reason",
    "orders.total",
]
FIELDS += ["visits.order_", "customer_details.score", "customers.signed_up"]
GRAINS = ["hour", "day", "week", "month", "quarter", "year"]
CYCLES = ["day_of_week", "hour_of_day", "month_of_year", "is_weekend", "week_of_year"]
VALUES: dict[str, list[Any]] = {
    "orders.status": ["paid", "open"],
    "customers.name": ["Bob", "x'); --"],
    "customers.vip": [True],
    "regions.country": ["Germany", "France"],
    "products.category": ["Home", "Office"],
    "tags.tag": ["wood", "paper"],
    "refunds.reason": ["damaged"],
    "orders.total": [10, 100.5],
    "visits.order_": ["a"],
    "customer_details.score": [5],
    "customers.signed_up": ["2023-05-20"],
}


class Maker:
    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)

    def some(self, chance: float) -> bool:
        return self.r.random() < chance

    def query(self) -> dict[str, Any]:
        return self.rows() if self.some(0.25) else self.aggregates()

    def window(self) -> dict[str, Any]:
        r = self.r
        unit = r.choice(["day", "week", "month", "quarter", "year"])
        return r.choice(
            [
                {"kind": "calendar", "unit": unit, "offset": r.randint(-2, 0), "to_date": self.some(0.3), "fiscal": self.some(0.2)},
                {
                    "kind": "rolling",
                    "count": r.randint(1, 6),
                    "unit": unit,
                    "anchor": r.choice(["now", "period"]),
                    "include_current": self.some(0.5),
                },
                {"kind": "absolute", "start": "2024-01-01", "end": r.choice(["2024-06-01", None])},
            ]
        )

    def predicate(self, depth: int = 0) -> dict[str, Any]:
        r = self.r
        name = r.choice(FIELDS)
        kind = r.choice(["in", "compare", "null", "like", "has", "versus", "window"] + (["and", "or", "not"] * 2 if depth < 2 else []))
        match kind:
            case "in":
                return {"kind": "in", "field": field(name), "values": VALUES[name], "negate": self.some(0.3), "ignore_case": self.some(0.2)}
            case "compare":
                op = r.choice(["=", "!=", "<", ">="])
                return {"kind": "compare", "op": op, "left": field(name), "right": {"kind": "literal", "value": VALUES[name][0]}}
            case "null":
                return {"kind": "null", "field": field(name), "negate": self.some(0.5)}
            case "like":
                return {"kind": "like", "field": field(name), "match": "contains", "value": r.choice(["a", "%", "_", "\\", "'"])}
            case "has":
                dataset = r.choice(["orders", "order_lines", "refunds", "customers", "products", "visits"])
                bound = {"count_op": r.choice(["=", ">", "<="]), "count": r.randint(0, 2)} if self.some(0.4) else {}
                return {
                    "kind": "has",
                    "dataset": dataset,
                    "negate": self.some(0.3),
                    "where": self.predicate(2) if self.some(0.5) else None,
                    **bound,
                }
            case "versus":
                per = [field("regions.country")] if self.some(0.3) else []
                return {"kind": "versus_aggregate", "op": ">", "left": field(r.choice(["orders.total", "products.list_price"])),
                        "aggregate": r.choice(["avg", "median", "max"]), "scope": r.choice(["all", "filtered"]), "per": per, "factor": r.choice([1.0, 0.5])}  # fmt: skip
            case "window":
                return {"kind": "in_window", "field": field(r.choice(["orders.ordered_at", "customers.signed_up", "visits.day_text", "visits.seen_at"])),
                        "window": self.window(), "negate": self.some(0.2)}  # fmt: skip
            case "not":
                return {"kind": "not", "item": self.predicate(depth + 1)}
            case _:
                return {"kind": kind, "items": [self.predicate(depth + 1) for _ in range(r.randint(1, 3))]}

    def measure(self) -> dict[str, Any]:
        r = self.r
        if self.some(0.6):
            made: dict[str, Any] = {"kind": "metric", "metric": r.choice(METRICS)}
        elif self.some(0.2):
            return {"kind": "calculation", "op": r.choice("+-*/"), "left": self.measure(), "right": self.measure()}
        else:
            kind = r.choice(["count", "count_distinct", "sum", "avg", "median", "min", "max", "stddev"])
            dataset, name = r.choice(
                ["orders.total", "order_lines.quantity", "customers.customer_id", "refunds.amount", "visits.seconds"]
            ).split(".")
            made = {"kind": "aggregate", "aggregate": kind, "dataset": dataset, "of": field(f"{dataset}.{name}")}
        if self.some(0.2):
            made["where"] = self.predicate(1)
        return made

    def group(self) -> dict[str, Any]:
        r = self.r
        match r.choice(["field", "field", "entity", "time", "time", "cycle", "bins"]):
            case "field":
                return {"kind": "field", "field": field(r.choice(FIELDS))}
            case "entity":
                return {"kind": "entity", "entity": r.choice(["customer", "region", "product"]), "show_key": self.some(0.3)}
            case "time":
                return {"kind": "time", "grain": r.choice(GRAINS), "fill": self.some(0.4), "fiscal": self.some(0.2)}
            case "cycle":
                return {"kind": "cycle", "cycle": r.choice(CYCLES)}
            case _:
                return {"kind": "field", "field": field("orders.total"), "bins": 5}

    def aggregates(self) -> dict[str, Any]:
        r = self.r
        metrics = [self.measure() for _ in range(r.choice([1, 1, 2, 3]))]
        by = [self.group() for _ in range(r.choice([0, 1, 1, 2, 2, 3]))]
        made: dict[str, Any] = {"metrics": metrics, "by": by}
        if self.some(0.5):
            made["where"] = self.predicate()
        if self.some(0.4):
            made["time"] = {"window": self.window()}
            made["complete_periods_only"] = self.some(0.2)
        if self.some(0.25):
            shift = r.choice(["previous_period", "same_period_last_year"])
            made["compare"] = (
                {"kind": "period", "to": shift} if self.some(0.7) else {"kind": "group", "where": self.predicate(2), "label": "g"}
            )
        if self.some(0.3):
            kinds = ["share", "running_total", "moving_average", "growth", "difference", "rank", "lag"]
            made["transform"] = [{"kind": r.choice(kinds), "metric": r.randrange(len(metrics))} for _ in range(r.randint(1, 2))]
        if self.some(0.25):
            having: dict[str, Any] = {"measure": self.measure(), "op": r.choice([">", "<="])}
            having |= r.choice([{"value": 1}, {"versus": "avg"}, {"other": self.measure()}])
            made["having"] = [having]
        if self.some(0.5):
            made["order"] = [{"target": "metric", "index": r.randrange(len(metrics)), "descending": self.some(0.7)}]
        if self.some(0.4):
            made["limit"] = r.randint(1, 5)
            made |= {"with_other": self.some(0.3), "with_ties": self.some(0.2)}
        if by and self.some(0.2):
            made["limit_by"] = {"limit": 2, "index": r.randrange(len(by))}
        made |= {"keep_empty": self.some(0.1), "round_digits": 2 if self.some(0.2) else None, "zero_sums": self.some(0.2)}
        return made

    def rows(self) -> dict[str, Any]:
        r = self.r
        base = r.choice(["orders", "customers", "refunds", "order_lines", "visits"])
        names = r.sample([*FIELDS, "orders.order_id", "customers.first_order"], r.randint(1, 3))
        fields = [{"expr": field(name)} for name in names]
        if self.some(0.3):
            fields.append(
                {"expr": {"kind": "related", "aggregate": r.choice(["count", "max"]), "dataset": "orders", "of": field("orders.total")}}
            )
        made: dict[str, Any] = {"rows_of": base, "fields": fields, "expand": self.some(0.5), "distinct": self.some(0.2)}
        if self.some(0.6):
            made["where"] = self.predicate()
        if self.some(0.3):
            made["time"] = {"window": self.window()}
        if self.some(0.5):
            made |= {"order": [{"target": "field", "index": 0}], "limit": 3, "with_ties": self.some(0.3)}
        return made
