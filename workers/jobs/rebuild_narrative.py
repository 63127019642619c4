"""Rebuild job: an old narrative made again from its facts, with the templates of its own registered version."""

from __future__ import annotations

from typing import Any

from core.errors import Conflict, NotFound
from core.store import findings
from core.store.findings import InsightEntry
from workers.context import JobContext
from workers.jobs.words import rebuilt
from workers.kinds import RebuildParams


def run(context: JobContext) -> dict[str, Any]:
    """{"headline", "narrative", "same", "words"}: same says whether it reads as it was kept, before any other words.

    Raises: NotFound; Conflict where its version is not registered or too old.
    """
    params = RebuildParams.model_validate(context.job.params)
    with context.services.store.read() as connection:
        found = findings.get(connection, context.tenant, InsightEntry, params.insight)
    entry = found.entry
    if not isinstance(entry, InsightEntry) or entry.created_by != context.principal.user:
        raise NotFound(f"There is no insight {params.insight[:60]!r}.", code="unknown_insight")
    if not entry.words:
        raise Conflict("This narrative was made before versions of the words were kept.", code="words_unknown")
    sentences = rebuilt(context.services, context.tenant, list(entry.facts["told"]), entry.words)
    return {
        "headline": sentences[0] if sentences else entry.headline,
        "narrative": sentences[1:],
        "same": sentences == list(entry.facts.get("own_sentences", entry.facts["sentences"])),
        "words": entry.words,
    }
