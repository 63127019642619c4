"""Like series together: local members one by one, networks over all, then the combiner and the intervals of the batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np

from core.timeseries import FloatArray
from forecasting.backtests import Trial, cuts_of, failed_trial, keep_sane, trial
from forecasting.members.pool import POOL, THOROUGH_POOL
from forecasting.members.pretrained import trained_season
from forecasting.members.smoothing import adjusted
from forecasting.pooled.committee import Opinions, Seat, ask, seats, tuned_seats
from forecasting.pooled.copies import teachers
from forecasting.prepare import Prepared

CHUNK = 16
"""Series per task: small enough for progress, large enough that sending them costs nothing."""


MIN_TEACHERS = 4
"""A network over fewer different series learns these series by heart: on batches of three it was a quarter worse than the local members."""


FOLDS_WITHOUT_NETWORKS = 2
"""Times as many folds where few series must say all; networks need the room before the earliest fold to learn."""


@dataclass(frozen=True, slots=True)
class Plan:
    """folds: rolling origins per series. pooled_effort: share of the networks' full number of steps; 0 leaves them out. thorough: Prophet tries too."""

    folds: int
    pooled_effort: float
    seed: int
    thorough: bool = False


def like_groups(series: Sequence[Prepared]) -> list[list[int]]:
    """Positions of the series that may be pooled: same step, candidate seasons and horizon."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for position, one in enumerate(series):
        groups.setdefault((one.step, one.seasons, one.horizon), []).append(position)
    return list(groups.values())


def run_trials(series: Sequence[Prepared], plan: Plan, executor: Executor | None, on_series: Callable[[int], None]) -> list[Trial]:
    """One trial per series of one group, networks included. on_series is told how many more series are done."""
    chunks = [series[first : first + CHUNK] for first in range(0, len(series), CHUNK)]
    teaching = teachers(series) if plan.pooled_effort and len(series) >= MIN_TEACHERS else []
    committee: tuple[Seat, ...] = ()
    if sum(teaching) >= MIN_TEACHERS:
        committee = seats(series[0].seasons, series[0].horizon, [s.y.shape[0] for s in series], plan.pooled_effort)
        if series[0].step.months:
            committee += tuned_seats(trained_season(series[0]), series[0].horizon, plan.pooled_effort)
    if not committee:
        plan = replace(plan, folds=FOLDS_WITHOUT_NETWORKS * plan.folds)
    if executor is None:
        trials = []
        for chunk in chunks:
            trials += local_trials(chunk, plan)
            on_series(len(chunk))
        return _with_opinions(series, trials, [opinion(seat, series, teaching, plan) for seat in committee])
    pooled = [executor.submit(opinion, seat, list(series), teaching, plan) for seat in committee]
    local = [executor.submit(local_trials, list(chunk), plan) for chunk in chunks]
    sizes = {id(future): len(chunk) for future, chunk in zip(local, chunks, strict=True)}
    for future in as_completed(local):
        future.result()
        on_series(sizes[id(future)])
    return _with_opinions(series, [t for future in local for t in future.result()], [future.result() for future in pooled])


def local_trials(chunk: Sequence[Prepared], plan: Plan) -> list[Trial]:
    """One trial per series; a series on which something unforeseen happens keeps its last value and says so."""
    with single_threaded():
        return [_one_trial(one, plan) for one in chunk]


def _one_trial(one: Prepared, plan: Plan) -> Trial:
    try:
        return trial(one, THOROUGH_POOL if plan.thorough else POOL, folds=plan.folds)
    except Exception as error:  # one bad series never fails the rest
        return failed_trial(one, f"{type(error).__name__}: {error}")


def opinion(seat: Seat, series: Sequence[Prepared], teaching: Sequence[bool], plan: Plan) -> Opinions | None:
    """One network's word on every series, or None when it cannot learn. It sees series as they were, gaps filled but nothing set aside."""
    try:
        return _opinion(seat, series, teaching, plan)
    except (ValueError, ArithmeticError, MemoryError, np.linalg.LinAlgError):  # the local members serve
        return None


def _opinion(seat: Seat, series: Sequence[Prepared], teaching: Sequence[bool], plan: Plan) -> Opinions | None:
    with single_threaded(), np.errstate(all="ignore"):
        at_cuts = [[_view(one.cut(cut), seat) for cut in cuts_of(one, plan.folds)] for one in series]
        now = [_view(one, seat) for one in series]
        said = ask(seat, [view.history for view in now], [[view.history for view in cuts] for cuts in at_cuts], teaching, plan.seed)
        if said is None:
            return None
        at_folds = [
            np.array(
                [one.at_present(v.restore(p), cut) for v, p, cut in zip(views, points, cuts_of(one, plan.folds), strict=True)]
            ).reshape(points.shape)
            for one, views, points in zip(series, at_cuts, said.at_folds, strict=True)
        ]
        return Opinions(said.name, at_folds, [view.restore(point) for view, point in zip(now, said.ahead, strict=True)])


@dataclass(frozen=True, slots=True)
class _View:
    """What a network sees of a series, and the way back from its word to the series."""

    history: FloatArray
    restore: Callable[[FloatArray], FloatArray]


def _view(series: Prepared, seat: Seat) -> _View:
    n = series.y.shape[0]
    if not seat.adjusted:
        return _View(series.y if seat.trained_season else series.filled, lambda point: series.effects.restore(point, n))
    parts = adjusted(series)
    return _View(parts.rest, lambda point: series.effects.restore(parts.restore(point), n))


def _with_opinions(series: Sequence[Prepared], trials: list[Trial], opinions: Sequence[Opinions | None]) -> list[Trial]:
    for said in opinions:
        if said is None:
            continue
        for one, t, at_folds, ahead in zip(series, trials, said.at_folds, said.ahead, strict=True):
            if np.isfinite(ahead).all():
                t.ahead[said.name] = keep_sane(ahead, one)
            if np.isfinite(at_folds).any():
                t.at_folds[said.name] = keep_sane(at_folds, one)
    return trials


@contextmanager
def single_threaded() -> Iterator[None]:
    """One thread for matrix products: processes share the cores, and small products lose by more."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


@contextmanager
def pool_of(processes: int) -> Iterator[Executor | None]:
    """Fresh worker processes, or None for one: a worker of a job queue may not start others."""
    if processes <= 1:
        yield None
        return
    executor = ProcessPoolExecutor(max_workers=processes, mp_context=get_context("spawn"))
    try:
        yield executor
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
