"""Intervals from the errors that the same mixture made on rolling origins, pooled over like series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from core.timeseries import FloatArray
from forecasting.combine import Mixture
from forecasting.seasons import season_is_present
from forecasting.uneven import unevenness

OWN_ERROR, CHANGE, DISAGREEMENT = 0.65, 0.2, 0.15
"""Exponents of the unit of error. With .5, .25, .25 the interval score at 95 % was 1 % worse on 850 generated and public series.
Of the other folds' errors the mean of their roots counts: one wild fold says less. The mean was .4 % worse, the median 0 to 4 %."""
ERROR_OF_CHANGE, PRIOR_SERIES, PRIOR_FOLDS_OF_OWN = 1.3, 3, 1
"""Beside its folds' errors one more of so many usual changes counts, lest one lucky fold says that a series cannot be wrong."""
USUAL_SCORE, PRIOR_FOLDS_OF_SCORE = 1.2, 3
"""Mean size of scores in these units, and how many folds that counts like. Without both, 250 series of 38 and 42 months with one fold or two
covered 57 and 66 % at 80 and 73 and 82 % at 95; with them 82 and 83, 95 and 96 %, and the interval score of 95 % was 12 % lower."""
FEW_FOLDS_WIDENING = 0.2
"""Intervals from k folds of different series are 1 + 0.2 / k times wider: the unit of so few folds is itself uncertain. Series forecast alone,
with six folds, covered 77 to 85 % at 80 and 94 to 97.5 % at 95, on generated and public months, weeks, days, hours and 5-minute steps."""
LEAST_FOLDS = 0.5
"""A fold that knows less than half of its steps counts as half a fold. So, and with errors of the first steps read as smaller than those of a
whole horizon, 12 points alone cover: public months 82 / 90 % (67 / 83 without), weeks 78 / 93 (69 / 87), 21 days 81 / 92 (72 / 88)."""
PRIOR_FOLDS_OF_GROWTH, PRIOR_FOLDS_OF_SIDE, PRIOR_FOLDS_OF_SHAPE = 8, 10, 40
"""How many folds a prior counts like: of how errors grow with the step, of both sides being alike, and of the tails. On 850 series with 3 to
2,100 folds in the pool, 8, 20, 40 and 100 folds for the tails gave scores of 0, -.8, -1.5 and -2 % at 95; with 100 hours covered less than 93 %."""
TAIL_FREEDOM = 4
"""Degrees of freedom of Student's distribution that errors have when nothing is known. 3 made 80 % intervals narrow beside those of 95 %."""
GROWTH_POWER = 0.3


@dataclass(frozen=True, slots=True)
class Like:
    """What is known of the series that are pooled. series: how many, >= 1. error_of_change: their errors in units of their usual changes."""

    series: int
    error_of_change: float


ALONE = Like(1, ERROR_OF_CHANGE)


@dataclass(frozen=True, slots=True)
class Units:
    """How large a series' errors are expected to be. at_folds: (folds, h), each without looking at its own fold, NaN where a fold
    says nothing of today. ahead: (h,) from the end. All > 0."""

    at_folds: FloatArray
    ahead: FloatArray


def error_units(
    y: FloatArray, cuts: tuple[int, ...], actual: FloatArray, said: Mixture, seasons: tuple[int, ...] = (), *, like: Like = ALONE
) -> Units:
    """The expected size of errors: a geometric mean of the errors on the other folds, the usual change over a horizon and the members'
    disagreement; at each step as `unevenness` has it.

    y: (n,) complete. actual: (folds, h), NaN where unknown. said: what the mixture said. In a series well above zero all is relative to its
    level at the time: errors grow as it does. like: what is known of the batch.
    """
    h = said.ahead.shape[0]
    relative = grows(y)
    levels = np.array([level_at(y[:cut], h) for cut in cuts]) if relative else np.ones(len(cuts))
    level = level_at(y, h) if relative else 1.0
    errors = np.where(knew_season(y, cuts, seasons)[:, None], actual - said.at_folds, np.nan)
    growth = usual_growth(h)
    sizes = np.array([_whole_size(np.abs(row), growth) for row in errors]) / levels
    tiny = 1e-6 * float(np.abs(y).mean()) / level + 1e-12

    def unit(history: FloatArray, now: float, others: FloatArray, spread: float, point: FloatArray) -> FloatArray:
        change = usual_change(history, h) / now
        others = others[np.isfinite(others)]
        usual = like.error_of_change * change
        own = shrunk(float(np.sqrt(others).mean() ** 2), others.size, usual, PRIOR_FOLDS_OF_OWN / like.series) if others.size else usual
        apart = spread / now if np.isfinite(spread) else own
        size = now * float(np.exp(OWN_ERROR * np.log(own + tiny) + CHANGE * np.log(change + tiny) + DISAGREEMENT * np.log(apart + tiny)))
        return size * unevenness(history, seasons, point, relative=relative)

    at_folds = [
        unit(y[:cut], now, np.delete(sizes, row), float(said.spreads[row]), said.at_folds[row])
        for row, (cut, now) in enumerate(zip(cuts, levels, strict=True))
    ]
    at_folds = [unit_there if np.isfinite(size) else np.full(h, np.nan) for unit_there, size in zip(at_folds, sizes, strict=True)]
    return Units(np.array(at_folds).reshape(len(cuts), h), unit(y, level, sizes, said.spread_ahead, said.ahead))


