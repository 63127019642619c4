"""`querent mcp`: the tools over standard input and output, for a local assistant."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.context import context
from api.cli.output import speaking
from api.mcp_server import make_server


def mcp(
    tenant: Annotated[str, typer.Option("--tenant", "-t", help="Whose data.")],
    as_user: Annotated[str, typer.Option(help="E-mail of the user whose rights apply.")],
) -> None:
    """Serves the Model Context Protocol over standard input and output with one user's rights."""
    with speaking():
        principal = context.principal(tenant, as_user)
        make_server(context.services, lambda _: principal).run("stdio")
