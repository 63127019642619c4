"""`querent warehouse`."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.logs import log_as_a_service
from api.cli.output import speaking
from semantic.warehouse.server import serve as serve_warehouse


def warehouse(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "",
    port: Annotated[int | None, typer.Option(min=0, max=65535)] = None,
    allow_remote: Annotated[bool, typer.Option(help="Permit an address that is not loopback.")] = False,
) -> None:
    """The embedded ClickHouse engine behind ClickHouse's HTTP interface."""
    configuration = log_as_a_service()
    address = configuration.warehouse_url.split("://", 1)[-1].split("/", 1)[0]
    known_host, _, known_port = address.rpartition(":")
    with speaking():
        serve_warehouse(
            configuration.home.resolve() / "warehouse", host or known_host or "127.0.0.1", int(known_port or 8124) if port is None else port,
            allow_remote=allow_remote,
        )  # fmt: skip
