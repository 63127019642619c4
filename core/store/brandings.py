"""How a company's pages and mails look: the name of the product, two accent colours, a logo."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from core.ids import TenantId
from core.store import scope
from core.store.tables import brandings

PRODUCT = "Querent"


@dataclass(frozen=True, slots=True)
class Logo:
    """type: image/png or image/svg+xml. body: what pages show. png: the same as a picture for mails and PDF."""

    type: str
    body: bytes
    png: bytes


@dataclass(frozen=True, slots=True)
class Branding:
    """accent, accent_dark: #rrggbb for light and dark; empty: the usual ones. version: changes with anything that is shown."""

    tenant: TenantId
    product: str = PRODUCT
    accent: str = ""
    accent_dark: str = ""
    has_logo: bool = False
    version: str = ""


USUAL = Branding(TenantId(""))


def get(connection: Connection, tenant: TenantId) -> Branding:
    """The usual look when nothing was chosen. Does not read the logo."""
    c = brandings.c
    chosen = select(c.product, c.accent, c.accent_dark, c.logo_type, c.version).where(c.tenant_id == tenant)
    row = connection.execute(chosen).mappings().first()
    if row is None:
        return Branding(tenant)
    return Branding(tenant, row["product"] or PRODUCT, row["accent"], row["accent_dark"], bool(row["logo_type"]), row["version"])


def logo(connection: Connection, tenant: TenantId) -> Logo | None:
    row = scope.find(connection, brandings, tenant)
    if row is None or not row["logo_type"]:
        return None
    return Logo(row["logo_type"], row["logo"], row["logo_png"])


def put(
    connection: Connection, tenant: TenantId, product: str, accent: str, accent_dark: str, shown: Logo | None, *, now: datetime
) -> Branding:
    """Takes the place of what was there. The caller has checked the colours and the logo."""
    parts = [product.encode(), accent.encode(), accent_dark.encode(), shown.body if shown else b""]
    values = {
        "product": product, "accent": accent, "accent_dark": accent_dark, "logo_type": shown.type if shown else "",
        "logo": shown.body if shown else None, "logo_png": shown.png if shown else None,
        "version": hashlib.sha256(b"\0".join(parts)).hexdigest()[:32], "updated_at": now,
    }  # fmt: skip
    connection.execute(delete(brandings).where(brandings.c.tenant_id == tenant))
    scope.add(connection, brandings, tenant, values)
    return get(connection, tenant)
