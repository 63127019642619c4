"""Choosing how numbers and dates are written: for oneself, for the company. Blocks: call in a thread."""

from __future__ import annotations

from api.services import Services
from core.formats import USUAL, Formats
from core.principal import Principal
from core.store import audit, person_formats
from core.store.audit import Happening


def choose_formats(services: Services, caller: Principal, tag: str) -> Formats:
    """tag empty: as the company writes. Raises: Invalid for what is no locale with a region."""
    with services.store.write() as connection:
        person_formats.choose(connection, caller.tenant, caller.user, tag, now=services.clock.now())
        return person_formats.formats_for(connection, caller.tenant, caller.user)


def choose_company_formats(services: Services, caller: Principal, tag: str) -> Formats:
    """tag empty: no choice for everybody. Raises: Invalid for what is no locale with a region."""
    with services.store.write() as connection:
        chosen = person_formats.choose_for_company(connection, caller.tenant, tag)
        details = {"locale": chosen.tag if chosen else ""}
        audit.append(connection, caller.tenant, Happening(caller.user, "company.change", details=details), now=services.clock.now())
    return chosen or USUAL
