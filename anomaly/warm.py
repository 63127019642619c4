"""`python -m anomaly.warm`: builds the machine code now, so that the first detection does not wait for it.

Run at installation and when a worker starts. The code is kept beside the source, or in NUMBA_CACHE_DIR, or in the user's cache folder.
"""

from __future__ import annotations

import os
import sys
import time

import numpy as np


def warm() -> float:
    """Judges one row; the seconds it took: 15 to 30 where nothing was built yet, about one where it only has to be loaded."""
    from anomaly.state import State

    started_s = time.perf_counter()
    State(3600).update(np.zeros(1, "datetime64[ns]"), np.zeros(1))
    return time.perf_counter() - started_s


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(10)  # a worker that has just started has better things to do
    sys.stdout.write(f"anomaly detection is ready ({warm():.1f} s)\n")
