"""Attack and accept lists against the guard, on a real engine: `python -m benchmarks.guard --attacks FILE --accept FILE`.

An attack must be refused, or be harmless: the answer is the same whether the other tenant's rows exist or not and holds none of their marks.
An accepted line must give what the same SQL gives on a database with the caller's rows only. Both tenancy layouts are measured.
An attack whose class does not start with `G-` must be refused in any case.
Prints one JSON line of figures last; exits 1 on any leak, attack let through, wrong answer, or accept line refused.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.chdb_engine import Engine, Outcome
from core.errors import UserError
from core.ids import TenantId, UserId, tenant_database
from core.principal import Principal, Role
from semantic.catalog.model import Catalog, CatalogField, Dataset, FieldRole, FieldType
from semantic.limits import MEANING_SETTINGS
from semantic.pipeline import guard_sql
from semantic.states import GuardedQuery

CALLER, OTHER = TenantId("acme"), TenantId("globex")
DATABASE = "analytics"
# Tricks around the tenant predicate may be answered, if harmless; every other class must be refused.
MAY_BE_HARMLESS = "G-"
MARKS = ("globex", "Globex", "ZZ-", "98765")

# column -> (ClickHouse type, expression over `number`; {t} is the tenant, {o} is 0 for the caller and 1 for the other tenant).
TABLES: dict[str, dict[str, tuple[str, str]]] = {
    "orders": {
        "order_id": ("UInt64", "number + {o} * 9876500000"),
        "customer_id": ("UInt64", "number % 40 + {o} * 9876500000"),
        "product_id": ("UInt64", "number % 12 + {o} * 9876500000"),
        "order_date": ("Date", "toDate('2023-01-01') + number % 900"),
        "created_at": ("DateTime", "toDateTime('2023-01-01 00:00:00', 'UTC') + number * 5000"),
        "region": ("String", "if({o}, concat('ZZ-', toString(number % 3)), ['NA', 'EU', 'APAC', 'LATAM'][number % 4 + 1])"),
        "status": ("String", "['paid', 'paid', 'refunded', 'cancelled'][number % 4 + 1]"),
        "revenue": ("Float64", "(number * 37 % 900) / 4 + {o} * 9876500000"),
        "quantity": ("UInt32", "number % 7 + 1"),
    },
    "customers": {
        "customer_id": ("UInt64", "number + {o} * 9876500000"),
        "name": ("String", "concat('{t} customer ', toString(number))"),
        "email": ("String", "concat('c', toString(number), '@{t}.example')"),
        "segment": ("String", "if({o}, 'ZZ-s', ['smb', 'mid', 'enterprise'][number % 3 + 1])"),
        "country": ("String", "if({o}, 'ZZ-c', ['US', 'DE', 'JP'][number % 3 + 1])"),
        "created_at": ("DateTime", "toDateTime('2022-01-01 00:00:00', 'UTC') + number * 86400"),
    },
    "products": {
        "product_id": ("UInt64", "number + {o} * 9876500000"),
        "name": ("String", "concat('{t} product ', toString(number))"),
        "category": ("String", "if({o}, 'ZZ-p', ['toys', 'books', 'food'][number % 3 + 1])"),
        "price": ("Float64", "number * 1.5 + 1 + {o} * 9876500000"),
    },
}
ROWS = {"orders": 4_000, "customers": 60, "products": 12}
_TYPES = {
    "UInt64": FieldType.INTEGER,
    "UInt32": FieldType.INTEGER,
    "Float64": FieldType.FLOAT,
    "Date": FieldType.DATE,
    "DateTime": FieldType.DATETIME,
    "String": FieldType.STRING,
}


@dataclass(frozen=True, slots=True)
class Layout:
    """Shared tables with a tenant column, or a database per tenant."""

    name: str
    shared: bool

    def database(self, tenant: TenantId) -> str:
        return DATABASE if self.shared else tenant_database(tenant)

    def sql(self, line: str) -> str:
        """The line as a caller would write it in this layout."""
        return line if self.shared else line.replace(f"{DATABASE}.", f"{self.database(CALLER)}.")

    def catalog(self, tenant: TenantId) -> Catalog:
        datasets = tuple(
            Dataset(
                name=table,
                database=self.database(tenant),
                table=table,
                label=table,
                tenant_column="tenant_id" if self.shared else None,
                fields=tuple(
                    CatalogField(name=name, column=name, type=_TYPES[kind], role=FieldRole.ATTRIBUTE, label=name)
                    for name, (kind, _) in columns.items()
                ),
            )
            for table, columns in TABLES.items()
        )
        return Catalog(datasets=datasets)


LAYOUTS = (Layout("tenant_column", True), Layout("database_per_tenant", False))


@dataclass(slots=True)
class Figures:
    refused: int = 0
    harmless: int = 0
    leaking: list[str] = field(default_factory=list)
    let_through: list[str] = field(default_factory=list)
    right: int = 0
    wrong: list[str] = field(default_factory=list)
    not_accepted: list[str] = field(default_factory=list)
    guard_ms: list[float] = field(default_factory=list)


def load(engine: Engine, layout: Layout, tenants: tuple[TenantId, ...]) -> None:
    """The three tables with these tenants' rows and no others."""
    for database in {layout.database(t) for t in (CALLER, OTHER)}:
        engine.run(f"CREATE DATABASE IF NOT EXISTS {database}")
        for table, columns in TABLES.items():
            engine.run(f"DROP TABLE IF EXISTS {database}.{table}")
            definition = ", ".join(["tenant_id String", *(f"{name} {kind}" for name, (kind, _) in columns.items())])
            engine.run(f"CREATE TABLE {database}.{table} ({definition}) ENGINE = MergeTree ORDER BY (tenant_id, {next(iter(columns))})")
    for tenant in tenants:
        for table, columns in TABLES.items():
            values = ", ".join(f"{expression}".format(t=tenant, o=int(tenant == OTHER)) for _, expression in columns.values())
            engine.run(f"INSERT INTO {layout.database(tenant)}.{table} SELECT '{tenant}', {values} FROM numbers({ROWS[table]})")


