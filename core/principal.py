"""Who asks. Made from a credential by the API's auth, never from a request body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from core.ids import TenantId, UserId


class Role(StrEnum):
    EXECUTIVE = "executive"
    MANAGER = "manager"
    ANALYST = "analyst"
    DATA_SCIENTIST = "data_scientist"
    VIEWER = "viewer"
    ADMIN = "admin"
    OPERATOR = "operator"


_EMPTY: Mapping[str, tuple[str, ...]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller: one tenant, one user, roles, and attributes that row policies read (such as {"regions": ("EMEA",)}).

    custom: names of the tenant's own roles, held directly or inherited; the built-in ones among what they inherit are in `roles`.
    granted: rights that the tenant's own roles add (see core.rights).
    """

    tenant: TenantId
    user: UserId
    roles: frozenset[Role] = frozenset()
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _EMPTY)
    scopes: frozenset[str] = frozenset({"*"})
    custom: frozenset[str] = frozenset()
    granted: frozenset[str] = frozenset()

    def has_role(self, *roles: Role) -> bool:
        return bool(self.roles.intersection(roles))

    @property
    def role_names(self) -> frozenset[str]:
        """Built-in and own roles, as row policies and column rules name them."""
        return frozenset(role.value for role in self.roles) | self.custom
