"""Makes the demo: tables, tenants, logins, catalogs. Doing it again keeps what people made of it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

from core.errors import NotFound
from core.ids import TenantId
from core.store import catalogs, tenants, users
from core.store.store import Store
from core.store.users import NewUser
from workers.demo.catalog import demo_catalog
from workers.demo.load import Admin, load_demo
from workers.demo.people import DEMO_PASSWORD, people
from workers.demo.span import Span
from workers.demo.world import WORLDS, World
from workers.principals import SYSTEM_USER


def demo_end(now: dt.datetime) -> dt.date:
    """The last day of the demo's data: yesterday."""
    return now.date() - dt.timedelta(days=1)


def load_if_stale(admin: Admin, state: Path, now: dt.datetime, on_progress: Callable[[str, int], None]) -> int:
    """Generates and loads the facts unless they reach to yesterday already; rows loaded. `state` remembers what was planted when."""
    known = json.loads(state.read_text()) if state.exists() else {}
    end = demo_end(now)
    if known.get("end") == end.isoformat():
        return 0
    anchor = dt.date.fromisoformat(known["anchor"]) if known else end
    span = Span.ending(end, anchor)
    rows = load_demo(admin, tuple((world, span) for world in WORLDS), on_progress)
    draft = state.with_suffix(".new")
    draft.write_text(json.dumps({"anchor": anchor.isoformat(), "end": end.isoformat()}))
    draft.replace(state)
    return rows


def ensure_people_and_catalogs(store: Store, now: dt.datetime) -> tuple[World, ...]:
    """Makes tenants, users and first catalog versions that are missing; the companies that had no catalog."""
    new_worlds = []
    for world in WORLDS:
        _ensure_tenant(store, world, now)
        with store.write() as connection:
            if catalogs.current_version(connection, world.tenant) == 0:
                document = demo_catalog(world).model_dump(mode="json")
                new = catalogs.NewCatalog(document=document, author=SYSTEM_USER, note="Demo catalog", expected_version=0)
                catalogs.append(connection, world.tenant, new, now=now)
                new_worlds.append(world)
            for person in people(world):
                if users.by_email(connection, world.tenant, person.email) is None:
                    made = NewUser(person.email, person.display_name, frozenset(person.roles), DEMO_PASSWORD, person.attributes)
                    users.create(connection, world.tenant, made, now=now)
    return tuple(new_worlds)


def _ensure_tenant(store: Store, world: World, now: dt.datetime) -> None:
    with store.write() as connection:
        try:
            tenants.get(connection, TenantId(world.tenant))
        except NotFound:
            tenants.create(connection, world.tenant, name=world.company, now=now)
