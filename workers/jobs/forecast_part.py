"""One task of a forecast batch: up to 200 series of one metric, fitted together where due, one MLflow run, rows written at once.

A task that was cut off after its rows were written does not fit again; one that was cut off before fits only its own series again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from core.errors import Cancelled, NotFound
from core.ids import JobId
from core.store import findings, forecast_records, jobs
from core.store.findings import ForecastEntry
from core.store.forecast_records import Fit
from core.store.jobs import JobStatus
from forecasting.engine import forecast_many
from forecasting.types import Forecast
from models.lineage import Lineage, code_version
from models.registry import RunRecord
from semantic.query import MetricRef
from workers.champions import forecaster_for
from workers.context import JobContext
from workers.forecasts.data import ForecastData, fetch_data
from workers.forecasts.making import Tried, combine, input_of, try_origins
from workers.forecasts.paths import unknown_dependence
from workers.forecasts.rows import from_arrow, read_forecasts, to_arrow
from workers.forecasts.serving import CARRIED, Decision, carried, decide, fit_of, reasons, series_key, stream_key
from workers.forecasts.slices import narrowing
from workers.forecasts.visibility import measure_key, visibility_key
from workers.jobs.chart_data import finite, instant
from workers.jobs.forecast import series_errors
from workers.jobs.naming import model_name
from workers.jobs.results import FORECASTS, JobRows, read_rows
from workers.jobs.series import TOTAL
from workers.kinds import ForecastPartParams, SeriesParams

_CODE = ("forecasting", "workers.forecasts")
_LOOK_EVERY_S = 1.0


class _Watch:
    """Stops the task when its batch was cancelled."""

    def __init__(self, context: JobContext, batch: str) -> None:
        self._context, self._batch, self._looked_s = context, JobId(batch), 0.0

    def __call__(self) -> None:
        self._context.check_cancelled()
        now_s = time.monotonic()
        if now_s - self._looked_s < _LOOK_EVERY_S:
            return
        self._looked_s = now_s
        try:
            with self._context.services.store.read() as connection:
                parent = jobs.get(connection, self._context.tenant, self._batch)
        except NotFound:
            return
        if parent.cancel_requested or parent.status is JobStatus.CANCELLED:
            raise Cancelled("The batch was cancelled.")


def run(context: JobContext) -> dict[str, Any]:
    """{"metric", "series", "fitted", "carried", "reasons", "fallbacks", "mase_median", "run_id", "seconds", "from", "until"}.

    Raises: UserError for what cannot be forecast; Cancelled; Unavailable.
    """
    started_s = time.monotonic()
    params = ForecastPartParams.model_validate(context.job.params)
    watch = _Watch(context, params.batch)
    watch()
    context.progress("fetch", 0, 1)
    rows = JobRows(context.services.admin, context.tenant, context.job_id, FORECASTS)
    rows.prepare()
    custom = forecaster_for(context, params.metric, params.grain)
    asked = SeriesParams(metric=params.metric, segments=params.segments, grain=params.grain, max_series=10_000)
    data = fetch_data(
        context, asked, params.horizon_steps + params.refit_steps, narrow=narrowing(params.series, params.segments), in_parts=custom is None
    )
    ids = [i for i in params.series if i in data.segments]
    served_by = f" {custom.label}" if custom is not None else ""  # each model's fits are carried on by themselves
    stream = stream_key(params.metric, params.grain, params.segments, _visibility(context, params) + served_by)
    with context.services.store.read() as connection:
        fits = forecast_records.fits(connection, context.tenant, stream)
    made = read_forecasts(rows) if context.job.attempts > 1 else {}
    decisions = {i: Decision(None if _is_carried(made[i]) else "new") for i in made}
    if not set(ids) <= set(made):
        made, decisions = _made(context, params, data, ids, fits, watch, custom.forecast_many if custom is not None else forecast_many)
        table = to_arrow(
            made.items(),
            job=context.job_id,
            metric=params.metric,
            segments={i: data.segments[i].values for i in ids},
            written_at=context.services.clock.now(),
        )
        rows.replace(table, ids, may_exist=context.job.attempts > 1)
    context.progress("register", 0, 1)
    _keep_fits(context, params, data, made, fits, stream)
    run_id = _log(context, params, data, made, decisions)
    _index(context, params, data, made, run_id)
    tested = [f.backtest.mase for f in made.values() if f.backtest and np.isfinite(f.backtest.mase)]
    return {
        "metric": params.metric,
        "series": len(made),
        "fitted": sum(not _is_carried(f) for f in made.values()),
        "carried": sum(_is_carried(f) for f in made.values()),
        "reasons": reasons(decisions),
        "fallbacks": sum(bool(f.fallback) for f in made.values()),
        "mase_median": float(np.median(tested)) if tested else None,
        "models": {i: f.model for i, f in made.items()} if len(made) <= 200 else {},
        "run_id": run_id,
        "receipt": {k: v for k, v in data.receipt.as_json().items() if k != "sql"},
        "seconds": round(time.monotonic() - started_s, 2),
        "from": instant(data.future[0]),
        "until": instant(data.future[-1]),
    }


def _made(
    context: JobContext,
    params: ForecastPartParams,
    data: ForecastData,
    ids: list[str],
    fits: Mapping[str, Fit],
    watch: _Watch,
    forecaster: Callable[..., list[Forecast]],
) -> tuple[dict[str, Forecast], dict[str, Decision]]:
    stored = _stored(context, [fits[series_key(i)] for i in ids if series_key(i) in fits])
    decisions = {
        i: decide(data, i, fits.get(series_key(i)), stored.get(series_key(i)), params.refit_steps, params.horizon_steps) for i in ids
    }
    due = [i for i in ids if decisions[i].reason is not None]
    inputs = [input_of(part[i], data, params.grain) for part in data.parts for i in due]

    def tell(done: int, _: int) -> None:
        watch()
        context.progress("fit", done, max(1, len(inputs)))

    fresh = forecaster(inputs, on_progress=tell) if inputs else []
    watch()
    parts = [
        {i: replace(f, series_id=i) for i, f in zip(due, fresh[k * len(due) : (k + 1) * len(due)], strict=True)}
        for k in range(len(data.parts))
    ]
    found: dict[str, Forecast] = {}
    if due:
        tried = Tried(unknown_dependence(1), None) if data.formula.is_plain else try_origins(data, params.grain)
        found = combine(replace(data, order=tuple(due)), parts, tried)
    for i in ids:
        if i not in found:
            found[i] = carried(stored[series_key(i)], data, fits[series_key(i)], len(data.future))
    return {i: found[i] for i in ids}, decisions


def _stored(context: JobContext, fits: list[Fit]) -> dict[str, Forecast]:
    """What the fits' jobs wrote, by series key."""
    found: dict[str, Forecast] = {}
    for job in sorted({fit.job_id for fit in fits}):
        wanted = {fit.row_id: fit.series_key for fit in fits if fit.job_id == job}
        table = read_rows(context.services.admin, context.tenant, JobId(job), FORECASTS, list(wanted))
        found |= {wanted[row_id]: forecast for row_id, forecast in from_arrow(table).items()}
    return found


