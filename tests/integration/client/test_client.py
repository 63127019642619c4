"""The Python client against a running product."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pandas as pd
import pytest

from api.client import ApiError, JobFailed, NotAnswered, Querent
from workers.demo.people import DEMO_PASSWORD

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def analyst(address: str) -> Iterator[Querent]:
    with Querent(address) as made:
        yield made.sign_in("analyst@acme.example", DEMO_PASSWORD)


class TestAsking:
    def test_an_answer_is_a_frame_with_its_sql(self, analyst: Querent) -> None:
        answer = analyst.ask("revenue by month this year")
        assert answer.outcome == "answer"
        assert isinstance(answer.frame.iloc[0, 0], pd.Timestamp)
        assert pd.api.types.is_numeric_dtype(answer.frame.iloc[:, 1])
        assert answer.sql.startswith("SELECT")
        assert answer.plot().png().startswith(b"\x89PNG")
        assert "<table" in answer._repr_html_()

    def test_a_cyclic_grain_is_no_date(self, analyst: Querent) -> None:
        assert not pd.api.types.is_datetime64_any_dtype(analyst.ask("orders by day of week").frame.iloc[:, 0])

    def test_follow_ups_queries_and_sql(self, analyst: Querent) -> None:
        first = analyst.ask("revenue by region last month")
        assert len(first.then("only EMEA").frame) == 1
        assert analyst.query(dict(first.query or {}) | {"limit": 2}).frame.shape[0] == 2
        assert analyst.sql("SELECT count() FROM demo.orders").frame.iloc[0, 0] > 1000

    def test_what_is_not_answered_says_why(self, analyst: Querent) -> None:
        refused = analyst.ask("revenue by astrological sign")
        assert refused.outcome == "refuse"
        with pytest.raises(NotAnswered, match="astrological"):
            _ = refused.frame
        with pytest.raises(NotAnswered):
            refused.wait()

    def test_errors_are_in_the_services_words(self, analyst: Querent, address: str) -> None:
        with pytest.raises(ApiError) as wrong:
            analyst.sql("SELECT * FROM system.users")
        assert wrong.value.status == 422
        assert wrong.value.request_id.startswith("req_")
        with pytest.raises(ApiError) as unknown:
            analyst.forecast("revenu")
        assert "revenue" in unknown.value.suggestions
        with Querent(address, key="qk_wrong_key") as nobody, pytest.raises(ApiError) as refused:
            nobody.metrics()
        assert refused.value.status == 401

    def test_a_key_works_as_well(self, analyst: Querent, address: str) -> None:
        key = analyst.request("POST", "/v1/api-keys", json={"name": "notebook", "scopes": ["ask", "read"]})["key"]
        with Querent(address, key=key) as program:
            assert "revenue" in set(program.metrics()["name"])
            with pytest.raises(ApiError) as refused:
                program.sql("SELECT count() FROM demo.orders")
            assert refused.value.code == "scope_missing"


class TestStudies:
    def test_a_forecast_is_waited_for(self, analyst: Querent) -> None:
        study = analyst.forecast("revenue", grain="week", horizon=4).wait(progress=False)
        assert study.kind == "forecast"
        assert len(study.frame) == 4
        assert (study.frame["lower_80"] <= study.frame["mean"]).all()
        assert study.model
        assert study.headline
        assert len(study.table)

    def test_a_failed_one_says_so(self, analyst: Querent) -> None:
        with pytest.raises((JobFailed, ApiError)):
            analyst.forecast("revenue", horizon=5, where={"kind": "compare"}).wait(progress=False)

    def test_too_slow_is_not_lost(self, analyst: Querent) -> None:
        job = analyst.detect("orders")
        with pytest.raises(TimeoutError, match="goes on"):
            job.wait(timeout_s=0, progress=False)
        assert job.wait(progress=False).kind == "detect"


class Flaky(BaseHTTPRequestHandler):
    """Asks for patience twice, then answers; counts what reached it."""

    seen: list[tuple[str, str | None]] = []

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        Flaky.seen.append((f"{self.command} {self.path}", self.headers.get("Idempotency-Key")))
        away = len(Flaky.seen) < 3
        body = b'{"detail": "away", "code": "unavailable"}' if away else b'{"items": [], "id": "job_1"}'
        self.send_response(503 if away else 200)
        self.send_header("Retry-After", "0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _answer

    def log_message(self, *_: object) -> None:
        pass


class TestTryingAgain:
    @pytest.fixture
    def flaky(self) -> Iterator[str]:
        Flaky.seen = []
        server = HTTPServer(("127.0.0.1", 0), Flaky)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        server.server_close()

    def test_reading_and_starting_jobs_is_tried_again(self, flaky: str) -> None:
        with Querent(flaky) as q:
            assert q.request("GET", "/v1/metrics") == {"items": [], "id": "job_1"}
            Flaky.seen = []
            assert q.forecast("revenue").id == "job_1"
        keys = {key for _, key in Flaky.seen}
        assert len(Flaky.seen) == 3
        assert len(keys) == 1  # one key, so that the job is started once whatever arrived
        assert None not in keys

    def test_what_is_not_safe_to_repeat_is_not(self, flaky: str) -> None:
        with Querent(flaky) as q, pytest.raises(ApiError):
            q.ask("revenue")
        assert len(Flaky.seen) == 1

    def test_nothing_there(self) -> None:
        with Querent("http://127.0.0.1:9") as q, pytest.raises(httpx.TransportError):
            q.ask("revenue")
