"""What holds for the whole API: the OpenAPI document is walked, so that a new route keeps to it as well."""

from __future__ import annotations

from typing import Any

import pytest

from api import deprecations, problem_reference
from api.app import create_app
from api.deprecations import Deprecation
from api.openapi import PROBLEMS

# Lists that are whole by nature: bounded by the catalog or by a person's own few things.
WHOLE = {
    "/v1/models", "/v1/metrics", "/v1/verified", "/v1/catalog/personal-data", "/v1/admin/roles", "/v1/admin/directory-roles", "/v1/suggest",
    "/v1/admin/usage", "/v1/catalog/diff", "/v1/forecasts/accuracy",
}  # fmt: skip


@pytest.fixture(scope="module")
def document(services: Any) -> dict[str, Any]:
    made: dict[str, Any] = create_app(services).openapi()
    return made


def operations(document: dict[str, Any]) -> Any:
    return [(method, path, operation) for path, item in document["paths"].items() for method, operation in item.items()]


def names(operation: dict[str, Any]) -> set[str]:
    return {parameter["name"].lower() for parameter in operation.get("parameters", ())}


def test_every_list_is_paged_by_cursor_and_limit(document: dict[str, Any]) -> None:
    wrong = []
    for method, path, operation in operations(document):
        answer = str(operation["responses"].get("200", {}).get("content", {}).get("application/json", {}))
        if method == "get" and "/Page" in answer and not {"cursor", "limit"} <= names(operation) and path != "/v1/proposals":
            wrong.append(path)
        if method == "get" and "'array'" in answer and path not in WHOLE:
            wrong.append(path)
    assert wrong == []


def test_every_stream_resumes(document: dict[str, Any]) -> None:
    streams = [(path, names(operation)) for _, path, operation in operations(document) if path.endswith("/events")]
    assert len(streams) >= 2
    assert all("last-event-id" in taken for _, taken in streams), streams


def test_every_problem_lists_its_codes_and_every_operation_its_problems(document: dict[str, Any]) -> None:
    listed = {code for response in document["components"]["responses"].values() for code in response["x-codes"]}
    assert {"rules_lost", "changed_since", "unknown_alert_rule", "quota_used_up", "warehouse_down"} <= listed
    assert {code for _, codes in PROBLEMS.values() for code in codes} <= listed  # examples that nobody raises mislead
    for method, path, operation in operations(document):
        if path.startswith(("/v1/", "/scim/")):
            assert {"401", "403", "429", "503"} <= set(operation["responses"]), (method, path)


def test_the_list_in_the_docs_is_of_this_code() -> None:
    found = problem_reference.found()
    assert problem_reference.known() == found, "run python -m api.problem_reference"
    assert problem_reference.DOCS.read_text() == problem_reference.as_markdown(found), "run python -m api.problem_reference"


class TestDeprecation:
    def test_a_parameter_on_its_way_out_is_said_only_when_used(self, analyst: Any, document: dict[str, Any]) -> None:
        plain, old = analyst.get("/v1/catalog/versions?limit=5"), analyst.get("/v1/catalog/versions?before=2")
        assert "deprecation" not in plain.headers
        assert (plain.status_code, old.status_code) == (200, 200)
        assert old.headers["deprecation"] == "@1795305600"
        assert old.headers["sunset"] == "Mon, 22 Nov 2027 00:00:00 GMT"
        parameters = {p["name"]: p for p in document["paths"]["/v1/catalog/versions"]["get"]["parameters"]}
        assert parameters["before"]["deprecated"] is True
        assert parameters["before"]["x-sunset"] == "2027-11-22"

    def test_an_operation_too(self, analyst: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        some = next(iter(deprecations.PARAMETERS.values()))
        assert isinstance(some, Deprecation)
        monkeypatch.setattr(deprecations, "OPERATIONS", {("GET", "/v1/metrics"): some})
        assert analyst.get("/v1/metrics").headers["sunset"].endswith("GMT")


class TestPages:
    def test_a_list_is_walked_to_its_end_without_gaps(self, analyst: Any) -> None:
        made = {analyst.post("/v1/boards", {"title": f"page {i}"}).json()["id"] for i in range(5)}
        found: list[str] = []
        cursor = None
        while True:
            page = analyst.get("/v1/boards", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
            found += [board["id"] for board in page["items"]]
            if len(found) == 2:
                analyst.client.delete(f"/v1/boards/{found[-1]}", headers=analyst.headers)  # the one that the cursor is at
            cursor = page["next"]
            if cursor is None:
                break
        assert made <= set(found)
        assert len(found) == len(set(found))
