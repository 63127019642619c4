"""Personal data: what inference found is looked at by an analyst; questions that ask for what is above one's clearance are refused kindly."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.services import Services
from core.ids import TenantId
from core.principal import Role
from core.store import api_keys, catalogs, findings, tenants, users
from core.store.findings import ForecastEntry
from core.store.users import NewUser
from semantic.catalog.model import Catalog, SimpleMetric
from semantic.expr import FieldRef
from workers.principals import system_principal
from workers.queue import enqueue

VAULT = TenantId("vault")


@pytest.fixture(scope="module")
def keys(services: Services) -> dict[Role, dict[str, str]]:
    """Headers of people of a company of its own, whose catalog has a field that inference took for names."""
    now = services.clock.now()
    with services.store.write() as connection:
        tenants.create(connection, VAULT, name="Vault", now=now)
        known = Catalog.model_validate(catalogs.current(connection, TenantId("acme")).document)
        datasets = tuple(
            d.model_copy(
                update={"fields": tuple(f.model_copy(update={"personal": "name"} if f.name == "customer_name" else {}) for f in d.fields)}
            )
            for d in known.datasets
        )
        dataset = next(d.name for d in datasets if d.has_field("customer_name"))
        named = FieldRef(dataset=dataset, field="customer_name")
        metric = SimpleMetric(name="known_people", label="Known people", dataset=dataset, aggregate="count_distinct", of=named)
        changes = {"datasets": datasets, "column_rules": (), "metrics": (*known.metrics, metric)}
        document = known.model_copy(update=changes).model_dump(mode="json")
        kept = {}
        for role in (Role.ANALYST, Role.EXECUTIVE, Role.VIEWER):
            user = users.create(connection, VAULT, NewUser(f"{role.value}@vault.example", "", frozenset({role})), now=now)
            kept[role] = {"Authorization": "Bearer " + api_keys.create(connection, VAULT, user.id, name="k", now=now)[1]}
        catalogs.append(connection, VAULT, catalogs.NewCatalog(document=document, author=user.id), now=now)
    return kept


def test_an_analyst_decides_and_what_is_restricted_is_refused_kindly(client: TestClient, services: Services, keys: Any) -> None:
    path, question = "/v1/catalog/personal-data", {"question": "revenue by customer name last month"}
    found = client.get(path, headers=keys[Role.ANALYST]).json()
    first = found[0]
    assert (first["field"], first["kind"], first["proposed"], first["data_class"]) == ("customer_name", "name", "confidential", "internal")
    assert client.get(path, headers=keys[Role.VIEWER]).status_code == 403
    decision = {"dataset": first["dataset"], "field": "customer_name", "data_class": "restricted"}
    stale = client.post(path, json={"decisions": [decision], "expected_version": 0}, headers=keys[Role.ANALYST])
    assert stale.status_code == 409
    twice = client.post(path, json={"decisions": [decision, decision]}, headers=keys[Role.ANALYST])
    assert (twice.status_code, twice.json()["code"]) == (422, "decided_twice")
    assert client.post(path, json={"decisions": [{**decision, "field": "nope"}]}, headers=keys[Role.ANALYST]).status_code == 404

    before = client.post("/v1/ask", json=question, headers=keys[Role.EXECUTIVE]).json()
    assert "customer_name" in str(before["query"])
    job, by = enqueue(services.core, "scan", {}, system_principal(VAULT)), system_principal(VAULT).user
    made = ForecastEntry(job, "known_people", "day", 7, 1, "naive", None, 1, {"label": "Known people", "visibility": "all"}, by)
    with services.store.write() as connection:
        findings.put(connection, VAULT, made, now=services.clock.now())
    assert "known_people" in client.get("/v1/forecasts", headers=keys[Role.EXECUTIVE]).text
    assert client.post(path, json={"decisions": [decision]}, headers=keys[Role.ANALYST]).json() == {"version": 2}
    assert client.get("/v1/forecasts", headers=keys[Role.EXECUTIVE]).json()["items"] == []
    after = client.post("/v1/ask", json=question, headers=keys[Role.EXECUTIVE]).json()
    assert after["outcome"] == "refuse", after
    assert "your roles do not show" in after["message"]
    assert "customer_name" not in str(after["query"])
    assert "customer_name" not in client.get("/v1/catalog", headers=keys[Role.EXECUTIVE]).text
    assert all(one["field"] != "customer_name" for one in client.get(path, headers=keys[Role.ANALYST]).json())  # nobody is cleared for it
