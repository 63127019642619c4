"""Proposals: synonyms and verified questions that people's feedback suggests, until an analyst approves or rejects them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

from sqlalchemy.engine import Connection

from core.errors import Conflict
from core.ids import TenantId, UserId, new_id
from core.store import scope
from core.store.tables import proposals

ProposalKind = Literal["synonym", "verified"]
ProposalStatus = Literal["open", "approved", "rejected"]


@dataclass(frozen=True, slots=True)
class NewProposal:
    """payload: JSON, the same for the same proposal. summary: one sentence for people."""

    kind: ProposalKind
    payload: Mapping[str, Any]
    summary: str
    question_id: str | None = None

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(json.dumps([self.kind, self.payload], sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Proposal:
    """`voices`: how often it was suggested. `catalog_version`: what its approval published."""

    id: str
    kind: ProposalKind
    payload: Mapping[str, Any]
    summary: str
    status: ProposalStatus
    voices: int
    question_id: str | None
    proposed_by: UserId
    decided_by: UserId | None
    catalog_version: int | None
    note: str
    created_at: datetime
    decided_at: datetime | None


def propose(connection: Connection, tenant: TenantId, user: UserId, new: NewProposal, *, now: datetime) -> Proposal:
    """The proposal, new or with one voice more. One that was decided stays decided."""
    same = proposals.c.fingerprint == new.fingerprint
    row = scope.find(connection, proposals, tenant, same)
    if row is None:
        values = {
            "id": new_id("prp"), "kind": new.kind, "fingerprint": new.fingerprint, "payload": new.payload, "summary": new.summary[:2_000],
            "status": "open", "voices": 1, "question_id": new.question_id, "proposed_by": user, "note": "", "created_at": now, "updated_at": now,
        }  # fmt: skip
        scope.add(connection, proposals, tenant, values)
        return get(connection, tenant, str(values["id"]))
    if row["proposed_by"] != user or row["question_id"] != new.question_id:
        scope.change(connection, proposals, tenant, {"voices": row["voices"] + 1, "updated_at": now}, same)
    return get(connection, tenant, row["id"])


def get(connection: Connection, tenant: TenantId, key: str) -> Proposal:
    """Raises: NotFound."""
    return _proposal(scope.get(connection, proposals, tenant, "proposal", key))


def list_all(
    connection: Connection, tenant: TenantId, *, status: ProposalStatus | None = None, before_id: str | None = None, limit: int = 100
) -> tuple[Proposal, ...]:
    """Newest first."""
    conditions = [proposals.c.status == status] if status is not None else []
    if before_id is not None:
        conditions.append(proposals.c.id < before_id)
    return tuple(map(_proposal, scope.page(connection, proposals, tenant, *conditions, order=[proposals.c.id.desc()], limit=limit)))


def decide(
    connection: Connection,
    tenant: TenantId,
    key: str,
    user: UserId,
    status: Literal["approved", "rejected"],
    *,
    now: datetime,
    note: str = "",
    catalog_version: int | None = None,
) -> Proposal:
    """Raises: NotFound; Conflict when it was decided before."""
    values = {
        "status": status,
        "decided_by": user,
        "decided_at": now,
        "updated_at": now,
        "note": note[:2_000],
        "catalog_version": catalog_version,
    }
    if not scope.change(connection, proposals, tenant, values, proposals.c.id == key, proposals.c.status == "open"):
        found = get(connection, tenant, key)
        raise Conflict(f"This proposal was {found.status} already.", code="proposal_decided")
    return get(connection, tenant, key)


_FIELDS = tuple(f.name for f in fields(Proposal))


def _proposal(row: scope.Row) -> Proposal:
    return Proposal(**{name: row[name] for name in _FIELDS})
