"""Evaluations: what became of the verified questions when they were run again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from core.ids import TenantId, UserId, new_id
from core.store import scope
from core.store.tables import evaluations


@dataclass(frozen=True, slots=True)
class NewEvaluation:
    """report: one entry a question, JSON. base_version: with which catalog it was compared, None without one."""

    job_id: str | None
    catalog_version: int
    base_version: int | None
    questions: int
    regressions: int
    report: Mapping[str, Any]
    created_by: UserId


@dataclass(frozen=True, slots=True)
class Evaluation:
    id: str
    job_id: str | None
    catalog_version: int
    base_version: int | None
    questions: int
    regressions: int
    report: Mapping[str, Any]
    created_by: UserId
    created_at: datetime


def save(connection: Connection, tenant: TenantId, new: NewEvaluation, *, now: datetime) -> Evaluation:
    """One per job: a second run of a job replaces what the first wrote."""
    values: dict[str, Any] = {f.name: getattr(new, f.name) for f in fields(new)} | {"created_at": now}
    if new.job_id is not None and scope.change(connection, evaluations, tenant, values, evaluations.c.job_id == new.job_id):
        row = scope.find(connection, evaluations, tenant, evaluations.c.job_id == new.job_id)
        return get(connection, tenant, str(row["id"] if row is not None else ""))
    key = new_id("evl")
    scope.add(connection, evaluations, tenant, values | {"id": key})
    return get(connection, tenant, key)


def get(connection: Connection, tenant: TenantId, key: str) -> Evaluation:
    """Raises: NotFound."""
    return _evaluation(scope.get(connection, evaluations, tenant, "evaluation", key))


def list_all(connection: Connection, tenant: TenantId, *, before_id: str | None = None, limit: int = 50) -> tuple[Evaluation, ...]:
    """Newest first; `before_id` is the last id of the page before."""
    older = [evaluations.c.id < before_id] if before_id is not None else []
    return tuple(map(_evaluation, scope.page(connection, evaluations, tenant, *older, order=[evaluations.c.id.desc()], limit=limit)))


_FIELDS = tuple(f.name for f in fields(Evaluation))


def _evaluation(row: scope.Row) -> Evaluation:
    return Evaluation(**{name: row[name] for name in _FIELDS})
