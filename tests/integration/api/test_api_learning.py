"""Feedback -> proposals -> an analyst's decision -> a new catalog version -> evaluation, through the API."""

from __future__ import annotations

import pytest

from core.ids import TenantId
from semantic.expr import And, FieldRef, In
from tests.unit.workers.test_language_model import Endpoint
from workers.jobs import FUNCTIONS
from workers.run import run_job

pytestmark = [pytest.mark.integration, pytest.mark.slow]


ACME = TenantId("acme")


class TestRights:
    @pytest.mark.parametrize("path", ["/v1/proposals", "/v1/verified", "/v1/evaluations"])
    def test_nobody_without_a_credential_and_no_executive_gets_in(self, client, executive, path) -> None:  # type: ignore[no-untyped-def]
        assert client.get(path).status_code == 401
        assert executive.get(path).status_code == 403

    def test_another_tenants_proposal_is_not_found(self, executive, analyst, stranger) -> None:  # type: ignore[no-untyped-def]
        asked = executive.post("/v1/ask", {"question": "revenue by country last quarter"}).json()
        made = executive.post(f"/v1/ask/{asked['id']}/feedback", {"verdict": "up"}).json()["proposals"]
        assert len(made) == 1
        assert stranger.post(f"/v1/proposals/{made[0]}/approve").status_code == 404
        assert analyst.post(f"/v1/proposals/{made[0]}/reject", {"note": "too plain"}).json()["status"] == "rejected"


class TestSynonym:
    def test_a_word_that_was_explained_is_understood_once_approved(self, executive, analyst) -> None:  # type: ignore[no-untyped-def]
        question = "zorkmids by region"
        asked = executive.post("/v1/ask", {"question": question}).json()
        assert asked["outcome"] != "answer"
        said = {"verdict": "down", "wrong": "metric", "word": "zorkmids", "means": "metric:revenue"}
        (key,) = executive.post(f"/v1/ask/{asked['id']}/feedback", said).json()["proposals"]
        before = analyst.get("/v1/verified").json()["catalog_version"]
        assert executive.post("/v1/ask", {"question": question}).json()["outcome"] != "answer"
        approved = analyst.post(f"/v1/proposals/{key}/approve").json()
        assert approved["status"] == "approved"
        assert approved["catalog_version"] == before + 1
        answer = executive.post("/v1/ask", {"question": question}).json()
        assert answer["outcome"] == "answer"
        assert answer["query"]["metrics"][0]["metric"] == "revenue"
        assert analyst.post(f"/v1/proposals/{key}/approve").status_code == 409

    @pytest.mark.parametrize("means", ["metric:nothing", "revenue", "field:orders.password"])
    def test_a_meaning_that_is_not_there_changes_nothing(self, executive, analyst, means) -> None:  # type: ignore[no-untyped-def]
        asked = executive.post("/v1/ask", {"question": "flumoxes"}).json()
        before = len(analyst.get("/v1/proposals").json()["items"])
        refused = executive.post(f"/v1/ask/{asked['id']}/feedback", {"verdict": "down", "word": "flumoxes", "means": means})
        assert refused.status_code in (404, 422)
        assert len(analyst.get("/v1/proposals").json()["items"]) == before


class TestVerified:
    def test_a_verified_question_is_answered_by_its_query_and_a_near_one_is_labelled(self, executive, analyst) -> None:  # type: ignore[no-untyped-def]
        query = {"metrics": [{"kind": "metric", "metric": "revenue"}], "by": [{"kind": "time", "grain": "month"}]}
        assert analyst.post("/v1/verified", {"question": "how is business going?", "query": query}).status_code == 201
        exact = executive.post("/v1/ask", {"question": "How is business going"}).json()
        assert exact["outcome"] == "answer"
        assert exact["paraphrase"].startswith("Verified: ")
        near = executive.post("/v1/ask", {"question": "please, how is busines going?"}).json()
        assert "near match" in near["paraphrase"]
        assert (
            analyst.client.delete("/v1/verified", params={"question": "how is business going"}, headers=analyst.headers).status_code == 200
        )
        assert executive.post("/v1/ask", {"question": "how is business going"}).json().get("paraphrase", "").startswith("Verified") is False

    def test_a_query_that_cannot_run_is_not_verified(self, analyst) -> None:  # type: ignore[no-untyped-def]
        refused = analyst.post("/v1/verified", {"question": "x y", "query": {"metrics": [{"kind": "metric", "metric": "nothing"}]}})
        assert refused.status_code in (404, 422)


