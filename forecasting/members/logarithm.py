"""Whether a series is better seen in logarithms, and the way back."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.timeseries import FloatArray

LEAST_SHARE_OF_MEAN = 0.02
MAX_LOG = 700.0


def in_logarithms(y: FloatArray) -> tuple[FloatArray, Callable[[FloatArray], FloatArray]]:
    """y and the identity; or, where all values are well above zero, its logarithms and the exponential."""
    if not y.min() > LEAST_SHARE_OF_MEAN * y.mean() > 0:
        return y, np.asarray
    return np.log(y), lambda z: np.asarray(np.exp(np.minimum(z, MAX_LOG)))