def _whole_size(sizes: FloatArray, growth: FloatArray) -> float:
    """Mean size of errors over a whole horizon, from those at the steps that are known: the first few are smaller. NaN when none is known."""
    known = np.isfinite(sizes)
    return float(sizes[known].mean() / growth[known].mean()) if known.any() else float("nan")


def likeness(histories: Sequence[FloatArray], errors: Sequence[FloatArray]) -> Like:
    """What series that are pooled have in common. histories: (n,) each. errors: (folds, h) each, NaN where unknown."""
    ratios = []
    for y, wrong in zip(histories, errors, strict=True):
        known = np.abs(wrong[np.isfinite(wrong)])
        change = usual_change(y, wrong.shape[1])
        if known.size and change > 0 and known.max() > 0:
            ratios.append(float(np.log(known.mean() / change)))
    seen = float(np.exp(np.mean(ratios))) if ratios else ERROR_OF_CHANGE
    return Like(len(histories), shrunk(seen, len(ratios), ERROR_OF_CHANGE, PRIOR_SERIES))


def knew_season(y: FloatArray, cuts: tuple[int, ...], seasons: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """(folds,) whether as much of the season was known there as at the end: errors made before a year had been seen twice say nothing of
    those made after. Of three years of weeks with a season, intervals were three times as wide as what came varied.
    """
    shown = [s for s in seasons if cuts and min(cuts) < 2 * s <= y.shape[0] and season_is_present(y, s)]
    return np.array([cut >= 2 * max(shown, default=0) for cut in cuts], dtype=np.bool_)


def grows(y: FloatArray) -> bool:
    """Are all values well above zero, so that changes are better seen relative to the level?"""
    return bool(y.min() > 0.1 * y.mean() > 0)


def level_at(y: FloatArray, horizon: int) -> float:
    """Mean size of the last horizon's values, at most half of the history, at least three."""
    return float(np.abs(y[-max(3, min(horizon, y.shape[0] // 2)) :]).mean())


def widening(folds: float) -> float:
    """How much wider intervals from so many folds of different series must be; 0 for none, where all is what is usual."""
    return 1.0 + FEW_FOLDS_WIDENING / (max(LEAST_FOLDS, folds) if folds > 0 else 1.0)


def usual_change(y: FloatArray, horizon: int) -> float:
    """Mean absolute change over one horizon (a third of a short series) within the last four horizons, at least 60 points."""
    lag = max(1, min(horizon, y.shape[0] // 3))
    if y.shape[0] < 2:
        return 0.0
    return float(np.abs(y[lag:] - y[:-lag])[-max(4 * horizon, 60) :].mean())


def quantiles_by_horizon(pool: FloatArray, horizon: int, qs: Sequence[float]) -> list[FloatArray]:
    """Per q, (horizon,) the q-quantile of scaled errors at each step: how errors grow with the step, times one distribution for all steps.

    pool: (folds of all series, horizon), NaN where unknown. qs in (0, 1); below one half gives the lower side. The fewer folds, the more both
    are those of `prior_quantile`, and the more the two sides are alike. Taking each step's own quantiles was 1.5 % worse on 850 series.
    """
    seen = pool[np.isfinite(pool).any(axis=1)] if pool.size else pool
    folds = seen.shape[0]
    if not folds:
        return [prior_quantile(horizon, q) for q in qs]
    growth = growth_with_step(seen)
    scores = seen / growth
    found = np.sort(scores[np.isfinite(scores)])
    both = np.sort(np.r_[found, -found])
    independent = independent_scores(scores)

    def quantile(q: float) -> float:
        own, even = (finite_sample_quantile(values, q, independent) for values in (found, both))
        side = _share(folds, PRIOR_FOLDS_OF_SIDE)
        share = _share(folds, PRIOR_FOLDS_OF_SHAPE)
        return share * (side * own + (1 - side) * even) + (1 - share) * _prior_score(q)

    return [quantile(q) * growth for q in qs]


def _share(folds: int, prior_folds: float) -> float:
    return folds / (folds + prior_folds)


def shrunk(size: float, folds: int, usual: float, prior_folds: float) -> float:
    """A size seen on so many folds, pulled towards the usual one in logarithms."""
    share = _share(folds, prior_folds)
    return float(np.exp(share * np.log(size + 1e-12) + (1 - share) * np.log(usual + 1e-12)))


def growth_with_step(pool: FloatArray) -> FloatArray:
    """(horizon,) mean size of scaled errors at each step and its neighbours, shrunk to the usual growth. pool: (folds > 0, horizon), none all NaN."""
    horizon = pool.shape[1]
    size = np.abs(pool)
    folds = pool.shape[0]
    usual = usual_growth(horizon) * shrunk(float(np.nanmean(size)), folds, USUAL_SCORE, PRIOR_FOLDS_OF_SCORE)
    known = np.isfinite(size)
    count, total = known.sum(axis=0), np.where(known, size, 0.0).sum(axis=0)
    half = max(1, horizon // 6)
    at = np.arange(horizon)
    low, high = np.maximum(at - half, 0), np.minimum(at + half + 1, horizon)
    counts, totals = np.r_[0, np.cumsum(count)], np.r_[0.0, np.cumsum(total)]
    seen = counts[high] - counts[low]
    measured = np.where(seen > 0, (totals[high] - totals[low]) / np.maximum(seen, 1), usual)
    share = _share(folds, PRIOR_FOLDS_OF_GROWTH)
    return np.asarray(np.exp(share * np.log(measured + 1e-12) + (1 - share) * np.log(usual + 1e-12)))


def usual_growth(horizon: int) -> FloatArray:
    """(horizon,) how errors grow with the step, mean 1."""
    growth = np.arange(1, horizon + 1) ** GROWTH_POWER
    return np.asarray(growth / growth.mean())


def independent_scores(window: FloatArray) -> float:
    """How many independent scores the errors of a few neighbouring steps are worth: at least one a fold, at most one each.

    window: (folds, steps), NaN where unknown, one finite at least. Source: the design effect of clusters, Kish (1965): the mean square of the
    folds' mean errors over the mean square of all. With six folds of a day in 5-minute steps, where a fold errs as a whole, counting every
    step made 80 % intervals cover 71 % on 64 generated series; counting so, 76 %; on generated months, weeks and days it adds 1 %, on hours 3 %.
    """
    rows = window[np.isfinite(window).any(axis=1)]
    known = np.isfinite(rows)
    count = known.sum(axis=1)
    filled = np.where(known, rows, 0.0)
    of_means = float(((filled.sum(axis=1) / count) ** 2).mean())
    of_all = float(((filled**2).sum(axis=1) / count).mean())
    alike = of_means / of_all if of_all > 0 else 1.0
    return float(np.clip(rows.shape[0] / max(alike, 1e-9), rows.shape[0], known.sum()))


def finite_sample_quantile(values: FloatArray, q: float, independent: float) -> float:
    """The conformal quantile: the rank counts the new point itself, so few independent values give a wider answer."""
    level = np.clip(q + (2 * q - 1) / (2 * independent), 0.0, 1.0)
    return float(np.quantile(values, level))


def prior_quantile(horizon: int, q: float) -> FloatArray:
    """(horizon,) errors in units of their mean size when nothing was measured: Student's distribution, growing as the 0.3th power of the step."""
    return _prior_score(q) * usual_growth(horizon)


@cache
def _prior_score(q: float) -> float:
    """The q-quantile of Student's distribution in units of its mean size. Source of that: Psarakis and Panaretos (1990), the folded t."""
    from scipy.special import gammaln, stdtrit

    v = TAIL_FREEDOM
    mean_size = 2 * np.sqrt(v / np.pi) * np.exp(gammaln((v + 1) / 2) - gammaln(v / 2)) / (v - 1)
    return float(stdtrit(v, q) / mean_size)
