"""Detection job: fetch, score in batches, write points and incidents, log run and model version. Running it twice changes nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from anomaly.detection import detect
from anomaly.types import DetectInput, Detection, Incident
from core.store import findings
from core.store.findings import DetectionEntry
from core.timeseries import Grain, TimeSeries
from models.lineage import Lineage, code_version
from models.registry import ModelVersion, RunRecord
from semantic.windows import resolve_window
from workers.context import JobContext
from workers.jobs.chart_data import MAX_HISTORY, finite, instant
from workers.jobs.naming import model_name
from workers.jobs.results import DETECTED_INCIDENTS, DETECTIONS, JobRows
from workers.jobs.series import Fetched, fetch_series
from workers.judges import CustomDetector, detector_for
from workers.kinds import DetectParams

BATCH_SERIES = 50
SHOWN_SERIES = 20
SHOWN_INCIDENTS = 200
MODEL = "seasonal residual"
_CODE = ("anomaly",)


def run(context: JobContext) -> dict[str, Any]:
    """{"metric", "label", "grain", "series": [...], "incidents": [...], "model_version", "receipt", ...}.

    Raises: UserError for what cannot be judged; Unavailable when warehouse or MLflow are away (the job then waits and goes on).
    """
    params = DetectParams.model_validate(context.job.params)
    context.progress("fetch", 0, 1)
    custom = detector_for(context, params.metric, params.grain)
    fetched = fetch_series(context, params)
    points = JobRows(context.services.admin, context.tenant, context.job_id, DETECTIONS)
    incidents = JobRows(context.services.admin, context.tenant, context.job_id, DETECTED_INCIDENTS)
    points.prepare()
    incidents.prepare()
    _score(context, params, fetched, points, incidents, custom)
    context.progress("write", 0, 1)
    found = _found(incidents)
    context.progress("register", 0, 1)
    version = _register(context, params, fetched, found, custom)
    spoke = custom.speaker if custom is not None else ""
    result = _result(context, params, fetched, points, found, version) | {"model": spoke or MODEL, "model_version": spoke or str(version)}
    if custom is not None:
        result["notes"] = [*result["notes"], custom.said]
    _index(context, params, fetched, found, result)
    return result


def _score(
    context: JobContext, params: DetectParams, fetched: Fetched, points: JobRows, incidents: JobRows, custom: CustomDetector | None
) -> None:
    """Scores what an earlier attempt has not written yet. A batch's points go in last: they mark it as done."""
    again = context.job.attempts > 1
    done = points.written() if again else frozenset()
    todo = [series for series in fetched.series if series.series_id not in done]
    finished, total = len(fetched.series) - len(todo), len(fetched.series)
    for start in range(0, len(todo), BATCH_SERIES):
        batch = todo[start : start + BATCH_SERIES]
        inputs = [_input(context, params, fetched, series) for series in batch]
        made = custom.detect_many(inputs, sensitivity=params.false_alarms_per_year) if custom is not None else []
        for item in inputs[len(made) :]:
            made.append(detect(item, sensitivity=params.false_alarms_per_year, second_opinion=params.second_opinion))
            context.progress("score", finished + start + len(made), total)
        ids = [series.series_id for series in batch]
        incidents.replace(_incident_rows(context, params, fetched, made), ids, may_exist=again)
        points.replace(_point_rows(context, params, fetched, made), ids, may_exist=again)


def _input(context: JobContext, params: DetectParams, fetched: Fetched, series: TimeSeries) -> DetectInput:
    calendar = fetched.catalog.calendar
    zone = calendar.time_zone if params.grain in (Grain.MINUTE, Grain.HOUR) else None  # day and longer buckets are dates already
    return DetectInput(series=series, as_of=context.as_of, time_zone=zone, country=calendar.country)


