"""The value index of a tenant, read from the warehouse by trusted queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa

from core.ids import TenantId
from core.principal import Principal
from semantic.catalog.model import Catalog, CatalogField, Dataset, FieldRole, FieldType
from semantic.catalog.visible import applies
from semantic.clearances import class_rules
from semantic.expr import FieldRef
from semantic.values.index import StoredValue, ValueIndex

Execute = Callable[[str], pa.Table]
MAX_PER_FIELD = 200_000
MAX_TOTAL = 1_000_000
_MAX_CHARS = 200
_MAX_KEY_VALUES = 20_000


def build_value_index(
    catalog: Catalog, execute: Execute, tenant: TenantId, *, max_per_field: int = MAX_PER_FIELD, max_total: int = MAX_TOTAL
) -> ValueIndex:
    """The most frequent values of every field that may be indexed, of this tenant's rows only.

    `execute` is the warehouse admin's query: it is trusted, so the tenant of shared tables is narrowed here.
    """
    return ValueIndex(_read(catalog, execute, tenant, max_per_field, max_total))


def is_indexable(field: CatalogField) -> bool:
    """Text categories and names, and codes that people say; never PII, hidden fields, or free text."""
    if field.pii or field.hidden or field.column is None or field.type != FieldType.STRING or field.time_format:
        return False
    if field.role == FieldRole.KEY:
        return field.cardinality is not None and field.cardinality <= _MAX_KEY_VALUES
    return field.role in (FieldRole.CATEGORY, FieldRole.NAME)


def visible_fields(catalog: Catalog, principal: Principal) -> frozenset[tuple[str, str]]:
    """The fields of the full `catalog` whose values this caller may be told of: for `ValueIndex.restricted_to`.

    Datasets that a row policy narrows for the caller, and columns that a rule hides or masks, are not among them.
    """
    narrowed = {p.dataset for p in catalog.row_policies if applies(principal, p)}
    ruled = {(r.dataset, r.field) for r in catalog.column_rules if applies(principal, r)}
    ruled |= {(r.dataset, r.field) for r in class_rules(catalog, principal)}
    return frozenset(
        (d.name, f.name)
        for d in catalog.datasets
        if not d.hidden and d.name not in narrowed
        for f in d.fields
        if is_indexable(f) and (d.name, f.name) not in ruled
    )


def _read(catalog: Catalog, execute: Execute, tenant: TenantId, max_per_field: int, max_total: int) -> Iterator[StoredValue]:
    left = max_total
    for dataset in catalog.datasets:
        if dataset.filter is not None or dataset.hidden:
            continue
        for field in dataset.fields:
            if not is_indexable(field) or left <= 0:
                continue
            rows = execute(_sql(dataset, field, tenant, min(max_per_field, left))).to_pylist()
            left -= len(rows)
            ref = FieldRef(dataset=dataset.name, field=field.name)
            for row in rows:
                yield StoredValue(ref, str(row["v"]), int(row["c"]))


def _sql(dataset: Dataset, field: CatalogField, tenant: TenantId, limit: int) -> str:
    column = _ident(field.column or field.name)
    only = f" AND toString({_ident(dataset.tenant_column)}) = {_text(tenant)}" if dataset.tenant_column else ""
    return (
        f"SELECT toString({column}) AS v, count() AS c FROM {_ident(dataset.database)}.{_ident(dataset.table)} "
        f"WHERE isNotNull({column}) AND toString({column}) != '' AND lengthUTF8(toString({column})) <= {_MAX_CHARS}{only} "
        f"GROUP BY v ORDER BY c DESC, v LIMIT {limit}"
    )


def _ident(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
