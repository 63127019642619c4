"""What each kind of job does: plain functions `run(context) -> result`, one module per kind, run by workers.run."""

from __future__ import annotations

from collections.abc import Mapping

from workers.jobs import diagnose
from workers.run import JobFunction

FUNCTIONS: Mapping[str, JobFunction] = {
    "diagnose": diagnose.run,
}
