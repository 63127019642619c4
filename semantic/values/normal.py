"""The form in which values and questions are compared."""

from __future__ import annotations

import re
import unicodedata

_PUNCTUATION = re.compile(r"[\W_]+")
_APOSTROPHE = re.compile(r"['’‘`]")


def normal(text: str) -> str:
    """Lower case, without accents; punctuation as single spaces, apostrophes gone.

    >>> normal("São-Paulo, S.A."), normal("Lily’s Bakery"), normal("  ACME   Corp ")
    ('sao paulo s a', 'lilys bakery', 'acme corp')
    """
    if text.isascii():
        plain = text
    else:
        plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return _PUNCTUATION.sub(" ", _APOSTROPHE.sub("", plain)).strip().casefold()
