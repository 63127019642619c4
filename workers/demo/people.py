"""The demo's logins: five roles in each company. Passwords are printed by `make demo`; they open invented data only."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.ids import TenantId
from core.principal import Role
from workers.demo.world import World

DEMO_PASSWORD = "querent-demo-1"


@dataclass(frozen=True, slots=True)
class Person:
    tenant: TenantId
    email: str
    display_name: str
    roles: tuple[Role, ...]
    attributes: dict[str, tuple[str, ...]] = field(default_factory=dict)


def people(world: World) -> tuple[Person, ...]:
    """An executive, a manager limited to one region, an analyst, a data scientist and an admin."""
    tenant = world.tenant
    region = world.countries[0].region
    return (
        Person(tenant, f"executive@{tenant}.example", "Erin Executive", (Role.EXECUTIVE,)),
        Person(tenant, f"manager@{tenant}.example", "Max Manager", (Role.MANAGER,), {"regions": (region,)}),
        Person(tenant, f"analyst@{tenant}.example", "Ana Analyst", (Role.ANALYST,)),
        Person(tenant, f"scientist@{tenant}.example", "Sam Scientist", (Role.DATA_SCIENTIST,)),
        Person(tenant, f"admin@{tenant}.example", "Ada Admin", (Role.ADMIN,)),
    )
