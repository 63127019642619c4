"""How custom models did live, and the rollback of one that does worse than what it replaced."""

from __future__ import annotations

from typing import Any

from workers.context import JobContext
from workers.custom.watch import watch


def run(context: JobContext) -> dict[str, Any]:
    """{"scored", "rolled_back"}. Raises: Unavailable."""
    return dict(watch(context))
