"""Questions for what is above the caller's clearance: the words by which closed fields would be asked for, gathered once per catalog and kind of caller."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.principal import Principal
from semantic.catalog.model import Catalog, CatalogField
from semantic.clearances import class_rules
from semantic.expr import FieldRef

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class ClosedWords:
    """fields: label of each closed field with the words and phrases that mean it and nothing the caller sees, case-folded."""

    fields: tuple[tuple[str, frozenset[str]], ...]

    def asked_for(self, question: str, unknown: Sequence[str]) -> str | None:
        """The label of a closed field that a question asks for; None when it asks for none.

        Asked for by a word that nothing else explains (`unknown`), or by a phrase of several words that means nothing the caller sees.
        """
        if not self.fields:
            return None
        asked = f" {' '.join(_WORD.findall(question.casefold()))} "
        single = {word.casefold().strip() for word in unknown}
        for label, said in self.fields:
            if said & single or any(" " in text and f" {text} " in asked for text in said):
                return label
        return None


def closed_words(caller: Principal, full: Catalog, visible: Catalog) -> ClosedWords:
    """Those of the fields that the caller's clearance hides."""
    hidden = sorted({(r.dataset, r.field) for r in class_rules(full, caller) if r.action == "hide"})
    shown = {text for d in visible.datasets for f in d.fields for text in _said(f)} | {m.label.casefold() for m in visible.metrics}
    found: list[tuple[str, frozenset[str]]] = []
    for dataset, name in hidden:
        field = full.field(FieldRef(dataset=dataset, field=name))
        said = set() if field.hidden else _said(field) - shown
        if said:
            found.append((field.label, frozenset(said | {f"{text}s" for text in said})))
    return ClosedWords(tuple(found))


def _said(field: CatalogField) -> set[str]:
    return {text.casefold() for text in (field.name.replace("_", " "), field.label, *field.synonyms)}