class TestEvaluation:
    def test_a_catalog_change_that_breaks_a_verified_question_is_reported(self, services, analyst) -> None:  # type: ignore[no-untyped-def]
        query = {"metrics": [{"kind": "metric", "metric": "revenue"}]}
        analyst.post("/v1/verified", {"question": "the big number", "query": query})
        catalog = services.catalogs.full(ACME)
        metric = catalog.metric("revenue")
        halved = metric.changed(where=catalog_filter(catalog, metric))
        changed = catalog.changed(metrics=tuple(halved if m.name == "revenue" else m for m in catalog.metrics))
        saved = analyst.put("/v1/catalog", {"yaml": changed.model_dump_json(), "expected_version": catalog.version})
        assert saved.status_code == 200, saved.text
        accepted = analyst.post("/v1/evaluations", {"version": saved.json()["version"], "base": catalog.version})
        assert accepted.status_code == 202
        run_job(services.core, FUNCTIONS, ACME, accepted.json()["id"])
        result = analyst.get(f"/v1/jobs/{accepted.json()['id']}").json()["result"]
        assert result["regressions"] >= 1
        report = analyst.get(f"/v1/evaluations/{result['evaluation']}").json()["report"]
        item = next(i for i in report["items"] if i["question"] == "the big number")
        assert item["verdict"] == "changed"
        assert item["old"]["sql"] != item["new"]["sql"]
        page = analyst.client.get("/evaluation", headers=analyst.headers)
        assert page.status_code == 200
        assert "the big number" in page.text
        one = analyst.client.get(f"/evaluation/{result['evaluation']}", headers=analyst.headers)
        assert "changed" in one.text
        back = analyst.client.post("/v1/catalog/rollback", params={"version": catalog.version}, headers=analyst.headers)
        assert back.status_code == 200


def catalog_filter(catalog, metric):  # type: ignore[no-untyped-def]
    """A condition that leaves out many rows of the metric's dataset."""
    dataset = catalog.dataset(metric.dataset)
    field = next(f for f in dataset.fields if f.role.value == "category" and len(f.values) > 1)
    chosen = In(field=FieldRef(dataset=dataset.name, field=field.name), values=(field.values[0],))
    if metric.where is None:
        return chosen
    return And(items=(metric.where, chosen))


class TestScan:
    def test_a_question_about_everything_starts_the_scan_of_the_key_metrics(self, services, executive) -> None:  # type: ignore[no-untyped-def]
        answer = executive.post("/v1/ask", {"question": "what changed last week?"}).json()
        assert answer["outcome"] == "job"
        assert answer["job"]["kind"] == "scan"
        run_job(services.core, FUNCTIONS, ACME, answer["job"]["id"])
        job = executive.get(f"/v1/jobs/{answer['job']['id']}").json()
        assert job["status"] == "DONE", job["error"]
        assert job["params"]["period"] is not None
        assert len(job["params"]["metrics"]) > 1

    def test_a_summary_of_some_rows_keeps_their_filter_and_lists_the_metrics(self, services, executive) -> None:  # type: ignore[no-untyped-def]
        answer = executive.post("/v1/ask", {"question": "summarise EMEA"}).json()
        assert answer["outcome"] == "job", answer["message"]
        job = executive.get(f"/v1/jobs/{answer['job']['id']}").json()
        assert job["params"]["summary"] is True
        assert "EMEA" in str(job["params"]["where"])
        run_job(services.core, FUNCTIONS, ACME, job["id"])
        table = executive.get(f"/v1/jobs/{job['id']}").json()["result"]["view_table"]
        assert table["columns"][0] == "metric"
        assert len(table["rows"]) > 3
        assert all(len(row) == len(table["columns"]) for row in table["rows"])


class TestLanguageModel:
    def test_what_the_grammar_refuses_may_be_read_by_a_model_and_says_so(self, services, executive, monkeypatch) -> None:  # type: ignore[no-untyped-def]
        endpoint = Endpoint()
        endpoint.replies = ['{"metrics": [{"kind": "metric", "metric": "revenue"}]}']
        given = services.settings.model_copy(
            update={"llm_base_url": f"http://{endpoint.host}/v1", "llm_model": "fake", "outbound_hosts": frozenset({endpoint.host})}
        )
        monkeypatch.setattr(services.core, "settings", given)
        try:
            read = executive.post("/v1/ask", {"question": "gronkulate the flumox"}).json()
            assert read["outcome"] == "answer"
            assert read["paraphrase"].startswith("Read by a language model: ")
            assert read["receipt"]["sql"]
            assert "values:" not in str(endpoint.seen)
            endpoint.replies = ["DROP TABLE orders"]
            refused = executive.post("/v1/ask", {"question": "gronkulate the zwark"}).json()
            assert refused["outcome"] == "refuse"
            calls = len(endpoint.seen)
            assert executive.post("/v1/ask", {"question": "revenue by region"}).json()["outcome"] == "answer"
            assert len(endpoint.seen) == calls, "the grammar understood this alone"
        finally:
            endpoint.close()
