"""Vectors of words and short phrases, from a table that was distilled from a sentence model: no model is needed to use it.

A phrase is the weighted mean of its words, unless the table knows the expression as a whole ("money in"). Rare words weigh more.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InternalError

SHIPPED = Path(__file__).with_name("words.npz")
FORMAT = 1
Vector = NDArray[np.float32]


class WordVectors:
    """words[i] has the row i of `table` (int8, scaled by `scale[i]`); `weights[i]` is how much it says. Thread-safe, read only."""

    def __init__(self, words: list[str], table: NDArray[np.int8], scale: Vector, weights: Vector) -> None:
        self._row = {word: i for i, word in enumerate(words)}
        self._table, self._scale, self._weights = table, scale, weights
        self.dimensions = int(table.shape[1])

    def __len__(self) -> int:
        return len(self._row)

    def __contains__(self, text: str) -> bool:
        return text in self._row

    def encode(self, text: str) -> Vector | None:
        """(dimensions,) float32 of length 1; None when no word of the text is known. Lower case is taken of it."""
        whole = " ".join(text.lower().replace("_", " ").replace("-", " ").split())
        row = self._row.get(whole)
        if row is not None:
            return _unit(self._at(row))
        rows = [r for word in whole.split() if (r := self._row.get(word, self._row.get(_singular(word)))) is not None]
        if not rows:
            return None
        total = np.zeros(self.dimensions, np.float32)
        for r in rows:
            total += self._weights[r] * _unit(self._at(r))
        return _unit(total)

    def _at(self, row: int) -> Vector:
        out: Vector = self._table[row].astype(np.float32) * self._scale[row]
        return out


def _unit(vector: Vector) -> Vector:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 0 else vector


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("s") and len(word) > 3 else word


def save(path: Path, words: list[str], vectors: Vector, weights: Vector, notes: dict[str, Any]) -> None:
    """vectors: (n, d) float32."""
    scale = (np.abs(vectors).max(axis=1) / 127.0 + 1e-12).astype(np.float32)
    table = np.round(vectors / scale[:, None]).astype(np.int8)
    head = json.dumps({"format": FORMAT, **notes})
    np.savez_compressed(
        path,
        head=np.frombuffer(head.encode(), np.uint8),
        words=np.frombuffer("\n".join(words).encode(), np.uint8),
        table=table,
        scale=scale,
        weights=weights.astype(np.float32),
    )


def load(path: Path) -> WordVectors:
    """Raises: InternalError for a file of another format."""
    with np.load(path, allow_pickle=False) as data:
        head = json.loads(data["head"].tobytes().decode())
        if head.get("format") != FORMAT:
            raise InternalError(f"{path.name} has format {head.get('format')}, not {FORMAT}; build it with `python -m nlq.meaning`.")
        words = data["words"].tobytes().decode().split("\n")
        return WordVectors(words, data["table"], data["scale"], data["weights"])


@lru_cache(maxsize=1)
def shipped() -> WordVectors:
    """The table that comes with this version; some 10 MB in memory once used."""
    return load(SHIPPED)
