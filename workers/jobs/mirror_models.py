"""MLflow's aliases follow the state store: champion, challenger and previous of every custom model."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from core.store import model_versions
from core.store.model_versions import StoredVersion, VersionState
from models.registry import Alias
from workers.context import JobContext

_ALIASES: dict[VersionState, Alias] = {
    VersionState.CHAMPION: "champion",
    VersionState.CHALLENGER: "challenger",
    VersionState.PREVIOUS: "previous",
}


def run(context: JobContext) -> dict[str, Any]:
    """{"models"}: how many were looked at. Raises: Unavailable without MLflow."""
    with context.services.store.read() as connection:
        found = model_versions.list_all(connection, context.tenant)
    by_name: dict[str, list[StoredVersion]] = defaultdict(list)
    for version in found:
        if version.run_id is not None:
            by_name[version.name].append(version)
    registry = context.services.registry
    for number, (name, versions) in enumerate(by_name.items()):
        context.progress("mirror", number, len(by_name))
        for state, alias in _ALIASES.items():
            newest = next((v for v in versions if v.state is state), None)
            registry.point(context.tenant, name, alias, int((newest.lineage or {})["mlflow_version"]) if newest else None)
    return {"models": len(by_name)}
