"""What one core of the embedded engine does: `python -m benchmarks.engine_rates --rows 20000000`.

Rows inserted, scanned and grouped per second of processor time (not of the clock, so that a busy machine measures the same), and bytes on
disk per row, on an event table with seven columns as a company would have it. Needs the engine's library and a temporary folder, nothing
else. The last line is JSON; docs/sizing.md works with these figures.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from typing import Any

_MADE = (
    "SELECT toDateTime('2025-01-01') + intDiv(number * 31536000, {n}) AS at, toLowCardinality(concat('t', toString(rand(1) % 50))) AS tenant_id, "
    "toLowCardinality(concat('c', toString(rand(2) % 60))) AS country, toLowCardinality(concat('p', toString(rand(3) % 2000))) AS product, "
    "toUInt64(rand(4) % 5000000) AS user_id, toDecimal64(rand(5) % 100000 / 100, 2) AS amount, toUInt16(1 + rand(6) % 9) AS quantity FROM numbers({n})"
)
_QUERIES = {
    "sum": "SELECT sum(amount) FROM t.events",
    "group_by_country_and_month": "SELECT country, toStartOfMonth(at) AS m, sum(amount), count() FROM t.events GROUP BY country, m",
    "group_by_product": "SELECT product, sum(amount) AS s FROM t.events GROUP BY product ORDER BY s DESC LIMIT 10",
    "distinct_users": "SELECT uniqExact(user_id) FROM t.events",
    "one_tenant_one_month": "SELECT country, sum(amount) FROM t.events WHERE tenant_id = 't7' AND at >= '2025-06-01' AND at < '2025-07-01' GROUP BY country",
}


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def spent(engine: Any, sql: str) -> tuple[float, float]:
    """(processor seconds, seconds) of one statement."""
    before, started = cpu_s(), time.perf_counter()
    engine.query(sql, "Null")
    return cpu_s() - before, time.perf_counter() - started


def measure(rows: int) -> dict[str, Any]:
    from chdb.session import Session

    with tempfile.TemporaryDirectory() as folder:
        engine = Session(folder)
        engine.query("CREATE DATABASE t")
        made = _MADE.format(n=rows)
        engine.query(
            f"CREATE TABLE t.events ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY (tenant_id, at) EMPTY AS {_MADE.format(n=1)}",
            "Null",
        )
        generating, _ = spent(engine, made)
        inserting, _ = spent(engine, f"INSERT INTO t.events {made}")
        merging, _ = spent(engine, "OPTIMIZE TABLE t.events FINAL")
        size = engine.query(
            "SELECT sum(data_compressed_bytes), sum(data_uncompressed_bytes) FROM system.parts WHERE active AND database = 't'", "CSV"
        )
        compressed, raw = map(int, str(size).strip().split(","))
        figures: dict[str, Any] = {
            "rows": rows,
            "raw_bytes_per_row": round(raw / rows, 1),
            "disk_bytes_per_row": round(compressed / rows, 1),
            "insert_rows_per_core_s": round(rows / max(inserting - generating, 0.01)),
            "insert_and_merge_rows_per_core_s": round(rows / max(inserting - generating + merging, 0.01)),
        }
        for name, sql in _QUERIES.items():
            engine.query(sql, "Null")
            cpu, wall = min(spent(engine, sql) for _ in range(3))
            figures[name] = {"rows_per_core_s": round(rows / cpu), "cpu_ms": round(cpu * 1000, 1), "ms": round(wall * 1000, 1)}
        engine.close()
        return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000_000)
    print(json.dumps(measure(parser.parse_args().rows)))


if __name__ == "__main__":
    main()
