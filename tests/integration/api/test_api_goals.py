"""Goals over HTTP, and questions about them."""

from __future__ import annotations

from typing import Any

import pytest

from api.goals import goal_cards
from core.ids import JobId, TenantId
from core.store import jobs, users
from workers.jobs import FUNCTIONS
from workers.run import run_job

pytestmark = [pytest.mark.integration, pytest.mark.slow]

GOAL = {"metric": "revenue", "starts_on": "2026-01-01", "ends_on": "2027-01-01", "target": 1_000_000}


def run_all(services: Any, tenant: str = "acme") -> None:
    """Works off what waits."""
    with services.store.read() as connection:
        waiting = jobs.list_all(connection, TenantId(tenant), status=jobs.JobStatus.PENDING, limit=200)
    for job in reversed(waiting):
        run_job(services.core, FUNCTIONS, TenantId(tenant), job.id)


def principal(services: Any, email: str) -> Any:
    with services.store.read() as connection:
        found = users.by_email(connection, TenantId("acme"), email)
    assert found is not None
    return found.principal()


class TestGoals:
    def test_a_goal_is_set_evaluated_shown_changed_and_deleted(self, services: Any, executive: Any) -> None:
        made = executive.post("/v1/goals", GOAL)
        assert made.status_code == 201, made.text
        goal = made.json()
        assert (goal["name"], goal["period"], goal["status"], goal["may_change"]) == ("Revenue in 2026", "in 2026", None, True)
        run_all(services)
        seen = executive.get(f"/v1/goals/{goal['id']}").json()
        assert seen["status"]["target"] == 1_000_000
        assert seen["word"] in {"on track", "reached"}
        cards = goal_cards(services, principal(services, "executive@acme.example"))
        assert [card.name for card in cards if card.id == goal["id"]] == ["Revenue in 2026"]
        assert cards[0].expected.startswith("€")
        changed = executive.put(f"/v1/goals/{goal['id']}", {**GOAL, "target": 999_000_000})
        assert changed.status_code == 200, changed.text
        run_all(services)
        seen = executive.get(f"/v1/goals/{goal['id']}").json()
        assert (seen["word"], seen["status"]["probability"]) == ("off track", 0.005)
        listed = executive.get("/v1/goals?metric=revenue").json()["items"]
        assert goal["id"] in [item["id"] for item in listed]
        assert executive.client.delete(f"/v1/goals/{goal['id']}", headers=executive.headers).status_code == 204
        assert executive.get(f"/v1/goals/{goal['id']}").status_code == 404

    def test_others_may_look_but_only_with_their_own_eyes_and_not_change(
        self, services: Any, executive: Any, manager: Any, stranger: Any
    ) -> None:
        goal = executive.post("/v1/goals", GOAL).json()
        run_all(services)
        seen = manager.get(f"/v1/goals/{goal['id']}").json()
        assert seen["status"] is None  # the company's figures are not a regional manager's
        assert seen["may_change"] is False
        assert manager.put(f"/v1/goals/{goal['id']}", GOAL).status_code == 403
        assert manager.client.delete(f"/v1/goals/{goal['id']}", headers=manager.headers).status_code == 403
        assert stranger.get(f"/v1/goals/{goal['id']}").status_code == 404
        executive.client.delete(f"/v1/goals/{goal['id']}", headers=executive.headers)

    @pytest.mark.parametrize(
        ("change", "status", "code"),
        [
            ({"metric": "revenu"}, 404, "unknown_metric"),
            ({"ends_on": "2025-01-01"}, 422, None),
            ({"target": "a lot"}, 422, None),
            ({"owner": "usr_nobody"}, 403, None),
            (
                {"where": {"kind": "in", "field": {"kind": "field", "dataset": "countries", "field": "planet"}, "values": ["Mars"]}},
                404,
                "unknown_field",
            ),
            ({"surprise": 1}, 422, None),
        ],
    )
    def test_bad_goals_are_refused_and_nothing_is_kept(self, executive: Any, change: dict[str, Any], status: int, code: str | None) -> None:
        before = len(executive.get("/v1/goals").json()["items"])
        answer = executive.post("/v1/goals", {**GOAL, **change})
        assert answer.status_code == status, answer.text
        assert code is None or answer.json()["code"] == code
        assert len(executive.get("/v1/goals").json()["items"]) == before

    def test_nobody_is_let_in_without_a_credential(self, client: Any) -> None:
        for path in ("/v1/goals", "/v1/goals/x", "/v1/forecasts", "/v1/forecasts/accuracy"):
            assert client.get(path).status_code == 401


