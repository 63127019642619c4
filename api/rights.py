"""Which right each place takes; core.rights has who holds which. Where no line says anything, nobody may.

Routes narrow this further where it depends on the thing itself (one's own job, a board that was shared), never widen it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import Forbidden
from core.principal import Principal, Role
from core.rights import GRANTS, Right, by_roles, held
from insights.phrasing import listed


@dataclass(frozen=True, slots=True)
class Place:
    """Paths that begin with `prefix` (a whole segment, or all of the path): what reading (GET) takes and what anything else takes."""

    prefix: str
    read: Right
    write: Right


# The longest prefix counts. API and pages stand beside each other where they do the same.
PLACES: tuple[Place, ...] = (
    Place("/", Right.READ, Right.ASK),  # the home page alone: "/" is no prefix of other paths
    Place("/v1/me", Right.SELF, Right.SELF),
    Place("/v1/logout", Right.SELF, Right.SELF),
    Place("/v1/api-keys", Right.SELF, Right.SELF),
    Place("/home", Right.SELF, Right.SELF),
    Place("/theme", Right.SELF, Right.SELF),
    Place("/account", Right.SELF, Right.SELF),
    Place("/login", Right.SELF, Right.SELF),
    Place("/logout", Right.SELF, Right.SELF),
    Place("/v1/ask", Right.READ, Right.ASK),
    Place("/v1/query", Right.ASK, Right.ASK),
    Place("/v1/suggest", Right.ASK, Right.ASK),
    Place("/v1/conversations", Right.READ, Right.ASK),
    Place("/ask", Right.ASK, Right.ASK),
    Place("/answers", Right.READ, Right.ASK),
    Place("/answers/{key}/pin", Right.READ, Right.SHARE),
    Place("/conversations", Right.READ, Right.ASK),
    Place("/explore", Right.ASK, Right.ASK),
    Place("/history", Right.READ, Right.ASK),
    Place("/cards", Right.READ, Right.ASK),
    Place("/mcp", Right.ASK, Right.ASK),
    Place("/v1/sql", Right.SQL, Right.SQL),
    Place("/sql", Right.SQL, Right.SQL),
    Place("/v1/forecasts", Right.READ, Right.ASK),
    Place("/v1/detections", Right.READ, Right.ASK),
    Place("/v1/insights", Right.READ, Right.ASK),
    Place("/v1/jobs", Right.READ, Right.ASK),
    Place("/jobs", Right.READ, Right.ASK),
    Place("/v1/exports", Right.READ, Right.ASK),
    Place("/v1/goals", Right.READ, Right.SHARE),
    Place("/goals", Right.READ, Right.SHARE),
    Place("/goals/new", Right.SHARE, Right.SHARE),
    Place("/v1/boards", Right.READ, Right.SHARE),
    Place("/boards", Right.READ, Right.SHARE),
    Place("/v1/pins", Right.READ, Right.SHARE),
    Place("/v1/digests", Right.READ, Right.SHARE),
    Place("/digests", Right.READ, Right.SHARE),
    Place("/digest", Right.READ, Right.SHARE),
    Place("/v1/subscriptions", Right.READ, Right.SHARE),
    Place("/subscriptions", Right.READ, Right.SHARE),
    Place("/v1/inbox", Right.READ, Right.READ),
    Place("/inbox", Right.READ, Right.READ),
    Place("/v1/alert-rules", Right.READ, Right.RULES),
    Place("/rules", Right.READ, Right.RULES),
    Place("/v1/incidents", Right.READ, Right.ACT),
    Place("/incidents", Right.READ, Right.ACT),
    Place("/v1/channels", Right.READ, Right.CHANNELS),
    Place("/v1/deliveries", Right.CHANNELS, Right.CHANNELS),
    Place("/channels", Right.READ, Right.CHANNELS),
    Place("/deliveries", Right.READ, Right.CHANNELS),
    Place("/v1/catalog", Right.READ, Right.CATALOG),
    Place("/v1/catalog/versions", Right.CATALOG, Right.CATALOG),
    Place("/v1/catalog/diff", Right.CATALOG, Right.CATALOG),
    Place("/v1/catalog/personal-data", Right.CATALOG, Right.CATALOG),
    Place("/catalog/edit", Right.CATALOG, Right.CATALOG),
    Place("/catalog/personal", Right.CATALOG, Right.CATALOG),
    Place("/catalog/policies", Right.CATALOG, Right.CATALOG),
    Place("/catalog/structure", Right.CATALOG, Right.CATALOG),
    Place("/catalog/forms", Right.CATALOG, Right.CATALOG),
    Place("/catalog/versions", Right.CATALOG, Right.CATALOG),
    Place("/v1/metrics", Right.READ, Right.CATALOG),
    Place("/v1/verified", Right.CATALOG, Right.CATALOG),
    Place("/v1/proposals", Right.CATALOG, Right.CATALOG),
    Place("/v1/evaluations", Right.CATALOG, Right.CATALOG),
    Place("/catalog", Right.READ, Right.CATALOG),
    Place("/evaluation", Right.CATALOG, Right.CATALOG),
    Place("/v1/datasets", Right.DATA, Right.DATA),
    Place("/v1/sources", Right.DATA, Right.ADMIN),
    Place("/sources", Right.DATA, Right.ADMIN),
    Place("/sources/new", Right.ADMIN, Right.ADMIN),
    Place("/data", Right.DATA, Right.DATA),
    Place("/v1/models", Right.MODELS_READ, Right.MODELS),
    Place("/models", Right.MODELS_READ, Right.MODELS),
    Place("/v1/admin", Right.ADMIN, Right.ADMIN),
    Place("/admin", Right.ADMIN, Right.ADMIN),
    Place("/scim", Right.PROVISION, Right.PROVISION),
)
# Nobody's credential is asked for: signing in, links that carry their own proof, and what a load balancer looks at.
OPEN: frozenset[str] = frozenset(
    {
        "/healthz", "/readyz", "/metrics", "/v1/openapi.json", "/v1/login", "/login", "/auth/oidc/{tenant}", "/auth/oidc/callback",
        "/public/boards/{token}", "/v1/incidents/feedback", "/v1/digests/unsubscribe", "/logout",
        "/brand/preview.css", "/brand/{tenant}/{version}.css", "/brand/{tenant}/{version}/logo",
    }
)  # fmt: skip
_SAFE = {"GET", "HEAD", "OPTIONS"}
_BY_PREFIX: Mapping[str, Place] = {place.prefix: place for place in PLACES}


def needed(method: str, path: str) -> Right | None:
    """What a route takes; None where the table has no line, so that nobody may.

    >>> needed("PUT", "/v1/catalog")
    <Right.CATALOG: 'catalog'>
    >>> needed("GET", "/v1/unheard-of") is None
    True
    """
    prefix = path.rstrip("/") or "/"
    while prefix:
        place = _BY_PREFIX.get(prefix)
        if place is not None and (prefix != "/" or path == "/"):
            return place.read if method in _SAFE else place.write
        prefix = prefix.rpartition("/")[0]
    return None


def refuse(caller: Principal, method: str, path: str) -> None:
    """Raises: Forbidden when the caller may not do what this route does."""
    right = needed(method, path)
    if right is not None and right in held(caller):
        return
    if right is not None and right in by_roles(caller):
        raise Forbidden(f"This API key has the scopes {', '.join(sorted(caller.scopes))}; this takes {right.value}.", code="scope_missing")
    roles = sorted(role.value for role in Role if right in GRANTS[role]) if right is not None else []
    if not roles:
        raise Forbidden("Nobody may do this.")
    own = sorted(role.replace("_", " ") for role in caller.role_names)
    yours = f"your role is {own[0]}" if len(own) == 1 else f"your roles are {listed(tuple(own))}" if own else "you have no role"
    people = listed(tuple("administrators" if role == "admin" else f"{role.replace('_', ' ')}s" for role in roles))
    raise Forbidden(f"This is for {people}; {yours}. Ask an administrator of your company if you need it.")


def demand(caller: Principal, right: Right, why: str) -> None:
    """Where a place asks for more than its line says. Raises: Forbidden with `why`, which says who may."""
    if right not in held(caller):
        raise Forbidden(why)
