"""What a challenger or a fresh champion forecast while Querent's own model forecast the same; scored when the actual values are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

from sqlalchemy.engine import Connection

from core.ids import TenantId, new_id
from core.store import scope
from core.store.tables import model_runs

RunRole = Literal["shadow", "champion"]


@dataclass(frozen=True, slots=True)
class ModelRun:
    """points: {"t": [...], "custom": [...], "own": [...], "scale": number}. score: None until something could be compared."""

    id: str
    version_id: str
    role: str
    metric: str
    grain: str
    job_id: str
    points: Mapping[str, Any]
    score: Mapping[str, Any] | None
    made_at: datetime
    scored_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewRun:
    version_id: str
    role: RunRole
    metric: str
    grain: str
    job_id: str
    points: Mapping[str, Any]


def put(connection: Connection, tenant: TenantId, new: NewRun, *, now: datetime) -> None:
    """Written once per version, role, metric and job; a second time changes nothing."""
    c = model_runs.c
    same = (c.version_id == new.version_id, c.role == new.role, c.metric == new.metric, c.job_id == new.job_id)
    if scope.find(connection, model_runs, tenant, *same) is None:
        values = {field.name: getattr(new, field.name) for field in fields(NewRun)}
        scope.add(connection, model_runs, tenant, values | {"id": new_id("mrn"), "made_at": now})


def of_version(connection: Connection, tenant: TenantId, version_id: str, *, limit: int = 100) -> tuple[ModelRun, ...]:
    """Newest first."""
    c = model_runs.c
    rows = scope.page(connection, model_runs, tenant, c.version_id == version_id, order=[c.made_at.desc(), c.id.desc()], limit=limit)
    return tuple(ModelRun(**{field.name: row[field.name] for field in fields(ModelRun)}) for row in rows)


def score(connection: Connection, tenant: TenantId, key: str, found: Mapping[str, Any], *, now: datetime) -> None:
    scope.change(connection, model_runs, tenant, {"score": dict(found), "scored_at": now}, model_runs.c.id == key)
