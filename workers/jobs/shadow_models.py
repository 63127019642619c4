"""Shadow runs of every challenger of a tenant; one that fails keeps its failure and stays challenger."""

from __future__ import annotations

from typing import Any

from core.store import model_versions
from core.store.model_versions import VersionState
from models.sdk.card import card_of
from models.sdk.failures import ModelFailed
from workers.champions import SANDBOX_QUEUE
from workers.context import BelongsElsewhere, JobContext
from workers.custom.shadow import run_shadow


def run(context: JobContext) -> dict[str, Any]:
    """{"runs", "failed"}. Raises: Unavailable."""
    if context.queue != SANDBOX_QUEUE:
        raise BelongsElsewhere(SANDBOX_QUEUE)
    with context.services.store.read() as connection:
        found = model_versions.list_all(connection, context.tenant, state=VersionState.CHALLENGER)
    runs, failed = 0, []
    for number, version in enumerate(found):
        context.progress("shadow", number, len(found))
        try:
            runs += run_shadow(context, version, card_of(dict(version.card)))
        except ModelFailed as error:
            failed.append({"model": str(version), "reason": error.message})
            with context.services.store.write() as connection:
                values = {"shadow": {"failed": error.message[:1000]}}
                model_versions.update(connection, context.tenant, version.id, values, now=context.services.clock.now())
    return {"runs": runs, "failed": failed}
