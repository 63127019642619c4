"""`querent demo` and `querent up`: everything on one machine."""

from __future__ import annotations

import time

from api.cli.context import context
from api.cli.output import err, out, print_table, speaking
from api.cli.up import make_stack, refuse_taken_port, since, start_services, start_warehouse
from core.settings import settings
from workers.demo.examples import make_examples
from workers.demo.people import DEMO_PASSWORD, people
from workers.demo.setup import ensure_people_and_catalogs, load_if_stale
from workers.demo.world import WORLDS


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
                for world in ensure_people_and_catalogs(core.store, core.clock.now()):
                    make_examples(core, core.admin, world)
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
