"""Candidate, champion and seasonal naive forecast the same folds of the same real series."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from core.errors import NotEnoughData
from core.timeseries import FloatArray, Grain, TimeSeries
from forecasting.backtests import scale
from forecasting.members.naive import repeat_last
from forecasting.types import Forecast, ForecastInput
from models.conformance.made_up import SEASON_STEPS
from models.serving import Ready

FOLDS = 8
MIN_FOLDS = 6
SPAN_STEPS = {
    Grain.HOUR: 24 * 60,
    Grain.DAY: 365,
    Grain.WEEK: 104,
    Grain.MONTH: 48,
    Grain.QUARTER: 16,
    Grain.YEAR: 8,
    Grain.MINUTE: 1440 * 7,
}
"""How far back the folds reach: a year of days, so that whatever comes once a year is in them."""
LEVEL = 1.6
"""The same history at another level must give the same forecast at that level, nearly; numbers learned by heart do not."""

Forecaster = Callable[[Sequence[ForecastInput]], Sequence[Forecast]]


@dataclass(frozen=True, slots=True)
class SeriesScore:
    """Mean absolute errors over all folds, in units of the series' seasonal change."""

    series_id: str
    candidate: float
    champion: float
    naive: float


@dataclass(frozen=True, slots=True)
class Backtest:
    """folds: start of each test period. by_fold: per fold the errors of candidate, champion, naive (mean over series, the total counting half).

    coverage_*: share of actual values inside the candidate's intervals. leveled: the candidate's error of the total on the last folds when
    all is multiplied by LEVEL, beside `plain`, the same without. seconds_per_series, peak_bytes: of the candidate. plot: the total.
    """

    metric: str
    grain: str
    horizon_steps: int
    champion: str
    folds: tuple[str, ...]
    by_fold: tuple[tuple[float, float, float], ...]
    series: tuple[SeriesScore, ...]
    coverage_80: float
    coverage_95: float
    champion_coverage_80: float
    leveled: float
    plain: float
    seconds_per_series: float
    peak_bytes: int
    plot: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def origins(n: int, horizon: int, grain: Grain, min_history: int) -> tuple[int, ...]:
    """Lengths of the training parts, ascending, evenly over the span. Raises: NotEnoughData below MIN_FOLDS."""
    season = SEASON_STEPS.get(grain.value, 1)
    least = max(min_history, 2 * season + 1, 16)
    last = n - horizon
    first = max(least, last - SPAN_STEPS[grain])
    step = max(1, (last - first) // (FOLDS - 1)) if last > first else 0
    found = sorted({last - step * k for k in range(FOLDS) if step and last - step * k >= least})
    if len(found) < MIN_FOLDS or step < max(1, horizon // 4):
        need = least + horizon + (MIN_FOLDS - 1) * max(1, horizon // 4)
        raise NotEnoughData(
            f"A fair comparison needs {MIN_FOLDS} test periods: {need} steps of history at this horizon; there are {n}.",
            code="too_few_rows",
        )
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Task:
    """What is compared. series: the total first; all on one grid's end. champion_label: who serves now. fresh: a new candidate process."""

    metric: str
    grain: Grain
    horizon_steps: int
    min_history: int
    series: Sequence[Ready]
    country: str | None
    time_zone: str | None
    champion_label: str


def run(
    task: Task,
    candidate: Forecaster,
    champion: Forecaster,
    *,
    fresh: Callable[[], None],
    peak_bytes: Callable[[], int],
    on_progress: Callable[[int, int], None] | None = None,
) -> Backtest:
    """All folds, the earliest first and each with a fresh candidate, so that nothing it saw can be of later.

    Raises: NotEnoughData; ModelFailed when the candidate fails; what on_progress raises.
    """
    total = task.series[0]
    cuts = origins(len(total.values), task.horizon_steps, task.grain, task.min_history)
    unit = [scale(_known(one.values[: cuts[0]]), SEASON_STEPS.get(task.grain.value, 1)) for one in task.series]
    steps = len(cuts) + 1
    rows: list[list[tuple[float, float, float]]] = []
    inside: list[tuple[FloatArray, FloatArray, FloatArray]] = []
    plot: list[dict[str, Any]] = []
    spent_s = 0.0
    for number, cut in enumerate(cuts):
        inputs = [_input(task, one, cut) for one in task.series]
        fresh()
        began_s = time.perf_counter()
        ours = candidate(inputs)
        spent_s += time.perf_counter() - began_s
        theirs = champion(inputs)
        naive = [_naive(one, cut, task) for one in task.series]
        actual = [one.values[cut : cut + task.horizon_steps] for one in task.series]
        rows.append(
            [
                (_error(a, f.mean) / u, _error(a, c.mean) / u, _error(a, n) / u)
                for a, f, c, n, u in zip(actual, ours, theirs, naive, unit, strict=True)
            ]
        )
        inside += [(_within(a, f, 80), _within(a, f, 95), _within(a, c, 80)) for a, f, c in zip(actual, ours, theirs, strict=True)]
        plot.append(_plotted(total, cut, task, ours[0], theirs[0], naive[0]))
        if on_progress is not None:
            on_progress(number + 1, steps)
    leveled, plain = _leveled(task, candidate, cuts, fresh, unit[0], rows)
    if on_progress is not None:
        on_progress(steps, steps)
    table = np.array(rows, dtype=np.float64)  # (folds, series, 3)
    means = np.nanmean(table, axis=0)
    return Backtest(
        metric=task.metric,
        grain=task.grain.value,
        horizon_steps=task.horizon_steps,
        champion=task.champion_label,
        folds=tuple(str(total.times[cut].astype("datetime64[s]")) for cut in cuts),
        by_fold=tuple((float(a), float(b), float(c)) for a, b, c in _halved(table)),
        series=tuple(SeriesScore(one.name, *(float(v) for v in means[row])) for row, one in enumerate(task.series)),
        coverage_80=_share([item[0] for item in inside]),
        coverage_95=_share([item[1] for item in inside]),
        champion_coverage_80=_share([item[2] for item in inside]),
        leveled=leveled,
        plain=plain,
        seconds_per_series=spent_s / (len(cuts) * len(task.series)),
        peak_bytes=peak_bytes(),
        plot={"history": _history(total, cuts[0]), "folds": plot},
    )


def _input(task: Task, one: Ready, cut: int, factor: float = 1.0) -> ForecastInput:
    series = TimeSeries(one.name, one.times[:cut], one.values[:cut] * factor, task.grain)
    ahead = one.times[cut : cut + task.horizon_steps]
    return ForecastInput(series, len(ahead), future_times=ahead, country=task.country, time_zone=task.time_zone)


def _naive(one: Ready, cut: int, task: Task) -> FloatArray:
    past = one.values[:cut]
    known = np.flatnonzero(np.isfinite(past))
    filled = np.interp(np.arange(cut), known, past[known]) if known.size else np.zeros(cut)
    return repeat_last(filled, min(SEASON_STEPS.get(task.grain.value, 1), cut), min(task.horizon_steps, len(one.values) - cut))


def _leveled(
    task: Task,
    candidate: Forecaster,
    cuts: Sequence[int],
    fresh: Callable[[], None],
    unit: float,
    rows: list[list[tuple[float, float, float]]],
) -> tuple[float, float]:
    """The total's error on the last two folds with everything at another level, and without."""
    chosen = list(range(len(cuts)))[-2:]
    total = task.series[0]
    errors = []
    for number in chosen:
        cut = cuts[number]
        fresh()
        made = candidate([_input(task, total, cut, LEVEL)])[0]
        errors.append(_error(total.values[cut : cut + task.horizon_steps], made.mean / LEVEL) / unit)
    return float(np.nanmean(errors)), float(np.nanmean([rows[number][0][0] for number in chosen]))


def _error(actual: FloatArray, mean: FloatArray) -> float:
    off = np.abs(actual - mean[: len(actual)])
    return float(np.nanmean(off)) if np.isfinite(off).any() else float("nan")


def _within(actual: FloatArray, forecast: Forecast, level: int) -> FloatArray:
    """(h,) 1.0 inside the interval, 0.0 outside, NaN where nothing is known."""
    low, high = forecast.lower[level][: len(actual)], forecast.upper[level][: len(actual)]
    return np.where(np.isfinite(actual), ((actual >= low) & (actual <= high)).astype(np.float64), np.nan)


def _share(parts: Sequence[FloatArray]) -> float:
    return float(np.nanmean(np.concatenate(parts)))


def _halved(table: np.ndarray) -> np.ndarray:
    """(folds, 3): the total's error, averaged with the mean over segments where there are any."""
    total = table[:, 0]
    if table.shape[1] == 1:
        return total
    return np.asarray((total + np.nanmean(table[:, 1:], axis=1)) / 2)


def _known(values: FloatArray) -> FloatArray:
    known = values[np.isfinite(values)]
    return known if known.size else np.zeros(2)


def _plotted(total: Ready, cut: int, task: Task, ours: Forecast, theirs: Forecast, naive: FloatArray) -> dict[str, Any]:
    part = slice(cut, cut + task.horizon_steps)

    def rounded(values: FloatArray) -> list[float | None]:
        return [float(f"{v:.6g}") if np.isfinite(v) else None for v in values]

    return {
        "t": [str(t) for t in total.times[part].astype("datetime64[s]")],
        "actual": rounded(total.values[part]),
        "candidate": rounded(ours.mean),
        "lower_80": rounded(ours.lower[80]),
        "upper_80": rounded(ours.upper[80]),
        "champion": rounded(theirs.mean),
        "naive": rounded(naive),
    }


def _history(total: Ready, first_cut: int) -> dict[str, Any]:
    start = max(0, first_cut - 60)
    values = [float(f"{v:.6g}") if np.isfinite(v) else None for v in total.values[start:]]
    return {"t": [str(t) for t in total.times[start:].astype("datetime64[s]")], "actual": values}
