"""A candidate against who serves now, on the tenant's real data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from core.store.model_versions import StoredVersion
from forecasting.types import Forecast, ForecastInput
from models.gate.backtest import Backtest, run
from models.gate.verdict import Criterion, judge
from models.lineage import code_version
from models.sandbox.limits import Limits
from models.sdk.card import ModelCard, card_of
from models.sdk.failures import ModelFailed
from models.serving import forecast_with
from workers.champions import champion_for, walled
from workers.context import JobContext
from workers.custom.detection import compare_detectors
from workers.custom.explanation import Courses, compare_explainers, fetch_courses
from workers.custom.ground import Ground, fetch_ground, own_engine, usable
from workers.custom.promotion import OWN

BACKTEST_LIMITS = Limits(cpu_s=900, wall_s=900)


@dataclass(frozen=True, slots=True)
class Compared:
    """backtest: {"runs": [...]}; verdict: {"passed", "criteria"}; lineage: of the data that it was compared on."""

    backtest: Mapping[str, Any]
    verdict: Mapping[str, Any]
    lineage: Mapping[str, Any]


def compare(context: JobContext, version: StoredVersion, card: ModelCard) -> Compared:
    """Raises: ModelFailed when the candidate fails on real data; NotEnoughData; UserError; Unavailable."""
    grounds: Sequence[Ground | Courses] = usable(context, card, fetch_courses if card.kind == "explainer" else fetch_ground)
    runs: list[dict[str, Any]] = []
    criteria: list[Criterion] = []
    for number, ground in enumerate(grounds):

        def tell(done: int, total: int, number: int = number) -> None:
            context.progress("backtest", number + done / total, len(grounds))

        if isinstance(ground, Courses):
            found, judged = compare_explainers(context, version, card, ground, tell)
        elif card.kind == "detector":
            found, judged = compare_detectors(context, version, card, ground, tell)
        else:
            backtest = _forecasters(context, version, card, ground, tell)
            found, judged = _summed(backtest), list(judge(backtest).criteria)
        runs.append(found)
        named = [Criterion(f"{ground.metric}: {c.name}", c.passed, c.required, c.found) for c in judged] if len(grounds) > 1 else judged
        criteria += named
    receipt = grounds[0].receipt
    lineage = {
        "query_hash": receipt.query_hash,
        "catalog_version": receipt.catalog_version,
        "data_version": receipt.data_version,
        "package_sha256": version.sha256,
        "service_code": code_version(("models", "forecasting", "anomaly")),
        "sql": list(receipt.sql),
    }
    verdict = {"passed": all(c.passed for c in criteria), "criteria": [asdict(c) for c in criteria]}
    return Compared(_plain({"runs": runs}), _plain(verdict), lineage)


def _forecasters(context: JobContext, version: StoredVersion, card: ModelCard, ground: Ground, tell: Any) -> Backtest:
    serving = champion_for(context.services, context.tenant, "forecast", ground.metric, ground.grain)
    calendar = ground.fetched.catalog.calendar
    with ExitStack() as stack:
        subject = stack.enter_context(walled(context.services, version, BACKTEST_LIMITS))
        other = stack.enter_context(walled(context.services, serving, BACKTEST_LIMITS)) if serving is not None else None

        def candidate(inputs: Sequence[ForecastInput]) -> Sequence[Forecast]:
            made = forecast_with(subject, card, str(version), inputs)
            failed = [forecast.fallback for forecast in made if forecast.fallback]
            if failed:
                raise ModelFailed(f"On the tenant's data: {failed[0]}")
            return made

        def champion(inputs: Sequence[ForecastInput]) -> Sequence[Forecast]:
            if serving is None or other is None:
                return own_engine(calendar, inputs)
            return forecast_with(other, card_of(dict(serving.card)), str(serving), inputs)

        def peak() -> int:
            subject.fresh()
            return subject.peak_bytes

        task = ground.task(card, str(serving) if serving else OWN)
        return run(task, candidate, champion, fresh=subject.fresh, peak_bytes=peak, on_progress=tell)


def _summed(found: Backtest) -> dict[str, Any]:
    means = np.nanmean(np.array(found.by_fold, dtype=np.float64), axis=0)
    return found.as_json() | {"candidate": float(means[0]), "champion_error": float(means[1]), "naive": float(means[2])}


def _plain(value: Any) -> Any:
    """As JSON takes it: tuples as lists, NaN as None."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return bool(value) if isinstance(value, np.bool_) else int(value) if isinstance(value, np.integer) else value
