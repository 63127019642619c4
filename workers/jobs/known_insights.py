"""What an earlier job found out for the same question on the same data: told again without asking the warehouse."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from core.errors import NotFound
from core.store import findings, jobs
from core.store.findings import InsightEntry
from insights.reader import Reader
from insights.settings import words_settings
from models.lineage import code_version
from semantic.catalog.model import Catalog
from workers.context import JobContext
from workers.forecasts.visibility import visibility_key
from workers.jobs.budget import insight_settings
from workers.kinds import Params


def known_result(context: JobContext, print_: str) -> dict[str, Any] | None:
    """The result of an earlier job of the same user with this fingerprint, marked as cached."""
    with context.services.store.read() as connection:
        found = findings.by_fingerprint(connection, context.tenant, print_, context.principal.user)
        entry = found.entry if found is not None else None
        if not isinstance(entry, InsightEntry) or entry.job_id is None or entry.job_id == context.job_id:
            return None
        try:
            result = jobs.get(connection, context.tenant, entry.job_id).result
        except NotFound:
            return None
    return None if result is None else {**result, "cached": True}


def fingerprint(context: JobContext, params: Params, catalog: Catalog, reader: Reader | None = None, *, speaker: str = "") -> str:
    """The same for the same question on the same data, with the same rights, votes and words, on the same day. speaker: a custom model that has a say."""
    tables = sorted({(dataset.database, dataset.table) for dataset in catalog.datasets})
    settings = context.services.settings
    parts = [
        params.model_dump(mode="json"), catalog.version, context.services.warehouse_sync.data_version(tables),
        visibility_key(context.principal, catalog), sorted(context.principal.role_names), context.as_of.date().isoformat(),
        [asdict(vote) for vote in reader.votes] if reader is not None else None, words_settings(), code_version(("insights", "workers")),
        insight_settings(context.services.store, context.tenant).model_dump(mode="json"), speaker,
        settings.llm_base_url, settings.llm_model, settings.llm_sees_values,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
