"""Short forms of the catalog's names: "gp" for gross profit, "dev" for device, where only one name can be meant."""

from __future__ import annotations

import re

from nlq.text import words_of
from semantic.catalog.model import Catalog, FieldRole

_LEAST_LETTERS = 3
_MOST_LETTERS = 5
_SPLITTING = re.compile(r"\b(?:by|per|each|across)\s+$", re.IGNORECASE)
_LABELS = (FieldRole.CATEGORY, FieldRole.NAME, FieldRole.FLAG)


def short_for(word: str, before: str, catalog: Catalog) -> str | None:
    """What a word stands for: the initials of one figure, or behind "by" the beginning of one label. before: the question up to the word.

    >>> short_for("zq", "", Catalog(name="c")) is None
    True
    """
    said = word.lower()
    if not said.isalpha() or len(said) > _MOST_LETTERS:
        return None
    figures = {m.label for m in catalog.metrics if not m.hidden and _initials(m.label) == said}
    if len(figures) == 1 and len(said) > 1:
        return next(iter(figures))
    if len(said) < _LEAST_LETTERS or _SPLITTING.search(before) is None:
        return None
    things = {e.label for e in catalog.entities}
    things |= {f.label for d in catalog.datasets if not d.hidden for f in d.fields if f.role in _LABELS and not f.hidden}
    found = {name for name in things if len(words_of(name)) == 1 and name.lower().startswith(said)}
    return next(iter(found)) if len(found) == 1 else None


def _initials(label: str) -> str:
    words = words_of(label)
    return "".join(w[0] for w in words) if len(words) > 1 else ""
