"""What every forecaster must do. Each check gets a fresh model and returns a remark, or raises."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pyarrow as pa

from models.conformance.made_up import gappy, times, values
from models.conformance.trial import Series, Trial, Wrong, column

BANDS = ("lower_95", "lower_80", "mean", "upper_80", "upper_95")
_TOLERANCE = 1e-9


def _shape(trial: Trial) -> str:
    _sound(trial.forecast({"a": trial.series()}))
    return ""


def _batch(trial: Trial) -> str:
    _sound(trial.forecast({"b": trial.series(seed=1), "a": trial.series(seed=2, level=5.0), "c": trial.series(seed=3, level=1e6)}))
    return ""


def _horizon(trial: Trial) -> str:
    _sound(trial.forecast({"a": trial.series()}, steps=trial.card.horizon))
    _sound(trial.forecast({"a": trial.series()}, steps=1))
    return f"1 and {trial.card.horizon} steps"


def _intervals(trial: Trial) -> str:
    """Also for series that are all noise and that grow steeply."""
    rng = np.random.default_rng(5)
    n = trial.length
    noise, growth = rng.standard_normal(n) * 50 + 10, np.exp(np.arange(n) / n * 5)
    when = times(trial.grain, n)
    table = trial.forecast({"a": trial.series(), "noise": (when, noise), "growth": (when, growth)})
    _sound(table)
    for low, high in pairwise(BANDS):
        crossed = column(table, low) > column(table, high) + _TOLERANCE * np.abs(column(table, high))
        if crossed.any():
            raise Wrong(f"{low} <= {high} was expected; {int(crossed.sum())} of {len(crossed)} rows are crossed.")
    return ""


def _same_twice(trial: Trial) -> str:
    first = trial.forecast({"a": trial.series()})
    trial.subject.fresh()
    _equal(first, trial.forecast({"a": trial.series()}), "two runs on the same history differ")
    return ""


def _no_look_ahead(trial: Trial) -> str:
    """A forecast from a point in time is the same whatever came later, also when the model has just seen what came later."""
    when, seen = trial.series(n=trial.length + 13, seed=77)  # a series of its own, longer than all that a model may remember
    cut = len(when) - trial.horizon
    before: Series = {"a": (when[:cut], seen[:cut])}
    alone = trial.forecast(before)
    for factor in (1.0, 7.0):
        trial.subject.fresh()
        later = np.concatenate([seen[:cut], seen[cut:] * factor + factor])
        trial.forecast({"a": (when, later)})
        _equal(alone, trial.forecast(before), "the forecast from the same history differs once the model has seen what came later")
    return ""


def _follows(trial: Trial) -> str:
    """Numbers that are built in, or read from somewhere else, do not move with the history."""
    when, seen = trial.series()
    first = column(trial.forecast({"a": (when, seen)}), "mean")
    trial.subject.fresh()
    second = column(trial.forecast({"a": (when, seen * 3.0)}), "mean")
    moved = float(np.abs(second - first).mean()) / float(np.abs(seen).mean())
    if moved < 0.5:
        raise Wrong(f"three times the history should move the forecast by about twice its level; it moved by {moved:.2f} of it.")
    return ""


def _short(trial: Trial) -> str:
    n = max(trial.card.min_history, 2)
    _sound(trial.forecast({"a": trial.series(n=n)}))
    return f"{n} steps, as the card says"


def _constant(trial: Trial) -> str:
    when, seen = trial.series()
    table = trial.forecast({"a": (when, np.full_like(seen, 42.0))})
    _sound(table)
    if np.abs(column(table, "mean") - 42.0).max() > 42.0:
        raise Wrong(f"a series that is always 42 should go on near 42; found up to {column(table, 'mean').max():g}.")
    return ""


def _gaps(trial: Trial) -> str:
    when, seen = trial.series()
    last = seen.copy()
    last[-3:] = np.nan
    _sound(trial.forecast({"some": (when, gappy(seen)), "last": (when, last)}))
    return ""


def _negative(trial: Trial) -> str:
    when, seen = trial.series()
    _sound(trial.forecast({"negative": (when, -seen), "around zero": (when, seen - 100.0)}))
    return ""


def _zero(trial: Trial) -> str:
    when, seen = trial.series()
    sparse = np.where(np.random.default_rng(4).random(len(seen)) < 0.9, 0.0, seen)
    _sound(trial.forecast({"zero": (when, np.zeros_like(seen)), "mostly zero": (when, sparse)}))
    return ""


def _summer_time(trial: Trial) -> str:
    """History up to the day before clocks change in Berlin, forecast across it."""
    grain, season, step = trial.local_grain()
    change = np.datetime64("2024-03-30T22:00" if grain == "hour" else "2024-03-29T23:00", "ms")
    moved = Trial(trial.subject, replace(trial.card, grains=(grain,)), trial.max_seconds)
    past = times(grain, trial.length, start=change - trial.length * step)
    _sound(moved.forecast({"a": (past, values(trial.length, season))}, context=trial.in_berlin(grain, season)))
    return ""


def _saved(trial: Trial) -> str:
    fresh = trial.forecast({"a": trial.series()})
    trial.subject.fresh()
    _equal(fresh, trial.forecast({"a": trial.series()}, saved=True), "the forecast after saving and loading differs")
    return ""


def _quick(trial: Trial) -> str:
    return trial.timed(lambda: trial.forecast(trial.three), f"three series of {trial.length} steps")


FORECASTER_CHECKS: Mapping[str, Callable[[Trial], str]] = {
    "One finite row per step asked for": _shape,
    "Several series at once": _batch,
    "Any horizon up to the card's": _horizon,
    "Intervals hold the mean and each other": _intervals,
    "The same history gives the same forecast": _same_twice,
    "No look-ahead": _no_look_ahead,
    "Forecasts follow the history": _follows,
    "Short history": _short,
    "Constant history": _constant,
    "Gaps": _gaps,
    "Negative values": _negative,
    "Zeros": _zero,
    "Summer time": _summer_time,
    "Saved and loaded": _saved,
    "Quick enough": _quick,
}


def _sound(table: pa.Table) -> None:
    for name in BANDS:
        numbers = column(table, name)
        if not np.isfinite(numbers).all():
            raise Wrong(f"finite numbers were expected in {name!r}; {int((~np.isfinite(numbers)).sum())} of {len(numbers)} are not.")


def _equal(first: pa.Table, second: pa.Table, what: str) -> None:
    for name in BANDS:
        one, other = column(first, name), column(second, name)
        scale = max(1.0, float(np.abs(one).max()))
        worst = float(np.abs(one - other).max())
        if not worst <= _TOLERANCE * scale:
            raise Wrong(f"{what}: by up to {worst:.3g} in {name!r}.")
