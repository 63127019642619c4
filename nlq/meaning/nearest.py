"""The catalog's names by meaning: which of them are near a word that no string explains."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nlq.meaning.vectors import WordVectors, shipped
from semantic.catalog.model import Catalog

# Cosine in the table's space. Words of one meaning lie at 0.6 and more (clients and customers 0.66, income and revenue 0.63, explained
# expressions 0.8 and more); kinds of one thing at 0.4 to 0.6 (salesperson and customer), which is no reason to ask.
LEAST = 0.6
BEHIND = 0.14


@dataclass(frozen=True, slots=True)
class Near:
    """`name` stands in the catalog; `score` is the cosine between it (or a synonym of it) and the words asked about."""

    name: str
    score: float


class Meanings:
    """Names, synonyms and descriptions of one visible catalog as vectors, made at first use and kept. Thread-safe (a benign race)."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    def near(self, text: str, limit: int = 3) -> list[Near]:
        """Names near `text` in meaning, best first; none when nothing is near or no word of it is known."""
        asked = self._vectors.encode(text)
        names, matrix = self._names
        if asked is None or not names:
            return []
        scores = matrix @ asked
        best: dict[str, float] = {}
        for i in np.argsort(-scores)[: limit * 6]:
            best.setdefault(names[i], float(scores[i]))
        ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))
        floor = max(LEAST, ranked[0][1] - BEHIND) if ranked else LEAST
        return [Near(name, round(score, 4)) for name, score in ranked if score >= floor][:limit]

    def expression(self, words: list[str]) -> bool:
        """Whether the words together are one known expression."""
        return len(words) > 1 and " ".join(words).lower() in self._vectors

    @cached_property
    def _vectors(self) -> WordVectors:
        return shipped()

    @cached_property
    def _names(self) -> tuple[list[str], NDArray[np.float32]]:
        """Each wording and the label it stands for. Inferred metrics repeat their field's name and are left out."""
        wordings: dict[tuple[str, str], None] = {}
        catalog = self.catalog
        for metric in catalog.metrics:
            if not metric.hidden:
                for text in (metric.label, *metric.synonyms):
                    wordings[(text, metric.label)] = None
        for entity in catalog.entities:
            for text in (entity.label, entity.plural, *entity.synonyms):
                wordings[(text, entity.plural or entity.label)] = None
        for dataset in catalog.datasets:
            if dataset.hidden:
                continue
            for text in (dataset.label, *dataset.synonyms):
                wordings[(text, dataset.label)] = None
            for field in dataset.fields:
                if not field.hidden:
                    for text in (field.label, *field.synonyms):
                        wordings[(text, field.label)] = None
        found = [(label, vector) for (text, label) in wordings if text and (vector := self._vectors.encode(text)) is not None]
        if not found:
            return [], np.zeros((0, self._vectors.dimensions), np.float32)
        return [label for label, _ in found], np.stack([vector for _, vector in found])