_POINTS = pa.schema(
    [(name, pa.string()) for name in ("job_id", "series_id", "metric", "segment")]
    + [("time", pa.timestamp("ms", tz="UTC"))]
    + [(name, pa.float64()) for name in ("value", "expected", "lower", "upper", "score")]
    + [("notes", pa.string()), ("written_at", pa.timestamp("ms", tz="UTC"))]
)
_INCIDENTS = pa.schema(
    [(name, pa.string()) for name in ("job_id", "series_id", "metric", "segment")]
    + [(name, pa.timestamp("ms", tz="UTC")) for name in ("started_at", "ended_at", "detected_at")]
    + [("direction", pa.string()), ("kind", pa.string())]
    + [(name, pa.float64()) for name in ("severity", "impact", "expected", "actual")]
    + [("is_open", pa.bool_()), ("written_at", pa.timestamp("ms", tz="UTC"))]
)


def _point_rows(context: JobContext, params: DetectParams, fetched: Fetched, made: Sequence[Detection]) -> pa.Table:
    tables = []
    for item in made:
        count = len(item.times)
        texts = _shared(context, params, fetched, item.series_id) | {"notes": json.dumps(list(item.notes), ensure_ascii=False)}
        columns: dict[str, Any] = {name: pa.array([text] * count, pa.string()) for name, text in texts.items()}
        columns["time"] = pa.array(item.times.astype("datetime64[ms]")).cast(pa.timestamp("ms", tz="UTC"))
        columns |= {"value": item.values, "expected": item.expected, "lower": item.lower, "upper": item.upper, "score": item.score}
        columns["written_at"] = pa.array([context.services.clock.now()] * count, pa.timestamp("ms", tz="UTC"))
        tables.append(pa.table({name: columns[name] for name in _POINTS.names}, schema=_POINTS))
    return pa.concat_tables(tables)


def _incident_rows(context: JobContext, params: DetectParams, fetched: Fetched, made: Sequence[Detection]) -> pa.Table:
    now = context.services.clock.now()
    rows = [
        _shared(context, params, fetched, item.series_id) | _incident(incident) | {"written_at": now}
        for item in made
        for incident in item.incidents
    ]
    return pa.Table.from_pylist(rows, schema=_INCIDENTS)


def _shared(context: JobContext, params: DetectParams, fetched: Fetched, series_id: str) -> dict[str, str]:
    return {
        "job_id": context.job_id,
        "series_id": series_id,
        "metric": params.metric or fetched.measure.label,
        "segment": json.dumps(dict(fetched.segments[series_id].values), ensure_ascii=False),
    }


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "started_at": _moment(incident.start),
        "ended_at": _moment(incident.end),
        "detected_at": _moment(incident.detected_at),
        "direction": incident.direction,
        "kind": incident.kind,
        "severity": float(incident.severity),
        "impact": float(incident.impact),
        "expected": float(incident.expected),
        "actual": float(incident.actual),
        "is_open": bool(incident.is_open),
    }


def _moment(at: object) -> datetime:
    return np.datetime64(at, "ms").astype(datetime)  # type: ignore[call-overload, no-any-return]


def _found(incidents: JobRows) -> list[dict[str, Any]]:
    """All incidents as written, the most severe first, ready for JSON."""
    columns = "series_id, started_at, ended_at, detected_at, direction, kind, severity, impact, expected, actual, is_open"
    rows = incidents.read(columns, "ORDER BY severity DESC, started_at DESC, series_id").to_pylist()
    return [{key: instant(value) if isinstance(value, datetime) else finite(value) for key, value in row.items()} for row in rows]


