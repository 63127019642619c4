"""Segments of a batch that add up to their total, over all its tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from core.ids import JobId
from core.timeseries import FloatArray
from forecasting.hierarchy import NODES_MAX
from forecasting.types import Forecast
from workers.context import JobContext
from workers.forecasts.making import ADDED_UP, added_up
from workers.forecasts.rows import read_forecasts, to_arrow
from workers.jobs.results import FORECASTS, JobRows
from workers.jobs.series import TOTAL


def sum_up(context: JobContext, metric: str, tasks: Sequence[JobId], segments: Mapping[str, Mapping[str, str]]) -> bool:
    """Rewrites the tasks' rows so that segments sum to the total at every step that all of them have; whether they do now.

    Done again it changes nothing. Raises: Unavailable.
    """
    layouts = {task: JobRows(context.services.admin, context.tenant, task, FORECASTS) for task in tasks}
    found = {task: read_forecasts(rows) for task, rows in layouts.items()}
    every = {i: f for forecasts in found.values() for i, f in forecasts.items()}
    if TOTAL not in every or not 2 <= len(every) <= NODES_MAX:
        return False
    if all(ADDED_UP in f.notes for f in every.values()):
        return True
    steps = min(len(f.times) for f in every.values())
    if any(not np.array_equal(f.times[:steps], every[TOTAL].times[:steps]) for f in every.values()):
        return False
    fresh = {i: replace(_first(f, steps), notes=tuple(n for n in f.notes if n != ADDED_UP)) for i, f in every.items()}
    summed = added_up(fresh, [TOTAL, *(i for i in fresh if i != TOTAL)])
    for task, forecasts in found.items():
        table = to_arrow(
            ((i, _joined(summed[i], f, steps)) for i, f in forecasts.items()),
            job=task,
            metric=metric,
            segments={i: segments.get(i, {}) for i in forecasts},
            written_at=context.services.clock.now(),
        )
        layouts[task].replace(table, list(forecasts), may_exist=True)
    return True


def _first(forecast: Forecast, steps: int) -> Forecast:
    return replace(
        forecast,
        times=forecast.times[:steps],
        mean=forecast.mean[:steps],
        lower={level: values[:steps] for level, values in forecast.lower.items()},
        upper={level: values[:steps] for level, values in forecast.upper.items()},
    )


def _joined(head: Forecast, whole: Forecast, steps: int) -> Forecast:
    """`head` for the first steps, `whole` after them."""

    def both(a: FloatArray, b: FloatArray) -> FloatArray:
        return np.concatenate([a, b[steps:]])

    return replace(
        head,
        times=whole.times,
        mean=both(head.mean, whole.mean),
        lower={level: both(head.lower[level], values) for level, values in whole.lower.items()},
        upper={level: both(head.upper[level], values) for level, values in whole.upper.items()},
    )
