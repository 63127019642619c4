"""How a person writes numbers and dates: what they chose, else the usual way."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from api.services import Services
from core.formats import USUAL, Formats
from core.ids import TenantId, UserId
from core.locales import formats_of, known
from core.principal import Principal
from core.store import preferences

PREFERENCE = "locale"


def formats_for(connection: Connection, tenant: TenantId, user: UserId) -> Formats:
    """The usual ones also where what was chosen is not known any more."""
    chosen = preferences.get(connection, tenant, user, PREFERENCE)
    return (known(chosen) if isinstance(chosen, str) else None) or USUAL


def choose_formats(services: Services, caller: Principal, tag: str) -> Formats:
    """Raises: Invalid for what is no locale with a region."""
    chosen = formats_of(tag)
    with services.store.write() as connection:
        preferences.put(connection, caller.tenant, caller.user, PREFERENCE, chosen.tag, now=services.clock.now())
    return chosen
