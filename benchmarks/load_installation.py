"""An installation for the load runner: PostgreSQL, Redis, the warehouse with so many rows, one API process, and people with keys of their own."""

from __future__ import annotations

import datetime as dt
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.chaos_parts import Part, postgresql_part, querent_parts, redis_part
from core.ids import TenantId
from core.principal import Role
from core.settings import Settings
from core.store import api_keys, users
from core.store.users import NewUser
from semantic.warehouse.admin import WarehouseAdmin
from workers.bootstrap import Services, build_services
from workers.demo.load import DATABASE, load_demo
from workers.demo.setup import demo_end, ensure_people_and_catalogs
from workers.demo.span import Span
from workers.demo.world import WORLDS

# What copies of the generated rows are told apart by: they count as further orders of the same customers.
_NUMBERED = {"orders": ("order_id",), "order_lines": ("order_id",), "refunds": ("refund_id", "order_id")}
_COPY_STEP = 1_000_000_000


@dataclass
class Installation:
    """url: the API's. parts: by name. keys: authorization headers of people, by company. rows: in the warehouse."""

    url: str
    parts: dict[str, Part]
    keys: dict[str, list[dict[str, str]]]
    rows: int


def start(folder: Path, rows: int, people: dict[str, int], started: list[Part]) -> Installation:
    """people: how many of each company; limits are those of an installation that sets none. Raises: RuntimeError when a part does not start."""
    broker, broker_url = redis_part(folder)
    database, state_url = postgresql_part(folder)
    environment, url, (warehouse, *_, api) = querent_parts(folder, state_url, broker_url, workers=0, limited=True)
    for part in (broker, database, warehouse):
        started.append(part)
        part.start()
    os.environ.update({name: value for name, value in environment.items() if name.startswith("QUERENT_")})
    services = build_services(Settings())
    services.migrate()
    now = services.clock.now()
    span = Span.ending(demo_end(now))
    loaded = load_demo(services.admin, tuple((world, span) for world in WORLDS))
    loaded = _grow(services.admin, loaded, rows)
    ensure_people_and_catalogs(services.store, now)
    keys = {company: _people(services, TenantId(company), count, now) for company, count in people.items()}
    services.close()
    started.append(api)
    api.start()
    parts = {"api": api, "warehouse": warehouse, "postgresql": database}
    return Installation(url, parts, keys, loaded)


def _grow(admin: WarehouseAdmin, loaded: int, wanted: int) -> int:
    """Copies the facts within the engine until there are so many rows; how many there are."""
    number = 0
    while loaded < wanted:
        number += 1
        for table, ids in _NUMBERED.items():
            chosen = ", ".join(f"{name} + {number * _COPY_STEP} AS {name}" for name in ids)
            name, generated = f"{DATABASE}.{table}", f"{ids[0]} < {_COPY_STEP}"
            admin.execute(f"INSERT INTO {name} SELECT * REPLACE ({chosen}) FROM {name} WHERE {generated}")
            loaded += int(admin.query_arrow(f"SELECT count() FROM {name} WHERE {generated}").column(0)[0].as_py())
        print(f"{loaded:,} rows", file=sys.stderr, flush=True)
    for table in _NUMBERED:
        admin.execute(f"OPTIMIZE TABLE {DATABASE}.{table} FINAL")
    return loaded


def _people(services: Services, tenant: TenantId, count: int, now: dt.datetime) -> list[dict[str, str]]:
    """People without a password, as a directory makes them, each with an API key."""
    found = []
    with services.store.write() as connection:
        for number in range(count):
            new = NewUser(f"person{number}@{tenant}.example", f"Person {number}", frozenset({Role.EXECUTIVE}))
            person = users.create(connection, tenant, new, now=now)
            _, text = api_keys.create(connection, tenant, person.id, name="load", now=now)
            found.append({"Authorization": f"Bearer {text}"})
    return found
