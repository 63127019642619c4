"""Which of a million keys share letter triples with a text: a compressed index of trigrams, made and read with NumPy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_BUCKETS = 1 << 18
_POSTINGS_BUDGET = 100_000

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]


def make_grams(keys: Sequence[str]) -> tuple[Int64, Int32]:
    """(offsets (_BUCKETS + 1,), owners): owners[offsets[b]:offsets[b + 1]] are the keys that hold a triple of bucket b."""
    if not keys:
        return np.zeros(_BUCKETS + 1, np.int64), np.zeros(0, np.int32)
    offsets = np.zeros(_BUCKETS + 1, np.int64)
    parts: list[tuple[Int32, Int32]] = []
    step = 200_000
    for start in range(0, len(keys), step):
        chunk = keys[start : start + step]
        parts.append(_of_chunk(chunk, start))
    buckets = np.concatenate([b for b, _ in parts])
    owners = np.concatenate([o for _, o in parts])
    order = np.argsort(buckets, kind="stable")
    np.cumsum(np.bincount(buckets, minlength=_BUCKETS), out=offsets[1:])
    return offsets, owners[order]


def _of_chunk(keys: Sequence[str], first: int) -> tuple[Int32, Int32]:
    padded = [f" {k} " for k in keys]
    lengths = np.fromiter((len(p) for p in padded), np.int64, len(padded))
    letters = np.frombuffer("".join(padded).encode("utf-32-le"), np.uint32)
    owner = np.repeat(np.arange(first, first + len(keys), dtype=np.int32), lengths)
    if letters.size < 3:
        return np.zeros(0, np.int32), np.zeros(0, np.int32)
    inside = owner[:-2] == owner[2:]
    return _bucket(letters[:-2], letters[1:-1], letters[2:])[inside], owner[:-2][inside]


def _bucket(a: npt.NDArray[np.uint32], b: npt.NDArray[np.uint32], c: npt.NDArray[np.uint32]) -> Int32:
    mixed = (a.astype(np.uint64) * 1_000_003 + b.astype(np.uint64)) * 1_000_003 + c.astype(np.uint64)
    return ((mixed ^ (mixed >> np.uint64(21))) % np.uint64(_BUCKETS)).astype(np.int32)


def candidates(text: str, offsets: Int64, owners: Int32, key_count: int, limit: int) -> Int32:
    """The keys that share most triples with `text`, counting its rarest triples within a budget of postings read."""
    letters = np.frombuffer(f" {text} ".encode("utf-32-le"), np.uint32)
    if letters.size < 3 or not owners.size:
        return np.zeros(0, np.int32)
    buckets = np.unique(_bucket(letters[:-2], letters[1:-1], letters[2:]))
    sizes = offsets[buckets + 1] - offsets[buckets]
    order = np.argsort(sizes, kind="stable")
    lists: list[Int32] = []
    read = 0
    for i in order:
        if not sizes[i]:
            continue
        if lists and read + sizes[i] > _POSTINGS_BUDGET:
            break
        lists.append(owners[offsets[buckets[i]] : offsets[buckets[i] + 1]])
        read += int(sizes[i])
    if not lists:
        return np.zeros(0, np.int32)
    found, counts = np.unique(np.concatenate(lists), return_counts=True)
    if found.size > limit:
        best = np.argpartition(counts, found.size - limit)[found.size - limit :]
        cutoff = counts[best].min()
        # Ties at the cut are many for short texts: take them in key order, so that the answer does not depend on the partition.
        sure, tied = found[counts > cutoff], found[counts == cutoff]
        found = np.concatenate([sure, tied[: max(limit - sure.size, 0)]])
    return found.astype(np.int32)
