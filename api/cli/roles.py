"""`querent role`: a company's own roles."""

from __future__ import annotations

from typing import Annotated

import typer

from api import own_roles
from api.cli.administration import Json, Tenant, known
from api.cli.context import context
from api.cli.output import out, print_json, print_table, speaking
from api.own_roles import RoleIn
from api.web.forms import body
from workers.principals import system_principal

app = typer.Typer(no_args_is_help=True, help="Roles of a company: the built-in ones and its own.")


@app.command("list")
def list_roles(tenant: Tenant = "acme", as_json: Json = False) -> None:
    """What each role may do."""
    with speaking(as_json):
        found = own_roles.known_roles(context.services, system_principal(known(tenant)))
        if as_json:
            print_json([role.model_dump() for role in found])
            return
        rows = [[r.name, "built in" if r.built_in else "own", ", ".join(r.inherits), ", ".join(r.all_rights)] for r in found]
        print_table(["role", "kind", "inherits", "rights"], rows)


@app.command("put")
def put(
    name: str,
    tenant: Tenant = "acme",
    right: Annotated[list[str] | None, typer.Option(help="What it adds, such as act or share; may be given again.")] = None,
    inherit: Annotated[list[str] | None, typer.Option(help="A built-in or own role; may be given again.")] = None,
    description: str = "",
    as_json: Json = False,
) -> None:
    """Makes a role, or changes the one of that name; counts at once for all who have it."""
    with speaking(as_json):
        wanted = body(RoleIn, {"description": description, "rights": right or [], "inherits": inherit or []})
        made = own_roles.put(context.services, system_principal(known(tenant)), name, wanted)
        if as_json:
            print_json(made.model_dump())
        else:
            out.print(f"{made.name} may {', '.join(made.all_rights)}.", markup=False)


@app.command("remove")
def remove(name: str, tenant: Tenant = "acme") -> None:
    """Removes a role that nobody has and no other role inherits."""
    with speaking():
        own_roles.remove(context.services, system_principal(known(tenant)), name)
        out.print(f"{name} was removed.", markup=False)
