"""How long a question takes from its text to its answer, above the bare query.

    python -m benchmarks.ask [--rows 1000000,10000000] [--repeat 5]

Starts the embedded warehouse in a process of its own, makes the star schema of `benchmarks.kernel` in it, and asks questions through
`api.answering.ask` in this process: understanding, kernel, cache, HTTP client, chart, headline, receipt, log. Each question alternates with
hand-written SQL of the same meaning over the same HTTP client:

- `cold`: the first question of a process (no data version known, no result kept); `new`: a question nobody asked before; `kept`: asked before.
- `above_ms`: the median of a question minus the median of its bare query. `kernel` compiled some of them to faster SQL, so it can be negative.

`own_cpu_ms` is what an answer to a new question took of this process's CPU, which says more than the clock on a busy machine.

`too_expensive`: questions that went over the time or memory of an analyst's role, left out of the figures.

`alone` is the same on 1,000 rows, where the query itself costs nothing: what everything around the query takes. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import logging
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog
from pydantic import SecretStr

from api import answering, schemas
from api.services import Services
from benchmarks.kernel import bench_catalog, star_statements
from core.clock import SystemClock
from core.errors import QueryTooExpensive
from core.ids import TenantId, UserId
from core.principal import Principal, Role
from core.settings import Settings
from core.store import catalogs, tenants, users
from core.store.users import NewUser
from semantic.cache import CachedWarehouse, MemoryStore
from semantic.warehouse.connection import read_address
from workers.bootstrap import Services as CoreServices

ACME = TenantId("acme")
AS_OF = dt.date(2024, 6, 15)
_YEAR = "s.sold_at >= '2023-12-31 23:00:00' AND s.sold_at < '2024-12-31 23:00:00'"
_LAST = "s.sold_at >= '2022-12-31 23:00:00' AND s.sold_at < '2023-12-31 23:00:00'"
_SALES = "FROM bench.sales AS s WHERE s.tenant_id = 'acme'"
_JOINED = (
    "FROM bench.sales AS s LEFT JOIN bench.customers AS c ON s.customer_id = c.customer_id LEFT JOIN bench.regions AS r ON c.region_id = r.region_id "
    "LEFT JOIN bench.products AS p ON s.product_id = p.product_id WHERE s.tenant_id = 'acme'"
)
QUESTIONS = {
    "total revenue": f"SELECT sum(s.amount) {_SALES}",
    "revenue this year": f"SELECT sum(s.amount) {_SALES} AND {_YEAR}",
    "orders by channel": f"SELECT s.channel, count() {_SALES} GROUP BY s.channel",
    "revenue by month this year": f"SELECT toStartOfMonth(s.sold_at, 'Europe/Berlin') AS m, sum(s.amount) {_SALES} AND {_YEAR} GROUP BY m ORDER BY m",
    "average order value by channel": f"SELECT s.channel, sum(s.amount) / count() {_SALES} GROUP BY s.channel",
    "revenue by region": f"SELECT r.region, sum(s.amount) {_JOINED} GROUP BY r.region",
    "top 3 categories by revenue": f"SELECT p.category, sum(s.amount) AS v {_JOINED} GROUP BY p.category ORDER BY v DESC LIMIT 3",
    "revenue this year compared to last year": f"SELECT sumIf(s.amount, {_YEAR}), sumIf(s.amount, {_LAST}) {_SALES} AND s.sold_at >= '2022-12-31 23:00:00'",
    "orders by region and category": f"SELECT r.region, p.category, count() {_JOINED} GROUP BY r.region, p.category",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="1000000", help="comma-separated sizes of the sales table")
    parser.add_argument("--repeat", type=int, default=5, help="times each question is asked")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, _warehouse(Path(folder)) as settings:
        core = CoreServices(settings, SystemClock())
        core.migrate()
        for size in (1_000, *(int(size) for size in arguments.rows.split(",") if size)):
            started = time.perf_counter()
            for statement in star_statements(size):
                core.admin.execute(statement, settings={"max_execution_time": 0})
            made_s = time.perf_counter() - started
            found = asyncio.run(_measure(core, size, arguments.repeat))
            figures["alone" if size == 1_000 else f"rows_{size}"] = {"made_s": round(made_s, 1), **found}
            above = {name: found[name]["above_p50_ms"] for name in ("cold", "new", "kept") if name in found}
            print(f"{size} rows: made in {made_s:.1f} s; above the bare query (p50): {above}", flush=True)
        core.close()
    print(json.dumps(figures))


@contextmanager
def _warehouse(folder: Path) -> Iterator[Settings]:
    """Settings of an installation in `folder` whose warehouse runs in a process of its own."""
    admin, reader = secrets.token_hex(16), secrets.token_hex(16)
    environment = {**os.environ, "QUERENT_WAREHOUSE_ADMIN_PASSWORD": admin, "QUERENT_WAREHOUSE_PASSWORD": reader}
    data = folder / "warehouse"
    data.mkdir()
    process = subprocess.Popen([sys.executable, "-m", "semantic.warehouse", "--data", str(data), "--port", "0"], env=environment)
    try:
        deadline = time.monotonic() + 60
        while (address := read_address(data)) is None or address.pid != process.pid:
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("The warehouse did not start; its messages are above.")
            time.sleep(0.05)
        yield Settings(
            home=folder,
            mlflow_root=folder / "mlruns",
            warehouse_url=address.url,
            warehouse_password=SecretStr(reader),
            warehouse_admin_password=SecretStr(admin),
        )
    finally:
        process.terminate()
        process.wait(timeout=30)


def _caller(core: CoreServices, rows: int) -> Principal:
    """An analyst of a tenant whose current catalog counts `rows` sales."""
    now = core.clock.now()
    with core.store.write() as connection:
        if not tenants.exists(connection, ACME):
            tenants.create(connection, ACME, name="Acme", now=now)
        version = catalogs.current_version(connection, ACME)
        document = bench_catalog(rows).model_dump(mode="json")
        catalogs.append(
            connection, ACME, catalogs.NewCatalog(document=document, author=UserId("bench"), note="", expected_version=version), now=now
        )
        known = users.by_email(connection, ACME, "bench@acme.example")
        made = NewUser("bench@acme.example", "Bench", frozenset({Role.ANALYST}))
        return (known or users.create(connection, ACME, made, now=now)).principal()


async def _measure(core: CoreServices, rows: int, repeat: int) -> dict[str, Any]:
    services, caller = Services(core), _caller(core, rows)
    taken: dict[str, dict[str, list[float]]] = {q: {"cold": [], "new": [], "kept": [], "bare": []} for q in QUESTIONS}
    understood: list[float] = []
    own_cpu: list[float] = []
    for round_ in range(repeat + 1):
        for question in list(taken):
            times = {}
            for kind in ("cold", "new", "kept"):
                if kind == "cold":
                    core.__dict__["results"] = CachedWarehouse(core.warehouse, MemoryStore(), version_max_age_s=0)
                elif kind == "new":
                    core.results._store = MemoryStore()
                started, cpu = time.perf_counter(), time.process_time()
                try:
                    answer = await answering.ask(services, caller, schemas.AskRequest(question=question, as_of=AS_OF))
                except QueryTooExpensive:
                    taken.pop(question)
                    break
                times[kind] = (time.perf_counter() - started) * 1_000
                if kind == "new" and round_:
                    own_cpu.append((time.process_time() - cpu) * 1_000)
                if answer.outcome != "answer":
                    raise SystemExit(f"{question!r} was not answered but: {answer.outcome} {answer.message}")
            if question not in taken:
                continue
            started = time.perf_counter()
            await asyncio.to_thread(core.admin.query_arrow, QUESTIONS[question])
            times["bare"] = (time.perf_counter() - started) * 1_000
            if round_:
                understood.append(answer.understanding_ms or 0.0)
                for kind, value in times.items():
                    taken[question][kind].append(value)
    await services.close()
    return {"own_cpu_p50_ms": round(statistics.median(own_cpu or [0.0]), 1), **_figures(taken, understood)}


def _figures(taken: dict[str, dict[str, list[float]]], understood: list[float]) -> dict[str, Any]:
    middle = {question: {kind: statistics.median(values) for kind, values in kinds.items()} for question, kinds in taken.items()}
    if not taken:
        return {"too_expensive": list(QUESTIONS)}
    figures: dict[str, Any] = {
        "too_expensive": [q for q in QUESTIONS if q not in taken],
        "understanding_p50_ms": round(statistics.median(understood), 2),
    }
    for kind in ("cold", "new", "kept"):
        every = [value for kinds in taken.values() for value in kinds[kind]]
        above = [times[kind] - times["bare"] for times in middle.values()]
        figures[kind] = {
            "p50_ms": round(statistics.median(every), 1),
            "p95_ms": round(statistics.quantiles(every, n=20)[18], 1),
            "above_p50_ms": round(statistics.median(above), 1),
            "above_max_ms": round(max(above), 1),
        }
    figures["questions"] = {question: {kind: round(value, 1) for kind, value in times.items()} for question, times in middle.items()}
    return figures


if __name__ == "__main__":
    main()
