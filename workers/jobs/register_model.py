"""Registration of a custom model: checked behind walls, compared on real data, judged, registered, tried beside the champion.

Each step's result is kept with the version, so that a restarted run goes on where the last one was stopped.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.errors import UserError
from core.store import model_log, model_versions
from core.store.model_log import Deed
from core.store.model_versions import StoredVersion, VersionState
from models.conformance import check_model
from models.gate.verdict import Criterion
from models.lineage import Lineage, code_version
from models.names import parse_model_name
from models.registry import RunRecord
from models.sandbox.limits import MB, Limits
from models.sdk.card import ModelCard, card_of
from models.sdk.failures import ModelFailed
from models.sdk.package import inspect
from workers.champions import SANDBOX_QUEUE, walled
from workers.context import BelongsElsewhere, JobContext
from workers.custom.accept import check_use, refuse
from workers.custom.compare import compare
from workers.custom.shadow import run_shadow
from workers.kinds import RegisterModelParams
from workers.packages import PackageFiles

CHECK_LIMITS = Limits(cpu_s=60, wall_s=60, memory_bytes=2048 * MB)
_CODE = ("models", "forecasting", "anomaly")


def run(context: JobContext) -> dict[str, Any]:
    """{"model", "version", "state", "reasons"}. A refusal is a result, not an error.

    Raises: Unavailable when warehouse, MLflow or the walls are away (the job then waits and goes on).
    """
    if context.queue != SANDBOX_QUEUE:
        raise BelongsElsewhere(SANDBOX_QUEUE)
    params = RegisterModelParams.model_validate(context.job.params)
    version = _version(context, params.version)
    if version.state is not VersionState.CHECKING:
        return _result(version)
    card = card_of(dict(version.card))
    try:
        _look(context, version)
        version = _check(context, version, card)
        version = _compare(context, version, card)
        version = _register(context, version, card)
        version = _shadow(context, version, card)
    except UserError as error:  # what can be said to the registrar is a reason
        if error.retryable:
            raise
        refuse(context.services, version, error.message.split("\n"))
        return _result(_version(context, version.id))
    _accept(context, version)
    return _result(_version(context, version.id))


def _look(context: JobContext, version: StoredVersion) -> None:
    """Once more, as the file may have been changed and the tenant's rules too. Raises: UserError."""
    context.progress("check", 0, 1)
    found = inspect(PackageFiles(context.services.settings.home, context.services.registry).packed(version))
    if found.card.as_json() != card_of(dict(version.card)).as_json():
        raise ModelFailed("The package's card is not the one that was registered.")
    check_use(context.services, context.principal, found)


def _check(context: JobContext, version: StoredVersion, card: ModelCard) -> StoredVersion:
    """Raises: ModelFailed with one line per check that failed."""
    if version.conformance is None:
        with walled(context.services, version, CHECK_LIMITS) as subject:
            report = check_model(subject, card, on_check=lambda done, total: context.progress("check", done, total))
        version = _kept(context, version, {"conformance": report.as_json()})
    if not (version.conformance or {})["passed"]:
        raise ModelFailed("\n".join(_failures((version.conformance or {})["checks"])))
    return version


