"""How long the semantic kernel takes, and what the guard costs on the engine.

    python -m benchmarks.kernel [--repeat 200] [--rows 1000000,10000000]

First half: resolve, compile, guard + verify of typical queries (milliseconds; `cold` forgets the verifier's memory of texts before each query).
Second half, for each number of rows: a star schema is generated in the engine (chDB in this process), each query runs as guarded SQL and as the same
tree over the bare tables; `overhead_ms` is the difference of their medians plus the kernel's own time. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.chdb_engine import Engine
from core.ids import TenantId, UserId
from core.principal import Principal, Role
from semantic.catalog.model import Catalog
from semantic.compile import compile_query
from semantic.pipeline import guard_compiled
from semantic.query import SemanticQuery
from semantic.resolve import resolve
from semantic.states import CompiledQuery, GuardedQuery
from semantic.verification.forms import read_form

AS_OF = dt.datetime(2024, 6, 15, 12, tzinfo=dt.UTC)
CALLER = Principal(TenantId("acme"), UserId("bench"), frozenset({Role.ANALYST}))


def _field(name: str, kind: str, role: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "column": name, "type": kind, "role": role, "label": name, **more}


def _ref(name: str) -> dict[str, Any]:
    dataset, field = name.split(".")
    return {"kind": "field", "dataset": dataset, "field": field}


def bench_catalog(rows: int | None = None) -> Catalog:
    """Sales with customers, products and regions, in shared tables with a tenant column; with counts as inference finds them in `rows` sales."""
    counts = {"sale_id": rows, "customer_id": 100_000, "product_id": 2_000, "region_id": 20} if rows else {}

    def dataset(name: str, fields: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        return {"name": name, "database": "bench", "table": name, "label": name, "tenant_column": "tenant_id", "fields": fields, **more}

    def key(name: str) -> dict[str, Any]:
        return _field(name, "integer", "key", cardinality=counts.get(name))

    def relation(left: str, right: str, column: str) -> dict[str, Any]:
        return {"name": f"{left}_{right}", "from_dataset": left, "from_fields": [column], "to_dataset": right, "to_fields": [column]}

    sales = [
        key("sale_id"),
        key("customer_id"),
        key("product_id"),
        _field("sold_at", "datetime", "time"),
        _field("channel", "string", "category"),
    ]
    sales += [_field("amount", "decimal", "measure"), _field("quantity", "integer", "measure")]
    datasets = [
        dataset("sales", sales, primary_key=["sale_id"], time="sold_at", row_count=rows),
        dataset(
            "customers",
            [key("customer_id"), key("region_id"), _field("name", "string", "name")],
            kind="dimension",
            primary_key=["customer_id"],
        ),
        dataset("regions", [key("region_id"), _field("region", "string", "category")], kind="dimension", primary_key=["region_id"]),
        dataset("products", [key("product_id"), _field("category", "string", "category")], kind="dimension", primary_key=["product_id"]),
    ]
    simple = {"type": "simple", "dataset": "sales"}
    metrics = [
        {**simple, "name": "revenue", "label": "Revenue", "aggregate": "sum", "of": _ref("sales.amount")},
        {**simple, "name": "orders", "label": "Orders", "aggregate": "count"},
        {"type": "ratio", "name": "average", "label": "Average order value", "numerator": "revenue", "denominator": "orders"},
    ]
    relations = [
        relation("sales", "customers", "customer_id"),
        relation("sales", "products", "product_id"),
        relation("customers", "regions", "region_id"),
    ]
    return Catalog.model_validate(
        {"datasets": datasets, "relationships": relations, "metrics": metrics, "calendar": {"time_zone": "Europe/Berlin"}}
    )


def bench_queries() -> dict[str, SemanticQuery]:
    def metric(name: str) -> dict[str, Any]:
        return {"kind": "metric", "metric": name}

    def by(name: str) -> dict[str, Any]:
        return {"kind": "field", "field": _ref(name)}

    year = {"window": {"kind": "calendar", "unit": "year"}}
    month = {"kind": "time", "grain": "month", "fill": True}
    raw: dict[str, dict[str, Any]] = {
        "total": {"metrics": [metric("revenue")], "time": year},
        "by region": {"metrics": [metric("revenue")], "by": [by("regions.region")], "order": [{"target": "metric"}], "limit": 10},
        "by month": {"metrics": [metric("revenue"), metric("average")], "by": [month], "time": year},
        "against last year": {"metrics": [metric("revenue")], "by": [by("sales.channel")], "time": year, "compare": {"kind": "period", "to": "same_period_last_year"}},
        "filtered by two": {
            "metrics": [metric("orders")], "by": [by("products.category")], "time": year,
            "where": {"kind": "and", "items": [
                {"kind": "in", "field": _ref("sales.channel"), "values": ["web", "app"]},
                {"kind": "in", "field": _ref("regions.region"), "values": ["r1", "r2"]}]},
        },
        "top three per category": {
            "metrics": [metric("revenue")], "by": [by("products.category"), by("regions.region")], "order": [{"target": "metric"}], "limit_by": {"limit": 3},
        },
        "share": {"metrics": [metric("revenue")], "by": [by("products.category")], "transform": [{"kind": "share"}]},
        "customers who bought": {
            "rows_of": "customers", "fields": [{"expr": _ref("customers.name")}], "limit": 20,
            "where": {"kind": "has", "dataset": "sales", "where": {"kind": "in", "field": _ref("products.category"), "values": ["c1"]}},
        },
    }  # fmt: skip
    return {name: SemanticQuery.model_validate(query) for name, query in raw.items()}


def _ms(started: float) -> float:
    return (time.perf_counter() - started) * 1_000


def measure_kernel(repeat: int) -> dict[str, Any]:
    """Milliseconds of this process's CPU per stage over all queries: what a quiet core takes, also on a busy machine; `total_cold_wall` by the clock."""
    catalog, queries = bench_catalog(), bench_queries()
    names = ("resolve", "compile", "guard_verify_cold", "guard_verify_warm", "total_cold", "total_warm", "total_cold_wall")
    stages: dict[str, list[float]] = {name: [] for name in names}
    for query in queries.values():
        guard_compiled(compile_query(resolve(query, catalog, as_of=AS_OF)), catalog, CALLER)
    for _ in range(repeat):
        for query in queries.values():
            wall, marks = time.perf_counter(), [time.process_time()]
            resolved = resolve(query, catalog, as_of=AS_OF)
            marks.append(time.process_time())
            compiled = compile_query(resolved)
            marks.append(time.process_time())
            read_form.cache_clear()
            guard_compiled(compiled, catalog, CALLER)
            marks.append(time.process_time())
            wall = _ms(wall)
            guard_compiled(compiled, catalog, CALLER)
            marks.append(time.process_time())
            first, second, cold, warm = ((later - earlier) * 1_000 for earlier, later in pairwise(marks))
            taken = (first, second, cold, warm, first + second + cold, first + second + warm, wall)
            for name, value in zip(names, taken, strict=True):
                stages[name].append(value)
    return {
        name: {"p50_ms": round(statistics.median(v), 3), "p95_ms": round(statistics.quantiles(v, n=20)[18], 3)}
        for name, v in stages.items()
    }