class TestQuestions:
    def test_on_track_is_answered_with_a_probability(self, services: Any, analyst: Any) -> None:
        answer = analyst.post("/v1/ask", {"question": "will revenue reach 1M this quarter?"}).json()
        assert (answer["outcome"], answer["intent"]) == ("job", "forecast"), answer
        run_all(services)
        job = analyst.get(answer["job"]["href"]).json()
        assert job["error"] is None
        goal = job["result"]["goal"]
        assert (goal["basis"], goal["target"]) == ("period_total", 1_000_000)
        assert "reach" in job["result"]["headline"]
        assert job["result"]["chart"]["layer"][-1]["data"]["values"][0]["goal"] == 1_000_000

    def test_without_a_measure_it_asks_which_and_a_stored_goal_answers(self, services: Any, analyst: Any, executive: Any) -> None:
        asked = analyst.post("/v1/ask", {"question": "are we on track for 77M this year?"}).json()
        assert asked["outcome"] == "clarify"
        assert "forecast of revenue" in [choice["label"] for choice in asked["choices"]]
        goal = executive.post("/v1/goals", {**GOAL, "target": 77_000_000}).json()
        run_all(services)
        answer = executive.post("/v1/ask", {"question": "are we on track for 77M this year?"}).json()
        assert answer["outcome"] == "job", answer
        run_all(services)
        found = executive.get(answer["job"]["href"]).json()["result"]
        assert (found["metric"], found["goal"]["target"]) == ("revenue", 77_000_000)
        executive.client.delete(f"/v1/goals/{goal['id']}", headers=executive.headers)

    def test_a_quarter_by_region_and_a_scenario(self, services: Any, analyst: Any) -> None:
        quarter = analyst.post("/v1/ask", {"question": "what will revenue be next quarter by region?"}).json()
        what_if = analyst.post("/v1/ask", {"question": "what will revenue be next month if ad spend grows 10%?"}).json()
        nonsense = analyst.post("/v1/ask", {"question": "what will revenue be next month if the weather grows 10%?"})
        run_all(services)
        found = analyst.get(quarter["job"]["href"]).json()["result"]
        total, *parts = found["period"]["series"]
        assert found["period"]["start"] == "2026-07-01T00:00:00"
        assert sum(p["expected"] for p in parts) == pytest.approx(total["expected"], rel=1e-6)
        assert analyst.get(what_if["job"]["href"]).json()["result"]["scenario"]["driver"] == "ad_spend"
        assert nonsense.status_code == 422
        assert nonsense.json()["code"] == "unknown_driver"


class TestForecasts:
    def test_fields_by_name_batches_and_accuracy(self, services: Any, analyst: Any, executive: Any) -> None:
        made = analyst.post("/v1/forecasts", {"metric": "orders", "by": "region", "horizon": 7, "grain": "day"})
        assert made.status_code == 202, made.text
        assert made.json()["params"]["segments"][0]["field"] == "region"
        unclear = analyst.post("/v1/forecasts", {"metric": "orders", "by": "planet"})
        assert (unclear.status_code, unclear.json()["code"]) == (404, "unknown_field")
        assert executive.post("/v1/forecasts/batch", {"metrics": ["orders"]}).status_code == 403
        run_all(services)
        batch = analyst.post("/v1/forecasts/batch", {"metrics": ["orders"], "by": ["region"], "horizon": 7})
        assert batch.status_code == 202
        run_all(services)
        found = analyst.get(f"/v1/jobs/{batch.json()['id']}").json()
        assert found["status"] == "DONE", found["error"]
        assert found["result"]["series"] == 4
        listed = analyst.get("/v1/forecasts?metric=orders").json()["items"]
        assert len(listed) >= 2
        assert analyst.get("/v1/forecasts/accuracy").json()["metrics"] == []
        assert JobId(batch.json()["id"])
