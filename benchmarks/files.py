"""A user's own file, from load to answers: `python -m benchmarks.files --file FILE --questions YAML`.

Loads the file into a fresh embedded warehouse, infers the catalog with no hand work, asks every question through the whole pipeline and
compares with SQL written by hand. Prints one JSON line of figures last; exits with 1 when a shown answer is wrong.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import logging
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import structlog
import yaml
from pydantic import SecretStr

from core.errors import AppError
from core.ids import TenantId, UserId, tenant_database
from core.principal import Principal, Role
from nlq.understand import Understander
from semantic.catalog.infer import SqlProbe, infer_catalog, schema_from_clickhouse
from semantic.compile import compile_query
from semantic.ingest import load_files
from semantic.pipeline import guard_compiled
from semantic.resolve import resolve
from semantic.values import build_value_index
from semantic.warehouse.admin import WarehouseAdmin
from semantic.warehouse.client import SyncWarehouse
from semantic.warehouse.connection import ADMIN_USER, READER_USER, Connection, read_address
from tests.questions.match import matches

TENANT = TenantId("files")
START_WITHIN_S = 60


class Stack:
    """An embedded warehouse of its own, with both clients."""

    def __init__(self, folder: Path) -> None:
        tokens = secrets.token_hex(16), secrets.token_hex(16)
        environment = {**os.environ, "QUERENT_WAREHOUSE_ADMIN_PASSWORD": tokens[0], "QUERENT_WAREHOUSE_PASSWORD": tokens[1]}
        command = [sys.executable, "-m", "semantic.warehouse", "--data", str(folder), "--port", "0"]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + START_WITHIN_S
        while (address := read_address(folder)) is None:
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise SystemExit("the embedded warehouse did not start")
            time.sleep(0.05)
        self.admin = WarehouseAdmin(Connection(address.url, ADMIN_USER, SecretStr(tokens[0])))
        self.reader = SyncWarehouse(Connection(address.url, READER_USER, SecretStr(tokens[1])))

    def close(self) -> None:
        self.admin.close()
        self.reader.close()
        self.process.terminate()
        self.process.wait(30)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--questions", type=Path, required=True)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder) / "warehouse")
        try:
            figures = measure(stack, options.file, yaml.safe_load(options.questions.read_text(encoding="utf-8")))
        finally:
            stack.close()
    print(json.dumps(figures, ensure_ascii=False))
    return 1 if figures["wrong"] else 0


def measure(stack: Stack, file: Path, document: dict[str, Any]) -> dict[str, Any]:
    started_s = time.perf_counter()
    report = load_files([file], TENANT, stack.admin)
    loaded_s = time.perf_counter()
    database = tenant_database(TENANT)
    catalog = infer_catalog(schema_from_clickhouse(stack.admin.query_arrow, database), SqlProbe(stack.admin.query_arrow, database)).catalog
    understander = Understander(catalog, build_value_index(catalog, stack.admin.query_arrow, TENANT))
    inferred_s = time.perf_counter()
    as_of = dt.datetime.combine(document["as_of"], dt.time(12), tzinfo=dt.UTC)
    table = f"{database}.{report.tables[0].table}"
    said = {"right": 0, "wrong": 0, "abstained": 0}
    for case in document["questions"]:
        verdict = ask(stack, understander, case, as_of, table)
        said[verdict] += 1
        if verdict != "right":
            print(f"{verdict}: {case['q']}")
    return {
        "file": file.name, "rows": report.rows_loaded, "set_aside": report.rows_rejected, "questions": len(document["questions"]), **said,
        "load_s": round(loaded_s - started_s, 2), "infer_s": round(inferred_s - loaded_s, 2),
    }  # fmt: skip


def ask(stack: Stack, understander: Understander, case: dict[str, Any], as_of: dt.datetime, table: str) -> str:
    understood = understander.understand(case["q"], as_of=as_of)
    if "outcome_any" in case:
        return "right" if understood.outcome in case["outcome_any"] else "wrong"
    if understood.outcome != "answer":
        return "abstained"
    principal = Principal(TENANT, UserId("benchmark"), frozenset({Role.ANALYST}))
    try:
        compiled = compile_query(resolve(understood.readings[0].query, understander.catalog, as_of=as_of))
        rows = stack.reader.run(guard_compiled(compiled, understander.catalog, principal)).rows()
    except AppError:
        return "abstained"
    expected = stack.admin.query_arrow(re.sub(r"\bFROM t\b", f"FROM {table} AS t", case["sql"]))
    wanted = [list(row) for row in zip(*(c.to_pylist() for c in expected.columns), strict=True)]
    return "right" if matches(wanted, rows, ordered=bool(case.get("ordered"))) else "wrong"


if __name__ == "__main__":
    sys.exit(main())
