"""Rolling origins: where a backtest cuts a series."""

from __future__ import annotations

MIN_TRAIN_POINTS = 8


def origins(n: int, horizon: int, season: int, *, folds: int) -> tuple[int, ...]:
    """Lengths of the training part of each fold, descending: n - horizon first, then earlier by a whole one: folds that share
    points would make a series' errors look more alike than they are, and intervals too narrow.

    Each leaves at least two seasons (or MIN_TRAIN_POINTS) to train on; on short series the last fold may hold fewer than `horizon` steps.
    """
    least = max(MIN_TRAIN_POINTS, 2 * season + 1 if 2 * season + 1 + horizon <= n else MIN_TRAIN_POINTS)
    found = [n - horizon - k * horizon for k in range(folds) if n - horizon - k * horizon >= least]
    if not found and n >= MIN_TRAIN_POINTS + 2:
        found = [max(MIN_TRAIN_POINTS, n - max(1, n // 4))]
    return tuple(found)
