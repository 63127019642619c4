"""Anything one should know of a metric: its last complete period tested in several ways. Pure numbers in, tested facts out.

Every test that is made gives a fact, also where it finds nothing, so that the ranking can hold down false discoveries over all of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from scipy import stats

from core.timeseries import FloatArray, Grain
from insights.types import Evidence, Fact, FactKind, Period, Quantity, Score

SEASONS: Mapping[Grain, int] = MappingProxyType({Grain.HOUR: 24, Grain.DAY: 7, Grain.WEEK: 52, Grain.MONTH: 12, Grain.QUARTER: 4})
MIN_ERRORS = 8  # expectations that came before, to know how wrong they are
MIN_RUN = 5
RECENT = 6  # seasons that an expectation looks back
LATE_BELOW = 0.6
LATE_SHARE = 0.5  # of the whole: what is most of the data is the whole being low, not a part being late
MIN_SUPPORT = 0.02  # of the whole: segments below are not looked at
_NO_SEGMENTS: Mapping[str, tuple[tuple[str, ...], FloatArray]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class MetricPast:
    """values: (n,) one per period, time ascending, the last one to be judged. NaN is missing.

    segments: dimension label -> (names, (n, names) values); only for metrics that add up. receipts: which queries made the numbers.
    """

    quantity: Quantity
    grain: Grain
    periods: tuple[Period, ...]
    values: FloatArray
    segments: Mapping[str, tuple[tuple[str, ...], FloatArray]] = field(default_factory=lambda: _NO_SEGMENTS)
    receipts: tuple[int, ...] = ()


def scan(past: MetricPast) -> tuple[Fact, ...]:
    """Tested facts of the last period: unusual value, record, trend, level shift; outlier segments, concentration, late data."""
    if len(past.values) < MIN_ERRORS + 2 or not math.isfinite(past.values[-1]):
        return ()
    facts = [*_unusual(past), *_run(past), *_level_shift(past)]
    for dimension, (names, values) in past.segments.items():
        facts += _segments(past, dimension, names, values)
    return tuple(facts)


def expectations(values: FloatArray, season: int) -> FloatArray:
    """(n,) what each value was expected to be from earlier ones: a season ago, times how the metric has grown over a season since.

    NaN where there is no season before. Growth is the median over the last few steps of the ratio to a season ago.
    """
    expected = np.full(len(values), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = values[season:] / values[:-season]
    for at in range(season, len(values)):
        recent = ratios[max(0, at - season - max(RECENT, min(season, 14))) : at - season]
        recent = recent[np.isfinite(recent) & (recent > 0)]
        expected[at] = values[at - season] * (float(np.median(recent)) if len(recent) >= 3 else 1.0)
    return expected


def _expected(past: MetricPast, values: FloatArray) -> FloatArray:
    season = SEASONS.get(past.grain, 1)
    return expectations(values, season if len(values) >= 2 * season + MIN_ERRORS else 1)


def _log_errors(values: FloatArray, expected: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.log(values / expected)
    return errors[:-1][np.isfinite(errors[:-1])]


def _judged(values: FloatArray, expected: FloatArray) -> tuple[float, Evidence] | None:
    """(relative miss, test) of the last value: its error over the usual size of errors. None where that is not known."""
    errors = _log_errors(values, expected)
    if len(errors) < MIN_ERRORS or not (expected[-1] > 0) or values[-1] < 0:
        return None
    # A value of 0 where something was expected counts as a hundredth of it: a logarithm needs a number.
    error = math.log(max(values[-1], expected[-1] * 0.01) / expected[-1])
    spread = max(float(np.sqrt(np.mean(errors**2))), 1e-6)
    statistic = error / spread
    return abs(values[-1] / expected[-1] - 1.0), Evidence("t", statistic, float(2 * stats.t.sf(abs(statistic), len(errors))), len(errors))


def _unusual(past: MetricPast) -> list[Fact]:
    expected = _expected(past, past.values)
    judged = _judged(past.values, expected)
    if judged is None:
        return []
    miss, test = judged
    value = float(past.values[-1])
    facts = [
        _fact(past, "unusual_value", {"value": value, "expected": float(expected[-1])}, test, min(1.0, miss), value - float(expected[-1]))
    ]
    known = past.values[np.isfinite(past.values)]
    if len(known) >= 12 and (value > known[:-1].max() or value < known[:-1].min()):
        way = 1.0 if value > known[:-1].max() else -1.0
        # A growing metric sets records all the time; only one beyond its own expectation is news, hence the same test.
        facts.append(
            _fact(
                past,
                "record",
                {"value": value, "way": way, "periods": float(len(known))},
                test,
                min(1.0, miss) * 0.9,
                value - float(expected[-1]),
            )
        )
    return facts


def _run(past: MetricPast) -> list[Fact]:
    """Moves of one direction in a row: under no trend each direction is a toss, weighted by how often the metric moves that way."""
    moves = np.sign(np.diff(past.values))[::-1]
    same = int(np.argmax(moves != moves[0])) if (moves != moves[0]).any() else len(moves)
    if same < MIN_RUN or not np.isfinite(moves[0]) or moves[0] == 0:
        return []
    share_up = float(np.mean(moves[moves != 0] > 0))
    usual = share_up if moves[0] > 0 else 1 - share_up
    p = min(1.0, 2 * max(usual, 0.5) ** same)
    test = Evidence("run", float(same), p, len(moves))
    change = abs(float(past.values[-1] / past.values[-1 - same] - 1.0)) if past.values[-1 - same] else 0.0
    return [
        _fact(
            past,
            "new_trend",
            {"way": float(moves[0]), "periods": float(same)},
            test,
            min(1.0, change) * 0.8,
            float(past.values[-1] - past.values[-1 - same]),
        )
    ]


def _level_shift(past: MetricPast) -> list[Fact]:
    """The best place in the last third where the errors against a season-free level change their mean."""
    season = SEASONS.get(past.grain, 1)
    values = past.values[-max(8 * season, 40) :] if season <= 12 else past.values
    known = np.isfinite(values) & (values > 0)
    if known.sum() < 24 or not known.all():
        return []
    logs = np.log(values)
    if season > 1 and len(logs) >= 3 * season:
        place = np.arange(len(logs)) % season
        logs = logs - np.array([np.median(logs[place == k]) for k in range(season)])[place]
    n = len(logs)
    best: tuple[float, int] = (0.0, 0)
    for at in range(n - n // 3, n - 3):
        statistic = _step(logs, at)
        if abs(statistic) > abs(best[0]):
            best = (statistic, at)
    if not best[1]:
        return []
    tried = n // 3
    test = Evidence("t, best of places", best[0], float(min(1.0, 2 * stats.t.sf(abs(best[0]), n - 3) * tried)), n)
    offset = len(past.values) - n + best[1]
    before, after = float(np.mean(past.values[offset - best[1] : offset])), float(np.mean(past.values[offset:]))
    return [
        _fact(
            past,
            "level_shift",
            {"before": before, "after": after},
            test,
            min(1.0, abs(after / before - 1.0)),
            after - before,
            period=past.periods[offset],
        )
    ]


def _step(logs: FloatArray, at: int) -> float:
    """t of a step at `at` beside a straight trend; points that follow each other closely count for less."""
    n = len(logs)
    design = np.column_stack([np.ones(n), np.arange(n) / n, np.arange(n) >= at])
    solved, *_ = np.linalg.lstsq(design, logs, rcond=None)
    errors = logs - design @ solved
    variance = float(errors @ errors) / (n - 3)
    if variance <= 1e-12:
        return 0.0
    lag = float(np.clip(errors[:-1] @ errors[1:] / (errors @ errors), 0.0, 0.95)) + 2.0 / n  # the sample's own is biased down
    spread = math.sqrt(variance * float(np.linalg.inv(design.T @ design)[2, 2]) * (1 + lag) / max(1 - lag, 0.05))
    return float(solved[2]) / spread


def _segments(past: MetricPast, dimension: str, names: tuple[str, ...], values: FloatArray) -> list[Fact]:
    """Segments against their own expectation, their share against what it was, and last values that look half loaded."""
    whole = np.nansum(values, axis=1)
    if whole[-1] <= 0:
        return []
    facts: list[Fact] = []
    for place, name in enumerate(names):
        series = values[:, place]
        if np.nansum(series) < MIN_SUPPORT * np.nansum(whole):
            continue
        scope = ((dimension, name),)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = series / whole
        rest = (whole - series)[-1], _expected(past, whole - series)[-1]
        rest_is_usual = rest[1] > 0 and 0.85 <= rest[0] / rest[1] <= 1.2
        expected = _expected(past, series)
        judged = _judged(share, expectations(share, 1))
        if judged is None:
            continue
        _, test = judged
        before = float(np.median(share[:-1][np.isfinite(share[:-1])][-RECENT:]))
        ratio = float(series[-1] / expected[-1]) if expected[-1] > 0 else 1.0
        if past.grain in (Grain.DAY, Grain.HOUR) and ratio < LATE_BELOW and before < LATE_SHARE and rest_is_usual:
            facts.append(_fact(past, "late_data", {"share": max(ratio, 0.0)}, test, 1.0, float(series[-1] - expected[-1]), scope=scope))
        elif math.isfinite(expected[-1]):
            numbers = {"before": float(expected[-1]), "after": float(series[-1])}
            impact = min(1.0, abs(float(series[-1] - expected[-1])) / float(whole[-1]) * 4)
            facts.append(_fact(past, "outlier_segment", numbers, test, impact, float(series[-1] - expected[-1]), scope=scope))
        if share[-1] >= 0.4 and share[-1] > before + 0.05:
            numbers = {"share": float(share[-1]), "share_before": before}
            facts.append(
                _fact(
                    past,
                    "concentration",
                    numbers,
                    test,
                    min(1.0, float(share[-1] - before) * 3),
                    float(series[-1]),
                    scope=scope,
                    names=(dimension,),
                )
            )
    return facts


def _fact(
    past: MetricPast, kind: FactKind, values: Mapping[str, float], test: Evidence, size: float, impact: float, *,
    scope: tuple[tuple[str, str], ...] = (), names: tuple[str, ...] = (), period: Period | None = None,
) -> Fact:  # fmt: skip
    # The whole before its parts: a part is only news beside a whole that is as usual.
    score = Score(
        size,
        1.0 - test.p,
        novelty=0.7 if scope and kind != "late_data" else 1.0,
        actionability=1.0 if past.quantity.good_direction else 0.9,
    )
    return Fact(
        kind, past.quantity, period or past.periods[-1], past.periods[-2], scope, values, names, test, impact, score, past.receipts
    )  # fmt: skip
