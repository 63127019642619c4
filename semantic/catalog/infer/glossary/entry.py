"""One entry of a glossary as it comes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GlossaryEntry:
    """A term and its definition in the source's words: free text, SQL or a formula. The term "note" only says how data is to be read."""

    term: str
    definition: str
    source: str = ""
