"""`querent models`: list, promote, roll back."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.context import context
from api.cli.output import out, print_table, speaking
from core.errors import NotFound

app = typer.Typer(no_args_is_help=True, help="The models behind forecasts and alerts.")
Tenant = Annotated[str, typer.Option("--tenant", "-t", help="Whose models.")]
Name = Annotated[str, typer.Argument(help="Full name, as `querent models list` shows it.")]


@app.command("list")
def list_models(tenant: Tenant, name: Annotated[str | None, typer.Argument(help="Versions of one model.")] = None) -> None:
    """Models of a tenant, or the versions of one."""
    with speaking():
        principal = context.principal(tenant)
        registry = context.core.registry
        if name is None:
            print_table(["model"], [[str(model)] for model in registry.models(principal.tenant)])
            return
        rows = [[str(v.version), ", ".join(sorted(v.aliases)), v.run_id] for v in registry.versions(principal.tenant, name)]
        print_table(["version", "alias", "run"], rows)


@app.command()
def promote(tenant: Tenant, name: Name, version: Annotated[int, typer.Argument(min=1)]) -> None:
    """Makes a version the champion; the champion so far becomes `previous`."""
    with speaking():
        principal = context.principal(tenant)
        registry = context.core.registry
        found = next((v for v in registry.versions(principal.tenant, name) if v.version == version), None)
        if found is None:
            raise NotFound(f"{name} has no version {version}.", code="unknown_version")
        registry.promote(principal.tenant, found)
        out.print(f"{name} version {version} is the champion.")


@app.command()
def rollback(tenant: Tenant, name: Name) -> None:
    """Brings the previous champion back."""
    with speaking():
        back = context.core.registry.rollback(context.principal(tenant).tenant, name)
        out.print(f"{name} version {back.version} is the champion again.")