def _failures(checks: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line per thing that is wrong, with the checks that it failed."""
    names: dict[str, list[str]] = {}
    for check in checks:
        if check["outcome"] == "failed":
            names.setdefault(str(check["detail"]), []).append(str(check["name"]))
    return [f"{', '.join(found[:3])}{f' and {len(found) - 3} more' if len(found) > 3 else ''}: {detail}" for detail, found in names.items()]


def _compare(context: JobContext, version: StoredVersion, card: ModelCard) -> StoredVersion:
    """Raises: ModelFailed with one line per criterion that failed; NotEnoughData; UserError for what cannot be asked."""
    context.progress("backtest", 0, 1)
    if version.verdict is None:
        found = compare(context, version, card)
        version = _kept(context, version, {"backtest": found.backtest, "verdict": found.verdict, "lineage": found.lineage})
    criteria = [Criterion(**item) for item in (version.verdict or {})["criteria"]]
    if not (version.verdict or {})["passed"]:
        raise ModelFailed("\n".join(str(item) for item in criteria if not item.passed))
    return version


def _register(context: JobContext, version: StoredVersion, card: ModelCard) -> StoredVersion:
    """Logs run, version and package to MLflow, once, and points the alias `challenger` at it. Raises: Unavailable."""
    context.progress("register", 0, 1)
    services = context.services
    lineage = version.lineage or {}
    record = RunRecord(
        model=parse_model_name(version.tenant_id, version.name),
        key=version.id,
        lineage=Lineage(
            str(lineage.get("query_hash", "")),
            int(lineage.get("catalog_version", 0)),
            str(lineage.get("data_version", "")),
            version.sha256[:16],
        ),
        params={"version": version.version, "owner": card.owner, "entry": card.entry, "sha256": version.sha256, "format": card.format},
        metrics=_numbers(version),
        files={
            "model/card.json": card.as_json(),
            "conformance.json": version.conformance,
            "backtest.json": version.backtest,
            "verdict.json": version.verdict,
            "environment.json": {"requirements": list(card.requirements), "service_code": code_version(_CODE)},
        },
        uploads={"model": _named(context, version)},
    )
    made = services.registry.log_run(record)
    services.registry.point(version.tenant_id, version.name, "challenger", made.version)
    return _kept(context, version, {"run_id": made.run_id, "lineage": {**lineage, "mlflow_version": made.version}})


def _named(context: JobContext, version: StoredVersion) -> Any:
    """The package under the name that it has in the registry."""
    packed = PackageFiles(context.services.settings.home, context.services.registry).packed(version)
    link = packed.with_name(version.sha256) / "package.zip"
    link.parent.mkdir(exist_ok=True)
    if not link.exists():
        try:
            link.hardlink_to(packed)
        except OSError:  # a file system without links
            shutil.copyfile(packed, link)
    return link


def _shadow(context: JobContext, version: StoredVersion, card: ModelCard) -> StoredVersion:
    context.progress("shadow", 0, 1)
    run_shadow(context, version, card)
    return _version(context, version.id)


def _accept(context: JobContext, version: StoredVersion) -> None:
    now = context.services.clock.now()
    evidence = {"verdict": dict(version.verdict or {}), "run_id": version.run_id, "lineage": dict(version.lineage or {})}
    with context.services.store.write() as connection:
        if model_versions.move(connection, version.tenant_id, version.id, VersionState.CHECKING, VersionState.CHALLENGER, now=now):
            deed = Deed(version.name, version.version, "system", "challenger", evidence)
            model_log.append(connection, version.tenant_id, deed, now=now)


def _numbers(version: StoredVersion) -> dict[str, float]:
    found: dict[str, float] = {}
    for run in (version.backtest or {}).get("runs", []):
        for name in ("candidate", "champion", "naive", "coverage_80", "coverage_95", "seconds_per_series", "recall", "champion_recall"):
            if isinstance(run.get(name), int | float):
                found[f"{run['metric']}.{name}"] = float(run[name])
    return found


def _version(context: JobContext, key: str) -> StoredVersion:
    with context.services.store.read() as connection:
        return model_versions.get(connection, context.tenant, key)


def _kept(context: JobContext, version: StoredVersion, values: Mapping[str, Any]) -> StoredVersion:
    with context.services.store.write() as connection:
        model_versions.update(connection, context.tenant, version.id, values, now=context.services.clock.now())
    return replace(version, **dict(values))


def _result(version: StoredVersion) -> dict[str, Any]:
    reasons = version.reason.split("\n") if version.reason else []
    return {"model": version.name, "version": version.version, "state": version.state.value, "reasons": reasons}
