"""Every route: anonymous callers get 401, another tenant's objects are 404, roles hold, cross-site requests are refused."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from api.app import create_app
from api.draft import tried
from api.draft_rules import with_published_rules
from api.own_roles import RoleIn, put
from api.people import Change, add, change
from api.rights import OPEN, PLACES, needed
from api.services import Services
from core.principal import Role
from core.rights import GRANTS, Right
from core.store import users
from core.store.users import NewUser
from semantic.catalog.visible import applies
from semantic.policies import access_of
from tests.integration.api.conftest import Caller
from workers.principals import system_principal


def routes(services: Services) -> list[tuple[str, str]]:
    found = []
    stack = list(create_app(services).routes)
    while stack:
        route = stack.pop()
        stack += getattr(getattr(route, "original_router", None), "routes", [])
        if isinstance(route, APIRoute):
            found += [(method, route.path) for method in sorted(route.methods or ()) if method != "HEAD"]
    return found


class TestAnonymous:
    def test_gets_401_or_the_sign_in_page_everywhere(self, client: TestClient, services: Services) -> None:
        checked = 0
        for method, path in routes(services):
            if path in OPEN:
                continue
            concrete = path.replace("{", "").replace("}", "")
            answer = client.request(method, concrete, follow_redirects=False)
            if path.startswith("/scim"):
                assert (answer.status_code, answer.headers["content-type"]) == (401, "application/scim+json"), (method, path)
            elif path.startswith("/v1"):
                assert answer.status_code == 401, (method, path, answer.status_code)
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.json()["code"] == "unauthenticated"
            else:
                assert answer.status_code in {200, 303}, (method, path, answer.status_code)
                assert "/login" in (answer.headers.get("location") or answer.headers.get("hx-redirect") or ""), (method, path)
            checked += 1
        assert checked > 25

    def test_a_link_without_a_sound_token_reaches_nothing(self, client: TestClient) -> None:
        for token in ("", "x", "a.b.c", "acme.inc_1.usr_1.AAAA"):
            answer = client.post("/v1/incidents/feedback", data={"token": token, "useful": "yes"})
            assert answer.status_code in {401, 403, 404, 422}, token

    @pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer qk_aaaaaaaa_bbbbbbbb", "Basic YTpi", "Bearer " + "x" * 5000])
    def test_bad_credentials_are_told_apart_by_nothing(self, client: TestClient, header: str) -> None:
        answer = client.get("/v1/me", headers={"Authorization": header})
        assert answer.status_code == 401

    def test_wrong_passwords_and_unknown_people_read_the_same(self, client: TestClient) -> None:
        said = {
            client.post("/v1/login", json={"email": email, "password": "wrong"}).json()["detail"]
            for email in ("executive@acme.example", "nobody@acme.example")
        }
        assert len(said) == 1


class TestOtherTenant:
    def test_sees_nothing_of_ours(self, executive: Any, analyst: Any, stranger: Any) -> None:
        asked = executive.post("/v1/ask", {"question": "revenue last month"}).json()
        job = analyst.post("/v1/forecasts", {"metric": "revenue", "horizon": 7}).json()
        for path in (
            f"/v1/ask/{asked['id']}", f"/v1/conversations/{asked['conversation_id']}", f"/v1/jobs/{job['id']}", f"/v1/jobs/{job['id']}/events", f"/jobs/{job['id']}",
        ):  # fmt: skip
            assert stranger.get(path).status_code == 404, path
            assert stranger.get(path + "x").status_code == 404, path
        assert stranger.post(f"/v1/jobs/{job['id']}/cancel").status_code == 404
        assert stranger.post(f"/v1/ask/{asked['id']}/feedback", {"verdict": "up"}).status_code == 404
        assert all(item["id"] != job["id"] for item in stranger.get("/v1/jobs").json()["items"])

    def test_a_tenant_in_the_body_is_refused(self, executive: Any) -> None:
        answer = executive.post("/v1/ask", {"question": "revenue last month", "tenant": "globex"})
        assert answer.status_code == 422

    def test_equal_questions_get_each_ones_own_numbers(self, executive: Any, stranger: Any) -> None:
        ours, theirs = (c.post("/v1/ask", {"question": "revenue last month"}).json()["rows"] for c in (executive, stranger))
        assert ours != theirs


class TestRoles:
    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("post", "/v1/sql", {"sql": "SELECT 1"}),
            ("put", "/v1/catalog", {"yaml": "name: x"}),
            ("post", "/v1/catalog/check", {"yaml": "name: x"}),
            ("get", "/v1/catalog/versions", None),
            ("post", "/v1/catalog/rollback?version=1", None),
            ("get", "/v1/datasets", None),
        ],
    )
    def test_executives_do_not_do_analysts_or_admins_work(self, executive: Any, method: str, path: str, body: Any) -> None:
        answer = getattr(executive, method)(path, body) if body is not None or method == "post" else getattr(executive, method)(path)
        assert answer.status_code == 403
        assert answer.json()["code"] == "forbidden"

    def test_a_manager_sees_one_region_only(self, manager: Any, executive: Any) -> None:
        question = {"question": "revenue by region last month"}
        assert [row[0] for row in manager.post("/v1/ask", question).json()["rows"]] == ["EMEA"]
        assert len(executive.post("/v1/ask", question).json()["rows"]) == 3

    def test_a_manager_is_not_told_that_other_countries_exist(self, manager: Any) -> None:
        answer = manager.post("/v1/ask", {"question": "revenue in Japan last month"}).json()
        assert answer["outcome"] == "refuse"
        assert "Japan" in [word["text"] for word in answer["unknown"]]
        assert manager.post("/v1/ask", {"question": "revenue in Germany last month"}).json()["outcome"] == "answer"

    def test_hidden_columns_are_unknown(self, executive: Any, analyst: Any) -> None:
        answer = executive.post("/v1/ask", {"question": "list customers with their email"}).json()
        assert "'field': 'email'" not in str(answer["query"])
        assert [column["name"] for column in answer["columns"] if "mail" in column["name"]] == []
        answer = analyst.post("/v1/sql", {"sql": "SELECT email FROM demo.customers LIMIT 1"})
        assert answer.status_code == 422


class TestBrowser:
    @pytest.mark.parametrize(
        "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "same-site"}]
    )
    def test_other_sites_cannot_act_with_the_cookie(self, executive: Any, headers: dict[str, str]) -> None:
        answer = executive.post("/v1/ask", {"question": "revenue"}, headers=headers)
        assert answer.status_code == 403
        assert answer.json()["code"] == "cross_site_request"

    def test_headers_forbid_framing_sniffing_and_foreign_scripts(self, client: TestClient) -> None:
        headers = client.get("/login").headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"

    @pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example"])
    def test_sign_in_leads_to_this_site_only(self, client: TestClient, target: str) -> None:
        data = {"email": "executive@acme.example", "password": "querent-demo-1", "next": target}
        answer = client.post("/login", data=data, follow_redirects=False)
        client.cookies.clear()
        assert answer.headers["location"] == "/"

    def test_the_cookie_is_not_for_scripts(self, client: TestClient) -> None:
        answer = client.post("/v1/login", json={"email": "executive@acme.example", "password": "querent-demo-1"})
        client.cookies.clear()
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie

    def test_signing_out_ends_the_session(self, client: TestClient) -> None:
        token = client.post("/v1/login", json={"email": "executive@acme.example", "password": "querent-demo-1"}).cookies["querent_session"]
        client.cookies.clear()
        headers = {"Cookie": f"querent_session={token}"}
        assert client.get("/v1/me", headers=headers).status_code == 200
        assert client.post("/v1/logout", headers=headers).status_code == 204
        assert client.get("/v1/me", headers=headers).status_code == 401


class TestKeys:
    def test_a_key_works_until_it_is_revoked_and_is_shown_once(self, admin: Any, client: TestClient) -> None:
        made = admin.post("/v1/api-keys", {"name": "ci", "days": 1})
        assert made.status_code == 201
        key = made.json()
        bearer = {"Authorization": f"Bearer {key['key']}"}
        assert client.get("/v1/me", headers=bearer).json()["tenant"] == "acme"
        assert key["key"] not in admin.get("/v1/api-keys").text
        admin.client.delete(f"/v1/api-keys/{key['id']}", headers=admin.headers)
        assert client.get("/v1/me", headers=bearer).status_code == 401


ENDS_THE_SESSION = {"/v1/logout", "/logout"}
# Allowed by the table and narrowed by the route: what it takes is said there.
NARROWED = {
    ("POST", "/v1/forecasts/batch"), ("POST", "/v1/forecasts/score"), ("POST", "/v1/pins"),
}  # fmt: skip


# Own roles, each with what it adds and inherits; and what that comes to.
OWN_ROLES: dict[str, tuple[set[Right], set[str]]] = {
    "closer": ({Right.READ, Right.ACT, Right.DATA}, set()),
    "head_closer": ({Right.CHANNELS}, {"closer", "viewer"}),
}
WALKED = {role.value: GRANTS[role] for role in Role if role is not Role.ADMIN} | {
    "closer": {Right.SELF, Right.READ, Right.ACT, Right.DATA},
    "head_closer": {Right.SELF, Right.READ, Right.ACT, Right.DATA, Right.CHANNELS, Right.ASK},
}


@pytest.fixture(scope="module")
def person(client: TestClient, services: Services) -> Any:
    """Headers of a signed-in person who has one role only."""
    admin = system_principal("acme")  # type: ignore[arg-type]
    kept: dict[str, dict[str, str]] = {}
    for name, (rights, inherits) in OWN_ROLES.items():
        put(services, admin, name, RoleIn(rights=sorted(rights), inherits=sorted(inherits)))
    for role in (*map(str, Role), *OWN_ROLES):
        email = f"only-{role}@acme.example"
        add(services, admin, NewUser(email, role, frozenset({role}), "a password of theirs"))
        client.cookies.clear()
        answer = client.post("/v1/login", json={"email": email, "password": "a password of theirs"})
        kept[role] = {"Cookie": f"querent_session={answer.cookies['querent_session']}"}
        client.cookies.clear()
    return kept


class TestPermissionTable:
    def test_every_route_has_a_line_and_every_line_a_right_that_somebody_has(self, services: Services) -> None:
        without = {(method, path) for method, path in routes(services) if path not in OPEN and needed(method, path) is None}
        assert without == set()
        assert {place.read for place in PLACES} | {place.write for place in PLACES} <= set(Right)
        assert len({place.prefix for place in PLACES}) == len(PLACES)
        assert GRANTS[Role.ADMIN] == set(Right)

    @pytest.mark.parametrize("role", WALKED)
    def test_route_by_route(self, client: TestClient, services: Services, person: Any, role: str) -> None:
        """What the table forbids is 403 whatever the request holds; what it allows is not."""
        refused, wrong = 0, []
        for method, path in routes(services):
            if path in OPEN | ENDS_THE_SESSION or path.endswith("/events"):
                continue
            concrete = path.replace("{", "").replace("}", "")
            answer = client.request(method, concrete, headers=person[role], follow_redirects=False)
            if needed(method, path) in WALKED[role]:
                narrowed = answer.status_code == 403 and (method, path) not in NARROWED
                wrong += [(method, path, answer.status_code)] if narrowed or answer.status_code == 401 else []
            else:
                wrong += [(method, path, answer.status_code)] if answer.status_code != 403 else []
                refused += 1
        assert not wrong, "\n".join(map(str, wrong))
        assert refused > 5

    def test_scopes_narrow_a_key(self, client: TestClient, person: Any) -> None:
        def key(*scopes: str) -> dict[str, str]:
            made = client.post("/v1/api-keys", json={"name": "narrow", "scopes": list(scopes)}, headers=person[Role.ANALYST])
            return {"Authorization": f"Bearer {made.json()['key']}"}

        asks, reads = key("ask"), key("read")
        assert client.post("/v1/ask", json={"question": "orders last month"}, headers=asks).status_code == 200
        refused = client.post("/v1/ask", json={"question": "orders last month"}, headers=reads)
        assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
        assert client.get("/v1/metrics", headers=reads).status_code == 200
        assert client.post("/v1/sql", json={"sql": "SELECT 1"}, headers=asks).status_code == 403
        assert client.post("/v1/api-keys", json={"name": "wider"}, headers=asks).status_code == 403  # no key makes itself a wider one
        own = key("self", "read")
        for scopes, status in ((["*"], 403), (["read", "ask"], 403), (["read"], 201)):
            assert client.post("/v1/api-keys", json={"name": "of a key", "scopes": scopes}, headers=own).status_code == status

    def test_no_key_makes_one_that_outlives_it(self, client: TestClient, person: Any) -> None:
        def made(headers: dict[str, str], **over: int) -> dict[str, Any]:
            return dict(client.post("/v1/api-keys", json={"name": "heir", **over}, headers=headers).json())

        first = made(person[Role.ANALYST], days=30)
        heirs = {"Authorization": f"Bearer {first['key']}"}
        assert [made(heirs)["expires_at"], made(heirs, days=90)["expires_at"]] == [first["expires_at"]] * 2
        assert made(heirs, days=1)["expires_at"] < first["expires_at"]
        assert made(person[Role.ANALYST])["expires_at"] is None

    def test_what_a_revoked_key_made_is_revoked_with_it(self, client: TestClient, person: Any) -> None:
        def made(headers: dict[str, str]) -> dict[str, Any]:
            answer = client.post("/v1/api-keys", json={"name": "leaked"}, headers=headers).json()
            return {**answer, "headers": {"Authorization": f"Bearer {answer['key']}"}}

        other, leaked = made(person[Role.ANALYST]), made(person[Role.ANALYST])
        child = made(leaked["headers"])
        grandchild = made(child["headers"])
        assert (child["made_by_key"], other["made_by_key"]) == (leaked["id"], None)
        assert client.get("/v1/me", headers=grandchild["headers"]).status_code == 200
        assert client.delete(f"/v1/api-keys/{leaked['id']}", headers=person[Role.ANALYST]).status_code == 200
        states = [client.get("/v1/me", headers=key["headers"]).status_code for key in (leaked, child, grandchild, other)]
        assert states == [401, 401, 401, 200]

    def test_a_role_taken_away_counts_at_once(self, client: TestClient, services: Services, person: Any) -> None:
        made = client.post("/v1/api-keys", json={"name": "mine"}, headers=person[Role.DATA_SCIENTIST]).json()
        headers = {"Authorization": f"Bearer {made['key']}"}
        me = client.get("/v1/me", headers=headers).json()["user"]
        assert client.post("/v1/goals", json={}, headers=headers).status_code == 422
        change(services, system_principal("acme"), me, Change(roles=frozenset({Role.VIEWER})))  # type: ignore[arg-type]
        assert client.post("/v1/goals", json={}, headers=headers).status_code == 403


class TestOwnRoles:
    """Beside the walk above, which holds for them as for the built-in ones."""

    def test_a_change_counts_at_once_also_for_heirs(self, client: TestClient, admin: Any, person: Any) -> None:
        def rights() -> list[str]:
            return client.get("/v1/me", headers=person["head_closer"]).json()["rights"]

        assert "sql" not in rights()
        changed = {"rights": ["read", "act", "data", "sql"]}
        assert admin.put("/v1/admin/roles/closer", changed).json()["all_rights"] == ["act", "data", "read", "self", "sql"]
        assert "sql" in rights()
        assert client.post("/v1/sql", json={"sql": "SELECT"}, headers=person["head_closer"]).status_code == 422
        assert admin.put("/v1/admin/roles/closer", {"rights": ["read", "act", "data"]}).status_code == 200

    @pytest.mark.parametrize(
        ("name", "body", "code"),
        [
            ("admin2", {"inherits": ["admin"]}, "bad_role_rights"),
            ("admin3", {"rights": ["admin"]}, "bad_role_rights"),
            ("closer", {"inherits": ["head_closer"]}, "role_circle"),
            ("closer", {"inherits": ["nobody_has_it"]}, "unknown_role"),
            ("viewer", {"rights": ["sql"]}, "bad_role_name"),
            ("Big Boss", {}, "bad_role_name"),
            ("other", {"rights": ["fly"]}, "invalid_request"),
        ],
    )
    def test_what_makes_no_role_is_refused(self, admin: Any, person: Any, name: str, body: dict[str, Any], code: str) -> None:
        answer = admin.put(f"/v1/admin/roles/{name}", body)
        assert (answer.status_code, answer.json()["code"]) == (422, code)

    def test_one_in_use_stays_and_another_companys_does_not_exist(self, client: TestClient, admin: Any, person: Any) -> None:
        for name in ("closer", "head_closer"):
            answer = client.delete(f"/v1/admin/roles/{name}", headers=admin.headers)
            assert (answer.status_code, answer.json()["code"]) == (409, "role_in_use")
        theirs = Caller(client, "admin@globex.example")
        assert client.delete("/v1/admin/roles/closer", headers=theirs.headers).status_code == 404
        person_in = {"email": "new@globex.example", "roles": ["closer"]}
        assert theirs.post("/v1/admin/users", person_in).json()["code"] == "unknown_role"

    def test_a_role_that_the_catalog_names_is_not_removed(self, client: TestClient, admin: Any) -> None:
        assert admin.put("/v1/admin/roles/ruled", {"rights": ["read"]}).status_code == 200
        before = client.get("/v1/catalog?format=yaml&whole=true", headers=admin.headers)
        ruled = before.text + "\nclearances:\n- role: ruled\n  up_to: internal\n"
        assert (made := admin.put("/v1/catalog", {"yaml": ruled})).status_code == 200, made.text
        answer = client.delete("/v1/admin/roles/ruled", headers=admin.headers)
        assert (answer.status_code, "the clearance up to internal" in answer.json()["detail"]) == (409, True)
        back = admin.put("/v1/catalog", {"yaml": before.text, "drop_rules": True})
        assert back.status_code == 200, back.text
        assert client.delete("/v1/admin/roles/ruled", headers=admin.headers).status_code == 204

    def test_a_draft_counts_nothing_by_what_is_closed_to_its_editor(self, client: TestClient) -> None:
        analyst = Caller(client, "analyst@acme.example")
        table = {"key": "customers", "label": "customers", "kind": "dimension", "primary_key": "customer_id", "act": "figures"}
        for condition, counted in (("customer_name LIKE '%a%'", True), ("email LIKE '%a%'", False)):
            headers = {**analyst.headers, "HX-Request": "true", "Origin": "http://testserver"}
            made = client.post("/catalog/forms/dataset", data={**table, "filter": condition}, headers=headers)
            assert (made.status_code, "Valid." in made.text, "Number of" in made.text) == (200, True, counted), made.text

    def test_a_draft_lifts_none_of_its_editors_own_rules(self, services: Services, person: Any) -> None:
        admin = system_principal("acme")  # type: ignore[arg-type]
        new = NewUser("drafter@acme.example", "", frozenset({"analyst", "manager"}), None, {"regions": ("EMEA",)})
        caller = add(services, admin, new).principal()
        published = services.catalogs.full(caller.tenant)
        lifted = published.model_copy(update={"row_policies": (), "column_rules": (), "clearances": ()})
        by_region = tried(services, caller, lifted, "orders by region")
        assert [row[0] for row in by_region.rows] == ["EMEA"]
        narrowed = {p.dataset for p in published.row_policies if applies(caller, p)}
        other = tuple(d.model_copy(update={"name": f"same_{d.name}"}) if d.name in narrowed else d for d in published.datasets)
        ruled = with_published_rules(lifted.model_copy(update={"datasets": other}), published, caller, services.core.trust)
        for dataset in published.datasets:
            then, now = (access_of(c, caller, services.core.trust).table(dataset.database, dataset.table) for c in (published, ruled))
            assert then is not None
            assert now is not None
            assert [type(rule) for rule in now.rules] == [type(rule) for rule in then.rules]
            assert {c.column: c.treatment for c in now.columns} == {c.column: c.treatment for c in then.columns}

    def test_rules_on_inherited_roles_narrow_and_without_a_built_in_role_all_do(self, services: Services, person: Any) -> None:
        admin = system_principal("acme")  # type: ignore[arg-type]
        put(services, admin, "emea_lead", RoleIn(inherits=["manager"]))
        lead = add(services, admin, NewUser("lead@acme.example", "", frozenset({"emea_lead"}), None, {"regions": ("EMEA",)})).principal()
        assert (lead.roles, lead.role_names) == ({Role.MANAGER}, {"manager", "emea_lead"})
        policies = services.catalogs.full(lead.tenant).row_policies
        assert [p.name for p in policies if applies(lead, p)]
        with services.store.read() as connection:
            closer = users.by_email(connection, lead.tenant, "only-closer@acme.example")
        assert closer is not None
        assert all(applies(closer.principal(), p) for p in policies)
