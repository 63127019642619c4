"""What every detector must do."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa

from models.conformance.made_up import gappy, times, values
from models.conformance.trial import Trial, Wrong, column

_TOLERANCE = 1e-9


def _shape(trial: Trial) -> str:
    _sound(trial, trial.score({"a": trial.series()}), trial.length)
    return ""


def _batch(trial: Trial) -> str:
    table = trial.score({"b": trial.series(seed=1), "a": trial.series(seed=2, level=5.0), "c": trial.series(seed=3, level=1e6)})
    for position in range(3):
        _sound(trial, table.slice(position * trial.length, trial.length), trial.length)
    return ""


def _same_twice(trial: Trial) -> str:
    first = trial.score({"a": trial.series()})
    trial.subject.fresh()
    _equal(first, trial.score({"a": trial.series()}), trial.length, "two runs on the same history differ")
    return ""


def _no_look_ahead(trial: Trial) -> str:
    """The score of a row is the same whatever the rows after it are."""
    when, seen = trial.series()
    for cut in (len(when) // 2, len(when) - 7):
        before = trial.score({"a": (when, seen)})
        changed = np.concatenate([seen[:cut], seen[cut:] * 5 + 50])
        trial.subject.fresh()
        _equal(before, trial.score({"a": (when, changed)}), cut, "scores differ when only later rows differ")
        trial.subject.fresh()
        _equal(before, trial.score({"a": (when[:cut], seen[:cut])}), cut, "scores differ when later rows are left out")
    return ""


def _finds(trial: Trial) -> str:
    """A row at five times its level is stranger than nearly all others."""
    when, seen = trial.series()
    at = len(seen) - 10
    seen[at] *= 5
    score = column(trial.score({"a": (when, seen)}), "score")
    known = score[np.isfinite(score)]
    if not np.isfinite(score[at]) or float((known >= score[at]).mean()) > 0.02:
        raise Wrong("a value at five times its level should be among the strangest 2 % of rows; it is not.")
    return ""


def _short(trial: Trial) -> str:
    n = trial.card.min_history + 5
    trial.score({"a": trial.series(n=n)})
    return f"{n} steps"


def _kinds(make: Callable[[np.ndarray], np.ndarray]) -> Callable[[Trial], str]:
    def check(trial: Trial) -> str:
        when, seen = trial.series()
        score = column(trial.score({"a": (when, make(seen))}), "score")
        if np.isinf(score).any():
            raise Wrong("finite scores, or null where there is none, were expected; found infinity.")
        return ""

    return check


def _summer_time(trial: Trial) -> str:
    """Up to a day past the night in which clocks change in Berlin."""
    grain, season, step = trial.local_grain()
    n = trial.length
    start = np.datetime64("2024-03-31T12:00", "ms") - n * step
    trial.score({"a": (times(grain, n + 24, start=start), values(n + 24, season))}, context=trial.in_berlin(grain, season))
    return ""


def _quick(trial: Trial) -> str:
    return trial.timed(lambda: trial.score(trial.three), f"three series of {trial.length} steps")


DETECTOR_CHECKS: Mapping[str, Callable[[Trial], str]] = {
    "One row per row given": _shape,
    "Several series at once": _batch,
    "The same history gives the same scores": _same_twice,
    "No look-ahead": _no_look_ahead,
    "A gross outlier is strange": _finds,
    "Short history": _short,
    "Constant history": _kinds(lambda seen: np.full_like(seen, 42.0)),
    "Gaps": _kinds(gappy),
    "Negative values": _kinds(lambda seen: -seen),
    "Zeros": _kinds(np.zeros_like),
    "Summer time": _summer_time,
    "Quick enough": _quick,
}


def _sound(trial: Trial, table: pa.Table, n: int) -> None:
    score = column(table, "score")
    if np.isinf(score).any():
        raise Wrong("finite scores, or null where there is none, were expected; found infinity.")
    after = score[min(trial.card.min_history, n) :]
    if len(after) and np.isnan(after).mean() > 0.5:
        raise Wrong(f"scores from row {trial.card.min_history} on were expected, as the card says; more than half are null.")


def _equal(first: pa.Table, second: pa.Table, rows: int, what: str) -> None:
    for name in ("score", "expected"):
        one, other = column(first, name)[:rows], column(second, name)[:rows]
        same = np.isclose(one, other, rtol=_TOLERANCE, atol=1e-12, equal_nan=True)
        if not same.all():
            raise Wrong(f"{what}: {int((~same).sum())} of {rows} rows in {name!r}.")
