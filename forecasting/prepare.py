"""From rows as loaded to a regular, complete series that a model can be fitted on, with what was done said in notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import Invalid, NotEnoughData
from core.timeseries import FloatArray, TimeArray
from forecasting.adjust import SMOOTHED_FROM
from forecasting.clean import clean_outliers
from forecasting.closed import closed_positions
from forecasting.effects import NO_EFFECTS, Effects, holiday_flags, knows_holidays_of
from forecasting.grid import Step, index_of, infer_step, time_at
from forecasting.history import BoolArray, lessons_of, passing_episodes
from forecasting.level_shift import LevelShift
from forecasting.local_time import to_utc, to_wall_clock
from forecasting.seasons import calendar_seasons, weekly_or_shorter
from forecasting.types import ForecastInput
from forecasting.working_days import working_day_counts

IntArray = npt.NDArray[np.int64]
MAX_POINTS = 20_000
"""Older points than this are not used: a season of a year of hours is 8,766, and fits grow with length."""
OPEN_ONLY_FROM_S = 20 * 3600
"""Zeros of closed days are left out of the fit, which keeps the rest well above zero: 35 generated series of days whose weekends were set to zero had
errors 5 % above those of the same series open all week instead of 13 %, and 80 % intervals covered 78 instead of 73 %. Hours keep theirs: zeros are
part of a day's shape there, and without them nights of generated and public series were 10 to 20 % worse.
"""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A series on its regular grid of wall-clock buckets.

    raw: (n,) as observed, NaN in gaps and on `closed` days. filled: (n,) gaps filled, moved to today's level where that changed for good, and `effects` taken out.
    y: (n,) the same with wild values set aside.
    start: wall clock of y[0]. causes: name -> (n + horizon,) holidays and regressors, known for past and future.
    seasons: candidate lengths in steps, ascending. future_steps: (h,) >= 1, steps after the last bucket; future_times: (h,) UTC.
    episodes: (n,) stretches of wild values that came and went: no member sees them and none is judged by them.
    shift: the lasting change of level, if any. doubt: one that the last values may be, which are set aside as an episode.
    floor: 0.0 where history is never negative, else None. closed: position in the week cycle -> always zero; empty when never.
    memo: what several members ask of the same series, worked out once; cuts: the same of `cut`.
    """

    series_id: str
    step: Step
    start: np.datetime64
    raw: FloatArray
    filled: FloatArray
    y: FloatArray
    seasons: tuple[int, ...]
    future_steps: IntArray
    future_times: TimeArray
    floor: float | None
    closed: BoolArray
    effects: Effects = NO_EFFECTS
    shift: LevelShift | None = None
    doubt: LevelShift | None = None
    episodes: BoolArray = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    all_seasons: tuple[int, ...] = ()
    causes: Mapping[str, FloatArray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    memo: dict[str, Any] = field(init=False, repr=False, compare=False, default_factory=dict)
    cuts: dict[int, Prepared] = field(init=False, repr=False, compare=False, default_factory=dict)

    @property
    def horizon(self) -> int:
        return int(self.future_steps.max())

    def cut(self, n: int) -> Prepared:
        """The same series as it was when only the first n buckets were known. Cleaning is redone on them, so nothing looks ahead."""
        if n not in self.cuts:
            self.cuts[n] = self._cut(n)
        return self.cuts[n]

    def _cut(self, n: int) -> Prepared:
        raw = self.raw[:n]
        causes = {name: values[: n + self.horizon] for name, values in self.causes.items()}
        episodes = passing_episodes(raw, self.step, self.all_seasons, self.horizon, causes) if self.episodes.any() else self.episodes[:n]
        learned = lessons_of(raw, episodes, self.step, self.all_seasons, self.horizon, causes)
        return replace(
            self,
            raw=raw,
            filled=learned.filled,
            y=clean_outliers(learned.filled, learned.known, self.seasons),
            effects=learned.effects,
            shift=learned.shift,
            doubt=learned.doubt,
            episodes=learned.episodes,
            causes=causes,
            floor=0.0 if (raw[np.isfinite(raw)] >= 0).all() else None,
            closed=self.closed if self.closed.size else closed_positions(raw, weekly_or_shorter(self.step, self.seasons)),
        )

    @property
    def aligned(self) -> FloatArray:
        """(n,) raw, at today's level."""
        return self.raw if self.shift is None else self.shift.to_present(self.raw)

    def at_present(self, values: FloatArray, cut: int) -> FloatArray:
        """(..., h) what was expected when the first `cut` buckets were known, at today's level."""
        return values if self.shift is None else self.shift.to_present(values, cut - 1)

    def wall_times(self, n: int | None = None) -> TimeArray:
        """(n,) wall-clock starts of the first n buckets; by default history and horizon."""
        return time_at(np.arange(n if n is not None else self.y.shape[0] + self.horizon), self.start, self.step)


def prepare(item: ForecastInput, *, closed_as_zeros: bool = False) -> Prepared:
    """A series ready for models. Zeros of closed days are no values to learn from, unless closed_as_zeros.

    Raises: Invalid for a horizon below 1, misaligned regressors or future times, an unknown zone;
    NotEnoughData when no finite value is left (code `nothing_to_forecast`).
    """
    _check(item)
    notes: list[str] = []
    series = item.series
    times = series.times.astype("datetime64[ns]")
    usable = ~np.isnat(times) & np.isfinite(series.values)
    if not usable.any():
        raise NotEnoughData(
            f"Series {series.series_id!r}: expected at least one value; found {len(series)} rows, all missing. Check the filter and the period.",
            code="nothing_to_forecast",
        )
    rows = np.flatnonzero(usable)
    rows = rows[np.argsort(times[rows], kind="stable")]
    wall = to_wall_clock(times[rows], item.time_zone)
    step = infer_step(np.unique(times[rows]), series.grain)
    if step.approximate_seconds >= 20 * 3600:
        step = infer_step(np.unique(wall), series.grain)
    start = wall[0] if step.months or item.time_zone is None else wall.min()
    index = index_of(wall, start, step)
    if index[-1] + 1 > 50 * MAX_POINTS and index[-1] > 100 * rows.shape[0]:
        raise Invalid(
            f"Series {series.series_id!r}: expected regular times; found {rows.shape[0]} rows over {int(index[-1]) + 1} steps. Pass the grain.",
            code="bad_series",
        )
    values = series.values[rows].astype(np.float64)
    repeats = rows.shape[0] - np.unique(times[rows]).shape[0]
    if repeats:
        notes.append(f"{repeats} rows repeated a time; the last of each was used.")
    raw = _on_grid(index, values)
    raw = _drop_incomplete(raw, item, start, step, notes)
    if raw.shape[0] > MAX_POINTS:
        dropped = raw.shape[0] - MAX_POINTS
        start, raw = time_at(np.array([dropped]), start, step)[0], raw[dropped:]
        first = int(np.flatnonzero(np.isfinite(raw))[0]) if np.isfinite(raw).any() else 0
        start, raw = time_at(np.array([first]), start, step)[0], raw[first:]
        notes.append(f"Only the last {MAX_POINTS:,} {step.plural} were used.")
    n = raw.shape[0]
    missing = int(np.isnan(raw).sum())
    if missing:
        notes.append(f"{missing:,} of {n:,} {step.plural} had no value and were filled for the fit.")
    steps, future_times = _future(item, start, step, n)
    seasons = _seasons(item, step)
    closed = closed_positions(raw, weekly_or_shorter(step, seasons))
    if closed.size and not closed_as_zeros and step.approximate_seconds >= OPEN_ONLY_FROM_S:
        raw = np.where((raw == 0) & closed[np.arange(n) % closed.shape[0]], np.nan, raw)
    horizon = int(steps.max())
    causes = _regressors(item, rows, index, start, step, n, steps)
    if item.country is not None and not knows_holidays_of(item.country):
        notes.append(f"No holidays are known for country {item.country!r}; expected an ISO code such as DE. None were used.")
    buckets = time_at(np.arange(n + horizon), start, step)
    causes = working_day_counts(buckets, step, n) | causes | holiday_flags(buckets, item.country, step)
    episodes = passing_episodes(raw, step, seasons, horizon, causes)
    if episodes.any():
        notes.append(_told_episodes(episodes, start, step))
    learned = lessons_of(raw, episodes, step, seasons, horizon, causes)
    if learned.doubt is not None:
        notes.append(_told_doubt(learned.doubt, start, step))
    if learned.shift is not None:
        notes.append(_told(learned.shift, start, step))
    left = tuple(s for s in seasons if s < SMOOTHED_FROM or s == seasons[0] or s * step.approximate_seconds < 300 * 86_400)
    y = clean_outliers(learned.filled, learned.known, left)
    replaced = int((np.isfinite(raw) & (np.abs(y - learned.filled) > 1e-12 * max(1.0, float(np.abs(y).max())))).sum())
    if replaced:
        notes.append(f"{replaced} extreme values were set aside for the fit.")
    return Prepared(
        series_id=series.series_id,
        step=step,
        start=start,
        raw=raw,
        filled=learned.filled,
        y=y,
        seasons=left,
        all_seasons=seasons,
        effects=learned.effects,
        shift=learned.shift,
        doubt=learned.doubt,
        episodes=learned.episodes,
        causes=causes,
        future_steps=steps,
        future_times=future_times,
        floor=0.0 if (raw[np.isfinite(raw)] >= 0).all() else None,
        closed=closed,
        notes=tuple(notes),
    )


def _when(bucket: int, start: np.datetime64, step: Step) -> str:
    at = str(time_at(np.array([bucket]), start, step)[0])
    return at[:10] if at[11:19] == "00:00:00" else f"{at[:10]} {at[11:16]}"


def _told_episodes(episodes: BoolArray, start: np.datetime64, step: Step) -> str:
    first, last = (_when(int(np.flatnonzero(episodes)[end]), start, step) for end in (0, -1))
    return f"{int(episodes.sum())} values between {first} and {last} were far from those before and after; the fit and its accuracy leave them out."


def _told_doubt(doubt: LevelShift, start: np.datetime64, step: Step) -> str:
    when = _when(doubt.at, start, step)
    return (
        f"What came from {when} on is unlike anything before: it is left out of the fit, and the interval reaches to it in case it stays."
    )


def _told(shift: LevelShift, start: np.datetime64, step: Step) -> str:
    when = _when(shift.at, start, step)
    by = f"{abs(shift.size - 1):.0%} {'higher' if shift.size > 1 else 'lower'}" if shift.is_factor else f"{shift.size:+.4g}"
    return f"The level changed for good on {when} ({by}); earlier values were moved to it for the fit."


def _check(item: ForecastInput) -> None:
    if item.horizon_steps < 1:
        raise Invalid(f"Expected a horizon of 1 step or more; found {item.horizon_steps}.", code="bad_horizon")
    if item.future_times is not None and item.future_times.shape[0] < 1:
        raise Invalid("Expected at least one future time; found none.", code="bad_horizon")
    h = item.horizon_steps if item.future_times is None else item.future_times.shape[0]
    for name, values in item.regressors.items():
        if values.shape != item.series.values.shape:
            raise Invalid(
                f"Regressor {name!r}: expected {len(item.series)} values, one per row; found {values.shape[0]}.", code="bad_regressor"
            )
    for name, values in item.future_regressors.items():
        if values.shape[0] != h:
            raise Invalid(f"Future regressor {name!r}: expected {h} values; found {values.shape[0]}.", code="bad_regressor")


def _on_grid(index: IntArray, values: FloatArray) -> FloatArray:
    """(n,) on the grid; the last of several rows for a bucket wins."""
    raw = np.full(int(index.max()) + 1, np.nan)
    raw[index] = values
    return raw


def _drop_incomplete(raw: FloatArray, item: ForecastInput, start: np.datetime64, step: Step, notes: list[str]) -> FloatArray:
    """Buckets that end after `as_of` are left out, however many; at least one bucket stays."""
    if item.as_of is None:
        return raw
    as_of = np.datetime64(item.as_of.astimezone(UTC).replace(tzinfo=None), "ns")
    ends = to_utc(time_at(np.arange(1, raw.shape[0] + 1), start, step), item.time_zone)
    keep = int((ends <= as_of).sum())
    if keep >= raw.shape[0] or keep == 0 or not np.isfinite(raw[:keep]).any():
        return raw
    notes.append(
        "The last bucket was incomplete and was left out."
        if raw.shape[0] - keep == 1
        else f"The last {raw.shape[0] - keep} {step.plural} were incomplete and were left out."
    )
    kept = raw[:keep]
    last = int(np.flatnonzero(np.isfinite(kept))[-1]) + 1
    return kept[:last]


def _future(item: ForecastInput, start: np.datetime64, step: Step, n: int) -> tuple[IntArray, TimeArray]:
    """Steps after the last bucket, and their UTC times."""
    within_day = item.time_zone is not None and not step.months and step.approximate_seconds < 20 * 3600
    if item.future_times is None and not within_day:
        steps = np.arange(1, item.horizon_steps + 1)
        return steps, to_utc(time_at(n - 1 + steps, start, step), item.time_zone)
    if item.future_times is None:
        last = to_utc(time_at(np.array([n - 1]), start, step), item.time_zone)[0]
        times = time_at(np.arange(1, item.horizon_steps + 1), last, step)
    else:
        times = item.future_times.astype("datetime64[ns]")
    steps = index_of(to_wall_clock(times, item.time_zone), start, step) - (n - 1)
    if within_day and times[0] > to_utc(time_at(np.array([n - 1]), start, step), item.time_zone)[0]:
        steps = np.maximum(steps, 1)
    if (steps < 1).any():
        raise Invalid(
            f"Series {item.series.series_id!r}: expected future times after the last complete bucket; found {str(times[np.argmin(steps)])[:19]}.",
            code="bad_horizon",
        )
    if steps.max() > 50 * max(item.horizon_steps, times.shape[0]) + 1000:
        raise Invalid(
            f"Series {item.series.series_id!r}: the future times lie {int(steps.max())} steps after the data.", code="bad_horizon"
        )
    return steps, times


def _seasons(item: ForecastInput, step: Step) -> tuple[int, ...]:
    seasons = set(calendar_seasons(step))
    if item.season_steps is not None and item.season_steps > 1:
        seasons.add(item.season_steps)
    return tuple(sorted(seasons))


def _regressors(
    item: ForecastInput, rows: IntArray, index: IntArray, start: np.datetime64, step: Step, n: int, steps: IntArray
) -> dict[str, FloatArray]:
    """Regressors known for past and future on the grid; a gap repeats the last value."""
    found: dict[str, FloatArray] = {}
    shift = int(index[-1]) + 1 - n
    for name in sorted(set(item.regressors) & set(item.future_regressors)):
        values = np.full(n + int(steps.max()), np.nan)
        at = index - shift if shift > 0 else index
        inside = (at >= 0) & (at < n)
        values[at[inside]] = item.regressors[name][rows][inside]
        values[n - 1 + steps] = item.future_regressors[name]
        known = np.isfinite(values)
        if known.any():
            last = np.maximum.accumulate(np.where(known, np.arange(values.shape[0]), 0))
            found[name] = np.nan_to_num(values[last])
    return found
