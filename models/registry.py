"""Runs and model versions in MLflow: one experiment per tenant, idempotent by key, aliases champion, challenger and previous."""

from __future__ import annotations

import fcntl
import math
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from core.errors import Conflict, InternalError, NotFound, Unavailable
from core.ids import TenantId
from models.lineage import Lineage
from models.names import ModelName, parse_model_name

Alias = Literal["champion", "challenger", "previous"]
_KEY, _KIND, _METRIC = "querent.key", "querent.kind", "querent.metric"
_MAX_PARAM = 500
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What a run leaves. key: makes logging idempotent (a job's id). metrics: finite numbers; others are left out.

    files: path -> JSON value, kept as the run's artifacts; those under `model/` are the registered version's content. uploads: artifact
    folder -> file to be kept there as it is.
    """

    model: ModelName
    key: str
    lineage: Lineage
    params: Mapping[str, str | int | float | bool | None] = field(default_factory=lambda: _NOTHING)
    metrics: Mapping[str, float] = field(default_factory=lambda: _NOTHING)
    files: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    uploads: Mapping[str, Path] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, slots=True)
class ModelVersion:
    name: ModelName
    version: int
    run_id: str
    key: str
    aliases: tuple[str, ...]
    lineage: Mapping[str, str]
    created_at_ms: int

    def __str__(self) -> str:
        return f"{self.name}/{self.version}"


class Registry:
    """`url`: MLflow tracking URI; `root`: folder for artifacts and, on SQLite, the lock that lets one process make the schema."""

    def __init__(self, url: str, root: Path) -> None:
        self._url = url
        self._root = root.resolve()
        os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

    def log_run(self, record: RunRecord) -> ModelVersion:
        """Logs the run and registers its model version; a second call with the same key returns what the first one made.

        Raises: Unavailable when MLflow does not answer.
        """
        with _translated():
            experiment = self._experiment(record.model.tenant)
            run_id = self._finished_run(experiment, record) or self._write_run(experiment, record)
            return self._version_of(record, run_id)

    def log_batch(self, record: RunRecord) -> str:
        """Logs a run without registering a version; the run's id. A second call with the same key returns what the first one made.

        Raises: Unavailable when MLflow does not answer.
        """
        with _translated():
            experiment = self._experiment(record.model.tenant)
            return self._finished_run(experiment, record) or self._write_run(experiment, record)

    def log_live(self, tenant: TenantId, run_id: str, metrics: Mapping[str, float]) -> None:
        """Adds figures that became known later to a run, such as how its forecasts turned out. Raises: NotFound; Unavailable."""
        from mlflow.entities import Metric

        with _translated():
            run = self._client.get_run(run_id)
            if run.info.experiment_id != self._experiment(tenant):
                raise NotFound(f"There is no run {run_id[:60]!r}.", code="unknown_run")
            at_ms = time.time_ns() // 1_000_000
            found = [Metric(name, float(value), at_ms, 0) for name, value in metrics.items() if math.isfinite(value)]
            self._client.log_batch(run_id, metrics=found)

    def promote(self, tenant: TenantId, version: ModelVersion) -> None:
        """Makes it champion; the champion until now becomes previous. Again for the champion: no change. Raises: NotFound."""
        name = str(parse_model_name(tenant, str(version.name)))
        with _translated():
            champion = self._aliased(name, "champion")
            if champion is not None and champion.version == version.version:
                return
            if champion is not None:
                self._client.set_registered_model_alias(name, "previous", str(champion.version))
            self._client.set_registered_model_alias(name, "champion", str(version.version))

    def rollback(self, tenant: TenantId, text: str) -> ModelVersion:
        """Makes the previous version champion again; the two change places. Raises: NotFound; Conflict when there is no previous one."""
        name = str(parse_model_name(tenant, text))
        with _translated():
            previous = self._aliased(name, "previous")
            if previous is None:
                raise Conflict(f"Model {name!r} has no previous version to go back to.", code="no_previous_version")
            self.promote(tenant, previous)
            return self._version(name, previous.version)

    def champion(self, model: ModelName) -> ModelVersion | None:
        with _translated():
            return self._aliased(str(model), "champion")

    def versions(self, tenant: TenantId, text: str) -> tuple[ModelVersion, ...]:
        """Newest first. Raises: NotFound, also for another tenant's model."""
        name = str(parse_model_name(tenant, text))
        with _translated():
            found = self._client.search_model_versions(f"name='{name}'", order_by=["version_number DESC"], max_results=1000)
            if not found:
                raise NotFound(f"There is no model {text[:120]!r}.", code="unknown_model")
            return tuple(self._version(name, int(item.version)) for item in found)

    def models(self, tenant: TenantId) -> tuple[ModelName, ...]:
        """The tenant's models by name."""
        with _translated():
            names: list[str] = []
            token = None
            while True:
                page = self._client.search_registered_models(f"name LIKE '{tenant}.%'", max_results=1000, page_token=token)
                names += [item.name for item in page if item.name.startswith(f"{tenant}.")]
                token = page.token
                if not token:
                    return tuple(parse_model_name(tenant, name) for name in sorted(names))

    def file(self, tenant: TenantId, version: ModelVersion, path: str) -> Any:
        """A JSON file that the version's run left. Raises: NotFound."""
        parse_model_name(tenant, str(version.name))
        from mlflow.artifacts import load_dict

        with _translated():
            run = self._client.get_run(version.run_id)
            return load_dict(f"{run.info.artifact_uri}/{path}")

    def remove_tenant(self, tenant: TenantId) -> int:
        """Removes all models, runs and artifacts of a tenant; how many models there were. Raises: Unavailable."""
        names = self.models(tenant)
        with _translated():
            for name in names:
                self._client.delete_registered_model(str(name))
            known = self._client.get_experiment_by_name(tenant)
            if known is not None and known.lifecycle_stage == "active":
                self._client.rename_experiment(known.experiment_id, f"{tenant} removed {time.time_ns()}")  # so that the name is free again
                self._client.delete_experiment(known.experiment_id)
        shutil.rmtree(self._root / "artifacts" / tenant, ignore_errors=True)
        return len(names)

    def download(self, tenant: TenantId, run_id: str, path: str, folder: Path) -> Path:
        """A file that a run of the tenant left, below `folder`. Raises: NotFound, also for another tenant's run."""
        from mlflow.artifacts import download_artifacts

        with _translated():
            run = self._client.get_run(run_id)
            experiment = self._client.get_experiment_by_name(tenant)
            if experiment is None or run.info.experiment_id != experiment.experiment_id:
                raise NotFound("The model registry has no such object.", code="unknown_model")
            uri = f"{run.info.artifact_uri}/{path}"
            return Path(download_artifacts(artifact_uri=uri, dst_path=str(folder), tracking_uri=self._url))

    def point(self, tenant: TenantId, text: str, alias: Alias, version: int | None) -> None:
        """Makes the alias mean that version, or nothing. Raises: NotFound."""
        name = str(parse_model_name(tenant, text))
        with _translated():
            if version is not None:
                self._client.set_registered_model_alias(name, alias, str(version))
            elif self._aliased(name, alias) is not None:
                self._client.delete_registered_model_alias(name, alias)

    def ping(self) -> None:
        """Raises: Unavailable."""
        with _translated():
            self._client.search_experiments(max_results=1)

    @cached_property
    def _client(self) -> Any:
        from mlflow.tracking import MlflowClient

        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / ".schema.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            client = MlflowClient(tracking_uri=self._url, registry_uri=self._url)
            client.search_experiments(max_results=1)  # on SQLite the first call makes the schema, which two processes must not do at once
        return client

    def _experiment(self, tenant: TenantId) -> str:
        known = self._client.get_experiment_by_name(tenant)
        if known is not None:
            return str(known.experiment_id)
        from mlflow.exceptions import MlflowException

        location = (self._root / "artifacts" / tenant).as_uri() if self._url.startswith("sqlite") else None
        try:
            return str(self._client.create_experiment(tenant, artifact_location=location))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            return str(self._client.get_experiment_by_name(tenant).experiment_id)

    def _finished_run(self, experiment: str, record: RunRecord) -> str | None:
        """The finished run of this key; an unfinished one, left by a killed process, is removed."""
        finished = None
        for run in self._client.search_runs([experiment], f"tags.`{_KEY}` = '{_key(record)}'"):
            if run.info.status == "FINISHED":
                finished = str(run.info.run_id)
            else:
                self._client.delete_run(run.info.run_id)
        return finished

    def _write_run(self, experiment: str, record: RunRecord) -> str:
        from mlflow.entities import Metric, Param

        tags = {_KEY: _key(record), _KIND: record.model.kind, _METRIC: record.model.metric}
        tags |= {f"lineage.{name}": str(value) for name, value in asdict(record.lineage).items()}
        run_id = str(self._client.create_run(experiment, run_name=f"{record.model.kind} {record.model.metric}", tags=tags).info.run_id)
        at_ms = time.time_ns() // 1_000_000
        metrics = [Metric(name, float(value), at_ms, 0) for name, value in record.metrics.items() if math.isfinite(value)]
        params = [Param(name, str(value)[:_MAX_PARAM]) for name, value in record.params.items()]
        self._client.log_batch(run_id, metrics=metrics, params=params)
        for path, value in record.files.items():
            self._client.log_dict(run_id, value, path)
        for folder, source in record.uploads.items():
            self._client.log_artifact(run_id, str(source), folder)
        self._client.set_terminated(run_id)
        return run_id

    def _version_of(self, record: RunRecord, run_id: str) -> ModelVersion:
        from mlflow.exceptions import MlflowException

        name = str(record.model)
        known = self._client.search_model_versions(f"run_id='{run_id}'")
        if known:
            return self._version(name, int(known[0].version))
        try:
            self._client.create_registered_model(name, tags={"tenant": record.model.tenant, "kind": record.model.kind})
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        source = f"{self._client.get_run(run_id).info.artifact_uri}/model"
        tags = {_KEY: _key(record)} | {f"lineage.{key}": str(value) for key, value in asdict(record.lineage).items()}
        made = self._client.create_model_version(name, source=source, run_id=run_id, tags=tags)
        return self._version(name, int(made.version))

    def _version(self, name: str, version: int) -> ModelVersion:
        found = self._client.get_model_version(name, str(version))
        tenant, kind, metric, short = name.split(".")
        return ModelVersion(
            name=ModelName(TenantId(tenant), kind, metric, short),
            version=int(found.version),
            run_id=str(found.run_id),
            key=found.tags.get(_KEY, ""),
            aliases=tuple(sorted(found.aliases)),
            lineage={key.removeprefix("lineage."): value for key, value in found.tags.items() if key.startswith("lineage.")},
            created_at_ms=int(found.creation_timestamp),
        )

    def _aliased(self, name: str, alias: Alias) -> ModelVersion | None:
        from mlflow.exceptions import MlflowException

        try:
            found = self._client.get_model_version_by_alias(name, alias)
        except MlflowException as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise
        return self._version(name, int(found.version))


def _key(record: RunRecord) -> str:
    if "'" in record.key or "`" in record.key:
        raise InternalError("a run's key must not contain quotes", code="bad_run_key")
    return record.key


@contextmanager
def _translated() -> Iterator[None]:
    """MLflow's and its transport's errors as ours."""
    import requests
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import OperationalError

    try:
        yield
    except (requests.RequestException, OperationalError) as error:
        raise Unavailable("MLflow does not answer now; try again in a moment.", code="mlflow_unavailable") from error
    except MlflowException as error:
        if error.error_code in ("TEMPORARILY_UNAVAILABLE", "DEADLINE_EXCEEDED", "REQUEST_LIMIT_EXCEEDED"):
            raise Unavailable("MLflow does not answer now; try again in a moment.", code="mlflow_unavailable") from error
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"):
            raise NotFound("The model registry has no such object.", code="unknown_model") from error
        raise InternalError(f"MLflow refused: {error.error_code}", code="mlflow_error") from error
