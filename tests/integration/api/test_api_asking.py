"""Questions through the whole pipeline over HTTP, checked by hand-written SQL."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from api.services import Services
from tests.integration.api.conftest import TODAY


def by_hand(services: Services, sql: str) -> list[list[Any]]:
    return [list(row.values()) for row in services.core.admin.query_arrow(sql).to_pylist()]


class TestAsk:
    def test_a_number_with_its_receipt(self, executive: Any, services: Services) -> None:
        answer = executive.post("/v1/ask", {"question": "what was revenue last month?"}).json()
        (expected,) = by_hand(
            services,
            "SELECT toFloat64(sum(net_amount)) AS r FROM demo.order_lines WHERE tenant_id = 'acme' AND order_date >= '2026-04-01' AND order_date < '2026-05-01'",
        )
        assert answer["outcome"] == "answer"
        assert answer["rows"][0][0] == pytest.approx(expected[0])
        receipt = answer["receipt"]
        assert receipt["parameters"] == {"p0": "2026-04-01", "p1": "2026-05-01"}
        assert receipt["windows"][0]["includes_current"] is False
        assert receipt["definitions"][0]["formula"] == "sum(order_lines.net_amount) of order lines"
        assert receipt["rows_read"] > 0
        assert "tenant_id" in receipt["sql"]

    def test_groups_and_a_comparison(self, executive: Any, services: Services) -> None:
        answer = executive.post("/v1/ask", {"question": "revenue by region last quarter compared to the year before"}).json()
        expected = by_hand(
            services,
            """SELECT o.region AS region, toFloat64(sumIf(l.net_amount, l.order_date >= '2026-01-01')) AS now,
                      toFloat64(sumIf(l.net_amount, l.order_date < '2025-04-01')) AS before
               FROM demo.order_lines AS l JOIN demo.orders AS o ON o.order_id = l.order_id AND o.tenant_id = 'acme'
               WHERE l.tenant_id = 'acme' AND ((l.order_date >= '2026-01-01' AND l.order_date < '2026-04-01')
                  OR (l.order_date >= '2025-01-01' AND l.order_date < '2025-04-01'))
               GROUP BY region ORDER BY now DESC, region""",
        )
        assert [[r[0], pytest.approx(r[1]), pytest.approx(r[2])] for r in answer["rows"]] == expected
        assert answer["chart"] is not None

    def test_words_that_are_not_known_are_named(self, executive: Any) -> None:
        answer = executive.post("/v1/ask", {"question": "revenue by wingspan"}).json()
        assert answer["outcome"] == "refuse"
        assert [word["text"] for word in answer["unknown"]] == ["wingspan"]
        assert answer["rows"] == []

    def test_the_same_question_is_answered_from_the_cache(self, executive: Any) -> None:
        first, second = (executive.post("/v1/ask", {"question": "orders by channel last month"}).json() for _ in range(2))
        assert second["receipt"]["cached"] is True
        assert first["rows"] == second["rows"]
        assert first["receipt"]["sql"] == second["receipt"]["sql"]

    def test_as_of_moves_today(self, executive: Any) -> None:
        answer = executive.post("/v1/ask", {"question": "orders yesterday", "as_of": "2026-03-10"}).json()
        assert answer["receipt"]["parameters"] == {"p0": "2026-03-09", "p1": "2026-03-10"}

    def test_every_question_is_logged_also_when_refused(self, executive: Any) -> None:
        refused = executive.post("/v1/ask", {"question": "how tall is the eiffel tower"}).json()
        kept = executive.get(f"/v1/ask/{refused['id']}").json()
        assert kept["outcome"] == "refuse"
        assert executive.post(f"/v1/ask/{refused['id']}/feedback", {"verdict": "down", "comment": "fair"}).status_code == 201

    @pytest.mark.parametrize(
        "body",
        [
            {}, {"question": ""}, {"question": "x" * 4001}, {"question": 5}, {"question": "revenue", "extra": 1}, {"question": "revenue", "as_of": "soon"},
            {"question": "revenue", "choice": -1},
        ],
    )  # fmt: skip
    def test_bad_requests_say_where_and_what(self, executive: Any, body: Any) -> None:
        answer = executive.post("/v1/ask", body)
        assert answer.status_code == 422
        problem = answer.json()
        assert problem["code"] == "invalid_request"
        assert problem["errors"][0]["path"].startswith("/")
        assert problem["request_id"]

    def test_an_unknown_conversation_is_404(self, executive: Any) -> None:
        assert executive.post("/v1/ask", {"question": "revenue", "conversation_id": "cnv_nope"}).status_code == 404

    @pytest.mark.parametrize(
        "question", ["'; DROP TABLE orders; --", "revenue {t:Identifier}", "\u202erevenue\u0000", "SELECT * FROM system.users", "🙂" * 500]
    )
    def test_hostile_text_is_only_ever_text(self, executive: Any, question: str) -> None:
        answer = executive.post("/v1/ask", {"question": question})
        assert answer.status_code in {200, 422}
        if answer.status_code == 200 and answer.json()["receipt"]:
            assert "DROP" not in answer.json()["receipt"]["sql"].upper()


class TestQuery:
    def test_an_edited_query_runs_as_it_is(self, executive: Any) -> None:
        asked = executive.post("/v1/ask", {"question": "orders by channel last month"}).json()
        again = executive.post("/v1/query", {"query": asked["query"]}).json()
        assert again["rows"] == asked["rows"]
        narrowed = {**asked["query"], "limit": 2}
        assert len(executive.post("/v1/query", {"query": narrowed}).json()["rows"]) == 2

    def test_unknown_names_get_suggestions(self, executive: Any) -> None:
        answer = executive.post("/v1/query", {"query": {"metrics": [{"kind": "metric", "metric": "revenu"}]}})
        assert answer.status_code == 404
        assert "revenue" in answer.json()["suggestions"]


class TestSql:
    def test_runs_for_the_callers_rows_only(self, analyst: Any, services: Services) -> None:
        answer = analyst.post("/v1/sql", {"sql": "SELECT count() AS n FROM demo.orders"}).json()
        expected = by_hand(services, "SELECT count() AS n FROM demo.orders WHERE tenant_id = 'acme'")
        assert answer["rows"] == expected

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT * FROM system.tables",
            "DROP TABLE demo.orders",
            "SELECT * FROM file('/etc/passwd')",
            "SELECT 1; SELECT 2",
            "SELECT tenant_id FROM demo.orders LIMIT 1",
            "nonsense (",
            "SELECT order_id FROM demo.orders ORDER BY order_id WITH FILL FROM 0 TO 1e12 LIMIT 9",  # the engine's refusal, not the guard's
        ],
    )
    def test_what_the_guard_does_not_allow_is_refused(self, analyst: Any, sql: str) -> None:
        answer = analyst.post("/v1/sql", {"sql": sql})
        assert answer.status_code == 422
        assert answer.json()["detail"]


class TestJobs:
    def test_a_forecast_is_accepted_with_its_place(self, analyst: Any) -> None:
        answer = analyst.post("/v1/forecasts", {"metric": "revenue", "horizon": 7}, headers={"Idempotency-Key": "k1"})
        assert answer.status_code == 202
        assert answer.headers["location"] == f"/v1/jobs/{answer.json()['id']}"
        again = analyst.post("/v1/forecasts", {"metric": "revenue", "horizon": 7}, headers={"Idempotency-Key": "k1"})
        assert again.json()["id"] == answer.json()["id"]
        other = analyst.post("/v1/forecasts", {"metric": "orders", "horizon": 7}, headers={"Idempotency-Key": "k1"})
        assert other.status_code == 409

    def test_a_waiting_job_can_be_cancelled_and_its_events_end(self, analyst: Any) -> None:
        before, job = (analyst.post("/v1/detections", {"metric": metric}).json() for metric in ("revenue", "orders"))
        places = [analyst.get(f"/v1/jobs/{one['id']}").json()["waiting_behind"] for one in (before, job)]
        assert places[1] == places[0] + 1
        ended = analyst.post(f"/v1/jobs/{job['id']}/cancel").json()
        assert (ended["status"], ended["waiting_behind"]) == ("CANCELLED", None)
        text = analyst.get(f"/v1/jobs/{job['id']}/events").text
        assert "event: end" in text
        resumed = analyst.get(f"/v1/jobs/{job['id']}/events?after=1").text
        assert "id: 1\n" not in resumed
        assert "event: end" in resumed

    def test_a_question_about_the_future_starts_a_job(self, executive: Any) -> None:
        answer = executive.post("/v1/ask", {"question": "forecast revenue for the next 4 weeks"}).json()
        assert answer["outcome"] == "job"
        assert answer["job"]["kind"] == "forecast"

    def test_a_figure_of_a_time_to_come_is_forecast(self, executive: Any) -> None:
        answer = executive.post("/v1/ask", {"question": "revenue next quarter"}).json()
        assert (answer["outcome"], answer["intent"]) == ("job", "forecast"), answer

    @pytest.mark.parametrize("body", [{"metric": "nope"}, {"metric": "revenue", "by": "planet"}, {"metric": "revenue", "horizon": 0}])
    def test_bad_studies_are_refused_before_they_start(self, analyst: Any, body: Any) -> None:
        assert analyst.post("/v1/forecasts", body).status_code in {404, 422}


class TestCatalog:
    def test_publish_conflict_and_rollback(self, analyst: Any) -> None:
        lossy = analyst.put("/v1/catalog", {"yaml": analyst.get("/v1/catalog?format=yaml").text})
        assert (lossy.status_code, lossy.json()["code"]) == (422, "rules_lost")  # as one sees it, it has no rules
        text = analyst.get("/v1/catalog?format=yaml&whole=true").text
        version = analyst.get("/v1/metrics").json()["catalog_version"]
        changed = text.replace("label: revenue\n", "label: net sales\n", 1)
        saved = analyst.put("/v1/catalog", {"yaml": changed, "expected_version": version, "note": "rename"})
        assert saved.status_code == 200, saved.text
        assert analyst.put("/v1/catalog", {"yaml": changed, "expected_version": version}).status_code == 409
        assert any(m["label"] == "net sales" for m in analyst.get("/v1/metrics").json()["items"])
        said = analyst.get(f"/v1/catalog/diff?old={version}&new={version + 1}").json()["changes"]
        assert any("metrics/revenue/label: revenue -> net sales" in change for change in said)
        assert analyst.post(f"/v1/catalog/rollback?version={version}").json()["restored_from"] == version
        assert not any(m["label"] == "net sales" for m in analyst.get("/v1/metrics").json()["items"])

    @pytest.mark.parametrize(("yaml", "said"), [("metrcs: []", "did you mean"), ("- 1", "a mapping"), ("name: [", "not valid YAML")])
    def test_a_bad_catalog_changes_nothing(self, analyst: Any, yaml: str, said: str) -> None:
        before = analyst.get("/v1/metrics").json()["catalog_version"]
        answer = analyst.put("/v1/catalog", {"yaml": yaml})
        assert answer.status_code == 422
        assert said in answer.json()["detail"]
        assert analyst.get("/v1/metrics").json()["catalog_version"] == before


class TestUpload:
    def test_a_file_is_kept_and_a_job_accepted(self, analyst: Any, services: Services) -> None:
        answer = analyst.client.post("/v1/datasets", headers=analyst.headers, files={"file": ("My Sales.csv", b"a,b\n1,2\n")})
        assert answer.status_code == 202, answer.text
        params = answer.json()["params"]
        assert params["dataset"] == "my_sales"
        assert (services.core.uploads / params["upload"]).read_bytes() == b"a,b\n1,2\n"

    @pytest.mark.parametrize(
        ("name", "content", "code"),
        [("x.exe", b"MZ", "unknown_file_type"), ("x.csv", b"", "empty_file"), ("../../x", b"a", "unknown_file_type")],
    )
    def test_what_cannot_be_data_is_refused_at_once(self, analyst: Any, name: str, content: bytes, code: str) -> None:
        answer = analyst.client.post("/v1/datasets", headers=analyst.headers, files={"file": (name, content)})
        assert answer.status_code == 422
        assert answer.json()["code"] == code


class TestOperations:
    def test_health_and_readiness_tell_the_truth(self, client: Any) -> None:
        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.get("/readyz").json() == {"status": "ok", "parts": {"state": "ok", "warehouse": "ok"}}
        assert "querent_http_requests_total" in client.get("/metrics").text

    def test_openapi_describes_every_route(self, client: Any) -> None:
        paths = client.get("/v1/openapi.json").json()["paths"]
        assert {"/v1/ask", "/v1/query", "/v1/sql", "/v1/jobs/{job_id}/events", "/v1/catalog", "/v1/datasets"} <= paths.keys()

    def test_dates_are_those_of_the_clock(self, executive: Any) -> None:
        answer = executive.post("/v1/ask", {"question": "orders yesterday"}).json()
        assert answer["receipt"]["parameters"]["p0"] == (TODAY - dt.timedelta(days=1)).isoformat()
