"""`querent source`: where a company's data comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from pydantic import ValidationError

from api import sources
from api.cli.context import context
from api.cli.following import follow
from api.cli.output import out, print_json, print_table, speaking
from core.errors import Invalid, NotFound
from core.principal import Principal
from core.store import sources as kept
from workers.sources.spec import SourceBody
from workers.sources.vault import reseal_all

app = typer.Typer(no_args_is_help=True, help="Where a company's data comes from.")
Tenant = Annotated[str, typer.Option("--tenant", "-t", help="Whose.")]
Json = Annotated[bool, typer.Option("--json", help="The whole result as JSON.")]
Name = Annotated[str, typer.Argument(help="The source's name.")]
File = Annotated[Path, typer.Argument(help="The source as YAML or JSON: name, connection, plan. See docs/sources.md.")]


@app.command("add")
def add(file: File, tenant: Tenant, as_json: Json = False) -> None:
    """Declares a source, or changes the one of that name (secrets that are left out stay)."""
    with speaking(as_json):
        principal, body = context.principal(tenant), _read(file)
        with context.services.store.read() as connection:
            known = kept.by_name(connection, principal.tenant, body.name)
        services = context.services
        made = sources.declare(services, principal, body) if known is None else sources.change(services, principal, known.id, body)
        if as_json:
            print_json(sources.view(made))
        else:
            out.print(f"{made.name} fills the table {made.table_name}. Next: querent source run {made.name!r} -t {tenant}", markup=False)


@app.command("test")
def probe(file: File, tenant: Tenant, as_json: Json = False) -> None:
    """The columns that a source would bring; nothing is stored."""
    with speaking(as_json):
        found = sources.probe(context.services, context.principal(tenant), _read(file))
        if as_json:
            print_json(found)
        else:
            print_table(["column", "type"], [[one["name"], ", ".join(filter(None, (one["type"], one.get("note"))))] for one in found])


@app.command("list")
def list_sources(tenant: Tenant, as_json: Json = False) -> None:
    """All sources of a tenant."""
    with speaking(as_json):
        principal = context.principal(tenant)
        with context.services.store.read() as connection:
            found = kept.list_all(connection, principal.tenant, limit=1000)
        if as_json:
            print_json([sources.view(s) for s in found])
            return
        rows = [
            [s.name, s.kind, s.table_name, f"{s.refreshed_at:%Y-%m-%d %H:%M}" if s.refreshed_at else "never", s.last_error or "ok"]
            for s in found
        ]
        print_table(["source", "kind", "table", "refreshed (UTC)", "state"], rows)


@app.command("run")
def run(
    name: Name, tenant: Tenant, full: Annotated[bool, typer.Option("--full", help="Take all rows anew.")] = False, as_json: Json = False
) -> None:
    """Refreshes a source now and waits for it."""
    with speaking(as_json):
        principal = context.principal(tenant)
        job = sources.start(context.services, principal, _find(principal, name), full=full)
        result = follow(context.services, principal, job, quiet=as_json)
        if as_json:
            print_json(result)
        else:
            out.print(f"{result['table']}: {result['rows']:,} rows came, {result['total']:,} are there ({result['outcome']}).")
            if any(result["drift"].values()):
                out.print(f"Columns changed: {json.dumps(result['drift'])}", markup=False)
            if result["note"]:
                out.print(f"note: {result['note']}", markup=False)


@app.command("history")
def history(name: Name, tenant: Tenant, as_json: Json = False) -> None:
    """The runs of a source, newest first."""
    with speaking(as_json):
        principal = context.principal(tenant)
        with context.services.store.read() as connection:
            found = kept.runs(connection, principal.tenant, _find(principal, name))
        if as_json:
            print_json([sources.run_view(r) for r in found])
            return
        rows = [
            [f"{r.started_at:%Y-%m-%d %H:%M:%S}", r.outcome, f"{r.rows_written:,}", str(dict(r.report).get("error", {}).get("message", ""))]
            for r in found
        ]
        print_table(["started (UTC)", "outcome", "rows", "why"], rows, frozenset({2}))


@app.command("remove")
def remove(name: Name, tenant: Tenant) -> None:
    """Removes a source; the table that it filled stays."""
    with speaking():
        principal = context.principal(tenant)
        sources.remove(context.services, principal, _find(principal, name))
        out.print(f"{name} is no longer refreshed; its table stays.", markup=False)


@app.command("reseal")
def reseal() -> None:
    """Encrypts all sources' secrets with today's QUERENT_SECRET_KEY; earlier keys are needed no longer afterwards."""
    with speaking():
        context.services.store.ping()
        out.print(f"{reseal_all(context.core)} secrets are encrypted with the present key.")


def _find(principal: Principal, name: str) -> str:
    with context.services.store.read() as connection:
        found = kept.by_name(connection, principal.tenant, name)
    if found is None:
        raise NotFound(f"There is no source {name[:60]!r}; `querent source list` shows all.", code="unknown_source")
    return found.id


def _read(file: Path) -> SourceBody:
    try:
        document: Any = yaml.safe_load(file.read_text())
        return SourceBody.model_validate(document)
    except OSError as error:
        raise NotFound(f"{file} cannot be read.", code="no_such_file") from error
    except yaml.YAMLError as error:
        raise Invalid(f"{file} is neither YAML nor JSON.", code="bad_source") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Invalid(f"{file}: {place or 'the source'} is not usable: {first['msg']}.", code="bad_source", path=place) from error
