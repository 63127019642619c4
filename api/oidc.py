"""Sign-in through an OpenID provider (authorization code flow with PKCE) and its tokens as credentials.

A tenant's provider is in its settings under `oidc`; an operator puts it there (`querent tenant sign-in`). Which tenant a token belongs to
follows from its issuer and audience, which no two tenants share; nothing in the request says it.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client
from itsdangerous import BadSignature, URLSafeTimedSerializer

from api.services import Services
from core.errors import Forbidden, Invalid, NotFound, Unauthenticated, Unavailable
from core.ids import TenantId, tenant_id
from core.principal import Principal
from core.store import audit, external_identities, roles, tenants, users
from core.store.audit import Happening
from core.store.users import NewUser, User
from workers.alerts.sealing import seal, unseal

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]  # none that a shared secret or "none" could pass
STATE_COOKIE = "querent_oidc"
STATE_LIFE_S = 600
_LEEWAY_S = 60
_TIMEOUT_S = 5.0
_DISCOVERY_LIFE_S = 3600.0
_KEYS_COOLDOWN_S = 30.0


@dataclass(frozen=True, slots=True)
class Provider:
    """roles: which of our roles members of a group have. attributes: our attribute by the claim that fills it, for row policies."""

    tenant: TenantId
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: str = "openid email profile"
    audience: str = ""
    groups_claim: str = "groups"
    roles: Mapping[str, str] = field(default_factory=dict)
    default_roles: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    creates_users: bool = True

    @property
    def audiences(self) -> list[str]:
        return [self.audience or self.client_id, self.client_id]


def configure(services: Services, tenant: TenantId, wanted: Provider) -> None:
    """Keeps a tenant's provider, its secret sealed. Raises: Invalid for an issuer that is not HTTPS (but on this machine), or when
    another tenant has the same issuer and audience; Unavailable when the provider does not answer; NotFound."""
    address = urlsplit(wanted.issuer)
    if address.scheme != "https" and address.hostname not in {"localhost", "127.0.0.1"}:
        raise Invalid(f"An issuer such as https://login.example.com was expected; found {wanted.issuer[:100]!r}.", code="bad_issuer")
    with services.store.read() as connection:
        roles.checked_names(connection, tenant, (*wanted.roles.values(), *wanted.default_roles))
    services.oidc.discovered(wanted.issuer)
    sealed = seal({"client_secret": wanted.client_secret}, services.core.secret("oidc_key"))
    kept = {
        "issuer": wanted.issuer, "client_id": wanted.client_id, "sealed": sealed, "scopes": wanted.scopes, "audience": wanted.audience,
        "groups_claim": wanted.groups_claim, "roles": dict(wanted.roles), "default_roles": list(wanted.default_roles),
        "attributes": dict(wanted.attributes), "creates_users": wanted.creates_users,
    }  # fmt: skip
    with services.store.write() as connection:
        for other in tenants.list_all(connection):
            theirs = other.settings.get("oidc")
            if not theirs or other.id == tenant or theirs["issuer"] != wanted.issuer:
                continue
            if {theirs["client_id"], theirs["audience"] or theirs["client_id"]} & set(wanted.audiences):
                message = "Another tenant has this issuer with the same audience; give each tenant a client of its own."
                raise Invalid(message, code="issuer_taken")
        tenants.set_settings(connection, tenant, {"oidc": kept})
        audit.append(connection, tenant, Happening("system", "sign_in.configure", wanted.issuer), now=services.clock.now())
    services.oidc.forget()


class Oidc:
    """Providers, their discovery documents and their keys, remembered per process. Thread-safe."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._documents: dict[str, tuple[float, Mapping[str, Any]]] = {}
        self._keys: dict[str, tuple[float, dict[str, jwt.PyJWK]]] = {}
        self._providers: tuple[float, tuple[Provider, ...]] | None = None

    def forget(self) -> None:
        with self._lock:
            self._providers = None

    def provider(self, tenant: TenantId) -> Provider:
        """Raises: NotFound, in the same words for a tenant without one and for none."""
        for known in self._all():
            if known.tenant == tenant:
                return known
        raise NotFound("There is no sign-in through a provider here.", code="no_provider")

    # ------------------------------------------------------------ browser

    def begin(self, tenant: str, target: str, redirect_uri: str) -> tuple[str, str]:
        """Where to send the browser, and the signed state for its cookie. Raises: NotFound; Unavailable."""
        provider = self.provider(tenant_id(tenant))
        document = self.discovered(provider.issuer)
        state, nonce, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        with self._client(provider, redirect_uri) as client:
            url, _ = client.create_authorization_url(document["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier)
        return url, self._signer().dumps([provider.tenant, state, nonce, verifier, target])

    def finish(self, cookie: str, code: str, state: str, redirect_uri: str, *, issuer: str = "") -> tuple[User, str]:
        """Whose sign-in it was, and where they wanted to go. issuer: who says to have sent the code (RFC 9207); a code goes to no other one.

        Raises: Unauthenticated for a state, code or token that does not fit; Forbidden for a person who may not get in; Unavailable.
        """
        try:
            tenant, expected, nonce, verifier, target = self._signer().loads(cookie, max_age=STATE_LIFE_S)
        except BadSignature as error:
            raise Unauthenticated("The sign-in took too long or began in another browser; start again.", code="bad_state") from error
        if not secrets.compare_digest(state, expected):
            raise Unauthenticated("The sign-in does not belong to this browser; start again.", code="bad_state")
        provider = self.provider(tenant)
        if issuer and issuer.rstrip("/") != provider.issuer.rstrip("/"):
            raise Unauthenticated("The answer comes from another provider than the one that was asked; start again.", code="bad_state")
        endpoint = self.discovered(provider.issuer)["token_endpoint"]
        try:
            with self._client(provider, redirect_uri) as client:
                token = client.fetch_token(endpoint, code=code, code_verifier=verifier, grant_type="authorization_code")
        except AuthlibBaseError as error:
            raise Unauthenticated("The provider refused the sign-in; start again.", code="provider_refused") from error
        except httpx.HTTPError as error:
            raise Unavailable("The sign-in provider does not answer now; try again in a moment.", code="provider_unavailable") from error
        claims = self._claims(provider, str(token.get("id_token", "")), provider.client_id)
        if not secrets.compare_digest(str(claims.get("nonce", "")), nonce):
            raise Unauthenticated("The provider's answer belongs to another sign-in; start again.", code="bad_nonce")
        return self._user(provider, claims), str(target)

    # ------------------------------------------------------------- tokens

    def by_token(self, text: str) -> Principal:
        """Who a bearer token of a known provider is. Raises: Unauthenticated, in the same words whatever is wrong; Forbidden."""
        try:
            unverified = jwt.decode(text, options={"verify_signature": False})
            given = unverified.get("aud", [])
            audience = {given} if isinstance(given, str) else set(given)
            provider = next(p for p in self._all() if p.issuer == unverified.get("iss") and audience & set(p.audiences))
        except (jwt.PyJWTError, StopIteration, TypeError) as error:
            raise _refusal() from error
        return self._user(provider, self._claims(provider, text, provider.audiences)).principal()

    def _claims(self, provider: Provider, token: str, audience: str | list[str]) -> Mapping[str, Any]:
        try:
            key = self._key(provider, jwt.get_unverified_header(token))
            required = {"require": ["exp", "iat", "iss", "aud", "sub"]}
            claims: dict[str, Any] = jwt.decode(
                token, key.key, algorithms=[key.algorithm_name] if key.algorithm_name in ALGORITHMS else ALGORITHMS, audience=audience,
                issuer=provider.issuer, leeway=_LEEWAY_S, options=required,  # type: ignore[arg-type]
            )  # fmt: skip
        except jwt.PyJWTError as error:
            raise _refusal() from error
        return claims

    def _key(self, provider: Provider, header: Mapping[str, Any]) -> jwt.PyJWK:
        """The key that the token names. Unknown ones make us look again (keys are rotated), at most every 30 s."""
        if header.get("alg") not in ALGORITHMS:
            raise jwt.InvalidAlgorithmError("algorithm not allowed")
        kid = str(header.get("kid", ""))
        with self._lock:
            read_at, keys = self._keys.get(provider.issuer, (-_KEYS_COOLDOWN_S, {}))
        stale = time.monotonic() - read_at > _DISCOVERY_LIFE_S
        if (kid not in keys or stale) and time.monotonic() - read_at >= _KEYS_COOLDOWN_S:
            document = _get_json(str(self.discovered(provider.issuer)["jwks_uri"]))
            found = jwt.PyJWKSet.from_dict(dict(document)).keys
            keys = {str(k.key_id or ""): k for k in found}
            with self._lock:
                self._keys[provider.issuer] = (time.monotonic(), keys)
        if kid in keys:
            return keys[kid]
        if not kid and len(keys) == 1:
            return next(iter(keys.values()))
        raise jwt.InvalidKeyError("unknown key")

    def discovered(self, issuer: str) -> Mapping[str, Any]:
        """The provider's own description of its addresses. Raises: Unavailable; Invalid when it speaks for another issuer."""
        with self._lock:
            known = self._documents.get(issuer)
        if known is not None and time.monotonic() - known[0] < _DISCOVERY_LIFE_S:
            return known[1]
        document = _get_json(issuer.rstrip("/") + "/.well-known/openid-configuration")
        missing = {"authorization_endpoint", "token_endpoint", "jwks_uri"} - set(document)
        if str(document.get("issuer", "")).rstrip("/") != issuer.rstrip("/") or missing:
            raise Invalid(f"{issuer} does not describe itself as an OpenID provider.", code="bad_issuer")
        with self._lock:
            self._documents[issuer] = (time.monotonic(), document)
        return document

    # ------------------------------------------------------------- people

    def _user(self, provider: Provider, claims: Mapping[str, Any]) -> User:
        """The user whose subject it is; else the one with the verified e-mail, who is linked; else a new one where that is allowed.

        Roles and attributes follow the provider's claims at every sign-in, where it is told which.
        """
        subject, now = str(claims["sub"]), self._services.clock.now()
        given, attributes = _roles(provider, claims), _attributes(provider, claims)
        email = str(claims.get("email", "")).strip().lower()
        with self._services.store.write() as connection:
            if tenants.get(connection, provider.tenant).disabled:
                raise _refusal()
            known_id = external_identities.user_of(connection, provider.tenant, provider.issuer, subject)
            user = users.get(connection, provider.tenant, known_id) if known_id is not None else None
            if user is None:
                verified = email if email and claims.get("email_verified") is True else ""
                user = users.by_email(connection, provider.tenant, verified) if verified else None
                if user is None:
                    if not provider.creates_users or not given:
                        raise Forbidden("You have no account here; ask an administrator of your company.", code="no_account")
                    if email and users.by_email(connection, provider.tenant, email) is not None:
                        raise Forbidden(
                            "Your provider has not verified your e-mail address; ask your administrator.", code="email_unverified"
                        )
                    new = NewUser(
                        email or f"{subject[:60]}@{provider.tenant}.invalid", str(claims.get("name", "")), given, None, attributes
                    )
                    user = users.create(connection, provider.tenant, new, now=now)
                external_identities.link(connection, provider.tenant, provider.issuer, subject, user.id, now=now)
                audit.append(connection, provider.tenant, Happening(user.id, "identity.link", provider.issuer), now=now)
            if user.disabled:
                raise Forbidden("Your account is disabled; ask an administrator of your company.", code="account_disabled")
            managed = bool(provider.roles)
            if managed and not given:
                raise Forbidden("None of your groups gives you access; ask an administrator of your company.", code="no_role")
            kept_roles = given if managed else user.roles
            kept_attributes = {**user.attributes, **attributes}
            if kept_roles != user.roles or kept_attributes != dict(user.attributes):
                user = users.set_access(connection, provider.tenant, user.id, kept_roles, kept_attributes)
        return user

    def _all(self) -> tuple[Provider, ...]:
        with self._lock:
            if self._providers is not None and time.monotonic() - self._providers[0] < _KEYS_COOLDOWN_S:
                return self._providers[1]
        key = self._services.core.secret("oidc_key")
        with self._services.store.read() as connection:
            found = tuple(
                _provider(t.id, t.settings["oidc"], key) for t in tenants.list_all(connection) if t.settings.get("oidc") and not t.disabled
            )
        with self._lock:
            self._providers = (time.monotonic(), found)
        return found

    def _client(self, provider: Provider, redirect_uri: str) -> OAuth2Client:
        return OAuth2Client(
            provider.client_id, provider.client_secret, scope=provider.scopes, redirect_uri=redirect_uri, code_challenge_method="S256",
            timeout=_TIMEOUT_S, follow_redirects=False,
        )  # fmt: skip

    def _signer(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self._services.core.session_key, salt="oidc sign-in")


def _provider(tenant: TenantId, kept: Mapping[str, Any], key: str) -> Provider:
    return Provider(
        tenant=tenant, issuer=kept["issuer"], client_id=kept["client_id"], client_secret=unseal(kept["sealed"], key).get("client_secret", ""),
        scopes=kept["scopes"], audience=kept["audience"], groups_claim=kept["groups_claim"], roles=kept["roles"],
        default_roles=tuple(kept["default_roles"]), attributes=kept["attributes"], creates_users=kept["creates_users"],
    )  # fmt: skip


def _roles(provider: Provider, claims: Mapping[str, Any]) -> frozenset[str]:
    given = claims.get(provider.groups_claim, [])
    groups = [given] if isinstance(given, str) else [g for g in given if isinstance(g, str)] if isinstance(given, list) else []
    return frozenset((*(provider.roles[g] for g in groups if g in provider.roles), *provider.default_roles))


def _attributes(provider: Provider, claims: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """An absent claim gives an empty attribute, so that a row policy over it lets nothing through."""
    found: dict[str, tuple[str, ...]] = {}
    for name, claim in provider.attributes.items():
        value = claims.get(claim, [])
        found[name] = tuple(str(v) for v in (value if isinstance(value, list) else [value]))
    return found


def _get_json(url: str) -> Mapping[str, Any]:
    try:
        answer = httpx.get(url, timeout=_TIMEOUT_S, follow_redirects=False)
        answer.raise_for_status()
        found = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise Unavailable("The sign-in provider does not answer now; try again in a moment.", code="provider_unavailable") from error
    if not isinstance(found, dict):
        raise Unavailable("The sign-in provider answers in a way that was not expected.", code="provider_unavailable")
    return found


def _refusal() -> Unauthenticated:
    return Unauthenticated("The token is not valid here (issuer, audience, signature or time).", code="bad_token")
