"""Numbers as people type them, in the formats of who types; what could be read in two ways is refused rather than guessed."""

from __future__ import annotations

import re
from decimal import Decimal

from core.errors import Invalid
from core.formats import MARKS, USUAL, Formats

_SPACES = re.compile(r"[\s\u00a0\u202f\u2009'’]")
_USUAL_THOUSANDS = re.compile(r"[1-9]\d{0,2},\d{3}", re.ASCII)


def typed(value: float, formats: Formats) -> str:
    """For a field of a form: without groups, and never so that it could be read in two ways."""
    plain = f"{Decimal(repr(float(value))):f}".removesuffix(".0")
    is_like_thousands = formats.decimal == "," and len(plain.partition(".")[2]) == 3
    sign, digits = (formats.minus, plain[1:]) if plain.startswith("-") else ("", plain)
    return sign + digits.replace(".", formats.decimal) + ("0" if is_like_thousands else "")


def number_typed(text: str, formats: Formats) -> float:
    """Raises: Invalid."""
    plain = plain_number(text, formats)
    if plain is None:
        found = "could be two numbers" if plain_number(text, USUAL) else "is not a number"
        raise Invalid(
            f"{text.strip()[:40]!r} {found}; write it like {formats.figure('1,234.56')} or 1234{formats.decimal}56.",
            code="bad_number",
        )
    return float(plain)


def plain_number(text: str, formats: Formats) -> str | None:
    """The number as programs write it, "-1234.5"; None for what is none or could be two, such as "1,234" of who writes 1.234,56.

    The convention of others counts where it can be read in one way only.
    """
    bare = _SPACES.sub("", text.translate(MARKS)).replace("−", "-")
    sign, digits = (bare[0].replace("+", ""), bare[1:]) if bare[:1] in ("-", "+") else ("", bare)
    if formats.decimal == "," and _USUAL_THOUSANDS.fullmatch(digits):
        return None
    group = formats.group if formats.group in (",", ".") else ""
    for pattern in (_pattern(group, formats.decimal, formats.sizes), _pattern(",", "."), _pattern(".", ",")):
        found = pattern.fullmatch(digits)
        if found is not None:
            return sign + re.sub(r"\D", "", found["whole"]) + (f".{found['rest']}" if found["rest"] else "")
    return None


def _pattern(group: str, decimal: str, sizes: tuple[int, int] = (3, 3)) -> re.Pattern[str]:
    last, before = sizes
    grouped = rf"[1-9]\d{{0,{before - 1}}}(?:{re.escape(group)}\d{{{before}}})*{re.escape(group)}\d{{{last}}}|" if group else ""
    return re.compile(rf"(?P<whole>{grouped}\d+)(?:{re.escape(decimal)}(?P<rest>\d*))?", re.ASCII)
