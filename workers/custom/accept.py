"""Takes an uploaded package in: looks at it without running it, keeps it, and starts its registration."""

from __future__ import annotations

import contextlib
import datetime as dt
from pathlib import Path

from core.errors import Forbidden, Invalid, TooLarge
from core.ids import JobId, TenantId
from core.principal import Principal
from core.rights import Right, may
from core.store import jobs, model_log, model_versions, tenants
from core.store.jobs import JobStatus
from core.store.model_log import Deed
from core.store.model_versions import NewVersion, StoredVersion, VersionState
from models.names import ModelName
from models.sdk.card import ANY_METRIC, ModelCard
from models.sdk.package import Inspected, inspect, unmet
from semantic.catalog.visible import visible_to
from workers.bootstrap import Services
from workers.packages import PackageFiles
from workers.queue import enqueue

MAX_PACKAGE_BYTES = 256 * 1024**2
NAME_KINDS = {"forecaster": "forecast", "detector": "detect", "explainer": "explain"}
PICKLES_ALLOWED = "allow_pickle_models"  # in a tenant's settings
RESERVED = ("auto",)


def require_registrar(principal: Principal) -> None:
    """Raises: Forbidden."""
    if not may(principal, Right.MODELS):
        raise Forbidden("Data scientists and admins register models; ask one of them.")


def accept(services: Services, principal: Principal, draft: Path, *, expected_sha256: str | None = None) -> StoredVersion:
    """The new version, whose registration runs as a job; the same content again is the version it was.

    draft: the uploaded file, inside the installation's home; it is moved or removed. Nothing of it is run here.
    Raises: Forbidden; TooLarge; Invalid for a package that cannot be used, with what was expected; Conflict for withdrawn content.
    """
    require_registrar(principal)
    try:
        if draft.stat().st_size > MAX_PACKAGE_BYTES:
            raise TooLarge(f"A package has at most {MAX_PACKAGE_BYTES:,} bytes; found {draft.stat().st_size:,}.", code="package_too_large")
        found = inspect(draft)
        if expected_sha256 is not None and expected_sha256.lower() != found.sha256:
            raise Invalid(f"The upload's sha256 is {found.sha256}; {expected_sha256[:64]} was announced.", code="sha256_differs")
        check_use(services, principal, found)
        PackageFiles(services.settings.home, services.registry).keep(principal.tenant, draft, found.sha256)
        version = _create(services, principal, found)
    finally:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
    return start(services, principal, version)


def check_use(services: Services, principal: Principal, found: Inspected) -> None:
    """What can be said of a package before anything of it runs. Raises: Invalid, NotFound for an unknown metric, Forbidden for pickles."""
    card = found.card
    if card.name in RESERVED:
        raise Invalid(f"The name {card.name!r} is Querent's own; choose another.", code="bad_model_card", path="/name")
    catalog = visible_to(services.catalog(principal.tenant), principal)
    if card.metric != ANY_METRIC:
        catalog.metric(card.metric)
    missing = unmet(card)
    if missing:
        raise Invalid(
            f"The package's requirements differ from this service's environment: {'; '.join(missing[:10])}. "
            "Train with the versions that are installed here, or ask the operator to install yours.",
            code="environment_differs", path="/requirements",
        )  # fmt: skip
    with services.store.read() as connection:
        allowed = bool(tenants.get(connection, principal.tenant).settings.get(PICKLES_ALLOWED))
    if found.pickles and not allowed:
        raise Forbidden(
            f"Loading {', '.join(found.pickles[:5])} runs its author's code, which this tenant does not allow. Keep weights in a format "
            f"that is only data (npz, Parquet, ONNX, JSON), or have an admin allow it ({PICKLES_ALLOWED}).",
            code="pickle_not_allowed",
        )


def name_of(tenant: TenantId, card: ModelCard) -> ModelName:
    return ModelName(tenant, NAME_KINDS[card.kind], card.metric, card.name)


def start(services: Services, principal: Principal, version: StoredVersion) -> StoredVersion:
    """Sees to it that a version being checked has its job; the version as it then is."""
    if version.state is not VersionState.CHECKING:
        return version
    job = enqueue(services, "register_model", {"version": version.id}, principal, f"register-{version.id}")
    now = services.clock.now()
    with services.store.write() as connection:
        model_versions.update(connection, principal.tenant, version.id, {"job_id": job}, now=now)
        return model_versions.get(connection, principal.tenant, version.id)


def settle(services: Services, version: StoredVersion) -> StoredVersion:
    """A version whose registration ended without a verdict (cancelled, lost too often) is refused with what its job says."""
    if version.state is not VersionState.CHECKING or version.job_id is None:
        return version
    with services.store.read() as connection:
        job = jobs.get(connection, version.tenant_id, JobId(version.job_id))
    if job.status not in (JobStatus.FAILED, JobStatus.CANCELLED):
        return version
    why = (job.error or {}).get("message") or "The registration was cancelled."
    refuse(services, version, [str(why)])
    with services.store.read() as connection:
        return model_versions.get(connection, version.tenant_id, version.id)


def refuse(services: Services, version: StoredVersion, reasons: list[str]) -> None:
    """Once; a version that is refused already stays as it is."""
    now = services.clock.now()
    with services.store.write() as connection:
        if not model_versions.move(connection, version.tenant_id, version.id, version.state, VersionState.REFUSED, now=now):
            return
        model_versions.update(connection, version.tenant_id, version.id, {"reason": "\n".join(reasons)[:8000]}, now=now)
        deed = Deed(version.name, version.version, "system", "refused", {"reasons": reasons[:20], "sha256": version.sha256})
        model_log.append(connection, version.tenant_id, deed, now=now)


def _create(services: Services, principal: Principal, found: Inspected) -> StoredVersion:
    now: dt.datetime = services.clock.now()
    name = name_of(principal.tenant, found.card)
    new = NewVersion(
        name=str(name),
        kind=name.kind,
        metric=name.metric,
        sha256=found.sha256,
        size_bytes=found.size_bytes,
        card=found.card.as_json(),
        created_by=principal.user,
    )
    with services.store.write() as connection:
        version, is_new = model_versions.create(connection, principal.tenant, new, now=now)
        if is_new:
            evidence = {"sha256": found.sha256, "size_bytes": found.size_bytes, "pickles": list(found.pickles)[:20]}
            model_log.append(
                connection, principal.tenant, Deed(str(name), version.version, principal.user, "registered", evidence), now=now
            )
    return version
