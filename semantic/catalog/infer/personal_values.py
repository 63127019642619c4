"""What kind of personal data values look like: patterns, and check digits where a kind has them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence

from semantic.catalog.model import PersonalKind

_ENOUGH_VALUES = 3
_SHARE = 0.8  # of the values; the others are typing errors and placeholders
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[a-z]{2,}\Z", re.IGNORECASE)
_PHONE = re.compile(
    r"(?:(?:\+|00)\d[\d\s()./-]{5,20}\d|\(0?\d{2,5}\)[\d\s./-]{4,15}\d|0\d{1,4}[\s/-][\d\s/-]{4,12}\d|\d{3}[-. ]\d{3}[-. ]\d{4})\Z"
)
_DATE_LIKE = re.compile(r"\d{1,4}([./-])\d{1,2}\1\d{1,4}\b")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}\Z")
_CARD = re.compile(r"\d(?:[ -]?\d){12,18}\Z")
_SSN = re.compile(r"(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}\Z")
_NINO = re.compile(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]\Z")
_DNI = re.compile(r"(\d{8})([A-Z])\Z")
_CODICE = re.compile(r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]\Z")
_NIR = re.compile(r"([1-4]\d{4}[0-9AB]\d{7})(\d{2})\Z")


def kind_of_values(values: Sequence[str]) -> PersonalKind | None:
    """The kind that at least four in five of the values are of; None for few values or none of the kinds.

    >>> kind_of_values(["4111 1111 1111 1111", "5500-0000-0000-0004", "340000000000009"])
    'card'
    """
    if len(values) < _ENOUGH_VALUES:
        return None
    return next((kind for kind, fits in _KINDS.items() if sum(map(fits, values)) >= _SHARE * len(values)), None)


def _is_phone(text: str) -> bool:
    """Written as one, with a country, in brackets, or by the groups of a country: bare digits are any number. At most 15 digits (ITU E.164)."""
    return bool(_PHONE.match(text)) and 7 <= sum(c.isdigit() for c in text) <= 15 and not _DATE_LIKE.match(text)


def _is_iban(text: str) -> bool:
    """With its check digits (ISO 13616, modulo 97)."""
    compact = text.replace(" ", "").upper()
    return bool(_IBAN.match(compact)) and int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1


def _is_card(text: str) -> bool:
    """With its check digit (ISO/IEC 7812, Luhn), and of one digit only never."""
    if not _CARD.match(text):
        return False
    digits = [int(c) for c in text if c.isdigit()]
    doubled = [d if place % 2 == 0 else sum(divmod(2 * d, 10)) for place, d in enumerate(reversed(digits))]
    return len(set(digits)) > 1 and sum(doubled) % 10 == 0


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "." in text or ":" in text


def _is_national_id(text: str) -> bool:
    """United States, United Kingdom, Spain, Italy, France; with check letters where there are some."""
    compact = text.replace(" ", "").upper()
    spain, france = _DNI.match(compact), _NIR.match(compact)
    if spain:
        return "TRWAGMYFPDXBNJZSQVHLCKE"[int(spain[1]) % 23] == spain[2]
    if france:
        return not france[1].isdigit() or 97 - int(france[1]) % 97 == int(france[2])  # Corsica's letters are taken as they are
    return bool(_SSN.match(text) or _NINO.match(compact) or _CODICE.match(compact))


_KINDS: Mapping[PersonalKind, Callable[[str], bool]] = {
    "email": lambda text: bool(_EMAIL.match(text)),
    "iban": _is_iban,
    "national_id": _is_national_id,
    "card": _is_card,
    "ip": _is_ip,
    "phone": _is_phone,
}
