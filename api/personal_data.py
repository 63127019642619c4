"""Fields that seem to tell of persons: what inference took them for, the data class it proposes, and an analyst's decision."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from api import schemas
from api.learning import evaluate_later
from api.services import Services
from core.errors import Invalid
from core.principal import Principal
from core.store import catalogs
from semantic.catalog.infer.pii import proposed_class
from semantic.catalog.model import CatalogField, DataClass
from semantic.expr import FieldRef

MAX_DECISIONS = 500
Name = Annotated[str, Field(min_length=1, max_length=128)]


class PersonalField(BaseModel):
    """`kind`: what its name or values look like; None where somebody decided already. `proposed`: the class that follows from the kind."""

    dataset: str
    field: str
    label: str
    kind: str | None
    data_class: DataClass
    proposed: DataClass | None


class Decision(schemas.In):
    """`personal` False says that the field tells of nobody; its values are then indexed like any other's."""

    dataset: Name
    field: Name
    personal: bool = True
    data_class: DataClass


class DecisionsBody(schemas.In):
    decisions: list[Decision] = Field(min_length=1, max_length=MAX_DECISIONS)
    expected_version: int | None = Field(default=None, ge=0, le=2**31 - 1)


def listed(services: Services, caller: Principal) -> list[PersonalField]:
    """Those to be looked at first, then those that were. Without what the caller may not know of. Raises: NotFound without a catalog."""
    catalog = services.catalogs.visible(caller).catalog
    found = [_view(d.name, f) for d in catalog.datasets for f in d.fields if f.pii or f.personal]
    return sorted(found, key=lambda one: one.kind is None)


def decide(services: Services, caller: Principal, body: DecisionsBody) -> int:
    """The version of the catalog that says so. Raises: NotFound; Conflict when the catalog changed since; Invalid for a field named twice."""
    catalog = services.catalogs.full(caller.tenant)
    seen = services.catalogs.visible(caller).catalog
    chosen = {(one.dataset, one.field): one for one in body.decisions}
    if len(chosen) < len(body.decisions):
        raise Invalid("A field is decided on twice; say once what it is.", code="decided_twice", path="/decisions")
    for dataset, field in chosen:
        seen.field(FieldRef(dataset=dataset, field=field))
    datasets = tuple(
        d.model_copy(update={"fields": tuple(_decided(f, chosen.get((d.name, f.name))) for f in d.fields)}) for d in catalog.datasets
    )
    document = catalog.model_copy(update={"datasets": datasets}).model_dump(mode="json")
    expected = catalog.version if body.expected_version is None else body.expected_version
    new = catalogs.NewCatalog(document=document, author=caller.user, note="Personal data looked at", expected_version=expected)
    with services.store.write() as connection:
        saved = catalogs.append(connection, caller.tenant, new, now=services.clock.now())
    evaluate_later(services, caller, saved.version)
    return saved.version


def _view(dataset: str, field: CatalogField) -> PersonalField:
    proposed = proposed_class(field.personal) if field.personal is not None else None
    return PersonalField(
        dataset=dataset, field=field.name, label=field.label, kind=field.personal, data_class=field.data_class, proposed=proposed
    )


def _decided(field: CatalogField, decision: Decision | None) -> CatalogField:
    if decision is None:
        return field
    return field.model_copy(update={"personal": None, "pii": decision.personal, "data_class": decision.data_class})