def make_star(engine: Engine, rows: int) -> float:
    """Generates shared tables with one tenant's rows, so that guarded and bare queries read the same; gives seconds."""
    started = time.perf_counter()
    for statement in star_statements(rows):
        engine.run(statement)
    return time.perf_counter() - started


def star_statements(rows: int) -> list[str]:
    """SQL that makes the star schema with `rows` sales from 2021 to mid 2024."""
    tables = {
        "regions": ("region_id", "number AS region_id, concat('r', toString(number)) AS region", 20),
        "products": ("product_id", "number AS product_id, concat('c', toString(number % 12)) AS category", 2_000),
        "customers": (
            "customer_id",
            "number AS customer_id, number % 20 AS region_id, concat('customer ', toString(number)) AS name",
            100_000,
        ),
        "sales": (
            "sold_at",
            "number AS sale_id, cityHash64(number) % 100000 AS customer_id, cityHash64(number, 1) % 2000 AS product_id, "
            "toDateTime('2021-01-01 00:00:00', 'UTC') + toUInt32(number * 110000000. / {rows}) AS sold_at, "
            "['web', 'app', 'store'][cityHash64(number, 2) % 3 + 1] AS channel, "
            "toDecimal64(cityHash64(number, 3) % 100000, 2) / 100 AS amount, toUInt8(1 + cityHash64(number, 4) % 5) AS quantity",
            rows,
        ),
    }
    statements = ["DROP DATABASE IF EXISTS bench", "CREATE DATABASE bench"]
    for name, (order, columns, count) in tables.items():
        select = f"SELECT 'acme' AS tenant_id, {columns.replace('{rows}', str(rows))} FROM numbers({count})"
        statements.append(f"CREATE TABLE bench.{name} ENGINE = MergeTree ORDER BY (tenant_id, {order}) AS {select}")
    return statements


