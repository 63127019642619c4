"""Provisioning over SCIM 2.0, as a company's directory does it: with a key of one scope, over real connections."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi.testclient import TestClient

from api.app import create_app
from api.services import Services
from core.ids import TenantId
from core.principal import Role
from core.store import api_keys, audit, tenants, users
from core.store.users import NewUser
from workers.bootstrap import Services as CoreServices

CO = TenantId("dirco")
PATCH = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}


@pytest.fixture(scope="module")
def server(services: Services) -> Iterator[str]:
    config = uvicorn.Config(create_app(Services(CoreServices(services.settings, services.clock))), port=0, log_level="warning", ws="none")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}"
    running.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def admin_key(services: Services) -> str:
    now = services.clock.now()
    with services.store.write() as connection:
        tenants.create(connection, CO, name="Directory & Co", now=now)
        admin = users.create(connection, CO, NewUser("root@dirco.example", "", frozenset({Role.ADMIN})), now=now)
        return api_keys.create(connection, CO, admin.id, name="root", now=now)[1]


@pytest.fixture(scope="module")
def directory(server: str, admin_key: str) -> Iterator[httpx.Client]:
    root = {"Authorization": f"Bearer {admin_key}"}
    made = httpx.post(f"{server}/v1/api-keys", json={"name": "directory", "scopes": ["provision"]}, headers=root).json()
    assert httpx.put(f"{server}/v1/admin/directory-roles", json={"Finance": "analyst", "Shop": "viewer"}, headers=root).status_code == 200
    with httpx.Client(base_url=f"{server}/scim/v2", headers={"Authorization": f"Bearer {made['key']}"}) as client:
        yield client


def person(directory: httpx.Client, email: str, **more: Any) -> dict[str, Any]:
    answer = directory.post("/Users", json={"schemas": [], "userName": email, "name": {"givenName": "Ada", "familyName": "L"}, **more})
    assert answer.status_code == 201, answer.text
    assert answer.headers["content-type"] == "application/scim+json"
    return dict(answer.json())


class TestPeople:
    def test_from_joining_to_leaving(self, directory: httpx.Client, services: Services) -> None:
        made = person(directory, "Ada@Dirco.example", externalId="00u1", emails=[{"value": "ada@dirco.example"}])
        assert (made["userName"], made["displayName"], made["active"], made["roles"]) == ("ada@dirco.example", "Ada L", True, [])
        for text in ('userName eq "ADA@dirco.example"', 'externalId eq "00u1"'):
            assert [u["id"] for u in directory.get("/Users", params={"filter": text}).json()["Resources"]] == [made["id"]]
        for nobody in ("x@y.example", "3f2c9a60-not-an-address"):
            assert directory.get("/Users", params={"filter": f'userName eq "{nobody}"'}).json()["totalResults"] == 0
        again = directory.post("/Users", json={"userName": "ada@dirco.example"})
        assert (again.status_code, again.json()["schemas"]) == (409, ["urn:ietf:params:scim:api:messages:2.0:Error"])

        patch = {**PATCH, "Operations": [{"op": "Replace", "path": "active", "value": "False"}]}
        assert directory.patch(f"/Users/{made['id']}", json=patch).json()["active"] is False
        patch = {**PATCH, "Operations": [{"op": "replace", "value": {"active": True, "displayName": "Ada Lovelace"}}]}
        assert directory.patch(f"/Users/{made['id']}", json=patch).json()["displayName"] == "Ada Lovelace"
        assert directory.delete(f"/Users/{made['id']}").status_code == 204
        assert directory.get(f"/Users/{made['id']}").json()["active"] is False
        with services.store.read() as connection:
            actions = {e.action for e in audit.read(connection, CO, limit=50) if e.target == made["id"]}
        assert {"directory.user_create", "user.change"} <= actions

    @pytest.mark.parametrize(
        "text", ["userName co x", "userName eq x", 'userName eq "a" or 1 eq 1', 'password eq "x"', 'displayName eq "x"']
    )
    def test_other_filters_are_refused(self, directory: httpx.Client, text: str) -> None:
        answer = directory.get("/Users", params={"filter": text})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_filter")

    def test_what_directories_send_along_is_read_over(self, directory: httpx.Client) -> None:
        made = person(directory, "mixed@dirco.example", externalId="00u9", displayName=None, title="x")
        taken = directory.post("/Users", json={"userName": "other@dirco.example", "externalId": "00u9"})
        assert (taken.status_code, taken.json()["code"]) == (409, "user_exists")
        work = ['emails[type eq "work"].value', "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "title"]
        told = [{"op": "Replace", "path": "active", "value": "False"}, *({"op": "Add", "path": path, "value": "x"} for path in work)]
        changed = directory.patch(f"/Users/{made['id']}", json=PATCH | {"Operations": told})
        assert (changed.status_code, changed.json()["active"]) == (200, False)
        for path, value in (("roles", [{"value": "admin"}]), ("a b", 1), ("", "x"), ("password", "x")):
            hostile = directory.patch(f"/Users/{made['id']}", json=PATCH | {"Operations": [{"op": "add", "path": path, "value": value}]})
            assert (hostile.status_code, hostile.json()["code"]) == (400, "bad_path")
        for page, size in (({"count": 10**9}, None), ({"count": -1}, 0), ({"startIndex": -3, "count": 1}, 1)):
            answer = directory.get("/Users", params=page)
            assert (answer.status_code, size is None or answer.json()["itemsPerPage"] == size) == (200, True)

    def test_half_a_character_is_refused(self, directory: httpx.Client) -> None:
        group = directory.post("/Groups", json={"displayName": "Halves"}).json()["id"]
        body = b'{"Operations": [{"op": "replace", "path": "displayName", "value": "a\\ud800"}]}'
        answer = directory.patch(f"/Groups/{group}", content=body, headers={"Content-Type": "application/scim+json"})
        assert (answer.status_code, answer.json()["code"]) == (422, "value_out_of_range")

    def test_pages(self, directory: httpx.Client) -> None:
        person(directory, "zoe@dirco.example")
        whole = directory.get("/Users").json()
        second = directory.get("/Users", params={"startIndex": 2, "count": 1}).json()
        assert second["totalResults"] == whole["totalResults"] >= 2
        assert second["Resources"] == whole["Resources"][1:2]


class TestGroups:
    def test_members_have_the_role_of_their_groups(self, directory: httpx.Client) -> None:
        bob = person(directory, "bob@dirco.example")["id"]
        group = directory.post("/Groups", json={"displayName": "Finance", "members": [{"value": bob}]}).json()
        assert group["members"] == [{"value": bob}]
        assert directory.get(f"/Users/{bob}").json()["roles"] == [{"value": "analyst"}]
        shop = directory.post("/Groups", json={"displayName": "Shop"}).json()["id"]
        add = {**PATCH, "Operations": [{"op": "add", "path": "members", "value": [{"value": bob}]}]}
        assert directory.patch(f"/Groups/{shop}", json=add).status_code == 200
        assert directory.get(f"/Users/{bob}").json()["roles"] == [{"value": "analyst"}, {"value": "viewer"}]
        for wrong in (bob, [bob], [{"display": "Bob"}], None):
            bad = directory.patch(f"/Groups/{shop}", json={**PATCH, "Operations": [{"op": "add", "path": "members", "value": wrong}]})
            assert (bad.status_code, bad.json()["code"]) == (400, "bad_value")
        leave = {**PATCH, "Operations": [{"op": "remove", "path": f'members[value eq "{bob}"]'}]}
        assert directory.patch(f"/Groups/{group['id']}", json=leave).json()["members"] == []
        assert directory.get(f"/Users/{bob}").json()["roles"] == [{"value": "viewer"}]
        assert directory.delete(f"/Groups/{shop}").status_code == 204
        assert directory.get(f"/Users/{bob}").json()["roles"] == []
        assert directory.get("/Groups", params={"filter": 'displayName eq "Finance"'}).json()["totalResults"] == 1

    def test_removing_nobody_removes_nobody(self, directory: httpx.Client) -> None:
        kept = [person(directory, "kept@dirco.example")["id"]]
        group = directory.post("/Groups", json={"displayName": "Kept", "members": [{"value": kept[0]}]}).json()["id"]
        answer = directory.patch(f"/Groups/{group}", json=PATCH | {"Operations": [{"op": "remove", "path": "members", "value": []}]})
        assert [member["value"] for member in answer.json()["members"]] == kept

    def test_who_is_not_here_cannot_be_a_member(self, directory: httpx.Client) -> None:
        assert directory.post("/Groups", json={"displayName": "Ghosts", "members": [{"value": "usr_nobody"}]}).status_code == 404
        assert directory.get("/Groups", params={"filter": 'displayName eq "Ghosts"'}).json()["totalResults"] == 0

    def test_a_role_that_groups_give_is_not_removed(self, server: str, admin_key: str, directory: httpx.Client) -> None:
        root, path = {"Authorization": f"Bearer {admin_key}"}, f"{server}/v1/admin/directory-roles"
        assert httpx.put(f"{server}/v1/admin/roles/closer", json={"rights": ["act"]}, headers=root).status_code == 200
        before = httpx.get(path, headers=root).json()
        assert httpx.put(path, json=before | {"Closing": "closer"}, headers=root).status_code == 200
        refused = httpx.delete(f"{server}/v1/admin/roles/closer", headers=root)
        assert (refused.status_code, refused.json()["code"]) == (409, "role_in_use")
        assert httpx.put(path, json=before, headers=root).status_code == 200
        assert httpx.delete(f"{server}/v1/admin/roles/closer", headers=root).status_code == 204

    def test_the_last_administrator_stays_whatever_the_directory_says(self, directory: httpx.Client) -> None:
        root = directory.get("/Users", params={"filter": 'userName eq "root@dirco.example"'}).json()["Resources"][0]
        answer = directory.post("/Groups", json={"displayName": "Everyone", "members": [{"value": root["id"]}]})
        assert answer.status_code == 201  # admin is a role that no group gives, so it stays
        assert {"value": "admin"} in directory.get(f"/Users/{root['id']}").json()["roles"]
        assert directory.delete(f"/Users/{root['id']}").status_code == 409
        assert directory.get(f"/Users/{root['id']}").json()["active"] is True


class TestWho:
    def test_a_change_from_what_was_seen_before_is_refused(self, server: str, admin_key: str, directory: httpx.Client) -> None:
        path = f"{server}/v1/admin/users/{person(directory, 'eve@dirco.example')['id']}"
        root = {"Authorization": f"Bearer {admin_key}"}
        seen = httpx.get(path, headers=root).headers["etag"]
        first = httpx.patch(path, json={"display_name": "Eve"}, headers={**root, "If-Match": seen})
        assert (first.status_code, first.headers["etag"] != seen) == (200, True)
        second = httpx.patch(path, json={"display_name": "Eva"}, headers={**root, "If-Match": seen})
        assert (second.status_code, second.json()["code"]) == (412, "changed_since")
        assert httpx.get(path, headers=root).json()["display_name"] == "Eve"

    def test_the_key_does_nothing_else_and_others_do_not_provision(
        self, directory: httpx.Client, client: TestClient, analyst: Any, admin: Any
    ) -> None:
        key = directory.headers["authorization"]
        assert client.get("/v1/admin/users", headers={"Authorization": key}).json()["code"] == "scope_missing"
        assert analyst.get("/scim/v2/Users").status_code == 403
        theirs = directory.get("/Users").json()["Resources"][0]["id"]
        assert admin.get(f"/scim/v2/Users/{theirs}").status_code == 404