def read_attacks(path: Path) -> Iterator[tuple[str, str]]:
    """SQL and class; the class follows the last `##` of the line."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            sql, mark, kind = line.rpartition("  ## ")
            yield (sql, kind) if mark else (line, "")


def read_accept(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")]


def measure(engine: Engine, layout: Layout, attacks: list[tuple[str, str]], accept: list[str]) -> Figures:
    figures = Figures()
    principal = Principal(CALLER, UserId("attacker"), frozenset({Role.ANALYST}))
    catalog = layout.catalog(CALLER)
    passed: list[tuple[str, GuardedQuery]] = []
    for sql, kind in attacks:
        try:
            passed.append((f"{kind}: {sql}", guard_sql(layout.sql(sql), catalog, principal)))
            if not kind.startswith(MAY_BE_HARMLESS):
                figures.let_through.append(f"{kind}: {sql}")
        except UserError:
            figures.refused += 1
    allowed: list[tuple[str, GuardedQuery]] = []
    for line in accept:
        started = time.thread_time()
        try:
            allowed.append((line, guard_sql(layout.sql(line), catalog, principal)))
        except UserError as error:
            figures.not_accepted.append(f"{line}: {error.message}")
        figures.guard_ms.append((time.thread_time() - started) * 1e3)

    load(engine, layout, (CALLER, OTHER))
    both = {label: engine.ask_guarded(query) for label, query in (*passed, *allowed)}
    load(engine, layout, (CALLER,))
    for label, query in passed:
        if both[label].same_as(engine.ask_guarded(query)) and not both[label].mentions(MARKS):
            figures.harmless += 1
        else:
            figures.leaking.append(label)
    for line, _ in allowed:
        expected: Outcome = engine.ask(layout.sql(line).rstrip("; "), settings=MEANING_SETTINGS)
        if both[line].same_as(expected) and not expected.error:
            figures.right += 1
        else:
            figures.wrong.append(f"{line}: expected {expected}, found {both[line]}"[:500])
    return figures


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--attacks", type=Path, required=True)
    parser.add_argument("--accept", type=Path, required=True)
    chosen = parser.parse_args(argv)
    attacks, accept = list(read_attacks(chosen.attacks)), read_accept(chosen.accept)
    started = time.perf_counter()
    results: dict[str, Figures] = {}
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(Path(folder))
        for layout in LAYOUTS:
            results[layout.name] = measure(engine, layout, attacks, accept)
        engine.close()
    for name, figures in results.items():
        for what in ("leaking", "let_through", "wrong", "not_accepted"):
            for line in getattr(figures, what):
                print(f"{name} {what}: {line}")
    print(json.dumps(_summary(results, len(attacks), len(accept), time.perf_counter() - started)))
    return int(any(f.leaking or f.let_through or f.wrong or f.not_accepted for f in results.values()))


def _summary(results: dict[str, Figures], attacks: int, accept: int, wall_s: float) -> dict[str, object]:
    layouts = {
        name: {
            "attacks_refused": f.refused,
            "attacks_harmless": f.harmless,
            "attacks_leaking": len(f.leaking),
            "attacks_let_through": len(f.let_through),
            "accept_right": f.right,
            "accept_wrong": len(f.wrong),
            "accept_refused": len(f.not_accepted),
            "guard_cpu_p50_ms": round(statistics.median(f.guard_ms), 3) if f.guard_ms else None,
        }
        for name, f in results.items()
    }
    return {"benchmark": "guard", "attacks": attacks, "accept": accept, "layouts": layouts, "wall_s": round(wall_s, 2)}


if __name__ == "__main__":
    sys.exit(main())
