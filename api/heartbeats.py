"""When a stream that has nothing to tell says that it is still there."""

from __future__ import annotations

import random

LONGEST_S = 15.0


def next_heartbeat_s() -> float:
    """Seconds until the next one, at most `LONGEST_S`. Streams that were opened together (a process that started again) drift apart: a thousand that
    speak, and have their rights looked at, in one second hold up everybody's questions for two."""
    return LONGEST_S * random.uniform(0.4, 1.0)
