"""Figures for suites whose labels are windows around an event, after Lavin and Ahmad (2015): early is better, only the first alert in a
window counts, an alert outside costs. 100 is every window found at once and nothing else, 0 is silence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from benchmarks.anomaly_figures import Labelled
from core.timeseries import FloatArray

COSTS = {"standard": 0.11, "low_fp": 0.22}  # of a false alarm, against 1 for a window
COOL_DOWN_ROWS = 400


def cooled(score: FloatArray, rows: int = COOL_DOWN_ROWS) -> FloatArray:
    """(n,) the score where it is higher than all of the `rows` before, else -inf."""
    before = pd.Series(score).rolling(rows, min_periods=1).max().shift(1, fill_value=-np.inf).to_numpy()
    out: FloatArray = np.where(score > before, score, -np.inf)
    return out


def marks(series: Labelled) -> FloatArray:
    """(n,) 1 where an alert as sent went out, else -inf."""
    out = np.full(len(series.seconds), -np.inf)
    for at, _ in series.alerts:
        row = int(np.searchsorted(series.seconds, at))
        if row < len(out):
            out[row] = 1.0
    return out


def position(y: FloatArray) -> FloatArray:
    """+1 far before the end of a window, 0 at its end, -1 far behind it."""
    out: FloatArray = 2 / (1 + np.exp(5 * np.minimum(y, 3.0))) - 1
    return out


def gains(series: Labelled) -> tuple[FloatArray, np.ndarray, int]:
    """(n,) gain of an alert at each row inside a window, weight of its cost outside; (n,) number of its window or -1; windows."""
    n = len(series.seconds)
    gain, window = -np.ones(n), np.full(n, -1)
    spans = [np.flatnonzero((series.seconds >= a) & (series.seconds <= b)) for a, b in series.events]
    spans = [rows for rows in spans if len(rows)]
    for k, rows in enumerate(spans):
        stop = spans[k + 1][0] if k + 1 < len(spans) else n
        after = np.arange(rows[-1] + 1, stop)
        far = (after - rows[-1]) / max(len(rows) - 1, 1)
        gain[after] = np.where(far > 3, -1.0, position(far))
        window[rows] = k
        gain[rows] = position((rows - rows[-1] - 1) / len(rows)) / position(np.array(-1.0))
    return gain, window, len(spans)


def from_windows(series: Sequence[Labelled], *, cool_down: bool = True, sent: bool = False) -> dict[str, float]:
    """Per cost the score at the best single threshold for all series (of the alerts as sent: at theirs)."""
    values, gain, window, total = [], [], [], 0
    for s in series:
        score = marks(s) if sent else cooled(s.score) if cool_down else s.score
        g, w, count = gains(s)
        values.append(score[s.first :])
        gain.append(g[s.first :])
        window.append(np.where(w[s.first :] >= 0, w[s.first :] + total, -1))
        total += count
    v, g, w = np.concatenate(values), np.concatenate(gain), np.concatenate(window)
    order = np.argsort(-v, kind="stable")
    order = order[np.isfinite(v[order])]
    v, g, w = v[order], g[order], w[order]
    last_of_tie = np.r_[v[1:] != v[:-1], True] if len(v) else np.zeros(0, bool)
    out = {}
    for name, cost in COSTS.items():
        step = np.where(w < 0, cost * g, 0.0)
        for k in range(total):
            at = np.flatnonzero(w == k)
            if len(at):
                step[at] = np.diff(np.r_[-1.0, np.maximum.accumulate(g[at])])
        sums = np.cumsum(step)[last_of_tie]
        best = sums[-1] if sent and len(sums) else sums.max(initial=0.0)
        out[name] = round(100 * float(best) / (2 * max(total, 1)), 2)
    return out
