"""From flagged rows to what a person would be sent: one incident per event."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anomaly.state import Scored
from anomaly.types import Incident
from core.timeseries import FloatArray, TimeArray

QUIET_S = 6 * 3600


def quiet_seconds(step_s: int) -> int:
    """How long must nothing happen for the next flag to be another event: six steps, six hours when steps are shorter than an hour."""
    return 6 * step_s if step_s >= 3600 else max(3 * step_s, QUIET_S)


def incidents(series_id: str, times: TimeArray, values: FloatArray, scored: Scored, threshold: float, step_s: int) -> tuple[Incident, ...]:
    """Incidents in time order. One opens at the first row at or above the threshold and lasts to the last such row within the quiet time."""
    flagged = np.flatnonzero(scored.score >= threshold)
    if not len(flagged):
        return ()
    quiet = np.timedelta64(quiet_seconds(step_s), "s")
    breaks = np.flatnonzero(np.diff(times[flagged]) > quiet) + 1
    return tuple(
        incident(series_id, times, values, scored, part, threshold, is_open=bool(times[-1] - times[part[-1]] <= quiet))
        for part in np.split(flagged, breaks)
    )


def incident(
    series_id: str,
    times: TimeArray,
    values: FloatArray,
    scored: Scored,
    rows: npt.NDArray[np.int64],
    threshold: float,
    *,
    is_open: bool,
) -> Incident:
    """The incident over the flagged rows."""
    gap = values[rows] - scored.expected[rows]
    worst = rows[int(np.argmax(np.abs(gap)))]
    up, down = bool((gap > 0).any()), bool((gap < 0).any())
    peak = float(scored.score[rows].max())
    return Incident(
        series_id=series_id,
        start=times[rows[0]],
        end=times[rows[-1]],
        detected_at=times[rows[0]],
        direction="both" if up and down else "up" if up else "down",
        kind="value",
        severity=float(100 * (1 - np.exp(-peak / (2 * threshold)))),
        impact=float(gap.sum()),
        expected=float(scored.expected[worst]),
        actual=float(values[worst]),
        is_open=is_open,
    )
