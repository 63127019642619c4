"""Which custom model serves a metric. No row, or no champion: Querent's own models serve. Changes are by optimistic lock."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from core.errors import Conflict
from core.ids import TenantId, UserId, new_id
from core.store import scope
from core.store.tables import model_slots

ANY_METRIC = "*"


@dataclass(frozen=True, slots=True)
class Slot:
    """champion_id and previous_id: versions; None is Querent's own model. revision: grows with each change; 0 means no row yet."""

    kind: str
    metric: str
    champion_id: str | None
    previous_id: str | None
    revision: int
    promoted_by: UserId
    promoted_at: datetime | None
    watch_until: datetime | None


def get(connection: Connection, tenant: TenantId, kind: str, metric: str) -> Slot:
    """The slot of exactly this metric (or "*"); one without row is empty with revision 0."""
    row = scope.find(connection, model_slots, tenant, model_slots.c.kind == kind, model_slots.c.metric == metric)
    return _slot(row) if row is not None else Slot(kind, metric, None, None, 0, UserId(""), None, None)


def serving(connection: Connection, tenant: TenantId, kind: str, metric: str) -> Slot | None:
    """The slot whose champion serves the metric: its own before that of all metrics; None when Querent's own models serve."""
    for place in dict.fromkeys((metric, ANY_METRIC)):
        found = get(connection, tenant, kind, place)
        if found.champion_id is not None:
            return found
    return None


def list_all(connection: Connection, tenant: TenantId) -> tuple[Slot, ...]:
    c = model_slots.c
    return tuple(map(_slot, scope.page(connection, model_slots, tenant, order=[c.kind, c.metric], limit=1000)))


def put(connection: Connection, tenant: TenantId, new: Slot) -> Slot:
    """Writes `new` when the slot still has the revision that `new` carries; the slot with its next revision.

    Raises: Conflict (`slot_changed`) when somebody else was faster.
    """
    values = {field.name: getattr(new, field.name) for field in fields(Slot)} | {"revision": new.revision + 1}
    lost = Conflict("Somebody else changed which model serves this metric just now; look again and decide anew.", code="slot_changed")
    if new.revision == 0:
        try:
            with connection.begin_nested():
                scope.add(connection, model_slots, tenant, values | {"id": new_id("slt")})
        except IntegrityError as error:
            raise lost from error
        return get(connection, tenant, new.kind, new.metric)
    c = model_slots.c
    if scope.change(connection, model_slots, tenant, values, c.kind == new.kind, c.metric == new.metric, c.revision == new.revision) == 0:
        raise lost
    return get(connection, tenant, new.kind, new.metric)


def _slot(row: scope.Row) -> Slot:
    return Slot(**{field.name: row[field.name] for field in fields(Slot)})
