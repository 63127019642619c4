"""Data classes: how much each role may see, and the column rules that follow for one caller.

Without a clearance in the catalog everybody sees up to confidential, viewers and operators up to internal; restricted is for roles that are named.
What lies above a caller's clearance is hidden; confidential text is shown as a pseudonym, so that it still counts and groups.
"""

from __future__ import annotations

from typing import Literal

from core.principal import Principal, Role
from semantic.catalog.model import Catalog, CatalogField, ColumnRule, DataClass, FieldType

ORDER = {DataClass.PUBLIC: 0, DataClass.INTERNAL: 1, DataClass.CONFIDENTIAL: 2, DataClass.RESTRICTED: 3}
_USUAL = {role.value: DataClass.CONFIDENTIAL for role in Role} | {
    Role.VIEWER.value: DataClass.INTERNAL,
    Role.OPERATOR.value: DataClass.INTERNAL,
}


def clearance(catalog: Catalog, principal: Principal) -> DataClass:
    """The highest class that one of the caller's roles may see; internal for roles that nothing is said of."""
    named = {c.role: c.up_to for c in catalog.clearances}
    found = [named.get(role) or _USUAL.get(role, DataClass.INTERNAL) for role in principal.role_names]
    return max(found, key=ORDER.__getitem__, default=DataClass.INTERNAL)


def class_rules(catalog: Catalog, principal: Principal) -> tuple[ColumnRule, ...]:
    """What the classes of fields mean for this caller, as column rules that apply to them whatever their roles."""
    seen = ORDER[clearance(catalog, principal)]
    joined = {(r.from_dataset, f) for r in catalog.relationships for f in r.from_fields}
    joined |= {(r.to_dataset, f) for r in catalog.relationships for f in r.to_fields}
    return tuple(
        ColumnRule(dataset=dataset.name, field=field.name, roles=(), action=_action(field, (dataset.name, field.name) in joined))
        for dataset in catalog.datasets
        for field in dataset.fields
        if ORDER[field.data_class] > seen
    )


def _action(field: CatalogField, is_joined: bool) -> Literal["hide", "hash"]:
    """A pseudonym where it cannot mislead: a join by it would meet nothing, a sum of it would mean nothing."""
    plain_text = field.type is FieldType.STRING and field.expression is None and not is_joined
    return "hash" if field.data_class is DataClass.CONFIDENTIAL and plain_text else "hide"
