"""Segments against their own expectation and against the rest; shares that grew; the one that moved unlike all others."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy import stats

from core.timeseries import FloatArray
from insights.looks.made import made
from insights.past import (
    MIN_ERRORS,
    RECENT,
    SEASONS,
    SHORT_SEASONS,
    MetricPast,
    expected_of,
    expected_share,
    is_a_day_of_its_own,
    judged,
    usual_error,
)
from insights.types import Evidence, Fact

LATE_BELOW = 0.6
LATE_SHARE = 0.5  # of the whole: what is most of the data is the whole being low, not a part being late
MIN_SUPPORT = 0.02  # of the whole: segments below are not looked at
CONCENTRATED = 0.4
GREW = 0.05
MIN_PATTERN = 4  # segments, for "all but one"
USUAL_SHARE = 0.4  # of the other segments, by size: so much is as usual, or the whole is low and none is late
AS_USUAL = (0.75, 1.3)
MOVED = 1.0  # of a segment's usual moves: what the others must have moved to be a pattern


def look_at_segments(past: MetricPast) -> list[Fact]:
    facts: list[Fact] = []
    for dimension, (names, values) in past.segments.items():
        bases = past.segment_bases.get(dimension)
        facts += _rates(past, dimension, names, values, bases) if bases is not None else _amounts(past, dimension, names, values)
    return facts


def look_at_last_day(past: MetricPast) -> list[Fact]:
    """Segments whose data of the last day of a running period are late: then what is low in the period is only missing."""
    if past.last_day is None:
        return []
    return [fact for fact in look_at_segments(past.last_day) if fact.kind == "late_data"]


def _amounts(past: MetricPast, dimension: str, names: tuple[str, ...], values: FloatArray) -> list[Fact]:
    whole = np.nansum(values, axis=1)
    if whole[-1] <= 0:
        return []
    kept = [i for i in range(len(names)) if np.nansum(values[:, i]) >= MIN_SUPPORT * np.nansum(whole)]
    expected = np.array([expected_of(past, values[:, i])[-1] for i in range(len(names))])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = values[-1] / expected
    usual = np.where((ratios >= AS_USUAL[0]) & (ratios <= AS_USUAL[1]), expected, 0.0)
    facts: list[Fact] = []
    for i in kept:
        others = np.arange(len(names)) != i
        is_usual = float(np.nansum(usual[others])) >= USUAL_SHARE * float(np.nansum(expected[others])) > 0
        facts += _amount(past, dimension, (names[i], values[:, i]), whole, others_usual=is_usual)
    return [*facts, *_exception(past, dimension, tuple(names[i] for i in kept), values[:, kept])]


def _amount(past: MetricPast, dimension: str, segment: tuple[str, FloatArray], whole: FloatArray, *, others_usual: bool) -> list[Fact]:
    """Its share tested against what it was; told as late data, an outlier, or a concentration."""
    name, series = segment
    with np.errstate(divide="ignore", invalid="ignore"):
        share = series / whole
    expected = expected_of(past, series)
    found = judged(share, expected_share(past, share))
    if found is None:
        return []
    _, test = found
    scope = ((dimension, name),)
    before = float(np.median(share[:-1][np.isfinite(share[:-1])][-RECENT:]))
    ratio = float(series[-1] / expected[-1]) if expected[-1] > 0 else 1.0
    difference = float(series[-1] - expected[-1])
    facts: list[Fact] = []
    if past.grain in SHORT_SEASONS and ratio < LATE_BELOW and before < LATE_SHARE and others_usual:
        facts.append(made(past, "late_data", {"share": max(ratio, 0.0)}, test, 0.7 + before, difference, scope=scope))
    elif math.isfinite(expected[-1]):
        numbers = {"before": float(expected[-1]), "after": float(series[-1])}
        facts.append(made(past, "outlier_segment", numbers, test, abs(difference) / float(whole[-1]) * 4, difference, scope=scope))
    if share[-1] >= CONCENTRATED and share[-1] > before + GREW:
        numbers = {"share": float(share[-1]), "share_before": before}
        size = float(share[-1] - before) * 3
        facts.append(made(past, "concentration", numbers, test, size, float(series[-1]), scope=scope, names=(dimension,)))
    return facts


def _rates(past: MetricPast, dimension: str, names: tuple[str, ...], tops: FloatArray, bases: FloatArray) -> list[Fact]:
    """A segment's rate beside the rate of all others, which leaves out what moved them all."""
    facts: list[Fact] = []
    top, base = tops.sum(axis=1), bases.sum(axis=1)
    for i, name in enumerate(names):
        if bases[:, i].sum() < MIN_SUPPORT * base.sum() or base[-1] - bases[-1, i] <= 0:
            continue
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = tops[:, i] / bases[:, i] * past.scale
            beside = rate / ((top - tops[:, i]) / (base - bases[:, i]) * past.scale)
        expected = expected_of(past, rate)
        own = None if is_a_day_of_its_own(past) else judged(rate, expected)
        tests = [t for t in (judged(beside, expected_share(past, beside)), own) if t is not None]
        if not tests or not math.isfinite(expected[-1]) or not math.isfinite(rate[-1]):
            continue
        # Beside the rest what moved all is left out; by its own past a steady segment shows beside unsteady ones.
        sharper = min((test for _, test in tests), key=lambda test: test.p)
        test = replace(sharper, p=min(1.0, sharper.p * len(tests)))
        effect = float(rate[-1] - expected[-1]) * float(bases[-1, i] / base[-1])
        whole = abs(float(top[-1] / base[-1])) * past.scale if base[-1] > 0 else math.nan
        size = abs(effect) / whole * 4 if whole else 0.0
        numbers = {"before": float(expected[-1]), "after": float(rate[-1])}
        facts.append(made(past, "outlier_segment", numbers, test, size, effect, scope=((dimension, name),)))
    return facts


