"""What people may do, by role. A tenant's own roles add rights to those they inherit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum

from core.principal import Principal, Role


class Right(StrEnum):
    """Also what the scopes of API keys are called."""

    SELF = "self"  # one's own account, keys, sessions
    READ = "read"  # answers, boards, incidents, jobs, the catalog, as one sees them
    ASK = "ask"  # questions and studies; what they leave behind for oneself
    SHARE = "share"  # boards, goals, digests and subscriptions
    ACT = "act"  # incidents: acknowledge, assign, resolve
    SQL = "sql"
    RULES = "rules"  # alert rules of one's own
    KEEP = "keep"  # rules, goals and digests of others as well
    JOBS = "jobs"  # everybody's jobs; forecasts of many series at once
    CHANNELS = "channels"
    CATALOG = "catalog"
    DATA = "data"
    MODELS_READ = "models_read"
    MODELS = "models"
    PROVISION = "provision"  # people and groups as a directory keeps them
    ADMIN = "admin"


_EVERYBODY = frozenset({Right.SELF, Right.READ})
_ASKS = _EVERYBODY | {Right.ASK}
_WORKS = _ASKS | {Right.SHARE, Right.ACT, Right.RULES}
GRANTS: Mapping[Role, frozenset[Right]] = {
    Role.VIEWER: _ASKS,
    Role.EXECUTIVE: _WORKS,
    Role.MANAGER: _WORKS,
    Role.ANALYST: _WORKS | {Right.KEEP, Right.JOBS, Right.SQL, Right.CHANNELS, Right.CATALOG, Right.DATA, Right.MODELS_READ},
    Role.DATA_SCIENTIST: _WORKS | {Right.JOBS, Right.MODELS, Right.MODELS_READ},
    Role.OPERATOR: _EVERYBODY,
    Role.ADMIN: frozenset(Right),
}
GRANTABLE = frozenset(Right) - {Right.ADMIN, Right.PROVISION}  # what a tenant's own role may add; administrators have a role of their own


def by_roles(caller: Principal) -> frozenset[Right]:
    """What the caller's roles allow, whatever credential they use. Names that are no right (any more) allow nothing."""
    return together(caller.roles, caller.granted)


def together(roles: Iterable[Role], granted: Collection[str]) -> frozenset[Right]:
    """The rights of built-in roles and those that own roles add."""
    return frozenset[Right]().union(*(GRANTS[role] for role in roles)) | {right for right in GRANTABLE if right in granted}


def held(caller: Principal) -> frozenset[Right]:
    """What the caller's roles and the scopes of their credential allow together."""
    whole = by_roles(caller)
    return whole if "*" in caller.scopes else whole & {right for right in Right if right in caller.scopes}


def may(caller: Principal, right: Right) -> bool:
    return right in held(caller)
