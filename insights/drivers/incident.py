"""Causes of an incident in a rate of bad outcomes, from what each segment was like in the minutes before."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from core.errors import Invalid, NotEnoughData
from core.timeseries import FloatArray
from insights.drivers.leaves import Leaves
from insights.drivers.search import Candidate, Found, Moved, search

NORMAL_UP_TO = 1.5  # steps whose whole rate is above this many medians are no baseline: the incident may have begun, or another was on
PRIOR_TRIALS = 30.0  # a leaf's rate starts as the whole's with the weight of so many trials: leaves with few say little
DISPERSION = 0.2  # relative variance of a leaf from one step to the next beyond chance; .1 to .5 rank alike
FOLLOWING_GAIN = 0.45  # a further cause is answered when it explains nearly half of what the first does
CERTAIN_P = 0.01


@dataclass(frozen=True, slots=True)
class Incident:
    """causes: ranked, at most five. answer: how many leading ones are the answer; 0 when nothing stands out. p: of the first, corrected."""

    causes: tuple[Candidate, ...]
    answer: int
    p: float


def explain_rate(leaves: Leaves, bad: FloatArray, trials: FloatArray, *, limit: int = 5, upward: bool = True) -> Incident:
    """Which segments' rate is off in the last step.

    bad, trials: (steps, leaves), time ascending, the incident last; 0 where a leaf had no rows.
    Raises: NotEnoughData without a step before or without any trial; Invalid for negative or unequal arrays.
    """
    if bad.shape != trials.shape or bad.ndim != 2 or bad.shape[1] != leaves.count:
        raise Invalid(
            f"Bad outcomes and trials must both be (steps, {leaves.count}); found {bad.shape} and {trials.shape}.", code="bad_leaves"
        )
    if len(bad) < 2 or trials[-1].sum() <= 0:
        raise NotEnoughData("An incident needs trials in its own step and at least one step before it.", code="no_rows")
    if not np.isfinite(bad).all() or not np.isfinite(trials).all() or bad.min() < 0 or trials.min() < 0:
        raise Invalid("Bad outcomes and trials must be finite and not negative.", code="bad_leaves")
    moved = expected_from_history(bad, trials)
    found = search(leaves, moved, limit=limit, upward=upward)
    return _answer(leaves, moved, found, limit=limit, upward=upward)


def expected_from_history(bad: FloatArray, trials: FloatArray) -> Moved:
    """The last step against each leaf's rate in the normal steps before it; little history adds to the dispersion."""
    rates = bad[:-1].sum(axis=1) / np.maximum(trials[:-1].sum(axis=1), 1e-9)
    used = trials[:-1].sum(axis=1) > 0
    normal = used & (rates <= NORMAL_UP_TO * np.median(rates[used])) if used.any() else np.ones(len(rates), dtype=bool)
    past_bad, past_trials = bad[:-1][normal].sum(axis=0), trials[:-1][normal].sum(axis=0)
    whole = max(past_bad.sum(), 0.5) / max(past_trials.sum(), 1.0)
    known = past_bad + PRIOR_TRIALS * whole
    rate = known / (past_trials + PRIOR_TRIALS)
    return Moved(bad[-1], trials[-1] * rate, DISPERSION + 1.0 / known)


def _answer(leaves: Leaves, moved: Moved, found: Found, *, limit: int, upward: bool) -> Incident:
    """The first cause, and a second one where what the first leaves unexplained has a cause nearly as strong, apart from it."""
    if not found.candidates:
        return Incident((), 0, 1.0)
    first = found.candidates[0]
    p = corrected_p(first.gain, found.tried)
    inside = leaves.mask(first.segment)
    explained = replace(moved, expected=np.where(inside, moved.expected * first.multiplier, moved.expected))
    rest = search(leaves, explained, limit=1, upward=upward, outside=inside)
    answer, causes = int(p < CERTAIN_P), list(found.candidates)
    for following in rest.candidates:
        if answer and following.gain >= FOLLOWING_GAIN * first.gain and corrected_p(following.gain, rest.tried) < CERTAIN_P:
            causes = [first, following, *(c for c in causes[1:] if c.segment != following.segment)]
            answer = 2
    return Incident(tuple(causes[:limit]), answer, p)


def corrected_p(gain: float, tried: int) -> float:
    """p of a log-likelihood gain with one free multiplier, times the number of segments tried. Source: Wilks; Bonferroni."""
    return float(min(stats.chi2.sf(2.0 * max(gain, 0.0), 1) * max(tried, 1), 1.0))