def _register(
    context: JobContext, params: DetectParams, fetched: Fetched, found: list[dict[str, Any]], custom: CustomDetector | None
) -> ModelVersion:
    receipt = fetched.receipt
    record = RunRecord(
        model=model_name(context.tenant, "detect", params),
        key=context.job_id,
        lineage=Lineage(receipt.query_hash, receipt.catalog_version, receipt.data_version, code_version(_CODE)),
        params={
            "grain": params.grain.value,
            "segments": ",".join(map(str, params.segments)),
            "false_alarms_per_year": params.false_alarms_per_year,
            "served_by": custom.label if custom is not None else "engine",
        },
        metrics={"series": float(len(fetched.series)), "incidents": float(len(found))},
        files={
            "model/model.json": {"kind": "detect", "detector": MODEL, "params": params.model_dump(mode="json")},
            "receipt.json": receipt.as_json(),
        },
    )
    version = context.services.registry.log_run(record)
    if custom is None:  # what a custom model judged says nothing about our own champion
        context.services.registry.promote(context.tenant, version)
    return version


def _result(
    context: JobContext, params: DetectParams, fetched: Fetched, points: JobRows, found: list[dict[str, Any]], version: ModelVersion
) -> dict[str, Any]:
    """Ready for a chart: the total and the series with the most severe incidents, up to 20, their last 400 points with the expected band."""
    worst = list(dict.fromkeys(entry["series_id"] for entry in found))
    ids = list(dict.fromkeys([fetched.series[0].series_id, *worst]))[:SHOWN_SERIES]
    tail = f"AND series_id IN {{ids:Array(String)}} ORDER BY time DESC LIMIT {MAX_HISTORY} BY series_id"
    by_series: dict[str, list[dict[str, Any]]] = {series_id: [] for series_id in ids}
    for row in reversed(points.read("series_id, time, value, expected, lower, upper, score", tail, ids=ids).to_pylist()):
        numbers = {name: finite(row[name]) for name in ("expected", "lower", "upper", "score")}
        by_series[row["series_id"]].append({"t": instant(row["time"]), "v": finite(row["value"])} | numbers)
    shown = [
        {"id": key, "label": fetched.segments[key].label, "segment": dict(fetched.segments[key].values), "points": by_series[key]}
        for key in ids
    ]
    return {
        "metric": params.metric,
        "label": fetched.measure.label,
        "unit": fetched.measure.unit,
        "format": fetched.measure.format,
        "good_direction": fetched.measure.good_direction,
        "grain": params.grain.value,
        "as_of": context.as_of.isoformat(),
        "period": _period(context, params, fetched),
        "series": shown,
        "incidents": [entry | {"label": fetched.segments[entry["series_id"]].label} for entry in found[:SHOWN_INCIDENTS]],
        "incident_count": len(found),
        "series_count": len(fetched.series),
        "series_left_out": fetched.left_out,
        "notes": list(fetched.notes),
        "model_version": str(version),
        "receipt": fetched.receipt.as_json(),
        "table": {"name": DETECTIONS.table, "job_id": context.job_id},
    }


def _period(context: JobContext, params: DetectParams, fetched: Fetched) -> dict[str, str] | None:
    """The period that was asked about, in wall-clock time; None for all the history."""
    if params.period is None:
        return None
    bounds = resolve_window(params.period.window, fetched.catalog.calendar, context.as_of)
    ends = {"start": bounds.start, "end": bounds.end}
    return {"label": params.period.label or ""} | {name: at.replace(tzinfo=None).isoformat() for name, at in ends.items() if at is not None}


def _index(
    context: JobContext,
    params: DetectParams,
    fetched: Fetched,
    found: list[dict[str, Any]],
    result: dict[str, Any],
) -> None:
    entry = DetectionEntry(
        job_id=context.job_id,
        metric=params.metric or fetched.measure.label,
        grain=params.grain.value,
        series_count=len(fetched.series),
        incident_count=len(found),
        model=result["model"][:200],
        model_version=result["model_version"],
        catalog_version=fetched.receipt.catalog_version,
        summary={"label": fetched.measure.label, "worst": found[:3]},
        created_by=context.job.user,
    )
    with context.services.store.write() as connection:
        findings.put(connection, context.tenant, entry, now=context.services.clock.now())
