"""An answer's sentences hold figures of the asker's rows: others get the question and its query, and compute it with their own rights."""

from __future__ import annotations

import pytest

from api.own_roles import RoleIn, put
from api.people import add
from core.store import findings, goals, jobs
from core.store.findings import ForecastEntry
from core.store.users import NewUser
from tests.integration.api.conftest import Caller
from workers.demo.people import DEMO_PASSWORD
from workers.forecasts.visibility import figures_key
from workers.kinds import SeriesParams
from workers.principals import system_principal

pytestmark = [pytest.mark.integration, pytest.mark.slow]


class TestAnotherPersonsAnswer:
    def test_has_its_query_but_no_figures(self, executive, manager) -> None:  # type: ignore[no-untyped-def]
        asked = executive.post("/v1/ask", {"question": "revenue by region"}).json()
        mine = executive.get(f"/v1/ask/{asked['id']}").json()
        theirs = manager.get(f"/v1/ask/{asked['id']}").json()
        assert mine["answer"]["headline"] == asked["headline"]
        assert theirs["answer"]["query"] == asked["query"]
        assert {"headline", "message", "receipt", "columns"} & set(theirs["answer"]) == set()

    def test_an_edited_query_continues_the_conversation(self, executive) -> None:  # type: ignore[no-untyped-def]
        first = executive.post("/v1/ask", {"question": "revenue by region"}).json()
        query = first["query"] | {"by": [{"kind": "time", "grain": "month"}]}
        edited = executive.post("/v1/query", {"query": query, "conversation_id": first["conversation_id"]}).json()
        assert edited["conversation_id"] == first["conversation_id"]
        assert edited["question"] == edited["paraphrase"]
        turns = executive.get(f"/v1/conversations/{first['conversation_id']}").json()["turns"]
        assert [turn["id"] for turn in turns] == [first["id"], edited["id"]]
        after = executive.post("/v1/ask", {"question": "only EMEA", "conversation_id": first["conversation_id"]}).json()
        assert after["outcome"] == "answer"
        assert after["query"]["by"][0]["kind"] == "time"

    def test_sql_says_what_its_columns_are(self, analyst) -> None:  # type: ignore[no-untyped-def]
        answer = analyst.post("/v1/sql", {"sql": "SELECT status, count() AS n FROM demo.orders GROUP BY status"}).json()
        assert [(c["name"], c["role"]) for c in answer["columns"]] == [("status", "attribute"), ("n", "measure")]
        assert all(len(row) == 2 for row in answer["rows"])


class TestAnotherPersonsJobs:
    """Two people who may look at everybody's jobs, each with the rows of another region."""

    @pytest.fixture(scope="class")
    def people(self, client, services):  # type: ignore[no-untyped-def]
        system = system_principal("acme")  # type: ignore[arg-type]
        put(services, system, "regional_ops", RoleIn(rights=["jobs", "share"], inherits=["manager"]))
        made = {}
        for region in ("EMEA", "APAC"):
            new = NewUser(f"ops-{region.lower()}@acme.example", "", frozenset({"regional_ops"}), DEMO_PASSWORD, {"regions": (region,)})
            made[region] = (add(services, system, new), Caller(client, new.email))
        return made

    def test_what_was_made_over_other_rows_is_not_shown(self, services, people, executive, analyst) -> None:  # type: ignore[no-untyped-def]
        (emea, hers), (_, theirs) = people["EMEA"], people["APAC"]
        catalog, params = services.catalogs.full(emea.tenant), SeriesParams(metric="revenue")
        found = {"params": params.model_dump(mode="json"), "visibility": figures_key(emea.principal(), catalog, params), "label": "Revenue"}
        with services.store.write() as connection:
            new = jobs.NewJob("forecast", "heavy", {"metric": "revenue"})
            job = jobs.create(connection, emea.tenant, emea.id, new, now=services.clock.now())
            entry = ForecastEntry(job.id, "revenue", "day", 7, 1, "naive", None, 1, found, emea.id)
            key = findings.put(connection, emea.tenant, entry, now=services.clock.now())
        goal = hers.post("/v1/goals", {"metric": "revenue", "starts_on": "2026-01-01", "ends_on": "2027-01-01", "target": 5}).json()
        with services.store.write() as connection:
            status = goals.GoalStatus(goal["id"], found["visibility"], {"probability": 0.5}, job.id, services.clock.now())
            goals.put_status(connection, emea.tenant, status)
        assert hers.get(f"/v1/goals/{goal['id']}").json()["status"] == {"probability": 0.5}
        assert theirs.get(f"/v1/goals/{goal['id']}").json()["status"] is None
        assert executive.get(f"/v1/goals/{goal['id']}").json()["status"] is None
        assert hers.client.delete(f"/v1/goals/{goal['id']}", headers=hers.headers).status_code == 204

        assert hers.get(f"/v1/jobs/{job.id}").json()["params"] == {"metric": "revenue"}
        refused = theirs.get(f"/v1/jobs/{job.id}")
        assert (refused.status_code, refused.json()["code"]) == (403, "not_yours")
        assert theirs.get(f"/v1/jobs/{job.id}/events").status_code == theirs.get(f"/jobs/{job.id}").status_code == 403
        assert analyst.get(f"/v1/jobs/{job.id}").status_code == 200  # who sees all rows sees these
        listed = {one["id"]: one["params"] for one in theirs.get("/v1/jobs").json()["items"]}
        assert listed[job.id] == {}
        assert key in hers.get("/v1/forecasts").text
        assert key not in theirs.get("/v1/forecasts").text + executive.get("/v1/forecasts").text
        assert theirs.post(f"/v1/jobs/{job.id}/cancel").json()["params"] == {}  # stopping it tells nothing

    def test_a_job_is_tried_again_only_by_who_could_have_started_it(self, services, people) -> None:  # type: ignore[no-untyped-def]
        user, ops = people["EMEA"]
        with services.store.write() as connection:
            new = jobs.NewJob("refresh_source", "heavy", {"source": "src_1"})
            job = jobs.create(connection, user.tenant, system_principal(user.tenant).user, new, now=services.clock.now())
        before = len(ops.get("/v1/jobs?limit=200").json()["items"])
        assert ops.post(f"/jobs/{job.id}/retry").status_code == 403
        assert len(ops.get("/v1/jobs?limit=200").json()["items"]) == before
        assert ops.post(f"/v1/jobs/{job.id}/cancel").status_code == 200
        over = ops.get(f"/jobs/{job.id}").text
        listed = ops.get("/jobs?state=cancelled").text
        assert (f"/jobs/{job.id}" in listed, f"/jobs/{job.id}/retry" in listed) == (True, False)
        assert (f"Job <code>{job.id}</code>" in over, "Try again" in over) == (True, False)
