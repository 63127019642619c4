"""`querent forecast`, `detect` and `explain`: jobs that are waited for."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from api.cli.context import context
from api.cli.following import start_and_follow
from api.cli.output import out, print_json, print_table, speaking
from api.investigations import job_params
from api.routes.jobs import series_query
from api.study_view import with_view
from semantic.query import MetricRef, SemanticQuery

Metric = Annotated[str, typer.Argument(help="Name of a metric of the catalog.")]
Tenant = Annotated[str, typer.Option("--tenant", "-t", help="Whose data.")]
By = Annotated[str | None, typer.Option(help="Split by this field (dataset.field).")]
Json = Annotated[bool, typer.Option("--json", help="The whole result as JSON.")]
SHOWN = 40


def register(app: typer.Typer) -> None:
    for command in (forecast, detect, explain, scan):
        app.command()(command)


def forecast(
    metric: Metric,
    tenant: Tenant,
    horizon: Annotated[int, typer.Option(min=1, max=1000)] = 28,
    grain: str = "day",
    by: By = None,
    as_json: Json = False,
) -> None:
    """What comes next: mean with 80 and 95 % intervals."""
    with speaking(as_json):
        result = _study("forecast", series_query(metric, by, grain), tenant, as_json, horizon)
        _print(result, as_json)


def detect(metric: Metric, tenant: Tenant, grain: str = "day", by: By = None, as_json: Json = False) -> None:
    """What was unusual in a metric's history."""
    with speaking(as_json):
        _print(_study("detect", series_query(metric, by, grain), tenant, as_json), as_json)


def explain(metric: Metric, tenant: Tenant, as_json: Json = False) -> None:
    """Why a metric changed from one complete month to the next."""
    with speaking(as_json):
        _print(_study("explain", SemanticQuery(metrics=(MetricRef(metric=metric),)), tenant, as_json), as_json)


def scan(tenant: Tenant, grain: str = "day", as_json: Json = False) -> None:
    """Anything one should know of the last complete period, over the certified metrics."""
    with speaking(as_json):
        _print(start_and_follow(context.services, context.principal(tenant), "scan", {"grain": grain}, quiet=as_json), as_json)


def _study(kind: str, query: SemanticQuery, tenant: str, quiet: bool, horizon: int | None = None) -> dict[str, Any]:
    principal = context.principal(tenant)
    catalog = context.services.catalogs.visible(principal).catalog
    result = start_and_follow(context.services, principal, kind, job_params(kind, query, catalog, horizon), quiet=quiet)
    return with_view(kind, result) or {}


def _print(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(result)
        return
    for line in [result.get("headline"), *result.get("narrative", [])]:
        if line:
            out.print(str(line), markup=False)
    table = result.get("view_table")
    if isinstance(table, dict):
        rows = [[str(value) for value in row] for row in table.get("rows", [])[:SHOWN]]
        print_table([str(c) for c in table.get("columns", [])], rows)
    elif not result.get("headline"):
        print_json(result)
