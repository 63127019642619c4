"""Series of a batch that are one series cut at different times, or loaded twice. They must not teach each other the future."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecasting.grid import index_of
from forecasting.prepare import Prepared

SAMPLE = 400
LEAST_SHARED = 0.5
"""Two series that agree to nine digits at half of their common non-zero points are the same one."""


def teachers(series: Sequence[Prepared]) -> list[bool]:
    """Per series, may others learn from it? Of each set of copies only the one that ends first may."""
    epoch = np.datetime64("1970-01-01", "ns")
    seen: dict[tuple[int, float], list[int]] = {}
    ends, counts = [], []
    shared: dict[tuple[int, int], int] = {}
    for k, one in enumerate(series):
        first = int(index_of(np.array([one.start]), epoch, one.step)[0])
        ends.append(first + one.raw.shape[0])
        stride = max(1, one.raw.shape[0] // SAMPLE)
        stride = 1 << (stride.bit_length() - 1)
        at = np.arange((-first) % stride, one.raw.shape[0], stride)
        at = at[np.isfinite(one.raw[at]) & (one.raw[at] != 0)]
        counts.append(at.shape[0])
        for position in at:
            key = (first + int(position), float(f"{one.raw[position]:.9g}"))
            others = seen.setdefault(key, [])
            for other in others[:50]:
                shared[other, k] = shared.get((other, k), 0) + 1
            others.append(k)
    teaching = [True] * len(series)
    for (a, b), count in shared.items():
        if count >= max(6, LEAST_SHARED * 0.5 * min(counts[a], counts[b])):
            teaching[b if (ends[b], b) > (ends[a], a) else a] = False
    return teaching
