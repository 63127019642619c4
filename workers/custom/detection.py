"""A candidate detector against who judges the metric now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from anomaly.detection import detect
from anomaly.prepare import Rows, step_seconds
from anomaly.types import DetectInput
from core.store.model_versions import StoredVersion
from core.timeseries import FloatArray, TimeSeries
from models.conformance.made_up import SEASON_STEPS
from models.gate.injected import run
from models.gate.recalled import judge
from models.gate.verdict import Criterion
from models.judging import scores_of
from models.sandbox.limits import Limits
from models.sandbox.subject import WalledModel
from models.sdk.card import ModelCard, card_of
from models.serving import Ready
from workers.champions import champion_for, walled
from workers.context import JobContext
from workers.custom.ground import Ground
from workers.custom.promotion import OWN

LIMITS = Limits(cpu_s=900, wall_s=900)


def compare_detectors(
    context: JobContext, version: StoredVersion, card: ModelCard, ground: Ground, tell: Callable[[int, int], None]
) -> tuple[dict[str, Any], list[Criterion]]:
    """What was found, and the gate's criteria. Raises: ModelFailed; NotEnoughData; Unavailable."""
    serving = champion_for(context.services, context.tenant, "detect", ground.metric, ground.grain)
    season = max(1, SEASON_STEPS.get(ground.grain.value, 1))
    with ExitStack() as stack:
        subject = stack.enter_context(walled(context.services, version, LIMITS))

        def candidate(series: Sequence[Ready]) -> Sequence[FloatArray]:
            subject.fresh()
            return _custom(subject, card, series, ground)

        def champion(series: Sequence[Ready]) -> Sequence[FloatArray]:
            if serving is None:
                return [detect(_input(one, ground)).score for one in series]
            with walled(context.services, serving, LIMITS) as other:
                return _custom(other, card_of(dict(serving.card)), series, ground)

        def peak() -> int:
            subject.fresh()
            return subject.peak_bytes

        about = (ground.metric, ground.grain.value, str(serving) if serving else OWN)
        found = run(about, ground.series, season, (candidate, champion), peak_bytes=peak, on_progress=tell)
    return found.as_json(), judge(found)


def _custom(subject: WalledModel, card: ModelCard, series: Sequence[Ready], ground: Ground) -> list[FloatArray]:
    rows = [Rows(one.times, np.asarray(one.values), step_seconds(one.times, ground.grain), ()) for one in series]
    return [found["score"] for found in scores_of(subject, card, rows, ground.grain, _input(series[0], ground))]


def _input(one: Ready, ground: Ground) -> DetectInput:
    series = TimeSeries(one.name, one.times, np.asarray(one.values), ground.grain)
    return DetectInput(series=series, time_zone=ground.zone, country=ground.fetched.catalog.calendar.country)
