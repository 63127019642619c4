"""Forecast job: fetch the measure's parts, fit in batches, write each batch as it is made, add up, log run and model version.

Running it twice changes nothing; a run that was cut off goes on with what was written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.store import findings, goals
from core.store.findings import ForecastEntry
from core.store.goals import GoalStatus
from core.timeseries import Grain, TimeSeries
from forecasting.engine import forecast_many
from forecasting.types import Forecast
from models.lineage import Lineage, code_version
from models.registry import ModelVersion, RunRecord
from semantic.catalog.visible import visible_to
from workers.champions import CustomForecaster, forecaster_for
from workers.context import JobContext
from workers.forecasts.data import ForecastData, fetch_data
from workers.forecasts.events import event_flags
from workers.forecasts.explained import parts_of
from workers.forecasts.formula import formula_of
from workers.forecasts.goals import Outlook, outlook
from workers.forecasts.making import ADDED_UP, Tried, added_up, by_share, combine, input_of, is_cold, try_origins
from workers.forecasts.paths import unknown_dependence
from workers.forecasts.plan import Plan, plan_of
from workers.forecasts.results import shown
from workers.forecasts.rows import part_id, read_forecasts, to_arrow
from workers.forecasts.scenario import Scenario, run_scenario
from workers.forecasts.totals import PeriodTotal, period_total, total_json
from workers.forecasts.track import track_record
from workers.forecasts.visibility import figures_key, measure_key
from workers.jobs.chart_data import finite, instant
from workers.jobs.naming import model_name
from workers.jobs.results import FORECASTS, JobRows
from workers.jobs.series import TOTAL
from workers.kinds import ForecastParams

BATCH_SERIES = 50
SHOWN_SERIES = 20
Forecaster = Callable[..., list[Forecast]]
_CODE = ("forecasting", "workers.forecasts")


@dataclass(frozen=True, slots=True)
class _Made:
    """parts: per part, series id -> forecast; whole: of the measure itself."""

    parts: tuple[Mapping[str, Forecast], ...]
    whole: Mapping[str, Forecast]
    tried: Tried


def run(context: JobContext) -> dict[str, Any]:
    """{"metric", "label", "unit", "grain", "as_of", "series": [...], "period", "goal", "scenario", "parts", "model_version", "receipt", ...}.

    Raises: UserError for what cannot be forecast; Unavailable when warehouse or MLflow are away (the job then waits and goes on).
    """
    params = ForecastParams.model_validate(context.job.params)
    context.progress("fetch", 0, 1)
    catalog = visible_to(context.services.catalog(context.tenant), context.principal)
    plan = plan_of(params, formula_of(params.asked, catalog), catalog, context.as_of)
    custom = forecaster_for(context, params.metric, plan.params.grain)
    data = fetch_data(context, plan.params, plan.horizon_steps, until=plan.until, in_parts=custom is None)
    rows = JobRows(context.services.admin, context.tenant, context.job_id, FORECASTS)
    rows.prepare()
    _fit(context, plan, data, rows, custom.forecast_many if custom is not None else forecast_many)
    context.progress("write", 0, 1)
    made = _assembled(context, plan, data, rows)
    totals = _totals(plan, data, made)
    goal = outlook(data, made.parts, plan, made.tried.dependence, totals.get(TOTAL)) if params.goal is not None else None
    scenario = run_scenario(context, params, data, made.parts, plan.params.grain) if params.scenario is not None else None
    context.progress("register", 0, 1)
    version = _register(context, plan, data, made, custom)
    result = _result(context, plan, data, made, version) | _answers(plan, data, made, totals, goal, scenario)
    if custom is not None and made.whole[TOTAL].model == custom.label:
        result["model_version"] = custom.label
    _index(context, plan, data, made, version, result)
    return result


def _fit(context: JobContext, plan: Plan, data: ForecastData, rows: JobRows, forecaster: Forecaster) -> None:
    """Forecasts what an earlier attempt has not written yet, a batch at a time."""
    again = context.job.attempts > 1
    done = rows.written() if again else frozenset()
    wanted = _wanted(data)
    todo = [(row_id, series) for row_id, series in wanted.items() if row_id not in done]
    finished, total = len(wanted) - len(todo), len(wanted)
    for start in range(0, len(todo), BATCH_SERIES):
        batch = todo[start : start + BATCH_SERIES]
        before = finished + start

        def tell(count: int, _: int, before: int = before) -> None:
            context.progress("fit", before + count, total)

        made = forecaster([input_of(series, data, plan.params.grain) for _, series in batch], on_progress=tell)
        context.check_cancelled()
        _write(context, plan, data, rows, {row_id: f for (row_id, _), f in zip(batch, made, strict=True)}, may_exist=again)


def _wanted(data: ForecastData) -> dict[str, TimeSeries]:
    """What the engine is asked for, by id in the table. Segments too young for that are left to their share of the total."""
    found = {}
    for number, part in enumerate(data.parts):
        for series_id in data.order:
            if not _is_share(data, number, series_id):
                found[series_id if data.formula.is_plain else part_id(number, series_id)] = part[series_id]
    return found


def _is_share(data: ForecastData, part: int, series_id: str) -> bool:
    return data.adds_up and series_id != TOTAL and is_cold(data.parts[part][series_id], data.parts[part][TOTAL])


def _write(context: JobContext, plan: Plan, data: ForecastData, rows: JobRows, made: Mapping[str, Forecast], *, may_exist: bool) -> None:
    named = {i: data.segments[i].values for i in data.order} | {
        part_id(k, i): data.segments[i].values for k in range(len(data.parts)) for i in data.order
    }
    table = to_arrow(
        made.items(),
        job=context.job_id,
        metric=plan.params.metric or data.measure.label,
        segments=named,
        written_at=context.services.clock.now(),
    )
    rows.replace(table, list(made), may_exist=may_exist)


def _assembled(context: JobContext, plan: Plan, data: ForecastData, rows: JobRows) -> _Made:
    """Young segments, sums and ratios from what the engine made; written where that changes anything."""
    written = read_forecasts(rows)
    parts = []
    for number, series in enumerate(data.parts):
        ids = {i: i if data.formula.is_plain else part_id(number, i) for i in data.order}
        base = {i: written[row_id] for i, row_id in ids.items() if row_id in written}
        base |= {i: by_share(series[i], series[TOTAL], base[TOTAL]) for i in data.order if i not in base}
        base = {i: _named(base[i], i) for i in data.order}
        parts.append(added_up(base, data.order) if data.adds_up else base)
    needs_paths = not data.formula.is_plain or plan.period is not None or plan.params.goal is not None
    tried = try_origins(data, plan.params.grain) if needs_paths else Tried(unknown_dependence(1), None)
    if data.formula.is_plain:
        changed = {i: f for i, f in parts[0].items() if i not in written or (ADDED_UP in f.notes and ADDED_UP not in written[i].notes)}
        if changed:
            _write(context, plan, data, rows, parts[0], may_exist=True)
        return _Made(tuple(parts), parts[0], tried)
    whole = combine(data, parts, tried)
    if any(i not in written for i in data.order):
        _write(context, plan, data, rows, whole, may_exist=True)
    return _Made(tuple(parts), whole, tried)


def _named(forecast: Forecast, series_id: str) -> Forecast:
    return forecast if forecast.series_id == series_id else replace(forecast, series_id=series_id)


def _totals(plan: Plan, data: ForecastData, made: _Made) -> dict[str, PeriodTotal]:
    if plan.period is None:
        return {}
    shown_ids = data.order[:SHOWN_SERIES]
    return {
        i: period_total(data, made.parts, i, plan.period, made.tried.dependence, ever=plan.running_total, seed=number)
        for number, i in enumerate(shown_ids)
    }


def _register(context: JobContext, plan: Plan, data: ForecastData, made: _Made, custom: CustomForecaster | None) -> ModelVersion:
    receipt, params = data.receipt, plan.params
    lineage = Lineage(receipt.query_hash, receipt.catalog_version, receipt.data_version, code_version(_CODE))
    with_backtest = [f.backtest for f in made.whole.values() if f.backtest and np.isfinite(f.backtest.mase)]
    metrics = {"series": float(len(made.whole)), "fallbacks": float(sum(bool(f.fallback) for f in made.whole.values()))}
    if with_backtest:
        mase, naive = np.array([b.mase for b in with_backtest]), np.array([b.naive_mase for b in with_backtest])
        metrics |= {
            "mase_median": float(np.median(mase)),
            "naive_mase_median": float(np.nanmedian(naive)),
            "share_better_than_naive": float((mase < naive).mean()),
        }
    model = model_name(context.tenant, "forecast", params)
    record = RunRecord(
        model=model,
        key=context.job_id,
        lineage=lineage,
        params={
            "served_by": custom.label if custom is not None else "engine",
            "grain": params.grain.value,
            "horizon_steps": len(data.future),
            "segments": ",".join(map(str, params.segments)),
        },
        metrics=metrics,
        files={
            "model/model.json": {
                "kind": "forecast",
                "params": params.model_dump(mode="json"),
                "dependence": made.tried.dependence.as_json(),
                "models": {i: f.model for i, f in made.whole.items()},
            },
            "series_errors.json": series_errors(made.whole),
            "receipt.json": receipt.as_json(),
        },
    )
    registry = context.services.registry
    version = registry.log_run(record)
    # A filtered forecast, or one that a custom model made, says nothing about the engine's own champion.
    if custom is None and (params.where is None or registry.champion(model) is None):
        registry.promote(context.tenant, version)
    return version


def series_errors(made: Mapping[str, Forecast]) -> list[dict[str, Any]]:
    """Per series: model, why a simpler one served, backtest errors."""
    return [
        {
            "series_id": series_id,
            "model": f.model,
            "fallback": f.fallback or "",
            "mase": finite(f.backtest.mase) if f.backtest else None,
            "naive_mase": finite(f.backtest.naive_mase) if f.backtest else None,
        }
        for series_id, f in made.items()
    ]


def _result(context: JobContext, plan: Plan, data: ForecastData, made: _Made, version: ModelVersion) -> dict[str, Any]:
    """Up to 20 series (the total first), each with recent history, forecast points and how good its backtest was."""
    params = plan.params
    return {
        "metric": params.metric,
        "label": data.measure.label,
        "unit": data.measure.unit,
        "format": data.measure.format,
        "good_direction": data.measure.good_direction,
        "grain": params.grain.value,
        "horizon_steps": len(data.future),
        "as_of": context.as_of.isoformat(),
        "last_complete": instant(data.last),
        "series": [shown(i, data, made.whole[i]) for i in data.order[:SHOWN_SERIES]],
        "series_count": len(data.order),
        "left_out": data.left_out,
        "adds_up": data.adds_up,
        "is_sum": data.formula.is_plain and data.formula.adds_up,
        "made_from": [] if data.formula.is_plain else [_part_label(part, data) for part in data.formula.parts],
        "assumes": _known_ahead(data, params.grain),
        "notes": list(data.notes),
        "model_version": str(version),
        "receipt": data.receipt.as_json(),
    }


def _known_ahead(data: ForecastData, grain: Grain) -> list[str]:
    """Holidays and events that the forecast knows of."""
    calendar = data.catalog.calendar
    if grain not in (Grain.MINUTE, Grain.HOUR, Grain.DAY):
        return []
    names = [name.removeprefix("event: ") for name in event_flags(calendar.events, data.history[TOTAL].times, data.future, grain)]
    return ([f"public holidays ({calendar.country})"] if calendar.country else []) + names


def _part_label(part: Any, data: ForecastData) -> str:
    name = getattr(part, "metric", None)
    return data.catalog.metric(name).label if name else f"{part.aggregate.value} of {getattr(part.of, 'field', 'values')}"


def _answers(
    plan: Plan, data: ForecastData, made: _Made, totals: Mapping[str, PeriodTotal], goal: Outlook | None, scenario: Scenario | None
) -> dict[str, Any]:
    period = None
    if plan.period is not None:
        period = {
            "label": plan.period.label,
            "start": plan.period.start.isoformat(),
            "end": plan.period.end.isoformat(),
            "running_total": plan.running_total,
            "is_sum": data.formula.is_plain and data.formula.adds_up,
            "known_until": instant(data.last),
            "series": [total_json(total, i, data.segments[i].label) for i, total in totals.items()],
        }
    return {
        "period": period,
        "goal": goal.as_json() | {"goal_id": plan.params.goal.goal_id} if goal is not None and plan.params.goal is not None else None,
        "scenario": scenario.as_json() if scenario is not None else None,
        "parts": parts_of(data, made.whole[TOTAL], plan.params.grain, None if plan.running_total else plan.period),
    }


def _index(context: JobContext, plan: Plan, data: ForecastData, made: _Made, version: ModelVersion, result: dict[str, Any]) -> None:
    """The entry that lists and scoring start from; the goal's status; how earlier forecasts of the same turned out."""
    params, services = plan.params, context.services
    visibility = figures_key(context.principal, services.catalog(context.tenant), params)
    key = measure_key(params.asked, params.where)
    total = made.whole[TOTAL]
    entry = ForecastEntry(
        job_id=context.job_id,
        metric=params.metric or data.measure.label,
        grain=params.grain.value,
        horizon_steps=len(data.future),
        series_count=len(data.order),
        model=total.model[:200],
        model_version=result["model_version"],
        catalog_version=data.receipt.catalog_version,
        summary={
            "label": data.measure.label,
            "mase": finite(total.backtest.mase) if total.backtest else None,
            "naive_mase": finite(total.backtest.naive_mase) if total.backtest else None,
            "measure_key": key,
            "visibility": visibility,
            "from": instant(data.future[0]),
            "until": instant(data.future[-1]),
            "run_id": version.run_id,
            "params": params.model_dump(mode="json", exclude={"goal", "scenario", "period"}),
        },
        created_by=context.job.user,
    )
    now = services.clock.now()
    with services.store.write() as connection:
        findings.put(connection, context.tenant, entry, now=now)
        result["live"] = track_record(connection, context.tenant, key, params.grain, visibility)
        goal = result.get("goal")
        if goal and goal["goal_id"]:
            status = {k: v for k, v in goal.items() if k != "line"} | {
                "label": result["label"], "unit": result["unit"], "format": result["format"],
            }  # fmt: skip
            goals.put_status(connection, context.tenant, GoalStatus(goal["goal_id"], visibility, status, context.job_id, now))
