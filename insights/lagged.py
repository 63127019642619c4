"""Metrics that move ahead of others. An association, tested on what neither could have been expected to do from its own past."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import permutations

import numpy as np
from scipy import stats

from core.timeseries import FloatArray, Grain
from insights.looks.made import made
from insights.past import SEASONS, MetricPast
from insights.types import Evidence, Fact

MAX_LAG: Mapping[Grain, int] = {Grain.DAY: 7, Grain.WEEK: 6}
OWN_PAST: Mapping[Grain, int] = {Grain.DAY: 8, Grain.WEEK: 4}  # own steps back that are taken out first
MIN_POINTS = 60
LEAST_R = 0.35  # weaker ones are of no use to anyone, however certain
WORTH = 0.4  # a standing pattern tells less than what happened


def lagged_pairs(pasts: Sequence[MetricPast]) -> tuple[Fact, ...]:
    """One fact per ordered pair of metrics that share no part: at its strongest lag, p times the lags tried."""
    able = {past.quantity.label: (past, surprises(past)) for past in pasts if past.grain in MAX_LAG}
    facts: list[Fact] = []
    for (leader, leads), (follower, follows) in permutations(able.values(), 2):
        if leads is None or follows is None or leader.parts & follower.parts or len(leads) != len(follows):
            continue
        r, lag, n = strongest(leads, follows, MAX_LAG[leader.grain])
        if abs(r) < LEAST_R:
            # Tried and of no use: it still counts among the tests of the run.
            p = 1.0
        else:
            p = min(1.0, _p(r, n) * MAX_LAG[leader.grain])
        test = Evidence("correlation of surprises, best of lags", r, p, n)
        names = (leader.quantity.label, leader.grain.value)
        receipts = tuple(sorted({*leader.receipts[:1], *follower.receipts[:1]}))
        facts.append(
            made(follower, "lagged_correlation", {"r": r, "lag": float(lag)}, test, abs(r) * WORTH, 0.0, names=names, receipts=receipts)
        )
    return tuple(facts)


def strongest(leads: FloatArray, follows: FloatArray, max_lag: int) -> tuple[float, int, int]:
    """(r, lag, n) of the lag from 1 on with the largest correlation; r is 0 where the two move together more than one ahead of the other.

    Of two views of one thing (orders and revenue) the steadier one seems to lead.
    """
    best = (0.0, 1, 0)
    same_time = _same_time(leads, follows)
    follows = _without_same_time(leads, follows)
    for lag in range(1, max_lag + 1):
        one, two = leads[:-lag], follows[lag:]
        both = np.isfinite(one) & np.isfinite(two)
        n = int(both.sum())
        if n < MIN_POINTS or one[both].std() == 0 or two[both].std() == 0:
            continue
        r = float(np.corrcoef(one[both], two[both])[0, 1])
        if abs(r) > abs(best[0]):
            best = (r, lag, n)
    return best if abs(best[0]) > abs(same_time) else (0.0, best[1], best[2])


def _same_time(leads: FloatArray, follows: FloatArray) -> float:
    both = np.isfinite(leads) & np.isfinite(follows)
    if both.sum() < MIN_POINTS or leads[both].std() == 0 or follows[both].std() == 0:
        return 0.0
    return float(np.corrcoef(leads[both], follows[both])[0, 1])


def _without_same_time(leads: FloatArray, follows: FloatArray) -> FloatArray:
    """What the follower did beyond what it does at the same time as the leader: that must not leak into the lags."""
    both = np.isfinite(leads) & np.isfinite(follows)
    if both.sum() < MIN_POINTS or leads[both].std() == 0:
        return follows
    slope = float(np.cov(leads[both], follows[both])[0, 1] / np.var(leads[both], ddof=1))
    return np.asarray(follows - slope * np.nan_to_num(leads), np.float64)


def surprises(past: MetricPast) -> FloatArray | None:
    """(n,) what the metric did beyond its trend, season and own last steps; None where there are too few points. Outliers are cut.

    Without that, two series that merely have memory seem to move together.
    """
    values, back = past.values, OWN_PAST[past.grain]
    if len(values) < MIN_POINTS + back or not np.isfinite(values).all() or (values <= 0).any():
        return None
    logs, n = np.log(values), len(values)
    season = SEASONS[past.grain] if past.grain is Grain.DAY else 1
    dummies = np.eye(season)[np.arange(n) % season][:, 1:]
    lagged = np.column_stack([np.concatenate([np.full(k, np.nan), logs[:-k]]) for k in range(1, back + 1)])
    design = np.column_stack([np.ones(n), np.arange(n) / n, dummies, lagged])[back:]
    solved, *_ = np.linalg.lstsq(design, logs[back:], rcond=None)
    errors = logs[back:] - design @ solved
    limit = 3 * 1.4826 * float(np.median(np.abs(errors)))
    cut = np.clip(errors, -limit, limit) if limit > 0 else errors
    return np.concatenate([np.full(back, np.nan), cut])


def _p(r: float, n: int) -> float:
    """Two-sided, of no correlation. Source: Fisher's z."""
    return float(2 * stats.norm.sf(abs(math.atanh(min(abs(r), 0.999999))) * math.sqrt(max(n - 3, 1))))
