"""`querent data`: load files, list what was loaded."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli.context import context
from api.cli.following import start_and_follow
from api.cli.output import out, print_json, print_table, speaking
from core.errors import Invalid, NotFound
from core.ids import new_id, tenant_id
from core.principal import Principal
from core.private import private_folder
from core.store import datasets, tenants
from semantic.ingest.names import clean_name

app = typer.Typer(no_args_is_help=True, help="Your own data.")
Tenant = Annotated[str, typer.Option("--tenant", "-t", help="Whose data.")]


@app.command()
def load(
    files: Annotated[list[Path], typer.Argument(help="CSV, TSV, JSON, JSONL, Parquet or Excel files.")],
    tenant: Tenant,
    name: Annotated[str | None, typer.Option(help="Table name; from the file name by default. For one file.")] = None,
    append: Annotated[bool, typer.Option(help="Add to the table instead of replacing it.")] = False,
    create_tenant: Annotated[bool, typer.Option(help="Make the tenant when it does not exist.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The whole report as JSON.")] = False,
) -> None:
    """Loads files, each into a table of the tenant's own database, and completes the catalog. Bad rows are set aside and listed."""
    with speaking(as_json):
        if name is not None and len(files) > 1:
            raise Invalid("--name goes with one file.", code="bad_option")
        missing = [str(f) for f in files if not f.is_file()]
        if missing:
            raise NotFound(f"No such file: {', '.join(missing)}.", code="no_such_file")
        principal = _principal(tenant, create=create_tenant)
        reports = [_load(file, name, append, principal, as_json) for file in files]
        if as_json:
            print_json(reports)


def _load(file: Path, name: str | None, append: bool, principal: Principal, quiet: bool) -> dict[str, Any]:
    uploads = private_folder(context.core.uploads)
    kept = f"{new_id('upl')}{''.join(file.suffixes[-2:]) if file.suffixes[-1:] == ['.gz'] else file.suffix}".lower()
    shutil.copyfile(file, uploads / kept)
    table = clean_name(name or file.name.split(".")[0], "data")
    params = {"upload": kept, "original_name": file.name, "dataset": table, "mode": "append" if append else "replace"}
    result = start_and_follow(context.services, principal, "load_file", params, quiet=quiet)
    if not quiet:
        _say(result)
    return result


def _say(result: dict[str, Any]) -> None:
    for report in result["tables"]:
        out.print(f"{report['source']} -> {report['table']}: {report['rows_loaded']:,} rows loaded, {report['rows_rejected']:,} set aside")
        for row in report["rejected"][:5]:
            out.print(f"  line {row['line']}: {row['reason']}", markup=False)
        if report["rejected_table"]:
            out.print(f"  all of them are in {report['database']}.{report['rejected_table']}")
        for note in [*report["notes"], *(f"{c['name']}: {c['note']}" for c in report["columns"] if c["note"])]:
            out.print(f"  note: {note}", style="dim", markup=False)


@app.command("list")
def list_datasets(tenant: Tenant) -> None:
    """What was loaded."""
    with speaking():
        principal = context.principal(tenant)
        with context.services.store.read() as connection:
            found = datasets.list_all(connection, principal.tenant)
        rows = [
            [d.table_name, d.status, f"{d.rows_loaded:,}", f"{d.rows_rejected:,}", d.source, f"{d.updated_at:%Y-%m-%d %H:%M}"]
            for d in found
        ]
        print_table(["table", "state", "rows", "set aside", "file", "when"], rows, frozenset({2, 3}))


def _principal(tenant: str, *, create: bool) -> Principal:
    """Raises: NotFound when the tenant does not exist and is not to be made."""
    principal = context.principal(tenant, may_be_new=True)
    with context.services.store.read() as connection:
        known = tenants.exists(connection, principal.tenant)
    if not known and not create:
        raise NotFound(f"There is no tenant {tenant!r}; --create-tenant makes it.", code="unknown_tenant")
    if not known:
        with context.services.store.write() as connection:
            tenants.create(connection, tenant_id(tenant), name=tenant, now=context.core.clock.now())
    return principal
