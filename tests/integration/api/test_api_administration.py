"""People, sessions, lock-out, second factor, audit log, use and quotas, over HTTP and the real state store."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pyotp
import pytest

from api import persons
from core.clock import FixedClock
from core.ids import TenantId
from core.store import tenants
from tests.integration.api.conftest import NOW, Caller
from workers.demo.people import DEMO_PASSWORD
from workers.digests.addresses import mail_of

PASSWORD = "a long enough password"


@pytest.fixture(scope="module")
def admin(client: Any) -> Caller:
    return Caller(client, "admin@acme.example")


def sign_in(client: Any, email: str, password: str = PASSWORD, **more: str) -> Any:
    client.cookies.clear()
    answer = client.post("/v1/login", json={"email": email, "password": password, **more})
    client.cookies.clear()
    return answer


def add(admin: Caller, email: str, **more: Any) -> Any:
    return admin.post("/v1/admin/users", json={"email": email, "roles": ["viewer"], "password": PASSWORD, **more})


class TestPeople:
    def test_a_person_is_added_signs_in_and_is_listed(self, client: Any, admin: Caller) -> None:
        made = add(admin, "New.Person@acme.example", attributes={"regions": ["EMEA"]})
        assert made.status_code == 201, made.text
        assert made.json()["email"] == "new.person@acme.example"
        assert "password" not in made.text.replace("has_password", "")
        me = sign_in(client, "new.person@acme.example")
        assert me.json()["roles"] == ["viewer"]
        assert me.json()["attributes"] == {"regions": ["EMEA"]}
        listed = admin.get("/v1/admin/users?limit=2").json()
        assert len(listed["items"]) == 2
        rest = admin.get("/v1/admin/users", params={"cursor": listed["next"]}).json()
        emails = [p["email"] for p in listed["items"] + rest["items"]]
        assert emails == sorted(emails)
        assert "new.person@acme.example" in emails
        assert not [e for e in emails if e.endswith("globex.example")]

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"email": "executive@acme.example", "roles": ["viewer"]}, 409),
            ({"email": "no address", "roles": ["viewer"]}, 422),
            ({"email": "x@acme.example", "roles": []}, 422),
            ({"email": "x@acme.example", "roles": ["king"]}, 422),
            ({"email": "x@acme.example", "roles": ["viewer"], "password": "short"}, 422),
            ({"email": "x@acme.example", "roles": ["viewer"], "tenant": "globex"}, 422),
        ],
    )
    def test_a_bad_person_is_refused(self, admin: Caller, body: dict[str, Any], status: int) -> None:
        assert admin.post("/v1/admin/users", json=body).status_code == status

    def test_changed_rights_end_the_sessions(self, client: Any, admin: Caller) -> None:
        user = add(admin, "changes@acme.example").json()["id"]
        cookie = {"Cookie": f"querent_session={sign_in(client, 'changes@acme.example').cookies['querent_session']}"}
        assert client.get("/v1/me", headers=cookie).status_code == 200
        changed = client.patch(f"/v1/admin/users/{user}", json={"roles": ["analyst"]}, headers=admin.headers)
        assert changed.json()["roles"] == ["analyst"]
        assert client.get("/v1/me", headers=cookie).status_code == 401
        client.patch(f"/v1/admin/users/{user}", json={"disabled": True}, headers=admin.headers)
        assert sign_in(client, "changes@acme.example").status_code == 401

    def test_the_last_administrator_stays(self, client: Any, admin: Caller) -> None:
        me = admin.get("/v1/me").json()["user"]
        answer = client.patch(f"/v1/admin/users/{me}", json={"roles": ["viewer"]}, headers=admin.headers)
        assert answer.status_code == 409
        assert answer.json()["code"] == "last_administrator"

    def test_another_companys_person_does_not_exist(self, client: Any, admin: Caller) -> None:
        other = Caller(client, "analyst@globex.example").get("/v1/me").json()["user"]
        assert admin.get(f"/v1/admin/users/{other}").status_code == 404
        assert client.patch(f"/v1/admin/users/{other}", json={"disabled": True}, headers=admin.headers).status_code == 404
        assert admin.post(f"/v1/admin/users/{other}/erase").status_code == 404

    @pytest.mark.parametrize("email", ["executive@acme.example", "analyst@acme.example", "scientist@acme.example"])
    def test_only_administrators(self, client: Any, email: str) -> None:
        someone = Caller(client, email)
        for path in ("/v1/admin/users", "/v1/admin/audit", "/v1/admin/usage", "/v1/admin/company", "/v1/admin/audit/export"):
            assert someone.get(path).status_code == 403

    def test_ones_own_password(self, client: Any, admin: Caller) -> None:
        add(admin, "own@acme.example")
        own = {"Cookie": f"querent_session={sign_in(client, 'own@acme.example').cookies['querent_session']}"}
        assert client.put("/v1/me/password", json={"current": "wrong", "password": "another password"}, headers=own).status_code == 403
        assert client.put("/v1/me/password", json={"current": PASSWORD, "password": "another password"}, headers=own).status_code == 204
        assert client.get("/v1/me", headers=own).status_code == 401
        assert sign_in(client, "own@acme.example").status_code == 401
        assert sign_in(client, "own@acme.example", "another password").status_code == 200


class TestErasing:
    def test_what_is_known_can_be_had_and_erased(self, client: Any, admin: Caller, services: Any) -> None:
        user = add(admin, "leaves@acme.example", display_name="Lea Ves", roles=["executive"]).json()["id"]
        theirs = Caller.__new__(Caller)
        theirs.client, theirs.headers = (
            client,
            {"Cookie": f"querent_session={sign_in(client, 'leaves@acme.example').cookies['querent_session']}"},
        )
        assert theirs.post("/v1/ask", json={"question": "revenue last month"}).status_code == 200
        assert theirs.post("/v1/digests", json={"name": "mine", "definition": {}}).status_code == 201
        assert theirs.post("/v1/subscriptions", json={"metric": "revenue"}).status_code == 201
        assert theirs.post("/v1/api-keys", json={"name": "mine"}).status_code == 201
        shared = admin.post(
            "/v1/channels", json={"name": "shared", "config": {"kind": "email", "to": ["Leaves@acme.example", "x@acme.example"]}}
        )
        with services.store.write() as connection:
            mail_of(connection, TenantId("acme"), user, now=services.clock.now())
        known = admin.get(f"/v1/admin/users/{user}/export").json()
        assert known["users"][0]["email"] == "leaves@acme.example"
        assert known["questions"][0]["text"] == "revenue last month"
        assert "password_hash" not in json.dumps(known)
        assert admin.post(f"/v1/admin/users/{user}/erase").json()["display_name"] == "Erased person"
        after = json.dumps(admin.get(f"/v1/admin/users/{user}/export").json())
        assert "Lea" not in after
        assert "leaves@" not in after
        assert "revenue last month" not in after
        erased = {name for name, columns in persons.COLUMNS.items() if "erase" in columns.values()}
        assert {"questions", "subscriptions", "digest_readers", "api_keys", "sessions", "turns"} <= known.keys()
        assert not (erased | {"turns"}) & json.loads(after).keys()
        assert admin.get(f"/v1/channels/{shared.json()['id']}").json()["config"]["to"] == ["x@acme.example"]
        with services.store.read() as connection:
            assert persons.still_named(connection, TenantId("acme"), "leaves@acme.example") == {}
            assert persons.still_named(connection, TenantId("acme"), "admin@acme.example") != {}
        assert theirs.get("/v1/me").status_code == 401
        assert admin.get("/v1/admin/audit/check").json() == {"intact": True, "first_broken": None}


class TestLockOut:
    def test_ten_wrong_passwords_lock_for_a_while(self, client: Any, admin: Caller, services: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        user = add(admin, "locked@acme.example").json()["id"]
        for _ in range(10):
            assert sign_in(client, "locked@acme.example", "wrong").status_code == 401
        refused = sign_in(client, "locked@acme.example")
        assert refused.status_code == 429
        assert refused.json()["code"] == "account_locked"
        assert int(refused.headers["Retry-After"]) > 0
        import datetime as dt

        monkeypatch.setattr(services.core, "clock", FixedClock(NOW + dt.timedelta(minutes=2)))
        assert sign_in(client, "locked@acme.example").status_code == 200
        monkeypatch.undo()
        for _ in range(11):
            sign_in(client, "locked@acme.example", "wrong")
        assert sign_in(client, "locked@acme.example").status_code == 429
        assert admin.put(f"/v1/admin/users/{user}/password", {"password": "given by the admin"}).status_code == 204
        assert sign_in(client, "locked@acme.example", "given by the admin").status_code == 200

    def test_an_unknown_account_locks_in_the_same_words(self, client: Any) -> None:
        for _ in range(10):
            assert sign_in(client, "no.such.person@acme.example", "wrong").json()["code"] == "bad_credentials"
        assert sign_in(client, "no.such.person@acme.example", "wrong").json()["code"] == "account_locked"


class TestSecondFactor:
    def test_from_enrolment_to_recovery(self, client: Any, admin: Caller) -> None:
        add(admin, "careful@acme.example")
        own = {"Cookie": f"querent_session={sign_in(client, 'careful@acme.example').cookies['querent_session']}"}
        begun = client.post("/v1/me/second-factor", headers=own).json()
        assert begun["uri"].startswith("otpauth://totp/Querent:careful%40acme.example")
        totp = pyotp.TOTP(begun["secret"])
        assert sign_in(client, "careful@acme.example").status_code == 200  # counts once confirmed
        wrong = str((int(totp.at(NOW)) + 1) % 1_000_000).zfill(6)
        assert client.post("/v1/me/second-factor/confirm", json={"code": wrong}, headers=own).status_code == 422
        codes = client.post("/v1/me/second-factor/confirm", json={"code": totp.at(NOW)}, headers=own).json()["recovery_codes"]
        assert len(set(codes)) == 10
        asked = sign_in(client, "careful@acme.example")
        assert (asked.status_code, asked.json()["code"]) == (401, "second_factor_needed")
        replay = sign_in(client, "careful@acme.example", code=totp.at(NOW))
        assert (replay.status_code, replay.json()["code"]) == (401, "bad_second_factor")
        assert sign_in(client, "careful@acme.example", code=totp.at(NOW.timestamp() + 30)).status_code == 200
        assert sign_in(client, "careful@acme.example", code=codes[0]).status_code == 200
        assert sign_in(client, "careful@acme.example", code=codes[0]).status_code == 401
        assert client.post("/v1/me/second-factor", headers=own).status_code == 409
        assert client.post("/v1/me/second-factor/remove", json={"code": codes[1]}, headers=own).status_code == 204
        assert sign_in(client, "careful@acme.example").status_code == 200

    def test_codes_cannot_be_tried_in_an_open_session(self, client: Any, admin: Caller) -> None:
        add(admin, "stolen@acme.example")
        own = {"Cookie": f"querent_session={sign_in(client, 'stolen@acme.example').cookies['querent_session']}"}
        totp = pyotp.TOTP(client.post("/v1/me/second-factor", headers=own).json()["secret"])
        assert client.post("/v1/me/second-factor/confirm", json={"code": totp.at(NOW)}, headers=own).status_code == 200
        tried = [client.post("/v1/me/second-factor/remove", json={"code": "nonsense"}, headers=own).status_code for _ in range(11)]
        assert tried == [401] * 10 + [429]


class TestAudit:
    def test_who_did_what(self, client: Any, admin: Caller) -> None:
        analyst = Caller(client, "analyst@acme.example")
        answer = analyst.post("/v1/ask", json={"question": "orders last month"})
        me = analyst.get("/v1/me").json()["user"]
        entries = admin.get("/v1/admin/audit", params={"actor": me, "limit": 20}).json()["items"]
        asked = next(e for e in entries if e["action"] == "data.query")
        assert asked["target"] == answer.json()["id"]
        assert asked["details"]["rows_read"] > 0
        assert asked["request_id"] == answer.headers["X-Request-ID"]
        assert any(e["action"] == "session.start" for e in entries)

    def test_a_refusal_is_recorded(self, client: Any, admin: Caller) -> None:
        executive = Caller(client, "executive@acme.example")
        refused = executive.get("/v1/admin/users")
        entries = admin.get("/v1/admin/audit", params={"outcome": "denied", "limit": 5}).json()["items"]
        assert entries[0]["action"] == "GET /v1/admin/users"
        assert entries[0]["request_id"] == refused.headers["X-Request-ID"]

    def test_no_secret_is_in_it(self, client: Any, admin: Caller) -> None:
        assert add(admin, "secretive@acme.example").status_code == 201
        assert sign_in(client, "secretive@acme.example").status_code == 200
        exported = admin.get("/v1/admin/audit/export").text
        assert {"user.create", "session.start"} <= {json.loads(line)["action"] for line in exported.splitlines()}
        assert DEMO_PASSWORD not in exported
        assert PASSWORD not in exported
        rows = list(csv.DictReader(io.StringIO(admin.get("/v1/admin/audit/export?format=csv").text)))
        assert [int(r["sequence"]) for r in rows] == sorted((int(r["sequence"]) for r in rows), reverse=True)

    def test_pages_of_it_join(self, admin: Caller) -> None:
        for number in range(5):
            assert add(admin, f"page{number}@acme.example").status_code == 201
        first = admin.get("/v1/admin/audit?limit=3&action=user.").json()
        second = admin.get(f"/v1/admin/audit?limit=3&action=user.&cursor={first['next']}").json()
        sequences = [e["sequence"] for e in first["items"] + second["items"]]
        assert len(sequences) == 6 or second["next"] is None
        assert sequences == sorted(set(sequences), reverse=True)
        assert all(e["action"].startswith("user.") for e in first["items"])


class TestLimits:
    def test_what_is_left_is_told(self, admin: Caller) -> None:
        headers = admin.get("/v1/me").headers
        assert headers["RateLimit-Policy"] == '"requests";q=1000;w=60'
        assert headers["RateLimit"].startswith('"requests";r=')

    def test_too_many_requests(self, client: Any, admin: Caller, services: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        from api.limiting import RequestRates

        settings = services.settings.model_copy(update={"rate_per_minute": 5})
        monkeypatch.setitem(services.__dict__, "rates", RequestRates(settings))
        statuses = [admin.get("/v1/me").status_code for _ in range(7)]
        assert statuses == [200] * 5 + [429] * 2
        refused = admin.get("/v1/me")
        assert refused.json()["code"] == "rate_limited"
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert Caller(client, "analyst@acme.example").get("/v1/me").status_code == 200  # others are not held back

    def test_a_quota_used_up(self, client: Any, services: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        admin = Caller(client, "admin@globex.example")
        services.core.quotas._known.clear()
        assert client.patch("/v1/admin/company", json={"quotas": {"queries_per_day": 1}}, headers=admin.headers).status_code == 200
        try:
            answers = [admin.post("/v1/ask", json={"question": "orders last month"}) for _ in range(3)]
            assert answers[-1].status_code == 429
            assert answers[-1].json()["code"] == "quota_used_up"
            used = admin.get("/v1/admin/usage").json()
            assert used["quotas"]["queries_per_day"] == 1
            assert sum(d["used"] for d in used["days"] if d["kind"] == "queries") >= 1
        finally:
            with services.store.write() as connection:
                tenants.set_settings(connection, "globex", {"quotas": {}})
            services.core.quotas._known.clear()
