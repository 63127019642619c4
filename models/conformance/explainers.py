"""What every explainer must do."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa

from models.conformance.trial import Trial, Wrong, column
from models.sdk.schemas import PARTS


def parts(before: list[float | None], after: list[float | None]) -> pa.Table:
    names = [f"part {position}" for position in range(len(before))]
    return pa.Table.from_arrays([pa.array(names, pa.string()), pa.array(before, pa.float64()), pa.array(after, pa.float64())], schema=PARTS)


def _adds_up(before: list[float | None], after: list[float | None]) -> Callable[[Trial], str]:
    def check(trial: Trial) -> str:
        given = parts(before, after)
        found = column(trial.explain(given), "contribution")
        change = float(np.nansum(column(given, "after")) - np.nansum(column(given, "before")))
        size = max(1.0, float(np.nansum(np.abs(column(given, "after"))) + np.nansum(np.abs(column(given, "before")))))
        if not np.isfinite(found).all():
            raise Wrong("finite contributions were expected.")
        if abs(float(found.sum()) - change) > 1e-6 * size:
            raise Wrong(f"contributions that add up to the change of {change:g} were expected; they add up to {float(found.sum()):g}.")
        return ""

    return check


def _same_twice(trial: Trial) -> str:
    given = parts([1.0, 2.0, 3.0], [4.0, 1.0, 3.0])
    first = column(trial.explain(given), "contribution")
    trial.subject.fresh()
    if not np.array_equal(first, column(trial.explain(given), "contribution")):
        raise Wrong("two runs on the same parts differ.")
    return ""


def _quick(trial: Trial) -> str:
    many = parts([float(i) for i in range(10_000)], [float(i % 7) for i in range(10_000)])
    return trial.timed(lambda: trial.explain(many), "10,000 parts")


EXPLAINER_CHECKS: Mapping[str, Callable[[Trial], str]] = {
    "Contributions add up": _adds_up([10.0, 20.0, 30.0], [12.0, 15.0, 40.0]),
    "The same parts give the same contributions": _same_twice,
    "No change": _adds_up([5.0, 5.0], [5.0, 5.0]),
    "One part": _adds_up([5.0], [7.0]),
    "Parts that come and go": _adds_up([5.0, None], [None, 9.0]),
    "Negative values": _adds_up([-5.0, 3.0], [-9.0, -3.0]),
    "Zeros": _adds_up([0.0, 0.0], [0.0, 0.0]),
    "Quick enough": _quick,
}
