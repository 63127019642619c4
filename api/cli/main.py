"""The commands of `querent`. Each is a shell around functions that the API uses as well."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from api.cli.lazy import group_of, told_as
from api.cli.logs import configure_logging, level_of
from api.cli.output import speaking
from core.settings import settings

# name: where it is, and its first help text as the list shows it.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": (
        "api.cli.together:demo",
        "Everything with demo data: two companies, four years of daily figures. Ctrl-C stops; running it again loses nothing.",
    ),
    "up": ("api.cli.together:up", "Everything on this machine: warehouse, API, worker, beat. Ctrl-C stops."),
    "serve": ("api.cli.serve:serve", "The API and the pages."),
    "worker": ("api.cli.worker:worker", "A worker: runs forecasts, detections, loads and the rest."),
    "beat": ("api.cli.worker:beat", "The clock that sends scheduled work."),
    "warehouse": ("api.cli.warehouse:warehouse", "The embedded ClickHouse engine behind ClickHouse's HTTP interface."),
    "migrate": ("api.cli.keeping:migrate", "Brings the state store's schema up to date."),
    "backup": (
        "api.cli.keeping:backup",
        "State, embedded warehouse, files and models into a folder; everything may go on running meanwhile.",
    ),
    "restore": ("api.cli.keeping:restore", "Puts a backup into an empty installation; also from SQLite into PostgreSQL."),
    "doctor": ("api.cli.keeping:doctor", "Checks every part and says what to do about what is wrong."),
    "ask": ("api.cli.asking:ask", "Answers a question, asks back, or says what it does not know. Exit code 1 when there is no answer."),
    "forecast": ("api.cli.studies:forecast", "What comes next: mean with 80 and 95 % intervals."),
    "forecast-batch": ("api.cli.studies:forecast_batch", "Forecasts many metrics and segments at once, on all workers."),
    "accuracy": ("api.cli.studies:accuracy", "Scores stored forecasts with what came since, and shows how good they were."),
    "detect": ("api.cli.studies:detect", "What was unusual in a metric's history."),
    "explain": ("api.cli.studies:explain", "Why a metric changed from one complete month to the next."),
    "scan": ("api.cli.studies:scan", "Anything one should know of the last complete period, over the certified metrics."),
    "evaluate": (
        "api.cli.evaluate:evaluate",
        "Runs the verified questions again and says what changed. Exit code 1 when one of them got worse.",
    ),
    "calibrate": (
        "api.cli.evaluate:calibrate",
        "Learns the confidence of readings anew from made-up questions, and logs model and figures to MLflow.",
    ),
    "mcp": ("api.cli.mcp:mcp", "Serves the Model Context Protocol over standard input and output with one user's rights."),
    "tenant": ("api.cli.administration:tenant_app", "Companies."),
    "user": ("api.cli.administration:user_app", "People of a company."),
    "role": ("api.cli.roles:app", "Roles of a company: the built-in ones and its own."),
    "audit": ("api.cli.administration:audit_app", "The audit log of a company."),
    "alerts": ("api.cli.alerts:app", "Alert rules: what they would have told, what there is."),
    "catalog": ("api.cli.catalog:app", "The semantic catalog of a tenant."),
    "data": ("api.cli.data:app", "Your own data."),
    "models": ("api.cli.models:app", "Custom models: forecasters, detectors and explainers of your own."),
    "source": ("api.cli.sources:app", "Where a company's data comes from."),
}

app = typer.Typer(
    name="querent", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    cls=group_of({name: place for name, (place, _) in COMMANDS.items()}),
    help="Answers questions about a company's metrics in plain English over ClickHouse.",
)  # fmt: skip
for _name, (_, _summary) in COMMANDS.items():
    app.command(_name)(told_as(_summary))


@app.callback()
def options(
    home: Annotated[Path | None, typer.Option("--home", help="Folder of run-time state (QUERENT_HOME).")] = None,
    log_level: Annotated[str, typer.Option("--log-level", help="DEBUG, INFO, WARNING or ERROR.")] = "",
) -> None:
    if home is not None:
        os.environ["QUERENT_HOME"] = str(home)
        settings.cache_clear()
    with speaking():
        configure_logging(level_of(log_level), json=False)


def main() -> None:
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
