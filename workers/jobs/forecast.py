"""Forecast job: fetch, fit in batches, write each batch as it is made, log run and model version. Running it twice changes nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from core.store import findings
from core.store.findings import ForecastEntry
from core.timeseries import Grain, TimeSeries
from forecasting.engine import forecast_many
from forecasting.types import Forecast, ForecastInput
from models.lineage import Lineage, code_version
from models.registry import ModelVersion, RunRecord
from workers.context import JobContext
from workers.jobs.chart_data import finite, history_points, instant
from workers.jobs.naming import model_name
from workers.jobs.results import FORECASTS, JobRows
from workers.jobs.series import Fetched, Segment, fetch_series
from workers.kinds import ForecastParams

BATCH_SERIES = 50
SHOWN_SERIES = 20
_CODE = ("forecasting",)


def run(context: JobContext) -> dict[str, Any]:
    """{"metric", "label", "unit", "grain", "as_of", "series": [...], "model_version", "receipt", ...}; see docs of `_result`.

    Raises: UserError for what cannot be forecast; Unavailable when warehouse or MLflow are away (the job then waits and goes on).
    """
    params = ForecastParams.model_validate(context.job.params)
    context.progress("fetch", 0, 1)
    fetched = fetch_series(context, params)
    rows = JobRows(context.services.admin, context.tenant, context.job_id, FORECASTS)
    rows.prepare()
    _fit(context, params, fetched, rows)
    context.progress("write", 0, 1)
    summary = _summary(rows)
    context.progress("register", 0, 1)
    version = _register(context, params, fetched, summary)
    result = _result(context, params, fetched, rows, summary, version)
    _index(context, params, fetched, summary, version)
    return result


def _fit(context: JobContext, params: ForecastParams, fetched: Fetched, rows: JobRows) -> None:
    """Forecasts what an earlier attempt has not written yet, a batch at a time."""
    again = context.job.attempts > 1
    done = rows.written() if again else frozenset()
    todo = [series for series in fetched.series if series.series_id not in done]
    finished, total = len(fetched.series) - len(todo), len(fetched.series)
    for start in range(0, len(todo), BATCH_SERIES):
        batch = todo[start : start + BATCH_SERIES]
        inputs = [_input(context, params, fetched, series) for series in batch]
        before = finished + start

        def tell(count: int, _: int, before: int = before) -> None:
            context.progress("fit", before + count, total)

        made = forecast_many(inputs, on_progress=tell)
        context.check_cancelled()
        rows.replace(_arrow(context, params, fetched, made), [series.series_id for series in batch], may_exist=again)


def _input(context: JobContext, params: ForecastParams, fetched: Fetched, series: TimeSeries) -> ForecastInput:
    calendar = fetched.catalog.calendar
    zone = calendar.time_zone if params.grain in (Grain.MINUTE, Grain.HOUR) else None  # day and longer buckets are dates already
    return ForecastInput(series=series, horizon_steps=params.horizon_steps, as_of=context.as_of, country=calendar.country, time_zone=zone)


def _arrow(context: JobContext, params: ForecastParams, fetched: Fetched, made: Sequence[Forecast]) -> pa.Table:
    now = context.services.clock.now()
    rows: list[dict[str, Any]] = []
    for item in made:
        segment = json.dumps(dict(fetched.segments[item.series_id].values), ensure_ascii=False)
        shared = {
            "job_id": context.job_id,
            "series_id": item.series_id,
            "metric": params.metric or fetched.measure.label,
            "segment": segment,
            "model": item.model,
            "fallback": item.fallback or "",
            "mase": item.backtest.mase if item.backtest else float("nan"),
            "naive_mase": item.backtest.naive_mase if item.backtest else float("nan"),
            "notes": json.dumps(list(item.notes), ensure_ascii=False),
            "written_at": now,
        }
        for step in range(len(item.times)):
            bounds = {f"{side}_{level}": float(band[level][step]) for side, band in _bands(item) for level in (80, 95)}
            rows.append(
                shared | {"time": item.times[step].astype("datetime64[ms]").astype(datetime), "mean": float(item.mean[step])} | bounds
            )
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def _bands(item: Forecast) -> tuple[tuple[str, Any], tuple[str, Any]]:
    return (("lower", item.lower), ("upper", item.upper))


_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("job_id", "series_id", "metric", "segment")]
    + [("time", pa.timestamp("ms", tz="UTC"))]
    + [(name, pa.float64()) for name in ("mean", "lower_80", "upper_80", "lower_95", "upper_95")]
    + [("model", pa.string()), ("fallback", pa.string()), ("mase", pa.float64()), ("naive_mase", pa.float64()), ("notes", pa.string())]
    + [("written_at", pa.timestamp("ms", tz="UTC"))]
)

_Summary = list[dict[str, Any]]


def _summary(rows: JobRows) -> _Summary:
    """One entry per series, as written: model, fallback, backtest errors, notes."""
    select = (
        "series_id, any(model) AS model, any(fallback) AS fallback, any(mase) AS mase, any(naive_mase) AS naive_mase, any(notes) AS notes"
    )
    found: _Summary = rows.read(select, "GROUP BY series_id ORDER BY series_id").to_pylist()
    return found


def _register(context: JobContext, params: ForecastParams, fetched: Fetched, summary: _Summary) -> ModelVersion:
    receipt = fetched.receipt
    lineage = Lineage(receipt.query_hash, receipt.catalog_version, receipt.data_version, code_version(_CODE))
    with_backtest = [entry for entry in summary if np.isfinite(entry["mase"])]
    metrics = {"series": float(len(summary)), "fallbacks": float(sum(bool(entry["fallback"]) for entry in summary))}
    if with_backtest:
        mase = np.array([entry["mase"] for entry in with_backtest])
        naive = np.array([entry["naive_mase"] for entry in with_backtest])
        metrics |= {
            "mase_median": float(np.median(mase)),
            "naive_mase_median": float(np.nanmedian(naive)),
            "share_better_than_naive": float((mase < naive).mean()),
        }
    record = RunRecord(
        model=model_name(context.tenant, "forecast", params),
        key=context.job_id,
        lineage=lineage,
        params={"grain": params.grain.value, "horizon_steps": params.horizon_steps, "segments": ",".join(map(str, params.segments))},
        metrics=metrics,
        files={
            "model/model.json": {
                "kind": "forecast",
                "params": params.model_dump(mode="json"),
                "models": {entry["series_id"]: entry["model"] for entry in summary},
            },
            "series_errors.json": [{key: finite(value) for key, value in entry.items() if key != "notes"} for entry in summary],
            "receipt.json": receipt.as_json(),
        },
    )
    version = context.services.registry.log_run(record)
    context.services.registry.promote(context.tenant, version)
    return version


def _result(
    context: JobContext, params: ForecastParams, fetched: Fetched, rows: JobRows, summary: _Summary, version: ModelVersion
) -> dict[str, Any]:
    """Ready for a chart: up to 20 series (the total first), each with recent history, forecast points and how good its backtest was."""
    shown = fetched.series[:SHOWN_SERIES]
    ids = [series.series_id for series in shown]
    points = rows.read(
        "series_id, time, mean, lower_80, upper_80, lower_95, upper_95",
        "AND series_id IN {ids:Array(String)} ORDER BY series_id, time",
        ids=ids,
    ).to_pylist()
    by_series: dict[str, list[dict[str, Any]]] = {series_id: [] for series_id in ids}
    for point in points:
        by_series[point["series_id"]].append(
            {"t": instant(point["time"])} | {k: finite(v) for k, v in point.items() if k not in ("series_id", "time")}
        )
    about = {entry["series_id"]: entry for entry in summary}
    return {
        "metric": params.metric,
        "label": fetched.measure.label,
        "unit": fetched.measure.unit,
        "format": fetched.measure.format,
        "good_direction": fetched.measure.good_direction,
        "grain": params.grain.value,
        "horizon_steps": params.horizon_steps,
        "as_of": context.as_of.isoformat(),
        "series": [
            _shown(series, fetched.segments[series.series_id], by_series[series.series_id], about[series.series_id]) for series in shown
        ],
        "series_count": len(fetched.series),
        "series_left_out": fetched.left_out,
        "notes": list(fetched.notes),
        "model_version": str(version),
        "receipt": fetched.receipt.as_json(),
        "table": {"name": FORECASTS.table, "job_id": context.job_id},
    }


def _shown(series: TimeSeries, segment: Segment, forecast: list[dict[str, Any]], about: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": segment.id,
        "label": segment.label,
        "segment": dict(segment.values),
        "history": history_points(series, len(forecast)),
        "forecast": forecast,
        "model": about["model"],
        "fallback": about["fallback"] or None,
        "backtest": {"mase": finite(about["mase"]), "naive_mase": finite(about["naive_mase"])},
        "notes": json.loads(about["notes"]),
    }


def _index(context: JobContext, params: ForecastParams, fetched: Fetched, summary: _Summary, version: ModelVersion) -> None:
    total = next(entry for entry in summary if entry["series_id"] == fetched.series[0].series_id)
    entry = ForecastEntry(
        job_id=context.job_id,
        metric=params.metric or fetched.measure.label,
        grain=params.grain.value,
        horizon_steps=params.horizon_steps,
        series_count=len(summary),
        model=total["model"][:200],
        model_version=str(version),
        catalog_version=fetched.receipt.catalog_version,
        summary={"label": fetched.measure.label, "mase": finite(total["mase"]), "naive_mase": finite(total["naive_mase"])},
        created_by=context.job.user,
    )
    with context.services.store.write() as connection:
        findings.put(connection, context.tenant, entry, now=context.services.clock.now())
