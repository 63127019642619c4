"""Settings and services of one command-line call, opened on first use."""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import TYPE_CHECKING

from core.errors import Invalid, NotFound
from core.formats import use
from core.ids import TenantId, tenant_id
from core.principal import Principal
from core.settings import Settings, settings
from core.store import tenants, users
from core.store.person_formats import formats_for
from workers import bootstrap
from workers.principals import system_principal

if TYPE_CHECKING:
    from api.services import Services


class Context:
    """`as_user` of a command acts with that person's rights; without it, as Querent itself within the tenant.

    What follows in the command is written in the person's formats, else the company's.
    """

    @property
    def settings(self) -> Settings:
        return settings()

    @cached_property
    def core(self) -> bootstrap.Services:
        return bootstrap.build_services(settings())

    @cached_property
    def services(self) -> Services:
        from api.services import Services  # loads what understands questions, which few commands need

        return Services(self.migrated)

    @cached_property
    def migrated(self) -> bootstrap.Services:
        self.core.migrate()
        return self.core

    def principal(self, tenant: str, as_user: str | None = None, *, may_be_new: bool = False) -> Principal:
        """Raises: Invalid for a bad tenant or an unknown user; NotFound for an unknown tenant unless it `may_be_new`."""
        checked: TenantId = tenant_id(tenant)
        with self.migrated.store.read() as connection:
            if not may_be_new and not tenants.exists(connection, checked):
                known = [t.id for t in tenants.list_all(connection)]
                message = f"There is no tenant {tenant!r}; `querent tenant create {checked}` makes it."
                raise NotFound(message, code="unknown_tenant", suggestions=known[:5])
        with self.migrated.store.read() as connection:
            user = users.by_email(connection, checked, as_user) if as_user is not None else None
            use(formats_for(connection, checked, user.id if user is not None else None))
        if as_user is None:
            return system_principal(checked)
        if user is None or user.disabled:
            raise Invalid(f"Tenant {tenant!r} has no active user {as_user!r}.", code="unknown_user")
        return user.principal()


def day(text: str | None) -> dt.date | None:
    """Raises: Invalid."""
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"A date such as 2024-05-31 was expected; found {text[:40]!r}.", code="bad_date") from error


context = Context()
