"""Commands that run parts: demo, up, serve, worker, beat, warehouse; and that keep them well: migrate, backup, restore, doctor."""

from __future__ import annotations

import gc
import logging
import time
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from api.cli.checks import diagnose
from api.cli.context import configure_logging, context
from api.cli.output import UNAVAILABLE, err, out, print_json, print_table, speaking
from api.cli.up import make_stack, refuse_taken_port, since, start_services, start_warehouse
from core.settings import Settings, settings
from core.store.migrate import current_revision, head_revision
from core.tracing import start_tracing
from semantic.warehouse.server import serve as serve_warehouse
from workers.backup import backup as write_backup
from workers.backup import restore as read_backup
from workers.demo.people import DEMO_PASSWORD, people
from workers.demo.setup import ensure_people_and_catalogs, load_if_stale
from workers.demo.world import WORLDS
from workers.main import run_beat, run_worker


def register(app: typer.Typer) -> None:
    for command in (demo, up, serve, worker, beat, warehouse, migrate, backup, restore, doctor):
        app.command()(command)


def demo() -> None:
    """Everything with demo data: two companies, four years of daily figures. Ctrl-C stops; running it again loses nothing."""
    _run(with_demo=True)


def up() -> None:
    """Everything on this machine: warehouse, API, worker, beat. Ctrl-C stops."""
    _run(with_demo=False)


def _run(*, with_demo: bool) -> None:
    started_s = time.monotonic()
    with speaking():
        configuration = settings()
        refuse_taken_port(configuration)
        core = context.core
        stack = make_stack(core, err.print)
        try:
            core.migrate()
            start_warehouse(stack, configuration)
            if with_demo:
                state = configuration.home.resolve() / "demo.json"
                with err.status("Making the demo companies' data") as status:
                    rows = load_if_stale(
                        core.admin, state, core.clock.now(), lambda company, n: status.update(f"Making data of {company}: {n:,} rows")
                    )
                if rows:
                    err.print(f"Loaded {rows:,} rows of demo data.")
                ensure_people_and_catalogs(core.store, core.clock.now())
            start_services(stack, configuration)
            out.print(f"Querent is ready after {since(started_s)}: [bold]{configuration.resolved_base_url}[/bold]")
            if with_demo:
                _print_logins()
            out.print("Ctrl-C stops everything; data stays in " + str(configuration.home.resolve()))
            stack.watch()
        finally:
            err.print("Stopping")
            stack.stop()
            core.close()


def _print_logins() -> None:
    rows = [
        [person.email, ", ".join(person.roles), str(world.tenant), _limits(person.attributes)]
        for world in WORLDS
        for person in people(world)
    ]
    print_table(["login", "role", "tenant", "sees"], rows)
    out.print(f"Password of all: [bold]{DEMO_PASSWORD}[/bold]")
    out.print('Try: [bold].venv/bin/querent ask "revenue by region last quarter compared to the year before" --tenant acme[/bold]')


def _limits(attributes: dict[str, tuple[str, ...]]) -> str:
    return "; ".join(f"{name}: {', '.join(values)}" for name, values in attributes.items()) or "everything"


# A line for each tick of each schedule, twice: some ten thousand a day that say nothing. A job has a line of its own (workers/run.py).
_TICKING = ("celery.app.trace", "celery.worker.strategy", "celery.beat")


def _log_as_a_service() -> Settings:
    """By QUERENT_LOG_LEVEL and QUERENT_LOG_FORMAT; gives the settings."""
    configuration = settings()
    configure_logging(configuration.log_level, json=configuration.log_format == "json")
    for name in _TICKING if configuration.log_level == "INFO" else ():
        logging.getLogger(name).setLevel(logging.WARNING)
    return configuration


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535)] = None,
) -> None:
    """The API and the pages."""
    configuration = _log_as_a_service()
    with speaking():
        start_tracing(configuration, "api")
        # A question makes some ten thousand objects that are soon gone; with Python's usual 700 they are looked through again and again (3 % of its processor time).
        gc.set_threshold(50_000, 50, 50)
        uvicorn.run(
            "api.app:create_app", factory=True, host=host or configuration.api_host, port=configuration.api_port if port is None else port,
            log_config=None, access_log=False, timeout_graceful_shutdown=10, server_header=False, date_header=True,
        )  # fmt: skip


def worker(
    queues: Annotated[str, typer.Option(help="Queues to work off, comma-separated; all by default.")] = "",
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = 2,
) -> None:
    """A worker: runs forecasts, detections, loads and the rest."""
    _log_as_a_service()
    with speaking():
        chosen = {"queues": tuple(queues.split(","))} if queues else {}
        run_worker(concurrency=concurrency, log_level=settings().log_level, **chosen)


def beat() -> None:
    """The clock that sends scheduled work."""
    _log_as_a_service()
    with speaking():
        run_beat(log_level=settings().log_level)


def warehouse(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "",
    port: Annotated[int | None, typer.Option(min=0, max=65535)] = None,
    allow_remote: Annotated[bool, typer.Option(help="Permit an address that is not loopback.")] = False,
) -> None:
    """The embedded ClickHouse engine behind ClickHouse's HTTP interface."""
    configuration = _log_as_a_service()
    address = configuration.warehouse_url.split("://", 1)[-1].split("/", 1)[0]
    known_host, _, known_port = address.rpartition(":")
    with speaking():
        serve_warehouse(
            configuration.home.resolve() / "warehouse", host or known_host or "127.0.0.1", int(known_port or 8124) if port is None else port,
            allow_remote=allow_remote,
        )  # fmt: skip


def migrate() -> None:
    """Brings the state store's schema up to date."""
    with speaking():
        context.core.migrate()
        found, own = current_revision(context.core.store.engine), head_revision()
        if found == own:
            out.print("The state store is up to date.")
        else:
            out.print(f"The state store's schema is of a newer release ({found}; this one knows {own}) and stays as it is.")


def backup(folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet.")]) -> None:
    """State, embedded warehouse, files and models into a folder; everything may go on running meanwhile."""
    with speaking():
        made = write_backup(context.services.core, folder, lambda part: err.print(part, markup=False))
        out.print(
            f"{sum(made.tables.values()):,} state rows, {sum(made.warehouse.values()):,} warehouse rows, {len(made.files):,} files in {folder}"
        )


def restore(folder: Annotated[Path, typer.Argument(help="What `querent backup` wrote.")]) -> None:
    """Puts a backup into an empty installation; also from SQLite into PostgreSQL."""
    with speaking():
        found = read_backup(context.services.core, folder, lambda part: err.print(part, markup=False))
        out.print(
            f"Restored the backup of {found.made_at[:16]} UTC: {sum(found.tables.values()):,} state rows, {sum(found.warehouse.values()):,} warehouse rows."
        )


def doctor(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Checks every part and says what to do about what is wrong."""
    checks = diagnose(context.core)
    if as_json:
        print_json([{"part": c.part, "ok": c.ok, "found": c.found, "remedy": c.remedy} for c in checks])
    else:
        print_table(["part", "state", "found", "what to do"], [[c.part, "ok" if c.ok else "BAD", c.found, c.remedy] for c in checks])
    if not all(c.ok for c in checks):
        raise typer.Exit(UNAVAILABLE)
