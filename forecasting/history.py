"""What a history teaches: without stretches of wild values, at today's level, and less what calendar and known causes add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.timeseries import FloatArray
from forecasting.clean import fill_gaps
from forecasting.effects import Effects, estimate_effects
from forecasting.episodes import at_work, find_episodes, without
from forecasting.grid import Step
from forecasting.level_shift import MIN_POINTS, Levels, LevelShift, find_level_shift, levels_of
from forecasting.seasons import weekly_or_shorter
from forecasting.sudden_end import find_sudden_end, is_in_doubt

BoolArray = npt.NDArray[np.bool_]
_YEAR_S = 365.25 * 86_400


@dataclass(frozen=True, slots=True)
class Lessons:
    """filled: (n,) complete, at today's level, without `effects`. known: (n,) where it is what was observed. episodes: (n,) what is not learned
    from, values in doubt at the end among them. shift, doubt: as in `Prepared`.
    """

    filled: FloatArray
    known: BoolArray
    episodes: BoolArray
    effects: Effects
    shift: LevelShift | None
    doubt: LevelShift | None


def lessons_of(
    raw: FloatArray, episodes: BoolArray, step: Step, seasons: tuple[int, ...], horizon: int, causes: Mapping[str, FloatArray]
) -> Lessons:
    """raw: (n,) NaN in gaps. episodes: (n,) as `passing_episodes` has them. seasons: all candidates. causes: name -> (n + horizon,)."""
    within_week = weekly_or_shorter(step, seasons)
    shown, cycle = within_week or seasons, within_week[0] if within_week else 1  # a year of days never comes from one day to the next
    fitted = without(raw, episodes)
    complete = fill_gaps(fitted, seasons)
    levels = _levels(complete, shown)
    end = find_sudden_end(complete, shown, cycle, levels)
    if end is not None and at_work(causes, raw.shape[0])[end.at :].any():
        end = None
    doubt = end if end is not None and is_in_doubt(end, raw.shape[0]) else None
    if doubt is not None:
        episodes = np.r_[episodes[: doubt.at], np.ones(raw.shape[0] - doubt.at, dtype=np.bool_)]
        fitted = without(raw, episodes)
        complete = fill_gaps(fitted, seasons)
        levels = _levels(complete, shown)
    shift = find_level_shift(complete, shown, cycle, levels) or (end if doubt is None else None)
    if shift is not None:
        complete = shift.to_present(complete)
    effects = estimate_effects(complete, seasons, step, horizon, causes)
    return Lessons(effects.remove(complete), np.isfinite(fitted), episodes, effects, shift, doubt)


def _levels(complete: FloatArray, shown: tuple[int, ...]) -> Levels | None:
    return levels_of(complete, shown) if complete.shape[0] >= MIN_POINTS else None


def passing_episodes(raw: FloatArray, step: Step, seasons: tuple[int, ...], horizon: int, causes: Mapping[str, FloatArray]) -> BoolArray:
    """(n,) the stretches of wild values that came and went."""
    year = round(_YEAR_S / step.approximate_seconds)
    shown = weekly_or_shorter(step, seasons) or seasons
    return find_episodes(fill_gaps(raw, seasons), shown, year, horizon, at_work(causes, raw.shape[0]))
