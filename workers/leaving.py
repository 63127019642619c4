"""Off-boarding of a tenant."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy import func, select

from core.errors import Conflict
from core.ids import TenantId, tenant_database
from core.private import private_folder
from core.store import audit, catalogs, lockouts, tenants
from core.store.tables import jobs, metadata, users
from semantic.warehouse.admin import quote_name
from workers.bootstrap import Services


def remove_tenant(services: Services, tenant: TenantId, export: Path) -> dict[str, int]:
    """Removes everything of a tenant but its rows in tables that it shares with others (those are the operator's); what was removed, by kind.

    Its audit log and catalog are written to the folder `export` first. Killed half-way it can be run again with another folder.

    Raises: NotFound; Conflict when `export` exists; Unavailable.
    """
    if export.exists():
        raise Conflict(f"{export} exists already; give the name of a new folder.", code="folder_exists")
    with services.store.write() as connection:
        tenants.set_disabled(connection, tenant, True)  # nobody gets in from here on
    private_folder(export, new=True)
    with services.store.read() as connection:
        audit.write_lines(connection, tenant, export / "audit.jsonl")
        if catalogs.current_version(connection, tenant):
            (export / "catalog.json").write_text(services.catalog(tenant).model_dump_json(indent=1))
        removed = {
            name: int(connection.execute(select(func.count()).select_from(table).where(table.c.tenant_id == tenant)).scalar_one())
            for name, table in sorted(metadata.tables.items())
            if "tenant_id" in table.c
        }
    database = tenant_database(tenant)
    found = services.admin.query_arrow("SELECT count() FROM system.tables WHERE database = {d:String}", {"d": database})
    removed["warehouse tables"] = int(found.column(0)[0].as_py())
    services.admin.execute(f"DROP DATABASE IF EXISTS {quote_name(database)}")
    shutil.rmtree(services.settings.home.resolve() / "values" / tenant, ignore_errors=True)
    removed["models"] = services.registry.remove_tenant(tenant)
    for name in _uploads(services, tenant):
        (services.uploads / name).unlink(missing_ok=True)
    with services.store.write() as connection:
        for email in connection.execute(select(users.c.email).where(users.c.tenant_id == tenant)).scalars().all():
            lockouts.forget(connection, email)
        tenants.remove(connection, tenant)
    return {name: count for name, count in removed.items() if count}


def _uploads(services: Services, tenant: TenantId) -> list[str]:
    """Names of uploaded files that its jobs were to load: those of failed ones are still there."""
    with services.store.read() as connection:
        found = connection.execute(select(jobs.c.params).where(jobs.c.tenant_id == tenant, jobs.c.kind == "load_file")).scalars().all()
    return [str(params["upload"]) for params in found if params.get("upload")]
