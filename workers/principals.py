"""Whose rights a job runs with: its user's, read again from the store when it starts."""

from __future__ import annotations

from core.errors import Forbidden, NotFound
from core.ids import TenantId, UserId
from core.principal import Principal, Role
from core.store import tenants, users
from core.store.store import Store

SYSTEM_USER = UserId("system")  # no stored user has this id; they start with usr_


def system_principal(tenant: TenantId) -> Principal:
    """Querent itself working for one tenant: schedules, value refresh, the local command line."""
    return Principal(tenant=tenant, user=SYSTEM_USER, roles=frozenset({Role.ADMIN, Role.ANALYST}))


def load_principal(store: Store, tenant: TenantId, user: UserId) -> Principal:
    """Raises: Forbidden when the tenant or user was disabled or removed since."""
    with store.read() as connection:
        try:
            if tenants.get(connection, tenant).disabled:
                raise Forbidden("The tenant is disabled.", code="tenant_disabled")
            if user == SYSTEM_USER:
                return system_principal(tenant)
            found = users.get(connection, tenant, user)
        except NotFound as error:
            raise Forbidden("The person in whose name this is done has no account any more.", code="user_gone") from error
    if found.disabled:
        raise Forbidden("The account in whose name this is done is disabled.", code="user_disabled")
    return found.principal()
