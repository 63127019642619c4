"""Hostile credentials, uploads and texts: refused in one way, harmless in exports, one line each in the log, and no secret anywhere."""

from __future__ import annotations

import io
import json
import logging
import os
import secrets
import sys
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import argon2
import pytest
import structlog

from api import body_limits
from api.cli.logs import configure_logging
from api.people import Change, add, change
from api.services import Services
from core.ids import JobId, TenantId
from core.principal import Role
from core.store import jobs
from core.store.users import NewUser
from tests.conftest import WarehouseEndpoint
from tests.integration.api.conftest import Caller
from workers.demo.people import DEMO_PASSWORD
from workers.jobs import FUNCTIONS
from workers.principals import system_principal
from workers.run import run_job

ACME = TenantId("acme")
HOSTILE = 'one\ntwo\r\n{"event": "forged", "level": "info"}\x1b[31mred\x1b[0m\x85\u2028three'


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What a server writes to standard error, as it is set up to."""
    root, kept = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = []
    written = io.StringIO()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", written)
        configure_logging("INFO", json=True)
    yield written
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**kept)


def upload(caller: Caller, filename: str, **more: str) -> Any:
    return caller.client.post("/v1/datasets", headers=caller.headers, files={"file": (filename, b"a,b\n1,2\n")}, data=more)


class TestKeysAndCookies:
    def test_what_is_almost_a_key_is_nobodys(self, client: Any, admin: Caller, stranger: Caller) -> None:
        made = [
            caller.post("/v1/api-keys", {"name": "fuzz", "days": 1}).json() for caller in (admin, Caller(client, "admin@globex.example"))
        ]
        own, others = (key["key"] for key in made)
        prefix, secret = own.removeprefix("qk_").split("_", 1)
        other_prefix, other_secret = others.removeprefix("qk_").split("_", 1)
        wrong = [
            f"qk_{other_prefix}_{secret}", f"qk_{prefix}_{other_secret}", f"qk_{prefix.upper()}_{secret}", f"qk_{prefix}_{secret.swapcase()}",
            f"QK_{prefix}_{secret}", f"sk_{prefix}_{secret}", f"qk_%_{secret}", f"qk_{prefix[:-1]}_{secret}", f"qk_{prefix}x_{secret}",
            f"qk_{prefix} _{secret}", f"qk_{prefix}_ {secret}", f"qk_{prefix}\t_{secret}", f"{own}\0", f"\0{own}", f"qk_{prefix}\0_{secret}",
            own[:-1], own + "A", own + own, f"{own},{others}", f"{own}.", f"{own}..", f"qk_{prefix}_", "qk__", "qk_", f"qk_{prefix}_{'A' * 100_000}",
            f"qk_' OR '1'='1_{secret}", f"qk_{prefix}_\u00e9", "\u00ff" * 40, f"{own}\u00e9",
        ]  # fmt: skip
        client.cookies.clear()
        for text in wrong:
            answer = client.get("/v1/me", headers={"Authorization": b"Bearer " + text.encode("latin-1")})
            assert (answer.status_code, answer.json()["code"]) == (401, "bad_api_key" if text.count(".") < 2 else "bad_token"), text[:80]
        assert client.get("/v1/me", headers={"Authorization": f"Bearer {own}"}).json()["tenant"] == "acme"
        assert client.get("/v1/me", headers={"Authorization": f"Bearer {others}"}).json()["tenant"] == "globex"
        for caller, key in zip((admin, Caller(client, "admin@globex.example")), made, strict=True):
            caller.client.delete(f"/v1/api-keys/{key['id']}", headers=caller.headers)

    def test_what_is_almost_a_session_is_nobodys(self, client: Any, admin: Caller) -> None:
        token = admin.headers["Cookie"].split("=", 1)[1]
        client.cookies.clear()
        for text in (token[:-1], token + "A", token.swapcase(), "x" * 100_000, "\u00ff", f"{token}\0", "null", "{}", "%00", f"x{token}"):
            answer = client.get("/v1/me", headers={"Cookie": b"querent_session=" + text.encode("latin-1")})
            assert answer.status_code == 401, text[:80]


class TestUploads:
    @pytest.mark.parametrize(
        "name",
        ["../../etc/cron.d/x.csv", "..\\..\\x.csv", "/etc/passwd.csv", "C:\\x.csv", "a\0b.csv", "n" * 296 + ".csv", "\u202egpj.csv", ".csv", "%2e%2e%2fx.csv"],
    )  # fmt: skip
    def test_a_name_is_never_a_path(self, analyst: Caller, services: Services, name: str) -> None:
        before = {p for p in services.settings.home.rglob("*") if not p.is_relative_to(services.core.uploads)}
        answer = upload(analyst, name)
        assert answer.status_code == 202, answer.text
        params = answer.json()["params"]
        assert (services.core.uploads / params["upload"]).resolve().parent == services.core.uploads.resolve()
        assert (services.core.uploads / params["upload"]).read_bytes() == b"a,b\n1,2\n"
        assert params["upload"].startswith("upl_")
        assert params["upload"].endswith(".csv")
        assert len(params["dataset"]) <= 86
        assert set(params["dataset"]) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")
        after = {p for p in services.settings.home.rglob("*") if not p.is_relative_to(services.core.uploads)}
        assert not [p for p in after - before if p.name.endswith(".csv") or "passwd" in p.name]

    def test_a_name_that_is_data_is_data(self, analyst: Caller) -> None:
        answer = upload(analyst, "x.csv", name="'); DROP TABLE orders --")
        assert (answer.status_code, answer.json()["params"]["dataset"]) == (202, "drop_table_orders")


class TestBodies:
    """Also those whose length nobody declared: they are counted as they arrive."""

    @staticmethod
    def pieces(count: int, first: bytes = b'{"question": "') -> Iterator[bytes]:
        yield first
        for _ in range(count):
            yield b"x" * 100_000

    @pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer qk_nobody_knows"}, {"Cookie": "querent_session=nobodys"}])
    @pytest.mark.parametrize("path", ["/v1/login", "/v1/ask", "/v1/datasets"])
    def test_who_is_unknown_may_send_little(self, client: Any, path: str, headers: dict[str, str]) -> None:
        client.cookies.clear()
        kind = "multipart/form-data; boundary=b" if path == "/v1/datasets" else "application/json"
        first = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        for body in (self.pieces(4, first), b"".join(self.pieces(4, first))):
            answer = client.post(path, content=body, headers={**headers, "Content-Type": kind, "Idempotency-Key": "k-big"})
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
            assert "at most 262,144 bytes" in answer.json()["detail"]

    def test_who_is_known_may_send_what_a_catalog_takes_and_files(self, analyst: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(body_limits, "USUAL_BYTES", 1_000_000)
        told = {**analyst.headers, "Content-Type": "application/json"}
        refused = analyst.client.post("/v1/ask", content=self.pieces(11), headers=told)
        assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
        assert analyst.client.post("/v1/ask", content=self.pieces(8), headers=told).status_code == 422  # read to its end, which is no JSON
        typed = {**analyst.headers, "Content-Type": "application/x-www-form-urlencoded"}
        page = analyst.client.post("/account/formats", content=self.pieces(11, b"a="), headers=typed)
        assert (page.status_code, page.headers["content-type"]) == (413, "text/plain; charset=utf-8")
        file = ("large.csv", b"a,b\n" + b"1,2\n" * 300_000)
        assert analyst.client.post("/v1/datasets", headers=analyst.headers, files={"file": file}).status_code == 202


class TestSpreadsheets:
    def test_a_request_id_is_no_formula_in_the_audit_export(self, client: Any, admin: Caller) -> None:
        hostile = {**admin.headers, "X-Request-ID": "-1-A1-cmd.exe"}
        assert client.post("/v1/api-keys", json={"name": "=1+1", "days": 1}, headers=hostile).status_code == 201
        text = admin.get("/v1/admin/audit/export?format=csv").text
        assert ",'-1-A1-cmd.exe," in text
        assert ",-1-A1" not in text


class TestLog:
    def test_hostile_text_is_one_escaped_line_each(
        self, client: Any, analyst: Caller, services: Services, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        agent = {"User-Agent": HOSTILE.encode(), "X-Request-ID": HOSTILE.encode()}
        headers = {**analyst.headers, **agent}
        answers = [
            client.post("/v1/ask", json={"question": HOSTILE}, headers=headers),
            client.post("/v1/login", json={"email": HOSTILE, "password": "wrong"}, headers=agent),
            client.get(f"/v1/jobs/{'%0a%1b[31m'}", headers=headers),
            client.get("/%0d%0aforged%1b[31m", headers=headers),
            upload(analyst, f"{HOSTILE}.csv"),
        ]
        assert all(a.status_code < 500 for a in answers), [a.text for a in answers]
        assert all(a.headers["X-Request-ID"].startswith("req_") for a in answers)

        def broken(*_: Any, **__: Any) -> Any:
            raise RuntimeError(HOSTILE)

        with monkeypatch.context() as patched:
            patched.setattr("api.routes.auth.sign_in", broken)
            answers.append(client.post("/v1/login", json={"email": HOSTILE, "password": "wrong"}, headers=agent))
        assert answers[-1].status_code == 500
        run_job(services.core, {"load_file": broken}, ACME, JobId(answers[4].json()["id"]))
        logging.getLogger("workers.run").warning("said: %s", HOSTILE)
        lines = logged.getvalue().split("\n")
        assert lines.pop() == ""
        read = [json.loads(line) for line in lines]
        assert sum(r["event"] == "request" for r in read) >= len(answers)
        assert sum("two" in str(r.get("exception", "")) for r in read) == 2  # the sign-in's and the job's
        assert not any(r["event"] == "forged" for r in read)
        assert not [c for c in logged.getvalue() if (ord(c) < 32 and c != "\n") or c in "\x7f\x85\u2028\u2029"]


class TestSignInTakesTheSamePath:
    def test_as_much_hashing_whoever_it_is(self, client: Any, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
        boss = system_principal(ACME)
        known, through, gone = (f"{name}-{secrets.token_hex(4)}@acme.example" for name in ("known", "through.provider", "gone"))
        add(services, boss, NewUser(known, "", frozenset({Role.VIEWER}), "a password of theirs"))
        add(services, boss, NewUser(through, "", frozenset({Role.VIEWER}), None))
        left = add(services, boss, NewUser(gone, "", frozenset({Role.VIEWER}), "a password of theirs"))
        change(services, boss, left.id, Change(disabled=True))
        work: list[str] = []
        true_verify = argon2.PasswordHasher.verify

        def counted(hasher: Any, hash: str, password: str) -> Any:
            work.append(hash.rsplit("$", 2)[0])  # kind, version, and the memory, time and lanes that it costs
            return true_verify(hasher, hash, password)

        monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
        done = []
        for email in (known, through, gone, f"nobody-{secrets.token_hex(4)}@acme.example"):
            body = {"email": email, "password": "wrong"}
            for how in ({"url": "/v1/login", "json": body}, {"url": "/login", "data": body}):
                work.clear()
                done.append((client.post(**how).status_code, tuple(work)))
        client.cookies.clear()
        assert len(set(done)) == 1, done
        assert done[0][0] == 401
        assert len(done[0][1]) == 1
        assert done[0][1][0].startswith("$argon2id$")


def test_secrets_are_nowhere(
    client: Any, services: Services, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch, warehouse_endpoint: WarehouseEndpoint
) -> None:
    """Each is used, rightly and wrongly; then all that is kept or said is searched: log, problems, state store, broker, warehouse log."""
    monkeypatch.setattr(services.settings, "outbound_hosts", frozenset({"127.0.0.1"}))
    admin = Caller(client, "admin@acme.example")
    said: list[str] = []

    def tell(answer: Any, status: int) -> Any:
        assert answer.status_code == status, answer.text
        said.append(answer.text)
        return answer

    key = admin.post("/v1/api-keys", {"name": "secrets", "days": 1}).json()  # type: ignore[attr-defined]
    session = admin.headers["Cookie"].split("=", 1)[1]
    hook = "whsec_" + b64encode(os.urandom(32)).decode()
    source_password, url_token = f"src-{secrets.token_hex(8)}", f"tok-{secrets.token_hex(8)}"
    hidden = {
        "demo password": DEMO_PASSWORD, "key": key["key"].split("_", 2)[2],
        "session": session, "webhook": hook.removeprefix("whsec_"), "source": source_password, "address": url_token,
    }  # fmt: skip
    # signing in, well and badly
    client.cookies.clear()
    tell(client.post("/v1/login", json={"email": "admin@acme.example", "password": DEMO_PASSWORD}), 200)
    tell(client.post("/v1/login", json={"email": "nobody@acme.example", "password": DEMO_PASSWORD}), 401)
    tell(client.post("/v1/login", json={"email": "x", "password": DEMO_PASSWORD, "extra": DEMO_PASSWORD}), 422)
    tell(client.post("/login", data={"email": "nobody@acme.example", "password": DEMO_PASSWORD}), 401)
    client.cookies.clear()
    bearer = {"Authorization": f"Bearer {key['key']}"}
    tell(client.get("/v1/me", headers=bearer), 200)
    tell(client.get("/v1/me", headers={"Authorization": f"Bearer {key['key']}x"}), 401)
    tell(client.get("/v1/me", headers={"Authorization": f"Basic {key['key']}"}), 401)
    tell(client.get("/v1/me", headers={"Cookie": f"querent_session={session}x"}), 401)
    # a webhook that fails when it is tried
    config = {"kind": "webhook", "url": f"http://127.0.0.1:9/{url_token}", "secret": hook}
    channel = tell(admin.post("/v1/channels", {"name": "secrets", "config": config}), 201).json()["id"]
    tell(admin.post("/v1/channels", {"name": "secrets", "config": {**config, "secret": hook, "more": hook}}), 422)
    tell(admin.post(f"/v1/channels/{channel}/test"), 200)
    # a source whose runs fail, and one that is refused
    connection = {
        "kind": "postgresql", "host": "127.0.0.1", "port": 9, "database": "shop", "table": "orders", "user": "reader", "password": source_password,
    }  # fmt: skip
    body = {"name": "hidden_orders", "connection": connection, "plan": {"table": "hidden_orders"}}
    source = tell(admin.post("/v1/sources", body), 201).json()["id"]
    tell(admin.post("/v1/sources", {**body, "connection": {**connection, "host": "a{1|2}"}}), 422)
    web = {"kind": "url", "url": f"http://127.0.0.1:9/x.csv?sig={url_token}"}
    other = tell(admin.post("/v1/sources", {"name": "hidden_web", "connection": web, "plan": {"table": "hidden_web"}}), 201).json()["id"]
    for made in (source, other):
        job = tell(admin.post(f"/v1/sources/{made}/run"), 202).json()["id"]
        run_job(services.core, FUNCTIONS, ACME, JobId(job))
        with services.store.read() as connected:
            assert jobs.get(connected, ACME, JobId(job)).error is not None
        tell(admin.get(f"/v1/jobs/{job}"), 200)
        tell(admin.get(f"/v1/sources/{made}/runs"), 200)
    for path in ("/v1/sources", "/v1/channels", "/v1/deliveries", "/v1/api-keys", "/v1/admin/audit/export", "/metrics"):
        tell(admin.get(path), 200)

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("failed on our side")

    with monkeypatch.context() as patched:
        patched.setattr("api.routes.auth.sign_in", broken)
        tell(client.post("/v1/login", json={"email": "admin@acme.example", "password": DEMO_PASSWORD}), 500)
    raw = services.store.engine.raw_connection()
    try:
        rows = "\n".join(raw.driver_connection.iterdump())  # type: ignore[union-attr]
    finally:
        raw.close()
    broker = [p.read_text("utf-8", "replace") for p in (services.settings.home / "broker").rglob("*") if p.is_file()]
    kept = {
        "answers": "\n".join(said), "log": logged.getvalue(), "state": rows, "broker": "\n".join(broker),
        "warehouse log": (warehouse_endpoint.folder.parent / f"{warehouse_endpoint.folder.name}.log").read_text("utf-8", "replace"),
    }  # fmt: skip
    assert "unexpected_error" in kept["log"]
    assert "hidden_orders" in kept["state"]
    assert kept["broker"]
    for name, secret in hidden.items():
        for place, text in kept.items():
            for form in (secret, b64encode(secret.encode()).decode().rstrip("=")):
                at = text.find(form)
                assert at < 0, f"the {name} is in the {place}: ...{text[max(0, at - 200) : at]}"
    for path in (f"/v1/sources/{source}", f"/v1/sources/{other}", f"/v1/channels/{channel}", f"/v1/api-keys/{key['id']}"):
        assert client.delete(path, headers=admin.headers).status_code in {200, 204}
