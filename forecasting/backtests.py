"""Every member at every rolling origin of one series, and at its end."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from core.timeseries import FloatArray
from forecasting.clean import fill_gaps
from forecasting.episodes import without
from forecasting.folds import origins
from forecasting.level_shift import SHORTEST
from forecasting.members.member import Member
from forecasting.members.naive import repeat_last, repeat_season
from forecasting.prepare import Prepared


@dataclass(frozen=True, slots=True)
class Trial:
    """What the members said of one series.

    ahead: member -> (h,) forecasts from the end. at_folds: member -> (folds, h), NaN where a member failed. actual: (folds, h) what came,
    NaN in gaps and past the end. Both are at today's level where that changed for good. naive: (folds, h) the seasonal naive.
    scale: mean absolute seasonal difference of the training part, > 0.
    failure: why only the last value could be given, or None.
    """

    ahead: dict[str, FloatArray]
    at_folds: dict[str, FloatArray]
    actual: FloatArray
    naive: FloatArray
    scale: float
    cuts: tuple[int, ...]
    failure: str | None = None


def trial(series: Prepared, members: tuple[Member, ...], *, folds: int) -> Trial:
    """Fits every member that applies at each origin and at the end; a member that fails is left out where it failed."""
    h = series.horizon
    season = repeat_season(series)
    cuts = cuts_of(series, folds)
    # Not by what is set aside for the fit: judged by one tenfold month as well, intervals of sixty public series were 7.7 times as bad instead of 1.02.
    aligned = np.where(series.y == series.filled, without(series.aligned, series.episodes), np.nan)
    actual = np.full((len(cuts), h), np.nan)
    naive = np.full((len(cuts), h), np.nan)
    at_folds: dict[str, FloatArray] = {}
    for row, cut in enumerate(cuts):
        known = aligned[cut : cut + h]
        actual[row, : known.shape[0]] = known
        past = series.cut(cut)
        naive[row] = series.at_present(repeat_last(fill_gaps(past.raw, past.seasons), repeat_season(past), h), cut)
        for name, point in points(past, members).items():
            at_folds.setdefault(name, np.full((len(cuts), h), np.nan))[row] = series.at_present(point, cut)
    return Trial(points(series, members), at_folds, actual, naive, scale(series.y, season), cuts)


def failed_trial(series: Prepared, failure: str) -> Trial:
    """The last value alone, for a series on which trying failed."""
    empty = np.full((0, series.horizon), np.nan)
    last = np.full(series.horizon, float(series.raw[np.isfinite(series.raw)][-1]))
    return Trial({"naive": last}, {}, empty, empty, scale(series.y, 1), (), failure)


def cuts_of(series: Prepared, folds: int) -> tuple[int, ...]:
    """The lengths at which this series is cut for its folds, latest first; none, if others are left, within or just after an episode or a
    change of level that could not be seen or measured yet: errors of that one occasion would widen every interval.
    """
    found = origins(series.y.shape[0], series.horizon, repeat_season(series), folds=folds)
    if series.episodes.any():
        found = tuple(cut for cut in found if not (series.episodes[:cut] & ~series.cut(cut).episodes).any()) or found
    shift = series.shift
    if shift is None:
        return found
    return tuple(cut for cut in found if cut <= shift.at or (cut >= shift.at + SHORTEST and series.cut(cut).shift is not None)) or found


def keep_sane(point: FloatArray, series: Prepared) -> FloatArray:
    """Clipped to `belt`; NaN stays."""
    low, high = belt(series.aligned, series.floor)
    return np.clip(point, low, high)


def points(series: Prepared, members: tuple[Member, ...]) -> dict[str, FloatArray]:
    """Member -> (horizon,) finite forecasts, kept inside a wide belt around history; failures are absent."""
    found: dict[str, FloatArray] = {}
    low, high = belt(series.aligned, series.floor)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for member in members:
            if not member.applies(series):
                continue
            try:
                point = np.asarray(member.fit(series), dtype=np.float64)
            except Exception:  # any library error: the other members serve
                continue
            if point.shape == (series.horizon,) and np.isfinite(point).all():
                found[member.name] = np.clip(series.effects.restore(point, series.y.shape[0]), low, high)
    return found


def belt(y: FloatArray, floor: float | None) -> tuple[float, float]:
    """Bounds no forecast may leave: three times the range of history beyond it, and the floor."""
    low, high = float(np.nanmin(y)), float(np.nanmax(y))
    room = 3.0 * (high - low)
    return (low - room if floor is None else max(floor, low - room)), high + room


def scale(y: FloatArray, season: int) -> float:
    """Mean absolute seasonal difference, or one-step difference where that is 0; 1.0 for a constant."""
    for lag in (season, 1):
        if y.shape[0] > lag:
            size = float(np.abs(y[lag:] - y[:-lag]).mean())
            if size > 0:
                return size
    return 1.0
