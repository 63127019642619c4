"""What both sides of the warm interpreter agree on."""

from __future__ import annotations

WALL_FAILED = 97  # exit code of a session whose walls could not be built
START_TIMEOUT_S = 60.0
