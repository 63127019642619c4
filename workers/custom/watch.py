"""Looks at how challengers and champions did live, and rolls a fresh champion back when it does worse than what it replaced would have."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from anomaly.prepare import bucket_ends, step_seconds
from core.errors import Conflict, UserError
from core.store import model_runs, model_slots, model_versions
from core.store.model_runs import ModelRun
from core.store.model_versions import StoredVersion, VersionState
from core.timeseries import Grain, TimeSeries
from models.conformance.made_up import SEASON_STEPS
from workers.context import JobContext
from workers.custom.promotion import rollback
from workers.jobs.series import fetch_series
from workers.kinds import SeriesParams
from workers.live import drift, score, together

_WATCHED = (VersionState.CHALLENGER, VersionState.CHAMPION, VersionState.PREVIOUS)


def watch(context: JobContext) -> dict[str, int]:
    """{"scored", "rolled_back"}. Each run of a challenger or champion is scored on the values known by now; breaches are rolled back.

    Raises: Unavailable.
    """
    with context.services.store.read() as connection:
        versions = [v for v in model_versions.list_all(connection, context.tenant) if v.state in _WATCHED and v.kind == "forecast"]
        runs = {v.id: model_runs.of_version(connection, context.tenant, v.id) for v in versions}
    actual = _actual(context, [run for found in runs.values() for run in found])
    scored = 0
    for number, version in enumerate(versions):
        context.progress("watch", number, len(versions))
        scored += _score(context, runs[version.id], actual)
        _note_drift(context, version, actual)
    rolled = sum(_judge(context, version) for version in versions if version.state is VersionState.CHAMPION)
    return {"scored": scored, "rolled_back": rolled}


def _actual(context: JobContext, runs: list[ModelRun]) -> dict[tuple[str, str], TimeSeries]:
    """The total of each metric and grain as it is now, incomplete buckets left out."""
    found: dict[tuple[str, str], TimeSeries] = {}
    for metric, grain in sorted({(run.metric, run.grain) for run in runs}):
        try:
            fetched = fetch_series(context, SeriesParams(metric=metric, grain=Grain(grain)))
        except UserError:
            continue  # the metric is gone, or has no rows now
        found[(metric, grain)] = _whole(context, fetched.series[0], Grain(grain))
    return found


def _whole(context: JobContext, series: TimeSeries, grain: Grain) -> TimeSeries:
    now = np.datetime64(int(context.services.clock.now().timestamp() * 1e9), "ns")
    keep = bucket_ends(series.times, grain, step_seconds(series.times, grain)) <= now
    return TimeSeries(series.series_id, series.times[keep], series.values[keep], series.grain)


def _score(context: JobContext, runs: tuple[ModelRun, ...], actual: dict[tuple[str, str], TimeSeries]) -> int:
    done = 0
    for run in runs:
        series = actual.get((run.metric, run.grain))
        found = score(run.points, series) if series is not None else None
        if found is None:
            continue
        with context.services.store.write() as connection:
            model_runs.score(connection, context.tenant, run.id, found.as_json(), now=context.services.clock.now())
        done += 1
    return done


def _note_drift(context: JobContext, version: StoredVersion, actual: dict[tuple[str, str], TimeSeries]) -> None:
    """Keeps with the version how its inputs have changed since it was registered."""
    since = np.datetime64(int(version.created_at.timestamp() * 1e9), "ns")
    found: dict[str, float] = {}
    for (metric, grain), series in actual.items():
        if version.metric in (metric, model_slots.ANY_METRIC) and grain in version.card.get("grains", ()):
            index = drift(series.values, series.times >= since, SEASON_STEPS.get(grain, 1))
            if index is not None:
                found[metric] = index
    if found:
        values = {"shadow": {**(version.shadow or {}), "drift": found}}
        with context.services.store.write() as connection:
            model_versions.update(connection, context.tenant, version.id, values, now=context.services.clock.now())


def _judge(context: JobContext, version: StoredVersion) -> bool:
    """Whether the champion was rolled back."""
    now = context.services.clock.now()
    with context.services.store.read() as connection:
        slot = model_slots.get(connection, context.tenant, version.kind, version.metric)
        runs = model_runs.of_version(connection, context.tenant, version.id)
    if slot.champion_id != version.id or slot.watch_until is None or now > slot.watch_until or slot.promoted_at is None:
        return False
    by_metric: dict[str, list[ModelRun]] = defaultdict(list)
    for run in runs:
        if run.role == "champion" and run.made_at >= slot.promoted_at:
            by_metric[run.metric].append(run)
    for metric, found in by_metric.items():
        live = together(found)
        if live is not None and live.breaches:
            told = {"metric": metric, "live": live.as_json(), "revision": slot.revision}
            reason = f"Its live error of {live.custom:.3f} on {metric} breaches that of Querent's own model, {live.own:.3f}."
            try:
                rollback(context.services, context.principal, version.name, reason=reason, action="rolled back by watch", evidence=told)
            except Conflict:
                return False  # somebody was faster
            return True
    return False
