"""Choosing a company's look. Blocks: call in a thread."""

from __future__ import annotations

from dataclasses import dataclass

from api.branding.contrast import DARK, LIGHT, checked, colour, nearest
from api.branding.logos import logo
from api.services import Services
from core.errors import Invalid
from core.principal import Principal
from core.store import audit, brandings
from core.store.audit import Happening
from core.store.brandings import PRODUCT, Branding

MAX_NAME = 60


@dataclass(frozen=True, slots=True)
class Wanted:
    """accent_dark empty: made from `accent`. logo: bytes of a new one; None keeps the old one, unless drop_logo."""

    product: str = ""
    accent: str = ""
    accent_dark: str = ""
    logo: bytes | None = None
    drop_logo: bool = False


def colours(accent: str, accent_dark: str) -> tuple[str, str]:
    """Both, read and checked; the dark one made from the other when it is not given. Raises: Invalid."""
    light, dark = colour(accent, "The accent colour"), colour(accent_dark, "The accent colour of dark pages")
    if light:
        checked(light, LIGHT)
    if dark:
        checked(dark, DARK)
    return light, dark or (nearest(light, DARK) if light else "")


def choose(services: Services, caller: Principal, wanted: Wanted) -> Branding:
    """Raises: Invalid; TooLarge. Nothing changes then."""
    product = " ".join(wanted.product.split()) or PRODUCT
    if len(product) > MAX_NAME or not product.isprintable():
        raise Invalid(f"The name has at most {MAX_NAME} characters.", code="bad_name")
    light, dark = colours(wanted.accent, wanted.accent_dark)
    new = logo(wanted.logo) if wanted.logo is not None else None
    now = services.clock.now()
    with services.store.write() as connection:
        shown = new or (None if wanted.drop_logo else brandings.logo(connection, caller.tenant))
        made = brandings.put(connection, caller.tenant, product, light, dark, shown, now=now)
        details = {"product": product, "accent": light, "accent_dark": dark, "logo": shown.type if shown else ""}
        audit.append(connection, caller.tenant, Happening(caller.user, "company.branding", details=details), now=now)
    return made
