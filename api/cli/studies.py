"""`querent forecast`, `forecast-batch`, `accuracy`, `detect` and `explain`: jobs that are waited for."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from api.cli.context import context
from api.cli.following import start_and_follow
from api.cli.output import out, print_json, print_table, speaking
from api.fields import field_named
from api.investigations import job_params
from api.routes.forecasts import ForecastBody, accuracy_of, forecast_job_params
from api.routes.jobs import series_query
from api.study_view import with_view
from core.errors import Invalid
from nlq.numbers import number_of
from nlq.outlook import find_outlook, find_period
from semantic.catalog.model import Catalog
from semantic.query import MetricRef, SemanticQuery

Metric = Annotated[str, typer.Argument(help="Name of a metric of the catalog.")]
Tenant = Annotated[str, typer.Option("--tenant", "-t", help="Whose data.")]
By = Annotated[str | None, typer.Option(help="Split by this field (dataset.field).")]
Json = Annotated[bool, typer.Option("--json", help="The whole result as JSON.")]
SHOWN = 40


def forecast(
    metric: Metric,
    tenant: Tenant,
    horizon: Annotated[int | None, typer.Option(min=1, max=1000, help="Steps of the grain; 28 unless a period is asked.")] = None,
    grain: Annotated[str | None, typer.Option(help="hour, day, week, month, quarter or year; the metric's own when not given.")] = None,
    by: Annotated[list[str] | None, typer.Option(help="Split by this field (region, or dataset.field); may be repeated.")] = None,
    period: Annotated[str | None, typer.Option(help='One figure for a period: "next quarter", "this year", "March 2027".')] = None,
    goal: Annotated[str | None, typer.Option(help="How likely this value is reached, and when: 5M, 3%.")] = None,
    change: Annotated[str | None, typer.Option("--if", help='A scenario: "ad spend grows 10%".')] = None,
    as_json: Json = False,
) -> None:
    """What comes next: mean with 80 and 95 % intervals."""
    with speaking(as_json):
        principal = context.principal(tenant)
        catalog = context.services.catalogs.visible(principal).catalog
        body = asked_forecast(metric, catalog, context.services.clock.now(), horizon, grain, by, period, goal, change)
        params = forecast_job_params(body, catalog)
        result = start_and_follow(context.services, principal, "forecast", params, quiet=as_json)
        _print(with_view("forecast", result) or {}, as_json)


def forecast_batch(
    tenant: Tenant,
    metric: Annotated[list[str] | None, typer.Option(help="A metric; may be repeated; none takes the certified ones.")] = None,
    by: Annotated[list[str] | None, typer.Option(help="Split by this field; may be repeated.")] = None,
    grain: str = "day",
    horizon: Annotated[int, typer.Option(min=1, max=400)] = 28,
    refit_steps: Annotated[int, typer.Option(min=0, max=100, help="A fit serves so many steps unless it drifts; 0 fits all again.")] = 7,
    batch_series: Annotated[int, typer.Option(min=10, max=200, help="Series per task.")] = 100,
    as_json: Json = False,
) -> None:
    """Forecasts many metrics and segments at once, on all workers."""
    with speaking(as_json):
        principal = context.principal(tenant)
        catalog = context.services.catalogs.visible(principal).catalog
        params = {
            "metrics": metric or [], "segments": [field_named(name, catalog).model_dump(mode="json") for name in by or []],
            "grain": grain, "horizon_steps": horizon, "refit_steps": refit_steps, "batch_series": batch_series,
        }  # fmt: skip
        _print(
            with_view("forecast_batch", start_and_follow(context.services, principal, "forecast_batch", params, quiet=as_json)) or {},
            as_json,
        )


def accuracy(tenant: Tenant, metric: Annotated[str | None, typer.Option(help="Only this metric.")] = None, as_json: Json = False) -> None:
    """Scores stored forecasts with what came since, and shows how good they were."""
    with speaking(as_json):
        principal = context.principal(tenant)
        start_and_follow(context.services, principal, "score_forecasts", {}, quiet=as_json)
        found = accuracy_of(context.services, principal, metric=metric, grain=None, limit=200)
        if as_json:
            print_json(found)
            return
        rows = [
            [m["metric"], m["grain"], str(m["forecasts"]), str(m["points"]), *(_percent(m[k]) for k in ("error", "naive_error", "coverage_80", "coverage_95"))]
            for m in found["metrics"]
        ]  # fmt: skip
        print_table(
            ["metric", "grain", "forecasts", "points", "error", "last season's", "inside 80%", "inside 95%"], rows, frozenset(range(2, 8))
        )


def asked_forecast(
    metric: str,
    catalog: Catalog,
    now: dt.datetime,
    horizon: int | None,
    grain: str | None,
    by: list[str] | None,
    period: str | None,
    goal: str | None,
    change: str | None,
) -> ForecastBody:
    """The options as a request. Raises: Invalid for a period, goal or scenario that is not understood; NotFound for the metric."""
    found = catalog.metric(metric)
    body: dict[str, Any] = {"metric": metric, "horizon": horizon, "grain": grain, "by": by}
    if period is not None:
        window = find_period(period, now, catalog.calendar)
        if window is None:
            raise Invalid(
                f'A period that ends in the future was expected, such as "next quarter"; found {period[:60]!r}.', code="bad_period"
            )
        body["period"] = {"window": window[0].model_dump(mode="json"), "label": window[1]}
    if goal is not None:
        number = number_of(goal.rstrip("%").strip())
        if number is None:
            raise Invalid(f"A goal is a number such as 5M or 3%; found {goal[:40]!r}.", code="bad_goal")
        body["goal"] = {"target": number / 100 if goal.endswith("%") and found.format == "percent" else number}
    if change is not None:
        outlook = find_outlook(f"if {change.removeprefix('if ')}")
        if outlook is None or outlook.scenario is None:
            raise Invalid(f'A scenario reads like "ad spend grows 10%"; found {change[:60]!r}.', code="bad_scenario")
        body["scenario"] = {"driver": outlook.scenario.driver, "change_percent": outlook.scenario.change_percent}
    try:
        return ForecastBody.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise Invalid(f"{'.'.join(map(str, first['loc']))}: {first['msg']}.", code="bad_forecast") from error


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


def _study(kind: str, query: SemanticQuery, tenant: str, quiet: bool) -> dict[str, Any]:
    principal = context.principal(tenant)
    catalog = context.services.catalogs.visible(principal).catalog
    result = start_and_follow(context.services, principal, kind, job_params(kind, query, catalog), quiet=quiet)
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


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.1f}%"
