"""Who serves: promoted by a second person, rolled back in one call, never by two at once. The state store is the truth."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from sqlalchemy.engine import Connection

from core.errors import Conflict, Forbidden
from core.ids import TenantId
from core.principal import Principal
from core.store import model_log, model_runs, model_slots, model_versions
from core.store.model_log import Action, Deed
from core.store.model_slots import Slot
from core.store.model_versions import StoredVersion, VersionState
from workers.bootstrap import Services
from workers.custom.accept import require_registrar
from workers.live import together
from workers.principals import SYSTEM_USER, system_principal
from workers.queue import enqueue

WATCH = dt.timedelta(days=28)
WATCHED_KINDS = ("forecast",)  # of the others nobody ever learns what would have been right
OWN = "Querent's own model"


def promote(
    services: Services, principal: Principal, name: str, version: int, *, note: str = "", expected_revision: int | None = None
) -> StoredVersion:
    """Makes a challenger the champion of its metric; the champion until now is kept as previous.

    expected_revision: of the slot when the person looked; by default as it is now. A challenger that was champion before may come again.
    Raises: Forbidden; NotFound; Conflict `same_person`, `not_a_challenger`, `already_champion`, `slot_changed`.
    """
    require_registrar(principal)
    with services.store.read() as connection:
        found = model_versions.named(connection, principal.tenant, name, version)
        slot = model_slots.get(connection, principal.tenant, found.kind, found.metric)
    if principal.user == SYSTEM_USER:
        raise Forbidden("A promotion needs a person who answers for it; say who (--as).", code="person_needed")
    if found.created_by == principal.user:
        raise Conflict("Whoever registered a version may not promote it; ask a second data scientist or an admin.", code="same_person")
    if found.state is VersionState.CHAMPION:
        raise Conflict(f"{found} is the champion already.", code="already_champion")
    if found.state not in (VersionState.CHALLENGER, VersionState.PREVIOUS, VersionState.RETIRED):
        raise Conflict(f"Only a challenger can be promoted; {found} is {found.state.value}.", code="not_a_challenger")
    if expected_revision is not None and expected_revision != slot.revision:
        raise Conflict("Somebody else changed which model serves this metric; look again and decide anew.", code="slot_changed")
    now = services.clock.now()
    with services.store.write() as connection:
        model_slots.put(
            connection,
            principal.tenant,
            replace(
                slot,
                champion_id=found.id,
                previous_id=slot.champion_id,
                promoted_by=principal.user,
                promoted_at=now,
                watch_until=now + WATCH if found.kind in WATCHED_KINDS else None,
            ),
        )
        if slot.previous_id is not None and slot.previous_id != found.id:
            _state(connection, principal.tenant, slot.previous_id, VersionState.RETIRED, now)
        if slot.champion_id is not None:
            _state(connection, principal.tenant, slot.champion_id, VersionState.PREVIOUS, now)
        if not model_versions.move(connection, principal.tenant, found.id, found.state, VersionState.CHAMPION, now=now):
            raise Conflict(f"{found} was changed by somebody else just now; look again.", code="slot_changed")
        evidence = _evidence(connection, found) | {
            "note": note[:1000],
            "instead_of": _label(connection, principal.tenant, slot.champion_id),
        }
        model_log.append(connection, principal.tenant, Deed(found.name, found.version, principal.user, "promoted", evidence), now=now)
        made = model_versions.get(connection, principal.tenant, found.id)
    mirror(services, principal.tenant)
    return made


def rollback(
    services: Services, principal: Principal, name: str, *, reason: str = "", action: Action = "rolled back", evidence: Any = None
) -> str:
    """Brings back what served before the champion of that name, in one transaction; its label. A person of the role, or the watch, may.

    Raises: Forbidden; NotFound; Conflict `not_champion` when no version of that name serves; `slot_changed`.
    """
    require_registrar(principal)
    with services.store.read() as connection:
        versions = model_versions.of_name(connection, principal.tenant, name)
        slot = model_slots.get(connection, principal.tenant, versions[0].kind, versions[0].metric)
        champion = next((v for v in versions if v.id == slot.champion_id), None)
    if champion is None:
        raise Conflict(f"No version of {name} serves now, so there is nothing to roll back.", code="not_champion")
    now = services.clock.now()
    with services.store.write() as connection:
        back = replace(
            slot, champion_id=slot.previous_id, previous_id=None, promoted_by=principal.user, promoted_at=now, watch_until=None
        )  # fmt: skip
        model_slots.put(connection, principal.tenant, back)
        _state(connection, principal.tenant, champion.id, VersionState.RETIRED, now)
        if slot.previous_id is not None:
            _state(connection, principal.tenant, slot.previous_id, VersionState.CHAMPION, now)
        label = _label(connection, principal.tenant, slot.previous_id)
        told = {"reason": reason[:1000], "back_to": label, **(evidence or {})}
        model_log.append(connection, principal.tenant, Deed(name, champion.version, principal.user, action, told), now=now)
    mirror(services, principal.tenant)
    return label


def withdraw(services: Services, principal: Principal, name: str, version: int, *, reason: str = "") -> StoredVersion:
    """Takes a version out of use for good; its card, reports and log stay. Raises: Forbidden; NotFound; Conflict for the champion."""
    require_registrar(principal)
    now = services.clock.now()
    with services.store.write() as connection:
        found = model_versions.named(connection, principal.tenant, name, version)
        if found.state is VersionState.CHAMPION:
            raise Conflict("The champion cannot be withdrawn; roll it back first.", code="is_champion")
        slot = model_slots.get(connection, principal.tenant, found.kind, found.metric)
        if slot.previous_id == found.id:
            model_slots.put(connection, principal.tenant, replace(slot, previous_id=None))
        _state(connection, principal.tenant, found.id, VersionState.WITHDRAWN, now)
        deed = Deed(name, version, principal.user, "withdrawn", {"reason": reason[:1000], "was": found.state.value})
        model_log.append(connection, principal.tenant, deed, now=now)
        made = model_versions.get(connection, principal.tenant, found.id)
    mirror(services, principal.tenant)
    return made


def mirror(services: Services, tenant: TenantId) -> None:
    """Has MLflow's aliases follow, by a worker: who promotes does not wait for MLflow."""
    enqueue(services, "mirror_models", {}, system_principal(tenant))


def _state(connection: Connection, tenant: TenantId, key: str, state: VersionState, now: dt.datetime) -> None:
    model_versions.update(connection, tenant, key, {"state": state}, now=now)


def _label(connection: Connection, tenant: TenantId, key: str | None) -> str:
    return OWN if key is None else str(model_versions.get(connection, tenant, key))


def _evidence(connection: Connection, version: StoredVersion) -> dict[str, Any]:
    """What was known when it was promoted."""
    live = together(model_runs.of_version(connection, version.tenant_id, version.id))
    return {
        "sha256": version.sha256,
        "registered_by": version.created_by,
        "verdict": dict(version.verdict or {}),
        "shadow": live.as_json() if live else None,
        "run_id": version.run_id,
    }


def slot_of(services: Services, tenant: TenantId, version: StoredVersion) -> Slot:
    with services.store.read() as connection:
        return model_slots.get(connection, tenant, version.kind, version.metric)
