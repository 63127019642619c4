"""Sources over HTTP: declared by admins, never showing secrets, refreshed by a job, told in every answer."""

from __future__ import annotations

import functools
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.services import Services
from core.ids import JobId, TenantId
from workers.jobs import FUNCTIONS
from workers.run import run_job

POSTGRES = {
    "kind": "postgresql",
    "host": "db.example.com",
    "database": "shop",
    "table": "orders",
    "user": "reader",
    "password": "top-secret-1",
}


@pytest.fixture
def web(tmp_path: Path, services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(services.settings, "outbound_hosts", frozenset({"127.0.0.1"}))
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def body(name: str, connection: dict[str, Any], **plan: Any) -> dict[str, Any]:
    return {"name": name, "connection": connection, "plan": {"table": name, **plan}}


def test_a_file_becomes_a_table_that_answers_with_its_freshness(
    admin: Any, analyst: Any, services: Services, web: str, tmp_path: Path
) -> None:
    (tmp_path / "planets.csv").write_text("planet,moons\nMars,2\nEarth,1\nSaturn,146\n")
    made = admin.post("/v1/sources", body("planets", {"kind": "url", "url": f"{web}/planets.csv?sig=hidden-signature"}, every_minutes=60))
    assert made.status_code == 201, made.text
    assert "hidden-signature" not in made.text
    source = made.json()["id"]
    link = admin.post(f"/v1/sources/{source}/run").json()
    run_job(services.core, FUNCTIONS, TenantId("acme"), JobId(link["id"]))
    (run,) = analyst.get(f"/v1/sources/{source}/runs").json()["items"]
    assert (run["outcome"], run["rows_written"]) == ("ok", 3), run["report"]
    shown = analyst.get(f"/v1/sources/{source}").json()
    assert shown["lineage"]["datasets"] == ["planets"]
    answer = analyst.post("/v1/ask", {"question": "total moons of planets"}).json()
    assert answer["outcome"] == "answer", answer
    (fresh,) = answer["receipt"]["freshness"]
    assert (fresh["table"], fresh["source"], fresh["late"]) == ("planets", "planets", False)
    (tmp_path / "fewer.csv").write_text("planet,moons\nMars,2\n")
    os.utime(tmp_path / "fewer.csv", (0, 0))  # older than what is loaded, but not the same file
    assert admin.put(f"/v1/sources/{source}", body("planets", {"kind": "url", "url": f"{web}/fewer.csv?sig=other"})).status_code == 200
    run_job(services.core, FUNCTIONS, TenantId("acme"), JobId(admin.post(f"/v1/sources/{source}/run").json()["id"]))
    assert analyst.get(f"/v1/sources/{source}/runs").json()["items"][0]["rows_written"] == 1
    assert admin.client.delete(f"/v1/sources/{source}", headers=admin.headers).status_code == 204


def test_secrets_are_not_shown_and_do_not_follow_to_another_host(admin: Any, analyst: Any, stranger: Any) -> None:
    made = admin.post("/v1/sources", body("orders_copy", POSTGRES)).json()
    texts = [analyst.get("/v1/sources").text, analyst.get(f"/v1/sources/{made['id']}").text, str(made)]
    assert not any("top-secret-1" in text for text in texts)
    assert made["has_secret"]
    without = {k: v for k, v in POSTGRES.items() if k != "password"}
    assert admin.put(f"/v1/sources/{made['id']}", body("orders_copy", without, every_minutes=30)).status_code == 200
    moved = admin.put(f"/v1/sources/{made['id']}", body("orders_copy", without | {"host": "evil.example"}))
    assert (moved.status_code, moved.json()["code"]) == (422, "source_secret_needed")
    topic = {"kind": "kafka", "brokers": ["a.example:9093", "b.example:9093"], "topic": "t", "user": "u"}
    stream = admin.post("/v1/sources", body("topic_copy", topic | {"password": "top-secret-3"}, mode="stream")).json()
    assert admin.put(f"/v1/sources/{stream['id']}", body("topic_copy", topic, mode="stream", every_minutes=30)).status_code == 200
    moved = admin.put(f"/v1/sources/{stream['id']}", body("topic_copy", topic | {"brokers": ["evil.example:9093"]}, mode="stream"))
    assert (moved.status_code, moved.json()["code"]) == (422, "source_secret_needed")
    assert admin.client.delete(f"/v1/sources/{stream['id']}", headers=admin.headers).status_code == 204
    assert stranger.get(f"/v1/sources/{made['id']}").status_code in (403, 404)
    assert analyst.post(f"/v1/sources/{made['id']}/run").status_code == 403
    assert admin.client.delete(f"/v1/sources/{made['id']}", headers=admin.headers).status_code == 204


def test_the_keys_of_a_bucket_are_left_out_as_a_pair_and_stay(admin: Any) -> None:
    place = {"kind": "s3", "url": "https://b.s3.amazonaws.com/a.parquet", "format": "Parquet"}
    made = admin.post("/v1/sources", body("bucket", place | {"access_key": "AKIA1", "secret_key": "top-secret-2"})).json()
    kept = admin.put(f"/v1/sources/{made['id']}", body("bucket", place, every_minutes=60))
    assert (kept.status_code, kept.json().get("has_secret")) == (200, True), kept.text
    assert kept.json()["connection"]["access_key"] == "AKIA1"
    moved = admin.put(f"/v1/sources/{made['id']}", body("bucket", place | {"url": "https://c.s3.amazonaws.com/a.parquet"}))
    assert (moved.status_code, moved.json()["code"]) == (422, "source_secret_needed")
    assert admin.client.delete(f"/v1/sources/{made['id']}", headers=admin.headers).status_code == 204


@pytest.mark.parametrize(
    ("connection", "plan", "code"),
    [
        (POSTGRES | {"host": "a{1|2}.example"}, {}, "invalid_request"),
        (POSTGRES | {"table": "x'); DROP TABLE y --`"}, {}, "invalid_request"),
        (POSTGRES | {"query": "SELECT 1"}, {}, "invalid_request"),
        (POSTGRES, {"mode": "incremental"}, "invalid_request"),
        (POSTGRES, {"table": "orders__rejected"}, "bad_table"),
        ({"kind": "file", "path": "/etc/passwd"}, {}, "invalid_request"),
        ({"kind": "url", "url": "file:///etc/passwd"}, {}, "invalid_request"),
        ({"kind": "url", "url": "http://a:b@example.com/x"}, {}, "invalid_request"),
    ],
)  # fmt: skip
def test_what_is_not_a_plain_value_is_refused(admin: Any, connection: dict[str, Any], plan: dict[str, Any], code: str) -> None:
    answer = admin.post("/v1/sources", body("bad", connection) | {"plan": {"table": "bad"} | plan})
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
