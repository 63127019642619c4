"""Sign-in through a real OpenID provider on this machine, and its tokens as credentials."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from api.oidc import Oidc, Provider, configure
from api.people import add
from core.errors import Invalid, Unavailable
from core.ids import TenantId
from core.principal import Role
from core.store.users import NewUser
from workers.principals import system_principal

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import oidc_provider_mock

ACME = TenantId("acme")
USERS = (
    oidc_provider_mock.User(
        sub="s-1", claims={"email": "ada@acme.example", "email_verified": True, "name": "Ada", "groups": ["finance"], "area": ["EMEA"]}
    ),
    oidc_provider_mock.User(sub="s-2", claims={"email": "here.before@acme.example", "email_verified": True, "groups": ["finance"]}),
    oidc_provider_mock.User(sub="s-3", claims={"email": "here.before@acme.example", "email_verified": False, "groups": ["finance"]}),
    oidc_provider_mock.User(sub="s-4", claims={"email": "guest@acme.example", "email_verified": True, "groups": ["guests"]}),
)


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with oidc_provider_mock.run_server_in_thread(user_claims=USERS) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(scope="module")
def provider(issuer: str, services: Any) -> Provider:
    made = Provider(ACME, issuer, "querent-acme", "s3cret", roles={"finance": "analyst"}, attributes={"regions": "area"})
    configure(services, ACME, made)
    return made


class Browser:
    """Follows the redirects between us and the provider, as a browser does."""

    def __init__(self, client: Any) -> None:
        self.client, self.cookies = client, {}

    def start(self, path: str = "/auth/oidc/acme?next=/jobs") -> str:
        self.client.cookies.clear()
        answer = self.client.get(path, follow_redirects=False)
        assert answer.status_code == 303, answer.text
        self.state_cookie = answer.cookies.get("querent_oidc", path="/auth/oidc")
        self.client.cookies.clear()
        return str(answer.headers["location"])

    def agree(self, url: str, sub: str) -> str:
        """Types the subject into the provider's form; where it leads back to."""
        answer = httpx.post(url, data={"sub": sub}, follow_redirects=False)
        assert answer.status_code in {302, 303}, answer.text
        return str(answer.headers["location"])

    def back(self, location: str, cookie: str | None = None) -> Any:
        parts = urlsplit(location)
        headers = {"Cookie": f"querent_oidc={self.state_cookie if cookie is None else cookie}"}
        answer = self.client.get(f"{parts.path}?{parts.query}", headers=headers, follow_redirects=False)
        self.client.cookies.clear()
        return answer

    def sign_in(self, sub: str) -> Any:
        return self.back(self.agree(self.start(), sub))


def me(client: Any, answer: Any) -> Any:
    return client.get("/v1/me", headers={"Cookie": f"querent_session={answer.cookies['querent_session']}"}).json()


class TestBrowser:
    def test_a_new_person_gets_in_with_the_roles_of_their_groups(self, client: Any, provider: Provider) -> None:
        browser = Browser(client)
        url = browser.start()
        asked = parse_qs(urlsplit(url).query)
        assert asked["code_challenge_method"] == ["S256"]
        assert asked["redirect_uri"][0].endswith("/auth/oidc/callback")
        answer = browser.back(browser.agree(url, "s-1"))
        assert (answer.status_code, answer.headers["location"]) == (303, "/jobs")
        found = me(client, answer)
        assert (found["tenant"], found["email"], found["roles"], found["attributes"]) == (
            "acme",
            "ada@acme.example",
            ["analyst"],
            {"regions": ["EMEA"]},
        )
        assert me(client, browser.sign_in("s-1"))["user"] == found["user"]

    def test_a_known_person_is_linked_by_a_verified_address_only(self, client: Any, services: Any, provider: Provider) -> None:
        new = NewUser("here.before@acme.example", "Was here before", frozenset({Role.VIEWER}), "a password of theirs")
        add(services, system_principal(ACME), new)
        browser = Browser(client)
        assert browser.sign_in("s-3").status_code == 403
        assert me(client, browser.sign_in("s-2"))["email"] == "here.before@acme.example"

    def test_without_a_role_nobody_gets_in(self, client: Any, provider: Provider) -> None:
        answer = Browser(client).sign_in("s-4")
        assert answer.status_code == 403
        assert "administrator" in answer.text

    def test_state_code_and_cookie_belong_together(self, client: Any, provider: Provider) -> None:
        browser, other = Browser(client), Browser(client)
        location = browser.agree(browser.start(), "s-1")
        other.start()
        assert browser.back(location, other.state_cookie).status_code == 401
        assert browser.back(location, "").status_code == 401
        assert browser.back(location + "x").status_code == 401
        assert browser.back(location + "&iss=https%3A%2F%2Felsewhere.example").status_code == 401  # the code is not told to ours
        assert browser.back(location).status_code == 303
        assert browser.back(location).status_code == 401  # a code works once
        assert browser.back("/auth/oidc/callback?error=access_denied").status_code == 401

    def test_a_tenant_without_a_provider(self, client: Any) -> None:
        assert client.get("/auth/oidc/globex", follow_redirects=False).status_code == 404
        assert client.get("/auth/oidc/nobody", follow_redirects=False).status_code == 404

    def test_it_leads_to_no_other_site(self, client: Any, provider: Provider) -> None:
        browser = Browser(client)
        answer = browser.back(browser.agree(browser.start("/auth/oidc/acme?next=//evil.example/"), "s-1"))
        assert answer.headers["location"] == "/"


