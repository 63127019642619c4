"""What people change has an ETag; a change made from an old one is refused with what is there now."""

from __future__ import annotations

from typing import Any

import pytest

from api.app import create_app

GOAL = {"metric": "revenue", "starts_on": "2026-01-01", "ends_on": "2027-01-01", "target": 1_000_000}
RULE = {"name": "etag rule", "definition": {"kind": "threshold", "metric": "revenue", "upper": 1e12}, "enabled": False}
SOURCE = {
    "name": "etag source", "connection": {"kind": "postgresql", "host": "127.0.0.1", "database": "x", "user": "u", "password": "p", "table": "t"},
    "plan": {"table": "etag_source"},
}  # fmt: skip
# Each: where it is made (None: by PUT at its own address), what it is, the same changed.
THINGS: dict[str, tuple[str | None, str, dict[str, Any], dict[str, Any]]] = {
    "goal": ("/v1/goals", "/v1/goals/{id}", GOAL, {**GOAL, "target": 2_000_000}),
    "rule": ("/v1/alert-rules", "/v1/alert-rules/{id}", RULE, {**RULE, "definition": {**RULE["definition"], "upper": 2e12}}),
    "digest": ("/v1/digests", "/v1/digests/{id}", {"name": "etag", "definition": {}}, {"name": "etag two", "definition": {}}),
    "channel": (
        "/v1/channels", "/v1/channels/{id}", {"name": "etag", "config": {"kind": "email", "to": ["a@acme.example"]}},
        {"name": "etag two", "config": {"kind": "email", "to": ["a@acme.example"]}},
    ),
    "subscription": ("/v1/subscriptions", "/v1/subscriptions/{id}", {"metric": "revenue"}, {"metric": "revenue", "min_severity": 0.5}),
    "source": ("/v1/sources", "/v1/sources/{id}", SOURCE, {**SOURCE, "enabled": False}),
    "role": (None, "/v1/admin/roles/etag_role", {"rights": ["act"]}, {"rights": ["act", "sql"]}),
}  # fmt: skip
# The form of a page that removes it: where it is sent, and what else it holds.
PAGES: dict[str, tuple[str, dict[str, str]]] = {
    "goal": ("/goals/{id}", {"act": "delete"}), "rule": ("/rules/{id}/delete", {}), "digest": ("/digest/{id}/delete", {}),
    "channel": ("/channels/{id}/delete", {}), "subscription": ("/subscriptions/{id}/delete", {}), "source": ("/sources/{id}", {"act": "remove"}),
    "role": ("/admin/roles/etag_role", {"act": "remove"}),
}  # fmt: skip
# PUT and PATCH of what nobody else changes, or whose every part is its own.
WITHOUT = {
    "/v1/me", "/v1/me/password", "/v1/admin/users/{user_id}/password", "/v1/insights/settings", "/v1/admin/company", "/v1/admin/directory-roles",
}  # fmt: skip


def send(caller: Any, method: str, path: str, body: Any = None, **headers: str) -> Any:
    return caller.client.request(method, path, json=body, headers={**caller.headers, **headers})


@pytest.mark.parametrize("name", THINGS)
def test_a_change_from_an_old_state_is_412_with_what_is_there_now(admin: Any, name: str) -> None:
    collection, path, body, changed = THINGS[name]
    made = send(admin, "POST", collection, body) if collection else send(admin, "PUT", path, body)
    assert made.status_code in {200, 201}, made.text
    path = path.format(id=made.json().get("id"))
    etag = made.headers["etag"]
    if collection != "/v1/subscriptions" and collection:
        assert send(admin, "GET", path).headers["etag"] == etag
    second = send(admin, "PUT", path, changed, **{"If-Match": etag})
    assert second.status_code == 200, second.text
    assert second.headers["etag"] != etag
    late = send(admin, "PUT", path, body, **{"If-Match": etag})
    assert (late.status_code, late.json()["code"], late.headers["etag"]) == (412, "changed_since", second.headers["etag"])
    assert set(late.json()["current"]) & set(changed)
    assert send(admin, "DELETE", path, **{"If-Match": '"old"'}).status_code == 412
    page, fields = PAGES[name]
    refused = admin.client.post(
        page.format(id=made.json().get("id")), data={**fields, "seen": etag}, headers=admin.headers, follow_redirects=False
    )
    assert (refused.status_code, "so nothing was done" in refused.text) == (409, True)
    assert send(admin, "DELETE", path, **{"If-Match": second.headers["etag"]}).status_code == 204


def test_where_there_is_nothing_not_even_anything_matches(admin: Any) -> None:
    late = send(admin, "PUT", "/v1/admin/roles/etag_gone", {"rights": ["act"]}, **{"If-Match": "*"})
    assert (late.status_code, late.json()["code"], "etag" in late.headers) == (412, "changed_since", False)


def test_boards_and_the_catalog_too(admin: Any) -> None:
    board = send(admin, "POST", "/v1/boards", {"title": "etag"})
    path, old = f"/v1/boards/{board.json()['id']}", board.headers["etag"]
    assert send(admin, "POST", f"{path}/changes", {"change": {"op": "rename", "title": "new"}}, **{"If-Match": old}).status_code == 200
    late = send(admin, "PUT", f"{path}/sharing", {"roles": {"viewer": "see"}}, **{"If-Match": old})
    assert (late.status_code, late.json()["current"]["version"]) == (412, 2)
    assert send(admin, "DELETE", path, **{"If-Match": send(admin, "GET", path).headers["etag"]}).status_code == 204
    late = send(
        admin, "PUT", "/v1/catalog", {"yaml": send(admin, "GET", "/v1/catalog?format=yaml&whole=true").text}, **{"If-Match": '"999"'}
    )
    assert (late.status_code, late.json()["code"]) == (412, "changed_since")


def test_every_put_and_patch_takes_if_match(services: Any) -> None:
    without = {
        path
        for path, item in create_app(services).openapi()["paths"].items()
        for method, operation in item.items()
        if method in {"put", "patch"} and path.startswith("/v1/")
        and "if-match" not in {p["name"].lower() for p in operation.get("parameters", ())}
    }  # fmt: skip
    assert without == WITHOUT