def measure_engine(engine: Engine, repeat: int, rows: int) -> dict[str, Any]:
    """Medians per query: guarded, bare (the compiled tree without tenant scoping), and the kernel's own time."""
    catalog, found = bench_catalog(rows), {}
    for name, query in bench_queries().items():
        own: list[float] = []
        guarded_ms: list[float] = []
        bare_ms: list[float] = []
        for _ in range(repeat):
            at = time.perf_counter()
            compiled = compile_query(resolve(query, catalog, as_of=AS_OF))
            guarded = guard_compiled(compiled, catalog, CALLER)
            own.append(_ms(at))
            guarded_ms.append(_run(engine, guarded.sql, guarded))
            bare_ms.append(_run(engine, compiled.tree.sql("clickhouse"), compiled))
        middle = [statistics.median(values) for values in (own, guarded_ms, bare_ms)]
        found[name] = {"kernel_ms": round(middle[0], 2), "guarded_ms": round(middle[1], 1), "bare_ms": round(middle[2], 1)}
        found[name]["overhead_ms"] = round(middle[0] + middle[1] - middle[2], 1)
    return found


def _run(engine: Engine, sql: str, query: CompiledQuery | GuardedQuery) -> float:
    at = time.perf_counter()
    outcome = engine.ask(sql, query.params, {"join_use_nulls": 1, "max_threads": 2})
    took = _ms(at)
    if outcome.error:
        raise SystemExit(f"The engine refused a query: {outcome.error}\n{sql}")
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=100, help="runs of each query in the first half")
    parser.add_argument("--rows", default="", help="comma-separated sizes of the sales table; empty: first half only")
    parser.add_argument("--engine-repeat", type=int, default=5, help="runs of each query on the engine")
    arguments = parser.parse_args()
    figures: dict[str, Any] = {"kernel": measure_kernel(arguments.repeat)}
    sizes = [int(size) for size in arguments.rows.split(",") if size]
    if sizes:
        with tempfile.TemporaryDirectory() as folder:
            engine = Engine(Path(folder))
            for rows in sizes:
                made_s = make_star(engine, rows)
                queries = measure_engine(engine, arguments.engine_repeat, rows)
                overhead = statistics.median(query["overhead_ms"] for query in queries.values())
                figures[f"rows_{rows}"] = {"made_s": round(made_s, 1), "overhead_p50_ms": round(overhead, 1), "queries": queries}
                print(f"{rows} rows: made in {made_s:.1f} s, guard and kernel add {overhead:.1f} ms (median)", flush=True)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