class TestTokens:
    """Signed by a key of ours that the provider's key set is made to hold, so that every claim can be wrong once."""

    @pytest.fixture(scope="class")
    def key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @pytest.fixture
    def signed(self, key: rsa.RSAPrivateKey, provider: Provider, services: Any) -> Any:
        found = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        document = {**found, "kid": "k1", "use": "sig", "alg": "RS256"}
        services.oidc._keys[provider.issuer] = (time.monotonic(), {"k1": jwt.PyJWK.from_dict(document)})

        def make(headers: dict[str, Any] | None = None, secret: Any = None, algorithm: str = "RS256", **changed: Any) -> str:
            now = int(time.time())
            claims = {
                "iss": provider.issuer,
                "aud": "querent-acme",
                "sub": "s-1",
                "iat": now,
                "exp": now + 300,
                "groups": ["finance"],
                "area": ["EMEA"],
            }
            claims = {k: v for k, v in (claims | changed).items() if v is not None}
            return jwt.encode(claims, secret or key, algorithm=algorithm, headers={"kid": "k1", **(headers or {})})

        yield make
        services.oidc._keys.pop(provider.issuer, None)

    def status(self, client: Any, token: str) -> int:
        client.cookies.clear()
        return int(client.get("/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code)

    def test_a_right_one(self, client: Any, signed: Any) -> None:
        client.cookies.clear()
        answer = client.get("/v1/me", headers={"Authorization": f"Bearer {signed()}"})
        assert answer.json()["email"] == "ada@acme.example"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"iss": "https://evil.example"}, {"aud": "another-service"}, {"exp": 1_000_000_000}, {"exp": None}, {"sub": None}, {"iat": None},
            {"nbf": 4_000_000_000}, {"aud": None}, {"headers": {"kid": "k2"}},
            {"secret": rsa.generate_private_key(public_exponent=65537, key_size=2048)},
        ],
        ids=lambda wrong: "-".join(f"{k}={v}" for k, v in wrong.items() if k != "secret") or "another key",
    )  # fmt: skip
    def test_a_wrong_one(self, client: Any, signed: Any, wrong: dict[str, Any]) -> None:
        assert self.status(client, signed(**wrong)) == 401

    def test_no_signature_or_a_shared_secret(self, client: Any, signed: Any) -> None:
        head, body, _ = signed().split(".")
        assert self.status(client, f"{head}.{body}.") == 401
        assert self.status(client, signed(algorithm="HS256", secret="x" * 64)) == 401
        unsigned = jwt.encode(jwt.decode(signed(), options={"verify_signature": False}), "", algorithm="none", headers={"kid": "k1"})
        assert self.status(client, unsigned) == 401
        for fuzz in ("a.b.c", "..", "a" * 5000 + ".b.c"):
            assert self.status(client, fuzz) == 401

    def test_fuzzed_ones(self, client: Any, signed: Any, services: Any, provider: Provider) -> None:
        """Never in, never an error of ours; what is right but for one thing stays out too."""

        def packed(part: Any) -> str:
            text = part if isinstance(part, bytes) else json.dumps(part).encode()
            return base64.urlsafe_b64encode(text).rstrip(b"=").decode()

        right = signed()
        head, body, signature = right.split(".")
        claims = jwt.decode(right, options={"verify_signature": False})
        public = services.oidc._keys[provider.issuer][1]["k1"].key
        own = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        own_jwk = jwt.algorithms.RSAAlgorithm.to_jwk(own.public_key(), as_dict=True)

        def with_public_key(algorithm: str, form: serialization.PublicFormat, encoding: serialization.Encoding) -> str:
            start = f"{packed({'alg': algorithm, 'kid': 'k1'})}.{body}"
            kind = {"HS256": hashlib.sha256, "HS512": hashlib.sha512}[algorithm]
            return f"{start}.{packed(hmac.new(public.public_bytes(encoding, form), start.encode(), kind).digest())}"

        spki, pkcs1 = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.PKCS1
        pem, der = serialization.Encoding.PEM, serialization.Encoding.DER
        fuzzed = [with_public_key(a, form, e) for a in ("HS256", "HS512") for form in (spki, pkcs1) for e in (pem, der)]
        fuzzed += [
            f"{packed({'alg': a, 'kid': 'k1'})}.{body}.{s}" for a in ("none", "None", "NONE", "", None, [], {}, 1) for s in ("", signature)
        ]
        fuzzed += [right[:n] + ("" if right[:n].count(".") == 2 else ".." if n < len(head) else ".") for n in range(0, len(right) - 1, 37)]
        fuzzed += [f"{head}.{packed({**claims, 'sub': 's-2'})}.{signature}", f"{head}.{packed({**claims, 'tenant': 'globex'})}.{signature}"]
        fuzzed += [
            signed(headers={"kid": kid})
            for kid in ("../../../dev/null", "/dev/null", "k1\0", "k1' OR '1'='1", "http://127.0.0.1:9/k1", "K1", "k1 ", "\u212a1", "k" * 50_000)
        ]  # fmt: skip
        fuzzed += [f"{packed({'alg': 'RS256', 'kid': kid})}.{body}.{signature}" for kid in (["k1"], {"k1": 1}, 1, None, True)]
        fuzzed += [
            signed(secret=own, headers={"jwk": own_jwk}), signed(secret=own, headers={"jku": "http://127.0.0.1:9/", "x5u": "http://127.0.0.1:9/"}),
            signed(headers={"crit": ["querent"]}), signed(headers={"b64": False, "crit": ["b64"]}),
            signed(exp=1_000_000_000), signed(exp=int(time.time()) - 3600), signed(aud="globex"), signed(aud=["another", "globex"]),
        ]  # fmt: skip
        fuzzed += [
            f"{head}.{packed({**claims, name: value})}.{signature}"
            for name in ("aud", "iss", "exp", "sub")
            for value in ({"a": 1}, [[]], 1e308, None)
        ]
        fuzzed += [
            f"{head}.{packed(p)}.{signature}"
            for p in ([], 1, "x", None, b"\xff\xfe", b"{", b'{"a":' * 5_000, b'{"a":' + b"9" * 5_000 + b"}")
        ]
        deep = b'{"a":' * 5_000 + b"1" + b"}" * 5_000
        fuzzed += [
            f"{packed(deep)}.{body}.{signature}",
            f"{head}.{packed(deep)}.{signature}",
            "a" * 200_000 + ".b.c",
            f"{head}.{body}.{'A' * 200_000}",
        ]
        fuzzed += [
            f"{head}.{body}.\u00e9",
            f"\u00ff.{body}.{signature}",
            f"{head}\0.{body}.{signature}",
            f"{head} .{body}.{signature}",
            "..",
            "\u00e9.\u00e9.\u00e9",
        ]
        for number, token in enumerate(fuzzed):
            client.cookies.clear()
            answer = client.get("/v1/me", headers={"Authorization": b"Bearer " + token.encode("latin-1")})
            assert answer.status_code == 401, (number, token[:120], answer.text)
        client.cookies.clear()
        named = client.get(
            "/v1/me", headers={"Authorization": f"Bearer {signed(tenant='globex', tenant_id='globex')}", "X-Tenant": "globex"}
        )
        assert (named.status_code, named.json()["tenant"]) == (200, "acme")

    def test_roles_follow_the_groups(self, client: Any, signed: Any) -> None:
        assert self.status(client, signed(groups=[])) == 403
        assert self.status(client, signed()) == 200

    def test_rotated_keys_are_found(
        self, client: Any, signed: Any, services: Any, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = signed()
        known = services.oidc._keys[provider.issuer][1]
        services.oidc._keys[provider.issuer] = (time.monotonic() - 31, {})
        published = {"keys": [jwt.algorithms.RSAAlgorithm.to_jwk(known["k1"].key, as_dict=True) | {"kid": "k1", "alg": "RS256"}]}
        asked: list[str] = []

        def get(url: str, **_: Any) -> httpx.Response:
            asked.append(url)
            return httpx.Response(200, json=published, request=httpx.Request("GET", url))

        monkeypatch.setattr("api.oidc.httpx.get", get)
        assert self.status(client, token) == 200
        assert self.status(client, signed(headers={"kid": "k9"})) == 401
        assert self.status(client, signed(headers={"kid": "k8"})) == 401
        assert len(asked) == 1  # unknown keys do not make us ask the provider again and again


class TestConfiguring:
    def test_bad_ones_are_refused(self, services: Any, provider: Provider) -> None:
        for wrong in (
            replace(provider, issuer="http://login.example.com"), replace(provider, roles={"finance": "king"}),
            replace(provider, tenant=TenantId("globex")),
        ):  # fmt: skip
            with pytest.raises(Invalid):
                configure(services, wrong.tenant, wrong)
        with pytest.raises((Unavailable, Invalid)):
            configure(services, ACME, replace(provider, issuer="http://127.0.0.1:9"))

    def test_the_secret_is_sealed_and_not_shown(self, services: Any, provider: Provider) -> None:
        from core.store import tenants

        with services.store.read() as connection:
            assert "s3cret" not in str(tenants.get(connection, ACME).settings)
        assert "s3cret" not in repr(provider)
        assert Oidc(services).provider(ACME).client_secret == "s3cret"
