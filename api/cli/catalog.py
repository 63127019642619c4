"""`querent catalog`: infer, check, apply, import, export, diff, show, versions, rollback."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from api.cli.context import context
from api.cli.following import start_and_follow
from api.cli.output import NO, out, print_json, print_table, speaking
from core.errors import Invalid
from core.store import catalogs
from semantic.catalog.diff import diff
from semantic.catalog.exporters import export_osi
from semantic.catalog.importers import ImportedCatalog, import_cube, import_metricflow, import_osi
from semantic.catalog.model import Catalog
from semantic.catalog.validate import Issue, validate
from semantic.catalog.versions import check as require_sound
from semantic.catalog.yaml import dump_yaml, read_catalog

app = typer.Typer(no_args_is_help=True, help="The semantic catalog of a tenant.")
Tenant = Annotated[str, typer.Option("--tenant", "-t", help="Whose catalog.")]
File = Annotated[Path, typer.Argument(help="A catalog as YAML.")]


class Form(StrEnum):
    DBT = "dbt"
    CUBE = "cube"
    OSI = "osi"


_IMPORTERS: Mapping[Form, Callable[[Catalog, Mapping[str, str]], ImportedCatalog]] = {
    Form.DBT: import_metricflow,
    Form.CUBE: import_cube,
    Form.OSI: import_osi,
}
Json = Annotated[bool, typer.Option("--json", help="The whole result as JSON.")]


@app.command()
def infer(
    tenant: Tenant,
    database: Annotated[str | None, typer.Option(help="ClickHouse database; the tenant's own by default.")] = None,
    tenant_column: Annotated[str | None, typer.Option(help="Column that tells tenants apart in shared tables.")] = None,
    dry_run: Annotated[bool, typer.Option(help="Show what would be found, change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Reads the schema and the data and makes, or completes, the catalog."""
    with speaking(as_json):
        params = {"database": database, "tenant_column": tenant_column, "apply": not dry_run}
        result = start_and_follow(context.services, context.principal(tenant), "infer_catalog", params, quiet=as_json)
        if as_json:
            print_json(result)
            return
        print_table(["dataset", "rows", "fields"], [[d["name"], str(d["rows"] or "?"), str(d["fields"])] for d in result["datasets"]])
        out.print(f"{len(result['metrics'])} metrics; catalog version {result['version'] or '(not saved)'}")
        for note in result["notes"][:20]:
            out.print(f"note: {note}", style="dim", markup=False)


@app.command()
def show(tenant: Tenant, version: Annotated[int | None, typer.Option(min=1)] = None) -> None:
    """Prints the catalog as YAML."""
    with speaking():
        out.print(dump_yaml(_current(tenant, version)), markup=False)


@app.command()
def check(
    file: File, tenant: Annotated[str | None, typer.Option("--tenant", "-t", help="Also compare with this tenant's catalog.")] = None
) -> None:
    """Validates a file. Exit code 1 when it has errors."""
    with speaking():
        catalog = read_catalog(file)
        issues = validate(catalog)
        _print(issues)
        if tenant is not None:
            for change in diff(_current(tenant), catalog):
                out.print(str(change), markup=False)
        if any(issue.severity == "error" for issue in issues):
            raise typer.Exit(NO)
        out.print(f"{file.name} is sound: {len(catalog.datasets)} datasets, {len(catalog.metrics)} metrics.")


@app.command()
def apply(
    file: File,
    tenant: Tenant,
    note: str = "",
    expected_version: Annotated[int | None, typer.Option(min=0, help="Refuse when another version came in between.")] = None,
) -> None:
    """Validates a file and makes it the catalog in force."""
    with speaking():
        catalog = read_catalog(file)
        require_sound(catalog)
        saved = _save(tenant, catalog, note or f"Applied {file.name}", expected_version)
        out.print(f"Catalog version {saved} is in force.")


@app.command("import")
def import_models(
    form: Annotated[Form, typer.Argument(help="Whose form the files have.")],
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="The model's files.")],
    tenant: Tenant,
    apply: Annotated[bool, typer.Option("--apply", help="Make it the catalog in force; without, only show what it would change.")] = False,
    as_json: Json = False,
) -> None:
    """Works a model of another tool into the catalog: its metrics, joins and words over the tables that are known. What cannot be carried is listed."""
    with speaking(as_json):
        base = _current(tenant)
        found = _IMPORTERS[form](base, {file.name: file.read_text() for file in files})
        require_sound(found.catalog)
        changes = [str(change) for change in diff(base, found.catalog)]
        version = _save(tenant, found.catalog, f"Imported from {form.value}", base.version) if apply and changes else None
        if as_json:
            print_json({"changes": changes, "not_carried": list(found.not_carried), "version": version})
            return
        for change in changes:
            out.print(change, markup=False)
        for line in found.not_carried:
            out.print(f"not carried: {line}", markup=False)
        out.print(f"Catalog version {version} is in force." if version else f"{len(changes)} changes; nothing was saved (--apply saves).")


@app.command("export")
def export_model(tenant: Tenant, file: Annotated[Path, typer.Argument(dir_okay=False, help="Where to; must not exist.")]) -> None:
    """Writes the catalog as an Open Semantic Interchange model. What the form cannot hold is listed."""
    with speaking():
        if file.exists():
            raise Invalid(f"{file} exists already; give another name.", code="file_exists")
        made = export_osi(_current(tenant))
        file.write_text(made.text)
        for line in made.not_carried:
            out.print(f"not carried: {line}", markup=False)
        out.print(f"{file} was written.")


@app.command("diff")
def show_diff(tenant: Tenant, old: Annotated[int, typer.Argument(min=1)], new: Annotated[int | None, typer.Argument(min=1)] = None) -> None:
    """What changed from one version to another (the current one by default)."""
    with speaking():
        for change in diff(_current(tenant, old), _current(tenant, new)):
            out.print(str(change), markup=False)


@app.command()
def versions(tenant: Tenant) -> None:
    """Lists versions, newest first."""
    with speaking():
        principal = context.principal(tenant)
        with context.services.store.read() as connection:
            found = catalogs.history(connection, principal.tenant)
        print_table(
            ["version", "when", "author", "note"], [[str(n.version), f"{n.created_at:%Y-%m-%d %H:%M}", n.author, n.note] for n in found]
        )


@app.command()
def rollback(tenant: Tenant, version: Annotated[int, typer.Argument(min=1)]) -> None:
    """Puts an old version in force again, as a new version."""
    with speaking():
        principal = context.principal(tenant)
        with context.services.store.write() as connection:
            saved = catalogs.rollback(connection, principal.tenant, version, author=principal.user, now=context.core.clock.now())
        out.print(f"Catalog version {saved.version} (a copy of {version}) is in force.")


def _save(tenant: str, catalog: Catalog, note: str, expected_version: int | None) -> int:
    """The new version's number. Raises: Conflict when another version came in between."""
    principal = context.principal(tenant)
    new = catalogs.NewCatalog(catalog.model_dump(mode="json"), principal.user, note, expected_version)
    with context.services.store.write() as connection:
        return catalogs.append(connection, principal.tenant, new, now=context.core.clock.now()).version


def _current(tenant: str, version: int | None = None) -> Catalog:
    return context.services.catalogs.full(context.principal(tenant).tenant, version)


def _print(issues: tuple[Issue, ...]) -> None:
    for issue in issues:
        out.print(f"{issue.severity}: {issue}", markup=False)
