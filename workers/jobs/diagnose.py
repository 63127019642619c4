"""Shows that messages reach a worker and that it reaches the state store; can hold its place, to try out cancelling and draining."""

from __future__ import annotations

import os
import time
from typing import Any

from workers.context import JobContext
from workers.kinds import DiagnoseParams

_STEP_S = 0.1


def run(context: JobContext) -> dict[str, Any]:
    """{"pid", "attempt", "held_s"}."""
    params = DiagnoseParams.model_validate(context.job.params)
    steps = max(round(params.hold_s / _STEP_S), 1)
    for done in range(steps):
        context.progress("hold", done, steps)
        if params.hold_s:
            time.sleep(_STEP_S)
    context.services.store.ping()
    return {"pid": os.getpid(), "attempt": context.job.attempts, "held_s": params.hold_s}
