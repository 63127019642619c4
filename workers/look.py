"""How a company's mails and files look: its product's name, colour and logo."""

from __future__ import annotations

import html
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from core.ids import TenantId
from core.store import brandings
from workers.pages_pdf import ACCENT

LOGO = "brand-logo"


@dataclass(frozen=True, slots=True)
class Look:
    """accent: #rrggbb that can be read on white. logo: PNG."""

    product: str = brandings.PRODUCT
    accent: str = ACCENT
    logo: bytes | None = None


USUAL = Look()


def look_of(connection: Connection, tenant: TenantId) -> Look:
    found = brandings.get(connection, tenant)
    shown = brandings.logo(connection, tenant) if found.has_logo else None
    return Look(found.product, found.accent or ACCENT, shown.png if shown is not None else None)


def banner(look: Look) -> str:
    """The head of an e-mail as HTML: logo and name; whoever sends it attaches the logo as LOGO says."""
    picture = f'<img src="cid:{LOGO}" alt="" height="28" style="vertical-align:middle;margin-right:8px">' if look.logo is not None else ""
    return f'<p style="margin:0 0 14px;font-weight:bold;color:{look.accent}">{picture}{html.escape(look.product)}</p>'
