"""Custom models as the API and the pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from api.services import Services
from core.errors import NotFound
from core.ids import TenantId
from core.store import model_log, model_runs, model_slots, model_versions, users
from core.store.model_slots import Slot
from core.store.model_versions import StoredVersion
from models.names import parse_model_name
from workers.custom.accept import settle
from workers.custom.promotion import OWN
from workers.live import together

_BRIEF = ("name", "kind", "metric", "version", "sha256", "size_bytes", "created_by", "created_at", "updated_at", "job_id", "run_id")


def brief(version: StoredVersion) -> dict[str, Any]:
    """For lists."""
    reasons = version.reason.split("\n") if version.reason else []
    return {name: getattr(version, name) for name in _BRIEF} | {
        "state": version.state.value, "reasons": reasons, "owner": version.card.get("owner"), "grains": list(version.card.get("grains", ())),
    }  # fmt: skip


def whole(services: Services, version: StoredVersion) -> dict[str, Any]:
    """With card, reports, lineage and how it did live."""
    with services.store.read() as connection:
        runs = model_runs.of_version(connection, version.tenant_id, version.id)
        slot = model_slots.get(connection, version.tenant_id, version.kind, version.metric)
    live = together(runs)
    return brief(version) | {
        "card": dict(version.card), "conformance": version.conformance, "backtest": version.backtest, "verdict": version.verdict,
        "lineage": version.lineage, "drift": (version.shadow or {}).get("drift", {}),
        "failed_shadow": (version.shadow or {}).get("failed"), "live": live.as_json() if live else None, "shadow_runs": sum(run.role == "shadow" for run in runs),
        "revision": slot.revision, "watch_until": slot.watch_until if slot.champion_id == version.id else None,
    }  # fmt: skip


def listed(services: Services, tenant: TenantId) -> list[dict[str, Any]]:
    """One entry per name: its newest version, and which version serves."""
    with services.store.read() as connection:
        versions = model_versions.list_all(connection, tenant)
        slots = {slot.champion_id: slot for slot in model_slots.list_all(connection, tenant) if slot.champion_id}
    found: dict[str, dict[str, Any]] = {}
    for version in versions:
        entry = found.setdefault(version.name, {"newest": brief(settle(services.core, version)), "champion": None, "versions": 0})
        entry["versions"] += 1
        if version.id in slots:
            entry["champion"] = version.version
    return [{"name": name, **entry} for name, entry in sorted(found.items())]


def versions_of(services: Services, tenant: TenantId, name: str) -> tuple[StoredVersion, ...]:
    """Newest first. Raises: NotFound, also for another tenant's model."""
    parse_model_name(tenant, name)
    with services.store.read() as connection:
        found = model_versions.of_name(connection, tenant, name)
    return tuple(settle(services.core, version) for version in found)


def version_of(services: Services, tenant: TenantId, name: str, number: int) -> StoredVersion:
    """Raises: NotFound, also for another tenant's model."""
    parse_model_name(tenant, name)
    with services.store.read() as connection:
        return settle(services.core, model_versions.named(connection, tenant, name, number))


def slots_of(services: Services, tenant: TenantId) -> list[dict[str, Any]]:
    """Which metrics a custom model serves."""
    with services.store.read() as connection:
        slots = model_slots.list_all(connection, tenant)
        return [_slot(slot, {v.id: str(v) for v in model_versions.list_all(connection, tenant)}) for slot in slots]


def log_of(services: Services, tenant: TenantId, name: str, *, before_id: str | None = None, limit: int = 50) -> list[dict[str, Any]]:
    """Newest first, with people by their names. Raises: NotFound."""
    versions_of(services, tenant, name)
    with services.store.read() as connection:
        entries = model_log.read(connection, tenant, name=name, before_id=before_id, limit=limit)
        people = _people(services, tenant, [entry.actor for entry in entries])
    return [asdict(entry) | {"who": people.get(entry.actor, entry.actor)} for entry in entries]


def people_of(services: Services, tenant: TenantId, keys: Sequence[str]) -> dict[str, str]:
    """User id -> name; those who are gone are left out."""
    return _people(services, tenant, list(keys))


def _people(services: Services, tenant: TenantId, keys: list[str]) -> dict[str, str]:
    found = {"system": "Querent"}
    with services.store.read() as connection:
        for key in set(keys) - {"system"}:
            try:
                found[key] = users.get(connection, tenant, key).display_name  # type: ignore[arg-type]
            except NotFound:
                continue
    return found


def _slot(slot: Slot, names: dict[str, str]) -> dict[str, Any]:
    return {
        "kind": slot.kind, "metric": slot.metric, "champion": names.get(slot.champion_id or "", OWN),
        "previous": names.get(slot.previous_id or "", OWN) if slot.champion_id else None, "revision": slot.revision,
        "promoted_by": slot.promoted_by, "promoted_at": slot.promoted_at, "watch_until": slot.watch_until,
    }  # fmt: skip
