"""Explainers are compared on real changes of the tenant's data with a driver planted in each: who names it first?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import NotEnoughData
from core.timeseries import FloatArray
from models.explaining import Split, most, plain
from models.gate.recalled import ROUNDS, Fold, Recalled, recalled

PLANTS = 12
"""Drivers per round."""
PAST = 9
"""Periods before a change that whoever serves now may look at, as its explanations do."""
FACTORS = (1.4, 2.5)
"""A planted segment is so many times its value, or that part of it: less is a wobble, more needs no model to be seen."""
SHARES = (0.02, 0.6)
"""Of the whole before: a smaller segment's move is no story, a larger one is the whole by another name."""


@dataclass(frozen=True, slots=True)
class Course:
    """A dimension over time. values: (periods, segments), time ascending, finite, adding up to the whole; lag: periods back that compare."""

    dimension: str
    segments: tuple[str, ...]
    values: FloatArray
    lag: int = 1


@dataclass(frozen=True, slots=True)
class Planted:
    """row: of the segment that was moved. past: (PAST, segments) before."""

    split: Split
    past: FloatArray
    row: int


Namer = Callable[[Planted], int]
"""The segment that it names first; -1 for none."""


def plant(course: Course, end: int, seed: int) -> Planted | None:
    """The change up to period `end`, with one segment moved; None where no segment is large enough."""
    rng = np.random.default_rng(seed)
    before, after = course.values[end - course.lag], course.values[end].copy()
    share = before / max(float(before.sum()), 1e-12)
    able = np.flatnonzero((share >= SHARES[0]) & (share <= SHARES[1]) & (after > 0))
    if not able.size:
        return None
    row = int(rng.choice(able))
    after[row] *= float(rng.uniform(*FACTORS)) ** float(rng.choice([-1.0, 1.0]))
    split = Split(course.dimension, course.segments, before, after)
    return Planted(split, course.values[end - course.lag - PAST + 1 : end - course.lag + 1], row)


def run(
    about: tuple[str, str, str],
    courses: Sequence[Course],
    namers: tuple[Namer, Namer],
    *,
    peak_bytes: Callable[[], int],
    on_progress: Callable[[int, int], None] | None = None,
) -> Recalled:
    """about: metric, grain, who serves now. namers: candidate, champion. Raises: NotEnoughData for a short past; ModelFailed."""
    usable = [course for course in courses if len(course.values) >= course.lag + PAST + ROUNDS and len(course.segments) >= 3]
    if not usable:
        raise NotEnoughData(
            f"A fair comparison needs a dimension of three segments or more over {PAST + ROUNDS + 1} periods; there is none.",
            code="too_few_rows",
        )
    found: list[Fold] = []
    spent_s, asked = 0.0, 0
    for number in range(ROUNDS):
        hits: list[tuple[bool, bool, bool]] = []
        for place in range(PLANTS):
            course = usable[place % len(usable)]
            one = plant(course, len(course.values) - ROUNDS + number, seed=1000 * number + place)
            if one is None:
                continue
            began_s = time.perf_counter()
            ours = namers[0](one)
            spent_s, asked = spent_s + time.perf_counter() - began_s, asked + 1
            hits.append((ours == one.row, namers[1](one) == one.row, most(one.split, plain(one.split)) == one.row))
        found.append(tuple(float(share) for share in np.mean(hits, axis=0)) if hits else (0.0, 0.0, 0.0))  # type: ignore[arg-type]
        if on_progress is not None:
            on_progress(number + 1, ROUNDS)
    return recalled("drivers", about, found, spent_s / max(asked, 1), peak_bytes())
