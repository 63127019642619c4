"""A new level that came without a strange day: small against the noise of days, sure over weeks. Found by change points (ruptures).

Works on days: rows below a day are averaged first. Looks once a week, at the rows up to then only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.timeseries import FloatArray, TimeArray

WEEK = 7
MOST_WEEKS = 16  # what is looked at
LEAST_WEEKS = 8
LEAST_AFTER_DAYS = 14
LEAST_BEFORE_WEEKS = 4
SURE = 8.0  # difference of the weekly means in standard errors
LEAST_EFFECT = 0.8  # of the usual deviation of a day
STEP_SHARE = 0.33  # of the squared misses of a line
ALIKE_DAYS = 21  # changes nearer than this are one
WINDOW_WEEKS, SIDE_WEEKS = 12, 4  # a slow change: the last four weeks against those eight weeks before
LEAST_PAST_WEEKS, MOST_PAST_WEEKS = 40, 116
FARTHER = 1.5  # than any such move of the past
SURE_MOVED = 4.0  # standard errors, of so few weeks
GATE = 3.0  # only where the last weeks are so far from those before (in the same errors) is it worth a closer look


@dataclass(frozen=True, slots=True)
class Shift:
    """began: first day at the new level; known: the day of the look that found it (indices into the days)."""

    began: int
    known: int


def daily_means(times: TimeArray, values: FloatArray) -> tuple[TimeArray, FloatArray]:
    """(days,) first times and means of the days with at least half as many values as the fullest day until then; days without are NaN."""
    day = times.astype("datetime64[D]").astype(np.int64)
    if not len(day):
        return times, values
    at = day - day[0]
    known = np.isfinite(values)
    count = np.bincount(at[known], minlength=at[-1] + 1)
    total = np.bincount(at[known], weights=values[known], minlength=at[-1] + 1)
    means = np.full(len(count), np.nan)
    enough = (count > 0) & (2 * count >= np.maximum.accumulate(count))
    means[enough] = total[enough] / count[enough]
    return (day[0] + np.arange(len(count))).astype("datetime64[D]").astype("datetime64[ns]"), means


def creeping_shifts(days: FloatArray, first_day: int = 0) -> list[Shift]:
    """Changes of level in daily values, each once. days: (n,), NaN where nothing is known. first_day: days since 1970, so that the looks
    fall on the same weekday wherever the history begins."""
    found: list[Shift] = []
    for stop in range(WEEK * LEAST_WEEKS + (-first_day) % WEEK, len(days) + 1, WEEK):
        start = max(stop % WEEK, stop - WEEK * MOST_WEEKS)
        began = change_in(days[start:stop])
        if began is not None and all(abs(start + began - other.began) > ALIKE_DAYS for other in found[-3:]):
            found.append(Shift(start + began, stop - 1))
        elif not found or found[-1].known < stop - WEEK * WINDOW_WEEKS:
            moved = moved_in(days[max(stop % WEEK, stop - WEEK * MOST_PAST_WEEKS) : stop])
            if moved is not None:
                found.append(Shift(stop - moved, stop - 1))
    return found


@np.errstate(over="ignore", invalid="ignore")  # sums of numbers near the largest one
def moved_in(days: FloatArray) -> int | None:
    """How many days ago a slow change was half done that is larger than any of the past; None where the newest whole weeks show none.

    What moves over weeks fits a line as well as two levels; but a metric that never moved so far in so many weeks is at another level.
    """
    weeks = weekly(days)
    ends = np.arange(WINDOW_WEEKS, len(weeks) + 1)
    if len(ends) < LEAST_PAST_WEEKS + WINDOW_WEEKS or not np.isfinite(weeks[-WINDOW_WEEKS:]).all():
        return None
    sums = np.r_[0.0, np.cumsum(np.nan_to_num(weeks, nan=float(np.nanmean(weeks))))]
    moves = (sums[ends] - sums[ends - SIDE_WEEKS] - sums[ends - WINDOW_WEEKS + SIDE_WEEKS] + sums[ends - WINDOW_WEEKS]) / SIDE_WEEKS
    if not abs(moves[-1]) >= FARTHER * np.abs(moves[:-WINDOW_WEEKS]).max():
        return None
    first, last = weeks[-WINDOW_WEEKS : SIDE_WEEKS - WINDOW_WEEKS], weeks[-SIDE_WEEKS:]
    if not errors_apart(first, last) >= SURE_MOVED:
        return None
    half = (weeks[-WINDOW_WEEKS:] - (first.mean() + last.mean()) / 2) * np.sign(moves[-1])
    return WEEK * (WINDOW_WEEKS - int(np.flatnonzero(half < 0)[-1]) - 1)


def weekly(days: FloatArray) -> FloatArray:
    """(weeks,) means of whole weeks that end with the last day, of logarithms where all is positive; NaN for a week with fewer than six days."""
    rows = days[len(days) % WEEK :].reshape(-1, WEEK)
    known = np.isfinite(rows)
    values = np.log(rows) if (days[np.isfinite(days)] > 0).all() else rows
    means = np.where(known, values, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.where(known.sum(axis=1) >= WEEK - 1, means, np.nan)


def change_in(days: FloatArray) -> int | None:
    """The first day of another level in whole weeks of days; None where there is none that is sure."""
    known = np.isfinite(days)
    if known.mean() < 0.9:
        return None
    filled = np.where(known, days, np.interp(np.arange(len(days)), np.flatnonzero(known), days[known]))
    level = np.log(filled) if filled.min() > 0 else filled
    weekday = np.arange(len(level)) % WEEK
    level = level - np.array([np.median(level[weekday == k]) for k in range(WEEK)])[weekday]
    weeks = level.reshape(-1, WEEK).mean(axis=1)
    if max(errors_apart(weeks[:-k], weeks[-k:]) for k in range(2, len(weeks) - LEAST_BEFORE_WEEKS + 1)) < GATE:
        return None
    from ruptures import KernelCPD

    began = int(KernelCPD(kernel="linear", min_size=LEAST_AFTER_DAYS).fit(level.reshape(-1, 1)).predict(n_bkps=1)[0])
    if began >= len(level):
        return None
    before, after = level[:began], level[began:]
    usual = 1.4826 * float(np.median(np.abs(np.diff(level)))) / np.sqrt(2)
    effect = abs(float(before.mean() - after.mean()))
    first = before[len(before) % WEEK :].reshape(-1, WEEK).mean(axis=1)
    last = after[: len(after) // WEEK * WEEK].reshape(-1, WEEK).mean(axis=1)
    sure = len(first) >= LEAST_BEFORE_WEEKS and errors_apart(first, last) >= SURE and effect >= LEAST_EFFECT * usual
    return began if sure and is_a_step(first, last) else None


def is_a_step(first: FloatArray, last: FloatArray) -> bool:
    """Two levels fit the weeks clearly better than a line does: growth and the time of year are no new level."""
    weeks = np.r_[first, last]
    line = np.polynomial.Polynomial.fit(np.arange(len(weeks)), weeks, 1)(np.arange(len(weeks)))
    return float(first.var() * len(first) + last.var() * len(last)) <= STEP_SHARE * float(((weeks - line) ** 2).sum())


def errors_apart(first: FloatArray, last: FloatArray) -> float:
    """Difference of two means in standard errors, of weeks that scatter alike."""
    n, m = len(first), len(last)
    if n < 2 or m < 2:
        return 0.0
    scatter = np.sqrt((first.var() * n + last.var() * m) / (n + m - 2))
    return float(abs(first.mean() - last.mean()) / (scatter * np.sqrt(1 / n + 1 / m) + 1e-12))
