"""Boards over HTTP: pins, merging changes, undo, sharing, comments, public links; whose figures one sees."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from core.ids import TenantId
from core.store import tenants, users
from tests.integration.api.conftest import TODAY

BY_REGION = {
    "metrics": [{"kind": "metric", "metric": "revenue"}],
    "by": [{"kind": "field", "field": {"dataset": "countries", "field": "region"}}],
}
BY_CUSTOMER = {"metrics": [{"kind": "metric", "metric": "revenue"}], "by": [{"kind": "entity", "entity": "customer"}], "limit": 5}


@pytest.fixture
def board(executive: Any) -> dict[str, Any]:
    answer = executive.post("/v1/pins", {"title": "Revenue by region", "query": BY_REGION, "new_board": "Sales"})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()["board"]
    return made


def change(caller: Any, board: dict[str, Any], on: int | None = None, **what: Any) -> Any:
    return caller.post(f"/v1/boards/{board['id']}/changes", {"change": what, "on": on})


class TestPins:
    def test_are_computed_with_the_rights_of_who_looks(self, executive: Any, manager: Any, board: dict[str, Any]) -> None:
        pin = board["content"]["pins"][0]["id"]
        path = f"/v1/boards/{board['id']}/pins/{pin}"
        assert len(executive.get(path).json()["rows"]) == 3
        assert manager.get(path).status_code == 404
        assert executive.put(f"/v1/boards/{board['id']}/sharing", {"roles": {"manager": "see"}}).status_code == 200
        assert [row[0] for row in manager.get(path).json()["rows"]] == ["EMEA"]
        assert change(manager, board, op="rename", title="Mine now").status_code == 403

    def test_say_which_filters_they_cannot_take(self, executive: Any, board: dict[str, Any]) -> None:
        where = [{"field": "countries.region", "value": "EMEA"}, {"field": "nowhere.field", "value": "x"}]
        assert change(executive, board, op="set_filters", filters={"period": "last month", "where": where}).status_code == 200
        shown = executive.get(f"/v1/boards/{board['id']}/pins/{board['content']['pins'][0]['id']}").json()
        assert [row[0] for row in shown["rows"]] == ["EMEA"]
        assert shown["filters_left_out"] == ["field is x"]

    def test_a_query_that_names_nothing_known_is_said_at_the_pin(self, executive: Any) -> None:
        made = executive.post(
            "/v1/pins", {"title": "x", "query": {"metrics": [{"kind": "metric", "metric": "nonsense"}]}, "new_board": "x"}
        ).json()
        path = f"/v1/boards/{made['board']['id']}/pins/{made['pin_id']}"
        assert executive.get(path).status_code == 404


class TestChanges:
    def test_of_different_parts_merge_and_of_the_same_part_do_not(self, executive: Any, board: dict[str, Any]) -> None:
        pin = board["content"]["pins"][0]["id"]
        assert change(executive, board, 1, op="rename", title="First").status_code == 200
        assert change(executive, board, 1, op="change_pin", pin_id=pin, width="full").status_code == 200
        late = change(executive, board, 1, op="rename", title="Second")
        assert (late.status_code, late.json()["code"]) == (409, "board_changed")
        now = executive.get(f"/v1/boards/{board['id']}").json()
        assert (now["title"], now["version"], now["content"]["pins"][0]["width"]) == ("First", 3, "full")

    def test_are_undone(self, executive: Any, board: dict[str, Any]) -> None:
        change(executive, board, op="rename", title="Other")
        answer = executive.post(f"/v1/boards/{board['id']}/restore", {"version": 1, "on": 2})
        assert (answer.json()["title"], answer.json()["version"]) == ("Sales", 3)
        assert executive.post(f"/v1/boards/{board['id']}/restore", {"version": 1, "on": 2}).status_code == 409
        said = [item["said"] for item in executive.get(f"/v1/boards/{board['id']}/versions").json()["items"]]
        assert said == ["went back to version 1", "renamed the board to Other", "made the board"]

    @pytest.mark.parametrize("what", [{"op": "explode"}, {"op": "rename", "title": ""}, {"op": "move_pin", "pin_id": "pin_none", "to": 0}])
    def test_that_mean_nothing_change_nothing(self, executive: Any, board: dict[str, Any], what: dict[str, Any]) -> None:
        assert change(executive, board, **what).status_code in {409, 422}
        assert executive.get(f"/v1/boards/{board['id']}").json()["version"] == 1


class TestPublicLinks:
    def test_show_figures_but_no_customers(self, executive: Any, client: TestClient, board: dict[str, Any]) -> None:
        executive.post("/v1/pins", {"title": "Best customers", "query": BY_CUSTOMER, "board_id": board["id"]})
        products = BY_CUSTOMER | {"by": [{"kind": "entity", "entity": "product", "show_key": True}]}
        executive.post("/v1/pins", {"title": "Best products", "query": products, "board_id": board["id"]})
        names, shown = (
            [
                cell
                for row in executive.get(f"/v1/boards/{board['id']}/pins/{pin['id']}").json()["rows"]
                for cell in row
                if isinstance(cell, str)
            ]
            for pin in executive.get(f"/v1/boards/{board['id']}").json()["content"]["pins"][1:]
        )
        assert len(names) >= 5
        link = executive.post(f"/v1/boards/{board['id']}/links", {"days": 1}).json()
        client.cookies.clear()
        answer = client.get(link["href"])
        assert answer.status_code == 200
        assert "EMEA" in answer.text
        assert [name for name in names if name in answer.text] == []
        assert shown
        assert [name for name in shown if name not in answer.text] == []
        assert "SELECT" not in answer.text
        assert client.get(f"/v1/boards/{board['id']}").status_code == 401

    def test_end(self, executive: Any, client: TestClient, services: Any, board: dict[str, Any]) -> None:
        link = executive.post(f"/v1/boards/{board['id']}/links", {"days": 1}).json()
        client.cookies.clear()
        assert executive.post(f"/v1/boards/{board['id']}/links", {"days": 91}).status_code == 422
        assert client.get(link["href"] + "x").status_code == 404
        assert client.get(link["href"].replace("acme.", "globex.", 1)).status_code == 404
        executive.client.delete(f"/v1/boards/{board['id']}/links/{link['id']}", headers=executive.headers)
        assert client.get(link["href"]).status_code == 404

    def test_say_nothing_of_one_person(self, executive: Any, client: TestClient, board: dict[str, Any]) -> None:
        asked = executive.post("/v1/query", {"query": BY_CUSTOMER}).json()
        name = next(str(cell) for row in asked["rows"] for cell in row if isinstance(cell, str))
        field = {"kind": "field", "dataset": "customers", "field": "customer_name"}
        where = {"kind": "compare", "op": "=", "left": field, "right": {"kind": "literal", "value": name}}
        query = {"metrics": [{"kind": "metric", "metric": "revenue"}], "where": where}
        assert executive.post("/v1/query", {"query": query}).status_code == 200
        made = executive.post("/v1/pins", {"title": f"Revenue of {name}", "query": query, "board_id": board["id"]})
        assert made.status_code == 201, made.text
        link = executive.post(f"/v1/boards/{board['id']}/links", {"days": 1}).json()
        client.cookies.clear()
        answer = client.get(link["href"])
        assert "EMEA" in answer.text
        assert "not shown on public boards" in answer.text
        assert name not in answer.text

    def test_end_with_what_their_maker_may_and_with_the_company(
        self, executive: Any, client: TestClient, services: Any, board: dict[str, Any]
    ) -> None:
        href = executive.post(f"/v1/boards/{board['id']}/links", {"days": 1}).json()["href"]
        client.cookies.clear()
        tenant, maker = TenantId("acme"), board["owner"]
        with services.store.read() as connection:
            before = users.get(connection, tenant, maker)
        try:
            with services.store.write() as connection:
                users.set_access(connection, tenant, maker, ["viewer"], before.attributes)
            assert client.get(href).status_code == 404
        finally:
            with services.store.write() as connection:
                users.set_access(connection, tenant, maker, before.roles, before.attributes)
        assert client.get(href).status_code == 200
        try:
            with services.store.write() as connection:
                tenants.set_disabled(connection, tenant, True)
            assert client.get(href).status_code == 404
        finally:
            with services.store.write() as connection:
                tenants.set_disabled(connection, tenant, False)

    def test_are_for_the_owner_to_make(self, executive: Any, analyst: Any, board: dict[str, Any]) -> None:
        executive.put(f"/v1/boards/{board['id']}/sharing", {"roles": {"analyst": "edit"}})
        assert change(analyst, board, op="rename", title="By the analyst").status_code == 200
        assert analyst.post(f"/v1/boards/{board['id']}/links", {"days": 1}).status_code == 403
        assert analyst.put(f"/v1/boards/{board['id']}/sharing", {"roles": {}}).status_code == 403


class TestOtherTenant:
    def test_finds_nothing_and_changes_nothing(self, executive: Any, stranger: Any, board: dict[str, Any]) -> None:
        path = f"/v1/boards/{board['id']}"
        for below in ("", "/versions", "/comments", "/links", "/events", f"/pins/{board['content']['pins'][0]['id']}"):
            assert stranger.get(path + below).status_code == 404, below
        assert change(stranger, board, op="rename", title="Stolen").status_code == 404
        assert stranger.post(f"{path}/comments", {"text": "x"}).status_code == 404
        assert stranger.post(f"{path}/links", {"days": 1}).status_code == 404
        assert stranger.post("/v1/pins", {"title": "x", "query": BY_REGION, "board_id": board["id"]}).status_code == 404
        assert stranger.get("/v1/boards").json()["items"] == []
        assert executive.get(path).json()["title"] == "Sales"


class TestComments:
    def test_stand_on_points_of_pins(self, executive: Any, board: dict[str, Any]) -> None:
        pin, path = board["content"]["pins"][0]["id"], f"/v1/boards/{board['id']}/comments"
        assert executive.post(path, {"text": "Look", "pin_id": pin, "point": "EMEA"}).status_code == 201
        assert executive.post(path, {"text": "   "}).status_code == 422
        assert executive.post(path, {"text": "x", "pin_id": "pin_none"}).status_code == 404
        assert [item["point"] for item in executive.get(path).json()["items"]] == ["EMEA"]
        assert executive.get(f"/v1/boards/{board['id']}").json()["changes"] == 2


def test_the_day_is_that_of_the_clock(executive: Any, board: dict[str, Any]) -> None:
    assert board["created_at"].startswith(TODAY.isoformat())
    assert json.dumps(executive.get("/v1/boards").json())
