"""A forecast of another person is shown to who sees the same of what it is made of; one that also tells of a driver is not."""

from __future__ import annotations

from dataclasses import fields, replace

from api.others_jobs import _same_figures, _sees_all
from core.ids import TenantId, UserId
from core.principal import Principal, Role
from core.store.jobs import Job
from workers.demo.catalog import demo_catalog
from workers.demo.world import WORLDS

CATALOG = demo_catalog(WORLDS[0])
MAKER, READER = (Principal(TenantId("acme"), UserId(f"usr_{role}"), frozenset({role}), {}) for role in (Role.EXECUTIVE, Role.VIEWER))
PLAIN = Job(**{f.name: None for f in fields(Job)} | {"kind": "forecast", "params": {"metric": "revenue"}, "user": MAKER.user})  # type: ignore[arg-type]


def test_a_what_if_is_not_for_who_sees_less_than_its_maker() -> None:
    what_if = replace(PLAIN, params=PLAIN.params | {"scenario": {"driver": "ad_spend", "change_percent": 10.0}})
    assert not _sees_all(READER, MAKER, CATALOG)
    assert _same_figures(READER, MAKER, CATALOG, PLAIN)
    assert not _same_figures(READER, MAKER, CATALOG, what_if)
