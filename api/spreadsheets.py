"""Text in files that spreadsheets open."""

from __future__ import annotations

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the last four: their full-width forms


def plain_cell(text: str) -> str:
    """With an apostrophe before what a spreadsheet would run as a formula.

    >>> plain_cell("=1+1"), plain_cell("a=1")
    ("'=1+1", 'a=1')
    """
    return f"'{text}" if text.startswith(_FORMULA) else text
