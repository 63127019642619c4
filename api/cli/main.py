"""The commands of `querent`. Each is a shell around functions that the API uses as well."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from api.cli import administration, alerts, asking, catalog, data, evaluate, mcp, models, roles, sources, stack_commands, studies
from api.cli.context import context

app = typer.Typer(
    name="querent", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Answers questions about a company's metrics in plain English over ClickHouse.",
)  # fmt: skip
stack_commands.register(app)
asking.register(app)
studies.register(app)
evaluate.register(app)
mcp.register(app)
app.add_typer(administration.tenant_app, name="tenant")
app.add_typer(administration.user_app, name="user")
app.add_typer(roles.app, name="role")
app.add_typer(administration.audit_app, name="audit")
app.add_typer(alerts.app, name="alerts")
app.add_typer(catalog.app, name="catalog")
app.add_typer(data.app, name="data")
app.add_typer(models.app, name="models")
app.add_typer(sources.app, name="source")


@app.callback()
def options(
    home: Annotated[Path | None, typer.Option("--home", help="Folder of run-time state (QUERENT_HOME).")] = None,
    log_level: Annotated[str, typer.Option("--log-level", help="DEBUG, INFO, WARNING or ERROR.")] = "",
) -> None:
    context.configure(home, log_level)


def main() -> None:
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