def _exception(past: MetricPast, dimension: str, names: tuple[str, ...], values: FloatArray) -> list[Fact]:
    """All segments moved one way but one: since the period before, or the same weekday a week before."""
    back = SEASONS[past.grain] if past.grain in SHORT_SEASONS else 1
    if len(names) < MIN_PATTERN or len(values) < back + MIN_ERRORS + 2 or not (values > 0).all():
        return []
    moves = np.log(values[back:] / values[:-back])
    spreads = np.array([usual_error(moves[:-1, i] - np.median(moves[:-1, i])) for i in range(len(names))])
    signs = moves[-1] / spreads
    for way in (1.0, -1.0):
        odd = np.flatnonzero(signs * way < 0)
        if len(odd) == 1 and (np.delete(signs, odd[0]) * way >= MOVED).all():
            i = int(odd[0])
            beside = moves[:, i] - np.median(np.delete(moves, i, axis=1), axis=1)
            statistic = float(beside[-1]) / usual_error(beside[:-1])
            p = float(min(1.0, 2 * stats.t.sf(abs(statistic), len(beside) - 1) * len(names)))
            before, after = float(values[-1 - back, i]), float(values[-1, i])
            numbers = {"before": before, "after": after, "others": way}
            size = abs(after - before) / float(values[-1].sum()) * 5
            test = Evidence("t, best of segments", statistic, p, len(beside) - 1)
            return [made(past, "exception", numbers, test, size, after - before, scope=((dimension, names[i]),), names=(dimension,))]
    return []


def is_alike(past: MetricPast, low: float, high: float) -> str | None:
    """A dimension in which every segment's last value is between `low` and `high` times what was expected; None without one."""
    for dimension, (names, values) in past.segments.items():
        if dimension in past.segment_bases or len(names) < 3:
            continue
        whole = float(np.nansum(values[-1]))
        ratios = [
            float(values[-1, i] / expected_of(past, values[:, i])[-1]) for i in range(len(names)) if values[-1, i] >= MIN_SUPPORT * whole
        ]
        if len(ratios) >= 3 and all(math.isfinite(r) and low <= r <= high for r in ratios):
            return dimension
    return None