def _keep_fits(
    context: JobContext, params: ForecastPartParams, data: ForecastData, made: Mapping[str, Forecast], fits: Mapping[str, Fit], stream: str
) -> None:
    now = context.services.clock.now()
    new = []
    for i, forecast in made.items():
        before = fits.get(series_key(i))
        if before is not None and before.job_id == context.job_id:
            continue  # an earlier attempt of this task kept it
        if before is not None and _is_carried(forecast):
            new.append(replace(before, carried=before.carried + 1))
        else:
            new.append(fit_of(forecast, data, metric=params.metric, job=context.job_id, before=before, now=now))
    with context.services.store.write() as connection:
        forecast_records.put_fits(connection, context.tenant, stream, new)


def _log(
    context: JobContext, params: ForecastPartParams, data: ForecastData, made: Mapping[str, Forecast], decisions: Mapping[str, Decision]
) -> str:
    """One MLflow run for the task, with a table of errors by series and what the numbers were made from."""
    receipt = data.receipt
    tested = [f.backtest for f in made.values() if f.backtest and np.isfinite(f.backtest.mase)]
    metrics = {"series": float(len(made)), "fallbacks": float(sum(bool(f.fallback) for f in made.values()))}
    metrics |= {f"reason_{name}": float(count) for name, count in reasons(decisions).items()}
    if tested:
        metrics["mase_median"] = float(np.median([b.mase for b in tested]))
        metrics["share_better_than_naive"] = float(np.mean([b.mase < b.naive_mase for b in tested]))
    errors = [
        row | {"reason": decisions[row["series_id"]].reason if row["series_id"] in decisions else None} for row in series_errors(made)
    ]
    record = RunRecord(
        model=model_name(context.tenant, "forecast", SeriesParams(metric=params.metric)),
        key=context.job_id,
        lineage=Lineage(receipt.query_hash, receipt.catalog_version, receipt.data_version, code_version(_CODE)),
        params={"batch": params.batch, "grain": params.grain.value, "horizon_steps": params.horizon_steps},
        metrics=metrics,
        files={"series_errors.json": errors, "receipt.json": receipt.as_json()},
    )
    return context.services.registry.log_batch(record)


def _index(context: JobContext, params: ForecastPartParams, data: ForecastData, made: Mapping[str, Forecast], run_id: str) -> None:
    total = made.get(TOTAL)
    asked = {"metric": params.metric, "segments": [s.model_dump(mode="json") for s in params.segments], "grain": params.grain.value}
    entry = ForecastEntry(
        job_id=context.job_id,
        metric=params.metric,
        grain=params.grain.value,
        horizon_steps=len(data.future),
        series_count=len(made),
        model=(total.model if total else "several")[:200],
        model_version=None,
        catalog_version=data.receipt.catalog_version,
        summary={
            "label": data.measure.label,
            "mase": finite(total.backtest.mase) if total and total.backtest else None,
            "naive_mase": finite(total.backtest.naive_mase) if total and total.backtest else None,
            "measure_key": measure_key(MetricRef(metric=params.metric), None) if TOTAL in made else "",
            "visibility": _visibility(context, params),
            "from": instant(data.future[0]),
            "until": instant(data.future[-1]),
            "run_id": run_id,
            "batch": params.batch,
            "params": asked | {"max_series": 10_000},
        },
        created_by=context.job.user,
    )
    with context.services.store.write() as connection:
        findings.put(connection, context.tenant, entry, now=context.services.clock.now())


def _visibility(context: JobContext, params: ForecastPartParams) -> str:
    catalog = context.services.catalog(context.tenant)
    return visibility_key(context.principal, catalog, MetricRef(metric=params.metric), params.segments)


def _is_carried(forecast: Forecast) -> bool:
    return any(note.startswith(CARRIED) for note in forecast.notes)
