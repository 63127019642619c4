"""How numbers and dates are written for whom: what the person chose, else the company, else the usual way."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.engine import Connection

from core.formats import USUAL, Formats
from core.ids import TenantId, UserId
from core.locales import formats_of, known
from core.store import preferences, tenants

PREFERENCE = "locale"


def formats_for(connection: Connection, tenant: TenantId, user: UserId | None = None) -> Formats:
    """user None: nobody in particular, such as a chat that many read."""
    return chosen_for(connection, tenant, user) or USUAL


def chosen_for(connection: Connection, tenant: TenantId, user: UserId | None = None) -> Formats | None:
    """None where neither chose, or what they chose is not known any more."""
    own = own_formats(connection, tenant, user) if user is not None else None
    return own or company_formats(connection, tenant)


def own_formats(connection: Connection, tenant: TenantId, user: UserId) -> Formats | None:
    return _known(preferences.get(connection, tenant, user, PREFERENCE))


def company_formats(connection: Connection, tenant: TenantId) -> Formats | None:
    return _known(tenants.settings_of(connection, tenant).get(PREFERENCE))


def choose(connection: Connection, tenant: TenantId, user: UserId, tag: str, *, now: datetime) -> Formats | None:
    """tag empty: as the company writes. Raises: Invalid for what is no locale with a region."""
    chosen = formats_of(tag) if tag else None
    preferences.put(connection, tenant, user, PREFERENCE, chosen.tag if chosen else "", now=now)
    return chosen


def choose_for_company(connection: Connection, tenant: TenantId, tag: str) -> Formats | None:
    """tag empty: no choice. Raises: Invalid for what is no locale with a region."""
    chosen = formats_of(tag) if tag else None
    tenants.set_settings(connection, tenant, {PREFERENCE: chosen.tag if chosen else ""})
    return chosen


def _known(tag: object) -> Formats | None:
    return known(tag) if isinstance(tag, str) and tag else None
