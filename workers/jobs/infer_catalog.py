"""Reads a database's schema and data and makes (or completes) the tenant's catalog, so that the tables can be asked at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from core.errors import Forbidden, NotFound
from core.ids import tenant_database
from core.rights import Right, by_roles
from core.store import catalogs
from core.store.catalogs import NewCatalog
from semantic.catalog.infer.glossary import GlossaryEntry
from semantic.catalog.infer.infer import InferredCatalog, infer_catalog
from semantic.catalog.infer.probe import SqlProbe
from semantic.catalog.infer.schema import schema_from_clickhouse
from semantic.catalog.model import Catalog
from semantic.catalog.versions import check
from semantic.ingest.table import REJECTED_SUFFIX, STAGING_MARK
from workers.context import JobContext
from workers.jobs.catalog_merge import merge_catalog
from workers.jobs.results import DETECTED_INCIDENTS, DETECTIONS, FORECASTS
from workers.kinds import InferCatalogParams
from workers.principals import SYSTEM_USER

_OWN_TABLES = tuple(layout.table for layout in (FORECASTS, DETECTIONS, DETECTED_INCIDENTS))
_QUERIES_PER_TABLE = 6


def run(context: JobContext) -> dict[str, Any]:
    """{"version", "changed", "datasets", "metrics", "entities", "notes", "warnings"}; version None when it was not to be applied.

    Raises: Forbidden; NotFound for a database without tables; Invalid when the outcome is no sound catalog.
    """
    params = InferCatalogParams.model_validate(context.job.params)
    glossary = [GlossaryEntry(term, definition) for term, definition in params.glossary.items()]
    return infer(context, params, glossary, ("read schema", "infer", "save"))


def infer(
    context: JobContext, params: InferCatalogParams, glossary: Sequence[GlossaryEntry], steps: tuple[str, str, str]
) -> dict[str, Any]:
    """`run`, with the names of the three steps to report under."""
    read, think, save = steps
    require_editor(context)
    database = _allowed_database(context, params)
    context.progress(read, 0, 1)
    found = _inferred(context, database, params.tenant_column, glossary, think)
    context.progress(save, 0, 1)
    return _saved(context, found, params)


def require_editor(context: JobContext) -> None:
    """Raises: Forbidden unless the job's user may edit the catalog."""
    if by_roles(context.principal).isdisjoint({Right.DATA, Right.CATALOG, Right.MODELS}):
        raise Forbidden("Loading data and editing the catalog is for analysts, data scientists and admins.", code="role_missing")


def _allowed_database(context: JobContext, params: InferCatalogParams) -> str:
    """A tenant's users may read their own database only: inference keeps samples of values, and shared tables hold other tenants'."""
    own = tenant_database(context.tenant)
    database = params.database or own
    if database != own and context.principal.user != SYSTEM_USER:
        raise Forbidden(
            f"Only the tenant's own database {own!r} can be inferred; ask an operator for shared ones.", code="database_not_own"
        )
    if not context.services.trust.allows(database, params.tenant_column, context.tenant):
        raise Forbidden(f"Database {database[:60]!r} is not one that this tenant's rows can be told apart in.", code="database_not_allowed")
    return database


def _inferred(
    context: JobContext, database: str, tenant_column: str | None, glossary: Sequence[GlossaryEntry], step: str
) -> InferredCatalog:
    admin = context.services.admin
    schema = schema_from_clickhouse(admin.query_arrow, database, exclude=_OWN_TABLES)
    tables = tuple(t for t in schema.tables if not t.name.endswith(REJECTED_SUFFIX) and STAGING_MARK not in t.name)
    if not tables:
        raise NotFound(f"Database {database!r} has no tables yet; load data first.", code="no_tables")
    schema = type(schema)(schema.database, tables)
    asked, expected = 0, _QUERIES_PER_TABLE * len(tables)

    def execute(sql: str) -> pa.Table:
        nonlocal asked
        asked += 1
        context.progress(step, min(asked, expected), expected)
        return admin.query_arrow(sql)

    return infer_catalog(schema, SqlProbe(execute, database), glossary=glossary, tenant_column=tenant_column)


def _saved(context: JobContext, found: InferredCatalog, params: InferCatalogParams) -> dict[str, Any]:
    with context.services.store.read() as connection:
        version = catalogs.current_version(connection, context.tenant)
    current = context.services.catalog(context.tenant, version) if version else None
    merged = found.catalog if current is None else merge_catalog(current, found.catalog)
    issues = check(merged)
    changed = current is None or merged != current
    if params.apply and changed:
        document = merged.model_copy(update={"version": version + 1}).model_dump(mode="json")
        new = NewCatalog(document, context.job.user, note=params.note or "Inferred from the data", expected_version=version)
        with context.services.store.write() as connection:
            version = catalogs.append(connection, context.tenant, new, now=context.services.clock.now()).version
    return _summary(merged, found, issues, version=version if params.apply else None, changed=changed)


def _summary(merged: Catalog, found: InferredCatalog, issues: Sequence[Any], *, version: int | None, changed: bool) -> dict[str, Any]:
    return {
        "version": version,
        "changed": changed,
        "datasets": [{"name": d.name, "label": d.label, "rows": d.row_count, "fields": len(d.fields)} for d in merged.datasets],
        "metrics": [m.name for m in merged.metrics][:200],
        "entities": [e.name for e in merged.entities],
        "notes": list(found.notes)[:200],
        "warnings": [str(issue) for issue in issues][:50],
    }
