"""A request that is sent again with its Idempotency-Key is done once."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from core.clock import FixedClock
from core.store import idempotency
from core.store.tables import idempotent_answers
from tests.integration.api.conftest import NOW, Caller
from workers.demo.people import DEMO_PASSWORD

GOAL_FREE = {"name": "kept once", "scopes": ["read"]}


@pytest.fixture(scope="module")
def analyst(client: Any) -> Caller:
    return Caller(client, "analyst@acme.example")


def make(caller: Caller, key: str, **body: Any) -> Any:
    return caller.post("/v1/api-keys", {**GOAL_FREE, **body}, headers={"Idempotency-Key": key})


def count(caller: Caller, name: str) -> int:
    return sum(item["name"] == name for item in caller.get("/v1/api-keys").json()["items"])


class TestRepeating:
    def test_the_first_answer_comes_again(self, analyst: Caller) -> None:
        first, second = make(analyst, "k-1", name="once"), make(analyst, "k-1", name="once")
        assert (first.status_code, second.status_code) == (201, 201)
        assert first.json() == second.json()
        assert "Idempotent-Replayed" not in first.headers
        assert second.headers["Idempotent-Replayed"] == "true"
        assert count(analyst, "once") == 1

    def test_a_secret_in_an_answer_is_not_readable_in_the_store(self, analyst: Caller, services: Any) -> None:
        made = make(analyst, "k-secret", name="secret").json()
        assert make(analyst, "k-secret", name="secret").json()["key"] == made["key"]
        with services.store.read() as connection:
            kept = connection.execute(select(idempotent_answers.c.body)).scalars().all()
        assert kept
        assert not any(made["key"].encode() in (body or b"") for body in kept)

    def test_nothing_is_kept_for_who_is_unknown(self, client: Any, services: Any) -> None:
        def kept() -> int:
            with services.store.read() as connection:
                return len(connection.execute(select(idempotent_answers.c.key_hash)).all())

        before = kept()
        client.cookies.clear()
        sign_in = {"email": "analyst@acme.example", "password": DEMO_PASSWORD}
        for headers in ({}, {"Authorization": "Bearer qk_nobody_knows"}):
            told = {**headers, "Idempotency-Key": "k-unknown"}
            assert client.post("/v1/nowhere", json={}, headers=told).status_code == 404
            for _ in range(2):
                assert "querent_session" in client.post("/v1/login", json=sign_in, headers=told).cookies
                client.cookies.clear()
        assert kept() == before

    def test_another_request_with_the_key_is_a_conflict(self, analyst: Caller) -> None:
        assert make(analyst, "k-2", name="a").status_code == 201
        refused = make(analyst, "k-2", name="b")
        assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_key_reused")
        assert count(analyst, "b") == 0

    def test_a_key_is_ones_own(self, client: Any, analyst: Caller) -> None:
        mine = make(analyst, "k-3", name="mine")
        theirs = make(Caller(client, "scientist@acme.example"), "k-3", name="mine")
        assert theirs.status_code == 201
        assert theirs.json()["id"] != mine.json()["id"]

    def test_refusals_are_kept_and_can_be_mended_with_a_new_key(self, analyst: Caller) -> None:
        assert make(analyst, "k-4", scopes=["everything"]).status_code == 422
        assert make(analyst, "k-4", scopes=["everything"]).headers["Idempotent-Replayed"] == "true"
        assert make(analyst, "k-5", scopes=["read"]).status_code == 201

    def test_without_a_key_each_counts(self, analyst: Caller) -> None:
        for _ in range(2):
            analyst.post("/v1/api-keys", {**GOAL_FREE, "name": "twice"})
        assert count(analyst, "twice") == 2

    def test_at_once_it_is_done_once(self, analyst: Caller) -> None:
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: make(analyst, "k-6", name="raced"), range(6)))
        assert {a.status_code for a in answers} <= {201, 409}
        assert count(analyst, "raced") == 1

    @pytest.mark.parametrize(("key", "status"), [("x" * 201, 422), ("ü".encode().decode("latin-1")[:1], 201)])
    def test_odd_keys(self, analyst: Caller, key: str, status: int) -> None:
        answer = analyst.post("/v1/api-keys", GOAL_FREE, headers={"Idempotency-Key": key.encode("latin-1")})
        assert answer.status_code == status

    def test_a_day_later_it_is_forgotten(self, analyst: Caller, services: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        with services.store.write() as connection:
            assert idempotency.begin(connection, "h" * 64, "r", now=NOW) is None
            assert idempotency.begin(connection, "h" * 64, "r", now=NOW + dt.timedelta(minutes=6)) is None  # its process was killed
            idempotency.finish(connection, "h" * 64, idempotency.KeptAnswer(200, "", "", b"x"))
            kept = idempotency.begin(connection, "h" * 64, "r", now=NOW + dt.timedelta(hours=1))
            assert kept is not None
            assert kept.body == b"x"
            assert idempotency.prune(connection, now=FixedClock(NOW).now() + dt.timedelta(days=3)) >= 1
